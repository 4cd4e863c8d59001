"""Errors that nobody foresaw: the ledger has one line of each, the log tells where in the code they came from."""

import traceback
from logging import Logger

from batch_jobs.engine.transient import is_transient
from batch_jobs.errors import BatchJobsError
from batch_jobs.store.database import shown_url


class UnexpectedErrors:
    """Logs tracebacks, those that came the same way through the code once: a bug fails for every row, a log has an end.

    Args:
        log: where to.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._seen: set[tuple[object, ...]] = set()

    def note(self, error: Exception, what: str) -> None:
        """Log the traceback of an error, unless it is one that a person can mend or trouble that passes by itself.

        Args:
            error: what was caught.
            what: what can not be done for it, as a sentence without its end.
        """
        if isinstance(error, BatchJobsError) or is_transient(error):
            return
        way = (type(error), *((frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)))
        if way not in self._seen:
            self._seen.add(way)
            # As text: the URL of a database may stand in what an exception says.
            text = shown_url("".join(traceback.format_exception(error)))
            # No half characters and no NUL: not every place that logs are written to takes them.
            text = text.encode(errors="backslashreplace").decode().replace("\0", "\\0")
            self._log.error("%s (more errors of this kind are not logged):\n%s", what, text)
