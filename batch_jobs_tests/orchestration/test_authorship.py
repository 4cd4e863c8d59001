"""Who has stopped a run: whoever did it first, or canceled the backfill that it belongs to."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG

from batch_jobs.access.sessions import SignedIn, signed_in
from batch_jobs.orchestration.authorship import STOPPED_BY_TAG
from batch_jobs_tests.orchestration.installation import JOB, Installation


@contextmanager
def user(name: str) -> Iterator[None]:
    token = signed_in.set(SignedIn(name, "operator"))
    yield
    signed_in.reset(token)


def begin(instance: DagsterInstance, backfill_id: str) -> DagsterRun:
    """A backfill with a run that has started."""
    instance.add_backfill(
        PartitionBackfill(backfill_id, BulkActionStatus.REQUESTED, from_failure=False, tags={}, backfill_timestamp=0.0)
    )
    tags = {BACKFILL_ID_TAG: backfill_id}
    return instance.add_run(DagsterRun(job_name=JOB, status=DagsterRunStatus.STARTED, tags=tags))


def set_status(instance: DagsterInstance, backfill_id: str, status: BulkActionStatus) -> None:
    backfill = instance.get_backfill(backfill_id)
    assert backfill
    instance.update_backfill(backfill.with_status(status))


def stopped_by(instance: DagsterInstance, run: DagsterRun) -> str | None:
    found = instance.get_run_by_id(run.run_id)
    assert found
    return found.tags.get(STOPPED_BY_TAG)


def test_the_runs_of_a_canceled_backfill_are_stopped_by_who_canceled_it(installation: Installation) -> None:
    with installation.instance() as instance:
        run = begin(instance, "canceled")
        with user("anna"):
            set_status(instance, "canceled", BulkActionStatus.CANCELING)
        instance.report_run_canceled(run)
        assert stopped_by(instance, run) == "anna"


def test_who_stopped_a_run_before_has_stopped_it(installation: Installation) -> None:
    with installation.instance() as instance:
        run = begin(instance, "late")
        with user("anna"):
            instance.report_run_canceling(run)
        with user("bo"):
            set_status(instance, "late", BulkActionStatus.CANCELING)
        instance.report_run_canceled(run)
        assert stopped_by(instance, run) == "anna"


def test_a_backfill_that_was_resumed_is_stopped_by_nobody(installation: Installation) -> None:
    with installation.instance() as instance:
        run = begin(instance, "resumed")
        with user("anna"):
            set_status(instance, "resumed", BulkActionStatus.CANCELING)
        with user("bo"):
            set_status(instance, "resumed", BulkActionStatus.REQUESTED)
        instance.report_run_canceled(run)
        assert stopped_by(instance, run) is None


def test_a_run_that_was_deleted_is_stopped_without_a_complaint(installation: Installation) -> None:
    with installation.instance() as instance:
        run = begin(instance, "deleted")
        instance.delete_run(run.run_id)
        instance.report_run_canceled(run)
        assert instance.get_run_by_id(run.run_id) is None
