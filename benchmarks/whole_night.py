"""Nights of all jobs over all workspaces: a steady day, the last and the first of a month.

Measured: from the look at what is due to the end of the last run, job after job, Dagster's ticks, runs and events
included, with the clock set to the night in question. The runs are carried out in this process; the start of a process,
which the default launcher pays for each run, is measured here too and added for each of them.

A first night after the import (forecasts, norms and statements for everybody) is run before, and the nights between
too, since what they would leave undone would be caught up. Each job is shown in the night in which it had most to do,
these included: norms are published on Mondays, forecasts nearly all in the first night.

Held against, for each job: bare `INSERT … SELECT`s of the rows that its night wrote, log, projections and ledger, from
tables in memory into empty twins with the same indexes. No job can be faster than its writes; what it takes beyond is
the price of finding, deciding, checking, of indexes that are not empty, and of history.
"""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from batch_jobs.installation import make_engine
from batch_jobs.orchestration.night import run_night
from batch_jobs.settings import PROJECT_FOLDER
from benchmarks.bench import Bench, tell
from benchmarks.figures import Figure, Figures
from benchmarks.importing import import_workspaces, night_workspaces

TARGET_S = 180.0

_TABLES = """
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('batch_jobs', 'projections') AND c.relkind = 'r' AND EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id'
    )
"""


@dataclass(slots=True)
class Night:
    """What one night took: seconds by job, Dagster runs by job, and the seconds of each job's bare writes."""

    seconds: Mapping[str, float]
    runs: Mapping[str, int]
    bare: Mapping[str, float]


def measure(bench: Bench) -> Figures:
    """Run the nights from before the last of a month to a steady day of the next."""
    first = _first_of_month(bench.run_date)
    steady = _steady_day(first)
    import_workspaces(bench, night_workspaces(bench), today=first)
    start = _process_start()
    nights: dict[date, Night] = {}
    last = first - timedelta(days=1)
    for number in range((steady - first).days + 3):
        day = last + timedelta(days=number - 1)
        nights[day] = _run(bench, day)
    figures = {
        **_whole("all_jobs", "a night of all jobs on a steady day", nights[steady], start),
        **_whole("last_of_month", "the same on the last of a month", nights[last], start),
        **_whole("first_of_month", "the same on the first of a month", nights[first], start),
    }
    for job in nights[first].seconds:
        day = max(nights, key=lambda day: nights[day].seconds[job])
        figures[f"{job}_s"] = Figure(
            work=f"{job}, in its longest night, {'the first' if day == min(nights) else day}",
            value=nights[day].seconds[job],
            unit="s",
            limit=nights[day].bare[job],
            beside="bare INSERT … SELECT of what it wrote",
        )
    return figures


def _whole(name: str, what: str, night: Night, start: float) -> dict[str, Figure]:
    runs = sum(night.runs.values())
    return {
        f"night_{name}_s": Figure(
            work=f"{what}, {runs} runs",
            value=sum(night.seconds.values()) + runs * start,
            unit="s",
            limit=sum(night.bare.values()),
            beside="bare INSERT … SELECT of what it wrote",
            target=TARGET_S,
        )
    }


def _run(bench: Bench, day: date) -> Night:
    tell(f"the night of {day}")
    # Noon in the zone of the workspaces is noon of the machine, give or take a day.
    clock = datetime.combine(day, datetime.now(UTC).timetz())
    engine = make_engine(bench.database, bench.settings, clock=lambda: clock)
    engine.catch_up()
    bench.vacuum()
    marks: dict[str, tuple[float, int]] = {}

    def note(text: str) -> None:
        if text in engine.jobs:
            marks[text] = time.perf_counter(), _transaction(bench)

    runs = run_night(bench.settings, engine, note)
    marks["end"] = time.perf_counter(), _transaction(bench)
    stops = list(marks.values())
    seconds = {job: stops[number + 1][0] - stops[number][0] for number, job in enumerate(runs)}
    spans = {job: (stops[number][1], stops[number + 1][1]) for number, job in enumerate(runs)}
    tell(", ".join(f"{job} {taken:.1f} s" for job, taken in seconds.items()))
    _check(bench, day)
    bare = {job: _bare_seconds(bench, *span) for job, span in spans.items()}
    return Night(seconds, {job: len(ids) for job, ids in runs.items()}, bare)


def _check(bench: Bench, day: date) -> None:
    with bench.database.reader() as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE status <> 'completed'), count(*) FROM batch_jobs.job_runs "
            "WHERE run_date = %s",
            [day],
        ).fetchone()
    assert row, "no answer"
    assert row[1] > 0, f"nothing ran on {day}"
    assert row[0] == 0, f"{row[0]} of {row[1]} job runs of {day} did not end as completed"


def _transaction(bench: Bench) -> int:
    with bench.database.owner() as connection:
        row = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
    assert row
    return int(row[0])


def _bare_seconds(bench: Bench, first: int, last: int) -> float:
    """The seconds that it takes to write the rows of the transactions between two anew."""
    seconds = 0.0
    with bench.database.owner() as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS bench")
        for (table,) in connection.execute(_TABLES).fetchall():
            written = f"xmin::text::bigint BETWEEN {first} AND {last}"
            picked = connection.execute(f"CREATE TABLE bench.picked AS SELECT * FROM {table} WHERE {written}").rowcount
            if picked:
                connection.execute(f"CREATE TABLE bench.written (LIKE {table} INCLUDING INDEXES INCLUDING DEFAULTS)")
                began = time.perf_counter()
                connection.execute("INSERT INTO bench.written SELECT * FROM bench.picked")
                seconds += time.perf_counter() - began
                connection.execute("DROP TABLE bench.written")
            connection.execute("DROP TABLE bench.picked")
    return max(seconds, 0.001)


def _process_start() -> float:
    """The seconds until a process of a run has loaded the definitions."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import batch_jobs.definitions"], cwd=PROJECT_FOLDER, check=True)
    return time.perf_counter() - began


def _first_of_month(today: date) -> date:
    """The latest first of a month whose steady day has come: Dagster has no partitions for days to come."""
    first = today.replace(day=1)
    return first if _steady_day(first) <= today else (first - timedelta(days=1)).replace(day=1)


def _steady_day(first: date) -> date:
    """A Wednesday of the middle of its week and month, when no period begins or ends."""
    day = first + timedelta(days=3)
    return day + timedelta(days=(2 - day.weekday()) % 7)
