"""Trouble of the database that passes by itself: how to tell it from a fault of a row, and trying again."""

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from batch_jobs.errors import BatchJobsError, UnavailableError

# A database in trouble gets these seconds to recover before the workspaces of the chunk fail.
PAUSES = (0.2, 1.0, 3.0)

# The first two letters of the SQLSTATE: connection lost, rolled back for another's sake (deadlock), out of memory, disk
# or connections, in use, ended by an operator, I/O error.
_CLASSES = ("08", "40", "53", "55", "57", "58")
# Those of their class that are: the session was ended as this process had slept for too long.
_SLEPT = ("25P03", "25P04")

_Result = TypeVar("_Result")


class OvertakenError(BatchJobsError):
    """Somebody else changed what the work rested on, which has to be done once more."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed a moment later, with nothing changed."""
    if isinstance(error, UnavailableError | OvertakenError):
        return True
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(_CLASSES + _SLEPT)


def patiently(action: Callable[[], _Result]) -> _Result:
    """Do something that is a transaction of its own; again, after a pause, when the database was in trouble."""
    for pause in PAUSES:
        try:
            return action()
        except Exception as error:
            if not is_transient(error):
                raise
        time.sleep(pause)
    return action()
