"""The first catch-up of a big import, and rebuilds of all projections and of each.

Measured: `Engine.catch_up` of 4.0 million events that no projection has taken in yet, and the job
`rebuild_employee_projections` over all of them (`projection: all`), then for each projection over a fifth of the
workspaces; real runs, in this process, on rows that are right: what is measured is the folding beside, the last
catch-up and the comparison. Counted are the events that the run replays: those of the projection, and of what it reads,
which is folded anew as well.

Held against: one bare `INSERT … SELECT` of the rows that serve (all tables of the projection) into an empty twin with
the same indexes. No rebuild can be faster than its writes.

The log has the event types of a product in use: 1,000 workspaces with 100 employees each, imported as an application
would, then two weeks of everybody's hours, time off, statements, credits, forecasts, published norms, notifications and
changes to come, written straight into the log.
"""

import time

from psycopg import sql

from batch_jobs import projections
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.requests import RunRequest
from batch_jobs.installation import make_engine
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from benchmarks.bench import Bench, tell
from benchmarks.figures import Figure, Figures
from benchmarks.history import write_history
from benchmarks.importing import import_workspaces, night_workspaces

JOB = RebuildEmployeeProjections.name
TARGET_ALL = 50_000
EACH_OF = 5
# Those that read no other projection and no rule in Python: each is a few statements.
PLAIN = ("definitions", "published_norms", "notification_feed", "accrual_forecast")


def measure(bench: Bench) -> Figures:
    """Load the log, catch up, rebuild."""
    workspaces = night_workspaces(bench)
    import_workspaces(bench, workspaces)
    events = write_history(bench)
    bench.vacuum()
    engine = make_engine(bench.database, bench.settings)
    tell(f"catching up {events:,} events for the first time")
    began = time.perf_counter()
    engine.catch_up()
    caught_up = events / (time.perf_counter() - began)
    bench.vacuum()
    of_all, limit_of_all = _rebuild(bench, engine, "all", workspaces)
    figures = {
        "first_catch_up_events_per_s": Figure(
            work=f"first catch-up of {events:,} events",
            value=caught_up,
            unit="events/s",
            limit=of_all,
            beside="rebuild of all",
            more_is_better=True,
        ),
        "rebuild_all_events_per_s": _figure("all projections", of_all, limit_of_all, TARGET_ALL),
    }
    part = workspaces[:: EACH_OF if len(workspaces) > EACH_OF else 1]
    for name in projections.registry():
        speed, limit = _rebuild(bench, engine, name, part)
        figures[f"rebuild_{name}_events_per_s"] = _figure(name, speed, limit, limit / 2 if name in PLAIN else None)
    return figures


def _rebuild(bench: Bench, engine: Engine, choice: str, workspaces: list[str]) -> tuple[float, float]:
    """Events a second of the rebuild, and of the bare writes."""
    tell(f"rebuilding {choice} in {len(workspaces):,} workspaces")
    began = time.perf_counter()
    runs = engine.run(
        RunRequest(
            job=JOB,
            targets=[(name, bench.run_date) for name in workspaces],
            parameters={"projection": choice, "dry_run": False},
        )
    )
    seconds = time.perf_counter() - began
    assert {run.status for run in runs} == {"completed"}, {run.message for run in runs}
    assert not any(run.counters[f"rows_{kind}"] for run in runs for kind in ("added", "changed", "removed")), choice
    events = sum(run.counters["events_replayed"] for run in runs)
    registry = projections.registry()
    written = list(registry.values()) if choice == "all" else [registry[choice]]
    return events / seconds, events / _bare_seconds(bench, written, workspaces)


def _bare_seconds(bench: Bench, written: list[Projection], workspaces: list[str]) -> float:
    seconds = 0.0
    for table in (table for projection in written for table in projection.tables):
        names = {"table": sql.Identifier(table.name)}
        with bench.database.owner() as connection:
            connection.execute("CREATE SCHEMA bench")
            for statement in (
                "CREATE TABLE bench.source AS SELECT * FROM projections.{table} WHERE workspace_id = ANY (%s)",
                "CREATE TABLE bench.twin (LIKE projections.{table} INCLUDING INDEXES)",
            ):
                connection.execute(sql.SQL(statement).format(**names), [workspaces] if "%s" in statement else None)
        # In a transaction of its own: a table made in the same one would not be written to the log of transactions.
        began = time.perf_counter()
        with bench.database.owner() as connection:
            connection.execute("INSERT INTO bench.twin SELECT * FROM bench.source")
        seconds += time.perf_counter() - began
        with bench.database.owner() as connection:
            connection.execute("DROP SCHEMA bench CASCADE")
    return seconds


def _figure(what: str, speed: float, limit: float, target: float | None) -> Figure:
    return Figure(
        work=f"rebuild of {what}",
        value=speed,
        unit="events/s",
        limit=limit,
        beside="bare INSERT … SELECT of the rows",
        target=target,
        more_is_better=True,
    )
