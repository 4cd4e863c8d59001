"""Where inputs are tried: a small installation, and how hypothesis searches in it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

from batch_jobs.engine.engine import Engine
from batch_jobs.installation import make_engine
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests.builders import employee, employment, import_all, of, terms, user, workspace
from batch_jobs_tests.fuzz.state import State, differing, state_of


@dataclass(frozen=True)
class Place:
    """An installation to try things on.

    Attributes:
        engine: of its database, all caught up.
        folder: to stand in.
        environment: variables for its commands.
    """

    engine: Engine
    folder: Path
    environment: Mapping[str, str]

    @property
    def database(self) -> Database:
        """Its database."""
        return self.engine.database

    def state(self) -> State:
        """What it holds, which is whole."""
        return state_of(self.database)

    def still_holds(self, before: State) -> None:
        """Make sure that nothing was written since then."""
        changes = differing(before, self.state())
        assert not changes, f"written by what was refused: {changes}"


@contextmanager
def place_of(url: str, folder: Path) -> Iterator[Place]:
    """An installation with two small workspaces in an empty database."""
    with Database(url) as database:
        migrate(database)
        for name in ("acme", "globex"):
            people = [employee("e-1"), employment("e-1/1"), user("u-1", "e-1")]
            import_all(database, *of(name, workspace(), terms(), *people))
        home = folder / "home"
        engine = make_engine(database, Settings(home=home))
        engine.catch_up()
        # A Dagster home is for those who start it; commands that are tried here do not.
        yield Place(engine, folder, {"BATCH_JOBS_HOME": str(home), "BATCH_JOBS_DATABASE_URL": url, "COLUMNS": "100"})


def chosen(examples: int) -> Callable[..., settings]:
    """Settings of a search over so many inputs."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
