"""`sample`: made-up workspaces to try everything on."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated

import typer

from batch_jobs.cli.output import note, say
from batch_jobs.cli.partitions import show_workspaces
from batch_jobs.cli.progress import progress_bar
from batch_jobs.engine.admission import read_day
from batch_jobs.engine.engine import Engine
from batch_jobs.installation import open_engine

WORKSPACES, EMPLOYEES, SEED = 25, 40, 7


@dataclass(slots=True)
class Loaded:
    """What loading a sample did: new workspaces and events, and workspaces that were there already."""

    workspaces: int = 0
    events: int = 0
    kept: int = 0

    def __str__(self) -> str:
        new = f"{self.workspaces:,} workspaces made, {self.events:,} events"
        kept = f"{self.kept:,} workspaces are there already and were kept as they are"
        return "; ".join(text for text, number in ((new, self.workspaces), (kept, self.kept)) if number)


def sample(
    workspaces: Annotated[int, typer.Option("--workspaces", min=1, help="How many workspaces.")] = WORKSPACES,
    employees: Annotated[
        int, typer.Option("--employees", min=1, help="How many employees each has, those who left included.")
    ] = EMPLOYEES,
    seed: Annotated[int, typer.Option("--seed", help="Another number makes other people and other days.")] = SEED,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="YYYY-MM-DD",
            help="Last day of the year of history; by default yesterday in UTC, so that today's jobs have work.",
        ),
    ] = None,
) -> None:
    """Make realistic workspaces (Danish, French, German, US) with a year of history.

    A workspace that is there already is kept as it is, so the command can be repeated on any day, or with more
    workspaces. About 14,000 events for each workspace of 40 employees.
    """
    last_day = yesterday(datetime.now(UTC)) if until is None else read_day(until)
    with open_engine(progress=note) as engine:
        say(str(load_sample(engine, workspaces=workspaces, employees=employees, seed=seed, until=last_day)))
        catch_up(engine)
        show_workspaces(engine)


def yesterday(now: datetime) -> date:
    """The last day that is over in UTC."""
    return now.astimezone(UTC).date() - timedelta(days=1)


def load_sample(engine: Engine, *, workspaces: int, employees: int, seed: int, until: date) -> Loaded:
    """Make the workspaces of a sample that are not there yet, each in a transaction of its own.

    The same workspace told until another day would be another history under the same ids, so one that is there is
    kept, whatever day it was made on.
    """
    from batch_jobs.sample.companies import company
    from batch_jobs.sample.generator import generate
    from batch_jobs.store.transfer import import_events

    wanted = {company(number).workspace_id for number in range(workspaces)}
    with engine.database.reader() as connection:
        rows = connection.execute(
            "SELECT workspace_id FROM batch_jobs.workspaces WHERE head > 0 AND workspace_id = ANY (%s)",
            [sorted(wanted)],
        )
        present = {row[0] for row in rows.fetchall()}
    events = generate(workspaces=workspaces, employees=employees, seed=seed, until=until, without=present)
    loaded = Loaded(kept=len(present))
    with progress_bar("making the sample", unit="workspaces") as advance:
        advance(0, len(wanted - present))
        for _, of_one in groupby(events, key=lambda event: event["workspace_id"]):
            appended = import_events(engine.database, (json.dumps(event).encode() for event in of_one))
            loaded.workspaces += 1
            loaded.events += appended.events
            advance(loaded.workspaces, len(wanted - present))
    return loaded


def catch_up(engine: Engine) -> None:
    """Catch the projections up, with a bar."""
    with progress_bar("catching up projections", unit="events") as advance:
        engine.catch_up(on_progress=advance)
