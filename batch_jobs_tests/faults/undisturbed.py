"""The same night undisturbed: what the others are held against. In one process, as nothing is to be killed."""

from collections.abc import Collection, Sequence
from pathlib import Path

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.requests import RunRequest
from batch_jobs.installation import open_engine
from batch_jobs.settings import read_settings
from batch_jobs.store.transfer import import_events
from batch_jobs_tests.faults.place import Place
from batch_jobs_tests.jobs.nights import nightly


def pass_undisturbed(place: Place, files: Sequence[Path]) -> None:
    """Import the files, run what is due until nothing is, and send what waits.

    Args:
        place: the installation.
        files: to import.

    Raises:
        AssertionError: a job did not end well.
    """
    with open_engine(read_settings(place.variables), clock=place.clock.now) as engine:
        for file in files:
            with file.open("rb") as lines:
                import_events(engine.database, lines)
        engine.catch_up()
        for job in nightly(engine):
            _run_while_due(engine, job.name)
        _run_while_due(engine, "deliver_notifications")


def pass_most(place: Place, *, but: Collection[str]) -> None:
    """Run all jobs of the night but these, which leaves a shorter one."""
    with open_engine(read_settings(place.variables), clock=place.clock.now) as engine:
        for job in nightly(engine):
            if job.name not in but:
                targets = list(engine.own_today(engine.active_workspaces()).items())
                engine.run(RunRequest(job=job.name, targets=targets, parameters=dict(job.scheduled)))


def _run_while_due(engine: Engine, name: str) -> None:
    while due := engine.schedule(name).due:
        first = min(item.run_date for item in due)
        request = RunRequest(
            job=name,
            targets=[(item.workspace_id, item.run_date) for item in due if item.run_date == first],
            parameters=dict(engine.jobs[name].scheduled),
            trigger="schedule",
            only_due=True,
        )
        ended = engine.run(request)
        bad = [
            f"{run.job} {run.workspace_id}: {run.message}"
            for run in ended
            if run.status not in ("completed", "warning")
        ]
        assert not bad, bad
