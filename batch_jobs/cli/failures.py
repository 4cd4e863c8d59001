"""How a command ends: what went wrong in one clear text on stderr, and the exit code (domain 8)."""

import errno
import os
import sys
from collections.abc import Callable

from batch_jobs.errors import BatchJobsError, shortened

DONE, FAILED, BAD_INPUT, WARNINGS = 0, 1, 2, 3
# What a shell reports of a command that Ctrl-C, or the end of the pipe that it wrote to, has ended.
INTERRUPTED, BROKEN_PIPE = 130, 141
# The SQLSTATE of a connection that is lost begins so, where the server could still say it: otherwise there is none.
LOST = ("08", "57P0")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def exit_code(command: Callable[[], None]) -> int:
    """Run a command and give its exit code. An error that a person can mend is shown without a traceback."""
    from typer import Exit, TyperException

    try:
        command()
        sys.stdout.flush()
    except Exit as ending:
        return ending.exit_code
    except BrokenPipeError:
        # Whoever read the output has left, which is no error of ours; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f"; see: {context.command_path} --help" if context else ""
        complain(f"{error.format_message().rstrip('.')}{hint}")
        return BAD_INPUT
    except Exception as error:
        text = _explain(error)
        if text is None:
            raise
        complain(text)
        return BAD_INPUT
    return DONE


def complain(text: str) -> None:
    """Say on stderr what is wrong."""
    print(f"batch-jobs: {shortened(text)}", file=sys.stderr)


def _explain(error: Exception) -> str | None:
    """What is wrong and the remedy, or None for an error that is a fault of the program."""
    if isinstance(error, BatchJobsError):
        return str(error)
    if isinstance(error, OSError):
        return _explain_file(error)
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        # Python gives bytes of a command line that are no text as halves of characters.
        return f'"{error.object}" is no text in UTF-8; type it anew'
    # Where psycopg was not imported, the error is not one of its own.
    return _explain_database(error) if "psycopg" in sys.modules else None


def _explain_file(error: OSError) -> str:
    name = f"{error.filename}: " if error.filename else ""
    if error.errno in NO_ROOM:
        return f"{name}the disk is full, or a limit of file sizes or quotas is reached; make room and repeat"
    return f"{name}{error.strerror or error}; check that it exists and that you may use it"


def _explain_database(error: Exception) -> str | None:
    import psycopg
    from psycopg import errors

    if not isinstance(error, psycopg.Error):
        return None
    reason = " ".join(str(error).split())
    if isinstance(error, errors.DiskFull):
        return f"the disk of the database is full, so nothing was written: {reason}; make room and repeat"
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return f"the database takes no writes: {reason}; point BATCH_JOBS_DATABASE_URL at the primary server"
    if isinstance(error, psycopg.OperationalError):
        return _explain_operation(reason, error.sqlstate)
    if isinstance(error, errors.InsufficientPrivilege | errors.UndefinedTable | errors.UndefinedColumn):
        return f"the database lacks something: {reason}; `batch-jobs doctor` finds what, `batch-jobs init` mends it"
    return None


def _explain_operation(reason: str, state: str | None) -> str:
    if state is None or state.startswith(LOST):
        return (
            f"the connection to the database was lost: {reason}; what was committed stays: see `batch-jobs runs`, "
            "and repeat when the database is back"
        )
    return (
        f"the database did not do it: {reason} (SQLSTATE {state}); what was committed stays: see `batch-jobs runs`, "
        "and repeat when nothing is in the way any more"
    )
