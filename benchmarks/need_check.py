"""The need-check of a job over a whole installation, and the scheduler's whole look at it.

Measured: the engine's own code (`engine.need.due_rows`, one statement over all workspaces; `Engine.due`, the report
that a schedule asks for, and the sensor of `sync_projections`, over every projection and index of all workspaces) at
10,000 workspaces with 1 million employees. Two nights: a usual one, in which one employee in a hundred has no statement
for the current period yet, and the first of a period, in which everybody is due. Each time is the median of five after
a first that only warms the cache, as the check of five minutes ago would have.

Held against: the target, half a second. Rows are loaded straight into the projections, as a catch-up would have left
them: everybody's employment (one in ten with an earlier version), the current statements of all and a year of older
ones in one workspace of ten, so that the planner has a real choice of indexes. Then `VACUUM ANALYZE`, which autovacuum
does on its own within a minute.
"""

import time
from collections.abc import Callable
from datetime import date, timedelta
from statistics import median

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.need import due_rows
from batch_jobs.installation import make_engine
from batch_jobs.jobs.sync_projections import SyncProjections
from benchmarks.bench import JOB, Bench, tell
from benchmarks.big_installation import load, open_employees
from benchmarks.figures import Figure, Figures

TARGET_SECONDS = 0.5
REPEATS = 5
# Far enough ahead that no kind of period has begun.
NEXT_PERIOD = timedelta(days=70)


def measure(bench: Bench) -> Figures:
    """Load the installation and look at it."""
    load(bench)
    engine = make_engine(bench.database, bench.settings)
    workspaces = engine.active_workspaces()
    size = f"{len(workspaces):,} workspaces, {len(workspaces) * bench.sizes.employees:,} employees"
    tell(f"need-checks over {size}")
    expected, everybody = open_employees(bench)
    usual, due = _timed(lambda: _need(engine, workspaces, bench.run_date))
    assert due == expected, f"{due} rows are due, expected {expected}"
    first, due = _timed(lambda: _need(engine, workspaces, bench.run_date + NEXT_PERIOD))
    assert due == everybody, f"{due} rows are due, expected {everybody}"
    report, due = _timed(lambda: sum(item.rows for item in engine.due([JOB]).due))
    assert due == expected, f"{due} rows are due, expected {expected}"
    behind, _ = _timed(lambda: len(engine.due([SyncProjections.name]).due))
    return {
        "need_check_s": _figure(f"need-check over {size}", usual, TARGET_SECONDS),
        "need_check_all_due_s": _figure("the same on the first day of a period, all due", first, TARGET_SECONDS),
        "due_report_s": _figure("the scheduler's whole look, ledger included", report, None),
        "sync_report_s": _figure("the sensor's whole look for what is behind", behind, TARGET_SECONDS),
    }


def _need(engine: Engine, workspaces: list[str], run_date: date) -> int:
    targets: list[Target] = [(workspace_id, run_date) for workspace_id in workspaces]
    with engine.database.reader() as connection:
        return sum(due_rows(connection, engine.jobs[JOB], targets, engine.jobs[JOB].parameters()).values())


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    found = work()
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - began)
    return median(seconds), found


def _figure(work: str, seconds: float, target: float | None) -> Figure:
    return Figure(work=work, value=seconds, unit="s", limit=TARGET_SECONDS, beside="the target", target=target)
