"""What has to hold for every input, whatever it is: done, or refused in one clear text with nothing written."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterInvalidConfigError, validate_run_config

from batch_jobs.cli.application import run_command
from batch_jobs.cli.failures import BAD_INPUT, exit_code
from batch_jobs.engine.requests import find_job, read_parameters
from batch_jobs.errors import BadInputError, BatchJobsError
from batch_jobs.jobs import registry
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import import_events

LONGEST_TEXT = 5_000

_STATE = """
    SELECT (SELECT count(*) FROM batch_jobs.events), (SELECT coalesce(sum(head), 0) FROM batch_jobs.workspaces),
        (SELECT count(*) FROM batch_jobs.workspaces), (SELECT count(*) FROM batch_jobs.job_runs),
        (SELECT count(*) FROM batch_jobs.outbox),
        (SELECT count(*) FROM batch_jobs.job_runs WHERE status IN ('pending', 'started'))
"""


@dataclass(frozen=True)
class Place:
    """An installation to try things on: its database, a folder to stand in, and variables for its commands."""

    database: Database
    folder: Path
    environment: Mapping[str, str]

    def state(self) -> tuple[int, ...]:
        """Counts that tell whether anything was written, and that all that was written is whole."""
        with self.database.owner() as connection:
            row = connection.execute(_STATE).fetchone()
        assert row
        events, heads, *_, active = row
        assert events == heads, f"{events} events, but heads that say {heads}"
        assert active == 0, f"{active} runs were left active"
        return tuple(row)


def try_import(place: Place, content: bytes) -> None:
    """A file is imported as a whole or not at all."""
    before = place.state()
    try:
        import_events(place.database, content.splitlines(keepends=True))
    except BatchJobsError as error:
        _is_clear(str(error))
        assert place.state() == before
    else:
        place.state()


def try_parameters(job: str, given: Mapping[str, Any]) -> None:
    """Parameters are read, or refused with the name of one."""
    try:
        read_parameters(find_job(registry(), job), given)
    except BadInputError as error:
        _is_clear(str(error))


def try_run_config(text: str) -> None:
    """A run config is valid or refused by Dagster as config."""
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        # Dagster reads it by the same library (which raises ValueError for the 30th of February): it never gets here.
        return
    with contextlib.suppress(DagsterInvalidConfigError):
        validate_run_config(_run_batch_jobs(), config if isinstance(config, dict) else {"ops": config})


def try_command(place: Place, arguments: list[str]) -> None:
    """A command ends with a documented exit code, and what it refuses has changed nothing."""
    before = place.state()
    # As Python opens them.
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace", write_through=True)
    with _standing_in(place), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = exit_code(lambda: run_command(arguments))
    assert code in (0, 1, 2, 3), code
    said = err.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert "Traceback" not in said
    if code == BAD_INPUT:
        _is_clear(said)
        assert place.state() == before
    else:
        place.state()


@contextlib.contextmanager
def _standing_in(place: Place) -> Iterator[None]:
    kept, folder, stdin = dict(os.environ), Path.cwd(), sys.stdin
    os.environ.update(place.environment)
    os.chdir(place.folder)
    sys.stdin = io.TextIOWrapper(io.BytesIO(b""))
    try:
        yield
    finally:
        sys.stdin = stdin
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(kept)


def _is_clear(text: str) -> None:
    """One text for people: not empty, of bounded length, not the representation of an exception."""
    assert text.strip(), "refused without a word"
    assert len(text) < LONGEST_TEXT, f"{len(text)} characters: {text[:300]}"
    assert "Traceback" not in text


def _run_batch_jobs() -> Any:
    if not _built:
        _built.append(build_definitions().resolve_job_def("run_batch_jobs"))
    return _built[0]


_built: list[Any] = []
