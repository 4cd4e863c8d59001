"""A night of one job over all workspaces by the schedule's own path, beside one Dagster run per workspace.

Measured: from the tick of the schedule to the end of the last run it asked for. In it are the look at what is due, the
submission, the queue, the start of a process for each run by the default launcher, the work (a statement for each
employee, into the log and the projections), the ledger and all events of Dagster.

Held against: the same job over workspaces just like those, through the same scheduler, queue, launcher and code server,
but with a schedule that asks for one run per workspace. Both pay what a run really costs, the start of its process
(some seconds of imports) included; neither pays for the daemon's pauses between ticks. Measured on a few workspaces and
reckoned per workspace: run number 1,000 costs what number 20 does. The runs of one job follow each other, as
`dagster.yaml` says for both.
"""

import time

from dagster import DagsterInstance

from batch_jobs.installation import make_engine
from batch_jobs.orchestration.partitions import WORKSPACES_NAME
from benchmarks.bench import JOB, Bench, tell
from benchmarks.figures import Figure, Figures
from benchmarks.importing import import_workspaces, night_workspaces
from benchmarks.orchestrator import serving


def measure(bench: Bench) -> Figures:
    """Run the night over the imported workspaces, then a few more workspaces the other way."""
    with DagsterInstance.from_config(str(bench.settings.dagster_home)) as instance:
        workspaces = night_workspaces(bench)
        seconds = _run(bench, instance, workspaces, "batch_jobs.definitions", f"{JOB}_schedule", runs=1)
        alone = [f"alone-{number:02}" for number in range(bench.sizes.alone)]
        import_workspaces(bench, alone)
        seconds_alone = _run(bench, instance, alone, "benchmarks.one_run_each", "one_run_each", runs=len(alone))
    value, limit = 1000 * seconds / len(workspaces), 1000 * seconds_alone / len(alone)
    return {
        "night_s": Figure(
            work=f"a night over {len(workspaces):,} workspaces",
            value=seconds,
            unit="s",
            limit=limit * len(workspaces) / 1000,
            beside=f"one run per workspace, from {len(alone)}",
        ),
        "night_ms_per_workspace": Figure(
            work="the same, per workspace",
            value=value,
            unit="ms",
            limit=limit,
            beside="one run per workspace",
            target=limit / 500,
        ),
    }


def _run(
    bench: Bench, instance: DagsterInstance, workspaces: list[str], module: str, schedule: str, *, runs: int
) -> float:
    """Run what a schedule asks for. Returns the seconds from its tick to the end of the runs."""
    tell("catching the projections up with the import")
    result = make_engine(bench.database, bench.settings).catch_up()
    assert not result.dead_letters, f"{result.dead_letters} events could not be applied"
    instance.add_dynamic_partitions(WORKSPACES_NAME, workspaces)
    bench.vacuum()
    before = instance.get_runs_count()
    with serving(instance, module) as orchestrator:
        tell(f"a tick of {schedule} over {len(workspaces):,} workspaces")
        began = time.perf_counter()
        orchestrator.tick(schedule)
        tell("its runs")
        orchestrator.work_off()
        seconds = time.perf_counter() - began
    assert instance.get_runs_count() - before == runs, "the schedule asked for another number of runs"
    _check(bench, workspaces)
    tell(f"took {seconds:.1f} s")
    return seconds


def _check(bench: Bench, workspaces: list[str]) -> None:
    """Make sure that everybody got a statement and every workspace its row in the ledger."""
    with bench.database.reader() as connection:
        statements = connection.execute(
            "SELECT count(*) FROM projections.timesheet_statements WHERE workspace_id = ANY (%s)", [workspaces]
        ).fetchone()
        completed = connection.execute(
            "SELECT count(*) FROM batch_jobs.job_runs "
            "WHERE workspace_id = ANY (%s) AND job = %s AND run_date = %s AND status = 'completed'",
            [workspaces, JOB, bench.run_date],
        ).fetchone()
    assert statements == (len(workspaces) * bench.sizes.employees,), f"{statements} statements"
    assert completed == (len(workspaces),), f"{completed} completed job runs"
