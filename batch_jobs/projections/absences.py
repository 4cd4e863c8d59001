"""Absences with their states, and those of their days that count in accounts and on timesheets."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from batch_jobs.engine.projection import DeadLetter, Folded, Projection, Window, passed_days
from batch_jobs.engine.tables import Table, changed_rows, replace_rows
from batch_jobs.rules import absences as rule
from batch_jobs.rules.absences import Absence, apply, bucket
from batch_jobs.rules.errors import TransitionError
from batch_jobs.rules.fractions import exact
from batch_jobs.store.database import Transaction

REGISTERED = "absence.registered"

_EVENTS = """
    SELECT workspace_id, position, payload ->> 'absence_id', occurred_at, type, payload FROM pending_events
    WHERE type = ANY (%s) ORDER BY workspace_id, position
"""

# Those that events are about, and those whose bucket the passing of days changes: only an open-ended one's does, when
# it begins and on the day after an interruption.
_CURRENT = """
    WITH passed AS (
        SELECT workspace_id, least(before, now) AS low, greatest(before, now) AS high
        FROM unnest(%(workspaces)s::text[], %(before)s::date[], %(now)s::date[]) AS m(workspace_id, before, now)
    ), touched AS (
        SELECT workspace_id, payload ->> 'absence_id' AS absence_id FROM pending_events WHERE type = ANY (%(types)s)
        UNION
        SELECT a.workspace_id, a.absence_id FROM passed p JOIN absences a ON a.workspace_id = p.workspace_id
        WHERE a.open_ended AND a.state = 'approved' AND coalesce(a.end_date, 'infinity') >= p.low
          AND ((a.start_date > p.low AND a.start_date <= p.high) OR a.end_date < p.high)
    )
    SELECT a.workspace_id, a.requested_at, a.absence_id, a.employee_id, a.policy_id, a.state, a.start_date, a.end_date,
        a.fraction, a.open_ended, a.consumed_to
    FROM touched JOIN absences a USING (workspace_id, absence_id)
"""

# `Absence.stands_on` no longer holds. An absence never gets longer again, so that one look at the end will do.
_REFUND = """
    DELETE FROM absence_days d USING (
        SELECT DISTINCT workspace_id, payload ->> 'absence_id' AS absence_id FROM pending_events
        WHERE type IN ('time_off.interrupted', 'time_off.cancelled')
    ) ended JOIN absences a USING (workspace_id, absence_id)
    WHERE d.workspace_id = a.workspace_id AND d.absence_id = a.absence_id
      AND (a.state <> 'approved' OR d.date > a.end_date)
    RETURNING d.workspace_id
"""


class _Event(NamedTuple):
    """What of an event the rule reads."""

    type: str
    payload: Mapping[str, Any]


class Absences(Projection):
    """The states of domain 3.6; an event that they do not allow becomes a dead letter.

    `absence_days` holds the days consumed or registered, with the activity, account, minutes and amount of their
    event, as long as they stand: an interruption or a cancellation takes the refunded ones away. A registration of a
    day on which its absence does not stand is a dead letter. Of two events about one day of an absence the later
    counts.
    """

    name = "absences"
    description = "Absences with state, days and how far they are consumed, as of the latest finished run date."
    event_types = rule.EVENT_TYPES | {REGISTERED}
    follows_as_of = True
    table = Table(
        "absences",
        ("workspace_id", "absence_id"),
        (
            "employee_id",
            "policy_id",
            "state",
            "start_date",
            "end_date",
            "fraction",
            "open_ended",
            "consumed_to",
            "bucket",
            "requested_at",
        ),
    )
    days = Table(
        "absence_days",
        ("workspace_id", "absence_id", "date"),
        ("employee_id", "activity_id", "account_id", "minutes", "amount", "registered"),
    )
    further_tables = (days,)

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Apply the events to the absences they name, in order. See `Projection.fold`."""
        absences, requested_at = self._current(connection, windows)
        days: dict[tuple[str, str, date], tuple[Any, ...]] = {}
        letters = []
        for workspace_id, position, absence_id, occurred_at, *rest in connection.execute(
            _EVENTS, [list(self.event_types)]
        ):
            key, event = (workspace_id, absence_id), _Event(*rest)
            try:
                if event.type == REGISTERED:
                    days[*key, _registered_day(absences.get(key), event.payload)] = _registration(event.payload)
                    continue
                absences[key] = apply(absences.get(key), event)
            except TransitionError as error:
                letters.append(DeadLetter(workspace_id, position, str(error)))
                continue
            if event.type == "time_off.requested":
                requested_at[key] = occurred_at
            elif event.type == "time_off.consumed":
                for day in event.payload["days"]:
                    days[*key, date.fromisoformat(day["date"])] = _consumption(event.payload, day)
        as_of = {window.workspace_id: window.as_of for window in windows}
        changes = replace_rows(
            connection,
            self.table,
            (
                (key[0], *found[:6], _decimal(found), *found[7:], bucket(found, as_of[key[0]]), requested_at[key])
                for key, found in absences.items()
            ),
        )
        standing = ((*key, *day) for key, day in days.items() if absences[key[:2]].stands_on(key[2]))
        changes += replace_rows(connection, self.days, standing)
        changes += changed_rows(connection, _REFUND)
        return Folded(changes, letters)

    def _current(
        self, connection: Transaction, windows: Sequence[Window]
    ) -> tuple[dict[tuple[str, str], Absence], dict[tuple[str, str], datetime]]:
        """The absences that may change, as they stand, and when each was requested."""
        moved = passed_days(windows)
        rows = connection.execute(
            _CURRENT,
            {
                "types": list(self.event_types),
                "workspaces": [workspace_id for workspace_id, _, _ in moved],
                "before": [before for _, before, _ in moved],
                "now": [now for _, _, now in moved],
            },
        )
        absences: dict[tuple[str, str], Absence] = {}
        requested_at: dict[tuple[str, str], datetime] = {}
        for workspace_id, instant, *values in rows:
            found = Absence._make(values)
            key = workspace_id, found.absence_id
            absences[key], requested_at[key] = found._replace(fraction=exact(str(found.fraction))), instant
        return absences, requested_at


def _registered_day(absence: Absence | None, payload: Mapping[str, Any]) -> date:
    """The day that an event registers. Raises TransitionError when the absence does not stand on it."""
    absence_id, day = payload["absence_id"], date.fromisoformat(payload["date"])
    if absence is None:
        raise TransitionError(f'absence "{absence_id}" was never requested; import its time_off.requested first')
    if payload["employee_id"] != absence.employee_id:
        raise TransitionError(
            f'absence "{absence_id}" belongs to employee "{absence.employee_id}", not to "{payload["employee_id"]}"'
        )
    if not absence.stands_on(day):
        raise TransitionError(
            f'absence "{absence_id}" is {absence.state}, from {absence.start_date} to {absence.end_date or "no end"}; '
            f"{day} can be registered only while it is approved and covers that day"
        )
    return day


def _registration(payload: Mapping[str, Any]) -> tuple[Any, ...]:
    return payload["employee_id"], payload["activity_id"], None, payload["minutes"], 0, True


def _consumption(payload: Mapping[str, Any], day: Mapping[str, Any]) -> tuple[Any, ...]:
    activity_id, account_id = payload.get("activity_id"), payload.get("account_id")
    return payload["employee_id"], activity_id, account_id, day["minutes"], day["amount"], False


def _decimal(absence: Absence) -> Decimal:
    """The fraction as it was written: it has a finite decimal expansion, of a float's digits at the most."""
    return Decimal(absence.fraction.numerator) / Decimal(absence.fraction.denominator)
