"""Why a rule can not be applied. Jobs turn these into row errors, projections into dead letters or empty values."""

from typing import ClassVar

from batch_jobs.errors import BatchJobsError


class RuleError(BatchJobsError):
    """What a workspace has defined does not allow an answer; the text names the definition and the remedy.

    Attributes:
        kind: the kind of error in one word, by which row errors can be counted.
    """

    kind: ClassVar[str] = "not_allowed"


class UndefinedReferenceError(RuleError):
    """A definition names another one that does not exist. References may dangle at import (domain 2)."""

    kind = "undefined_reference"


class UnknownCalendarError(RuleError):
    """A holiday calendar names a country or subdivision that the `holidays` library does not know."""

    kind = "unknown_calendar"


class NoAccountError(RuleError):
    """A policy that credits an account names none."""

    kind = "no_account"


class TransitionError(RuleError):
    """An event that the state of its statement or absence does not allow (domain 3.6, 3.7). It changes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
