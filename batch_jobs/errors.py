"""Errors that a person can act on, raised on every floor. Their texts live where they are raised."""


class BatchJobsError(Exception):
    """Something a person can mend: the text names the thing, the value, what was expected and the remedy.

    The front doors print the text without a traceback and end with exit code 2.
    """


class BadInputError(BatchJobsError):
    """The caller gave something that can not be used (a file, an argument, a parameter, a date)."""


class UnavailableError(BatchJobsError):
    """Something the system needs is missing, too old, full or in use (database, schema, disk, port)."""
