"""How a request that is refused ends a run: as a failure with the text for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import Failure

from batch_jobs.errors import BatchJobsError


@contextmanager
def refusals_as_failures() -> Iterator[None]:
    """Let the run fail with the text of an error that a person can mend."""
    try:
        yield
    except BatchJobsError as error:
        raise Failure(str(error), allow_retries=False) from None
