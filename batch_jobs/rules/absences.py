"""The states of an absence and the events that move it between them (domain 3.6)."""

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.errors import TransitionError
from batch_jobs.rules.fractions import exact
from batch_jobs.rules.versions import ONE_DAY

AbsenceState: TypeAlias = Literal["requested", "approved", "rejected", "cancelled"]
Bucket: TypeAlias = Literal["planned", "active", "used"]


class Absence(NamedTuple):
    """An absence, in the columns of the projection `absences` (domain 4) without its bucket, which depends on the day.

    `end_date` is the last day, also the one that an interruption made so; before `start_date` when an interruption
    left nothing. `fraction` is 1 for full days. `open_ended`: requested without an end; it stays so when it is
    interrupted, since it is recorded by registration alone. `consumed_to` is the last consumed day that still stands;
    all days before it are consumed as well.
    """

    absence_id: str
    employee_id: str
    policy_id: str
    state: AbsenceState
    start_date: date
    end_date: date | None
    fraction: Fraction
    open_ended: bool
    consumed_to: date | None = None

    @property
    def full_days(self) -> bool:
        """Whether no part of a day is left to work."""
        return self.fraction == 1

    def stands_on(self, day: date) -> bool:
        """Whether the day is one of an approved absence.

        Consumed and registered days count in accounts and timesheets exactly as long as this holds: an interruption
        or a cancellation refunds the others.
        """
        return self.state == "approved" and self.start_date <= day and (self.end_date is None or day <= self.end_date)

    def unconsumed(self) -> Period | None:
        """The days of an approved absence still to be consumed; None when there are none, and for open-ended ones."""
        if self.state != "approved" or self.open_ended or self.end_date is None:
            return None
        if self.consumed_to is None:
            return Period(self.start_date, self.end_date) if self.start_date <= self.end_date else None
        return Period(self.consumed_to + ONE_DAY, self.end_date) if self.consumed_to < self.end_date else None


class AbsenceEvent(Protocol):
    """What of an event the rule reads."""

    @property
    def type(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


EVENT_TYPES = frozenset(
    f"time_off.{what}" for what in ("requested", "approved", "rejected", "cancelled", "interrupted", "consumed")
)


def apply(absence: Absence | None, event: AbsenceEvent) -> Absence:
    """The absence after the event. Pure: the absence given stays as it is.

    What the state does not allow is refused, as for statements (domain 3.7). What says again what is so already
    changes nothing: a second approval (also of a request that needed none), an interruption on the day after the end.
    An interruption can only shorten, never lengthen. Consumption goes on where the last one ended, without a gap.

    Args:
        absence: as it stands, or None when no such absence was requested.
        event: one of `EVENT_TYPES`.

    Raises:
        TransitionError: the absence's state or days do not allow the event.
    """
    payload = event.payload
    if event.type == "time_off.requested":
        return _request(absence, payload)
    if event.type not in _TRANSITIONS:
        raise TransitionError(f'"{event.type}" is no event of an absence')
    if absence is None:
        raise TransitionError(
            f'absence "{payload["absence_id"]}" was never requested; import its time_off.requested first'
        )
    allowed, step = _TRANSITIONS[event.type]
    if absence.state not in allowed:
        raise TransitionError(
            f'absence "{absence.absence_id}" is {absence.state}; '
            f"{event.type} is allowed only when it is {' or '.join(allowed)}"
        )
    if payload["employee_id"] != absence.employee_id:
        raise TransitionError(
            f'absence "{absence.absence_id}" belongs to employee "{absence.employee_id}", '
            f'not to "{payload["employee_id"]}"'
        )
    return step(absence, payload)


def bucket(absence: Absence, as_of: date) -> Bucket | None:
    """Where an approved absence stands on the as-of date (domain 3.6, 4); None for the other states.

    A closed one is `used` once all of its days are consumed, else `planned`. An open-ended one is `planned` before its
    start and `active` from then on; after an interruption it is `used` from the day on that is no longer absent. One
    that an interruption left without a day is `used`.
    """
    if absence.state != "approved":
        return None
    if not absence.open_ended:
        return "planned" if absence.unconsumed() else "used"
    if absence.end_date is not None and (as_of > absence.end_date or absence.end_date < absence.start_date):
        return "used"
    return "active" if absence.start_date <= as_of else "planned"


def _request(absence: Absence | None, payload: Mapping[str, Any]) -> Absence:
    absence_id, end = payload["absence_id"], payload.get("end_date")
    if absence is not None:
        raise TransitionError(f'absence "{absence_id}" was requested already; its state is {absence.state}')
    if end and end < payload["start_date"]:
        raise TransitionError(
            f'absence "{absence_id}": end_date {end} is before start_date {payload["start_date"]}; '
            "request it again, under another absence_id, with an end on or after its start"
        )
    return Absence(
        absence_id,
        payload["employee_id"],
        payload["policy_id"],
        "requested" if payload.get("approval_required", True) else "approved",
        date.fromisoformat(payload["start_date"]),
        date.fromisoformat(end) if end else None,
        exact(payload.get("fraction", 1)),
        open_ended=not end,
    )


def _approve(absence: Absence, _: Mapping[str, Any]) -> Absence:
    return absence._replace(state="approved")


def _reject(absence: Absence, _: Mapping[str, Any]) -> Absence:
    return absence._replace(state="rejected")


def _cancel(absence: Absence, _: Mapping[str, Any]) -> Absence:
    return absence._replace(state="cancelled", consumed_to=None)


def _interrupt(absence: Absence, payload: Mapping[str, Any]) -> Absence:
    back = date.fromisoformat(payload["date"])
    if back == date.min:
        raise TransitionError(f'absence "{absence.absence_id}": an interruption on {back} leaves no day before it')
    last = back - ONE_DAY
    if absence.end_date is not None and last > absence.end_date:
        raise TransitionError(
            f'absence "{absence.absence_id}" ends on {absence.end_date}; an interruption on {back} can not lengthen it'
        )
    consumed_to = absence.consumed_to
    if consumed_to is not None:
        consumed_to = min(consumed_to, last) if last >= absence.start_date else None
    return absence._replace(end_date=last, consumed_to=consumed_to)


def _consume(absence: Absence, payload: Mapping[str, Any]) -> Absence:
    left, start, end = absence.unconsumed(), payload["from_date"], payload["to_date"]
    if left is None:
        why = "open-ended and is registered day by day" if absence.open_ended else "consumed to its end already"
        raise TransitionError(f'absence "{absence.absence_id}" is {why}; {start} to {end} can not be consumed')
    chunk = Period(date.fromisoformat(start), date.fromisoformat(end))
    if chunk.start != left.start or not chunk.start <= chunk.end <= left.end:
        raise TransitionError(
            f'absence "{absence.absence_id}": {start} to {end} can not be consumed; '
            f"expected days from {left.start} on, {left.end} at the latest"
        )
    return absence._replace(consumed_to=chunk.end)


_Step: TypeAlias = Callable[[Absence, Mapping[str, Any]], Absence]

_TRANSITIONS: Mapping[str, tuple[tuple[AbsenceState, ...], _Step]] = {
    "time_off.approved": (("requested", "approved"), _approve),
    "time_off.rejected": (("requested",), _reject),
    "time_off.cancelled": (("requested", "approved"), _cancel),
    "time_off.interrupted": (("approved",), _interrupt),
    "time_off.consumed": (("approved",), _consume),
}
