"""Errors that a person can act on, raised on every floor. Their texts live where they are raised."""

# A text names values, which may be of any length; nobody reads more.
LONGEST_TEXT = 2_000


def shortened(text: str) -> str:
    """The text, or the beginning and the end of one that is too long for people."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT * 2 // 3]} … {text[-LONGEST_TEXT // 4 :]}"


class BatchJobsError(Exception):
    """Something a person can mend: the text names the thing, the value, what was expected and the remedy.

    The front doors print the text without a traceback and end with exit code 2. Of one that is too long they print the
    beginning and, for the remedy, the end.
    """

    def __str__(self) -> str:
        return shortened(super().__str__())


class BadInputError(BatchJobsError):
    """The caller gave something that can not be used (a file, an argument, a parameter, a date)."""


class UnavailableError(BatchJobsError):
    """Something the system needs is missing, too old, full or in use (database, schema, disk, port)."""
