"""How a request that is refused ends a run: as a failure with the text for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import AssetCheckExecutionContext, AssetExecutionContext, Failure, OpExecutionContext

from batch_jobs.errors import BatchJobsError
from batch_jobs.orchestration.history import STATUS_TAG


@contextmanager
def refusals_as_failures(
    context: AssetExecutionContext | AssetCheckExecutionContext | OpExecutionContext,
) -> Iterator[None]:
    """Let the run fail with the text of an error that a person can mend."""
    try:
        yield
    except BatchJobsError as error:
        context.instance.add_run_tags(context.run.run_id, {STATUS_TAG: "failed"})
        raise Failure(str(error), allow_retries=False) from None
    except Failure:
        raise
    except Exception:
        # Else the tag would say "started" for ever.
        context.instance.add_run_tags(context.run.run_id, {STATUS_TAG: "failed"})
        raise
