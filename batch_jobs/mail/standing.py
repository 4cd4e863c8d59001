"""Right before sending: whether a message still holds, for whom it is, and what it says now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch_jobs.mail.addresses import UnusableAddressError, read_address
from batch_jobs.mail.contents import UnreadableNotificationError, read_data
from batch_jobs.mail.digests import open_items
from batch_jobs.mail.kinds import MANAGER_DIGEST, STATEMENT_DEADLINE, STATEMENT_OVERDUE, TIMEOFF_REMINDER
from batch_jobs.mail.outbox import GIVEN_UP_AFTER, Claimed, Reason
from batch_jobs.store.database import Transaction

# Kinds that ask for a statement which is still to be handed in.
OWED = (STATEMENT_DEADLINE, STATEMENT_OVERDUE)

# The user and the employee as of the workspace's own today. Of several notifications of one dedup key the first counts:
# the others are in no table. Time off is ahead while every absence that the message names is, on the days that it says.
# A user may have become another employee's since: whose statement or absence it is must be theirs. A user without one
# is told of whatever an application addresses to them.
_FACTS = """
    WITH claimed AS (
        SELECT c.*, w.status, w.locale, (clock_timestamp() AT TIME ZONE coalesce(w.timezone, 'UTC'))::date AS today
        FROM unnest(%(workspaces)s::text[], %(users)s::text[], %(notifications)s::text[])
            AS c(workspace_id, user_id, notification_id)
        JOIN batch_jobs.workspaces w ON w.workspace_id = c.workspace_id
    )
    SELECT c.workspace_id, c.user_id, c.notification_id, n.data, c.status, coalesce(u.locale, c.locale), u.email,
        u.status, u.wants_email, u.employee_id, u.employee_id IS NULL OR e.is_there,
        o.recorded_at < clock_timestamp() - %(given_up_after)s,
        EXISTS (
            SELECT FROM projections.timesheet_statements t
            WHERE t.workspace_id = c.workspace_id AND t.statement_id = n.data ->> 'statement_id'
              AND t.state IN ('pending', 'ready', 'overdue', 'reopened')
              AND t.employee_id = coalesce(u.employee_id, t.employee_id)
        ),
        coalesce(b.is_ahead, false)
    FROM claimed c
    JOIN batch_jobs.outbox o USING (workspace_id, user_id, notification_id)
    LEFT JOIN projections.notifications n USING (workspace_id, user_id, notification_id)
    LEFT JOIN LATERAL (
        SELECT d."values" ->> 'email' AS email, d."values" ->> 'locale' AS locale, d."values" ->> 'status' AS status,
            coalesce((d."values" ->> 'email_notifications')::boolean, true) AS wants_email,
            d."values" ->> 'employee_id' AS employee_id
        FROM projections.definitions d
        WHERE d.workspace_id = c.workspace_id AND d.kind = 'user' AND d.entity_id = c.user_id
        ORDER BY d.valid_from <= c.today DESC, abs(d.valid_from - c.today) LIMIT 1
    ) u ON true
    LEFT JOIN LATERAL (
        SELECT d."values" IS NOT NULL AS is_there FROM projections.definitions d
        WHERE d.workspace_id = c.workspace_id AND d.kind = 'employee' AND d.entity_id = u.employee_id
        ORDER BY d.valid_from <= c.today DESC, abs(d.valid_from - c.today) LIMIT 1
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT bool_and((
                a.state = 'approved' AND a.start_date > c.today AND a.end_date >= a.start_date
                AND a.employee_id = coalesce(u.employee_id, a.employee_id)
            ) IS TRUE)
            AND coalesce(to_char(min(a.start_date), 'YYYY-MM-DD') = n.data ->> 'start_date', true)
            AND coalesce(to_char(max(a.end_date), 'YYYY-MM-DD') = n.data ->> 'end_date', true) AS is_ahead
        FROM jsonb_array_elements_text(
            CASE jsonb_typeof(n.data -> 'absence_ids') WHEN 'array' THEN n.data -> 'absence_ids' ELSE '[]' END
        ) AS named(absence_id)
        LEFT JOIN projections.absences a ON a.workspace_id = c.workspace_id AND a.absence_id = named.absence_id
    ) b ON true
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a claimed message stands.

    Attributes:
        claimed: the message.
        reason: why it is not sent; None when it is.
        address: of the user; None where they have none.
        locale: the user's, else the workspace's.
        data: what it says, that of a digest as things are now.
        flaw: what is wrong with the address or the data, where that is the reason.
    """

    claimed: Claimed
    reason: Reason | None
    address: str | None
    locale: str | None
    data: Mapping[str, Any]
    flaw: str | None = None


def standings(
    connection: Transaction, claimed: Sequence[Claimed], not_in_step: Mapping[str, Exception] | None = None
) -> list[Standing]:
    """How these messages stand, one statement for all of them and one for the digests among them.

    Args:
        connection: a transaction whose scope holds the workspaces; their projections are up to date.
        claimed: the messages.
        not_in_step: the workspaces whose projections are not up to date, and why: nothing is known of their messages.
    """
    of_key = {one.key: one for one in claimed}
    rows = connection.execute(
        _FACTS,
        {
            "workspaces": [one.workspace_id for one in claimed],
            "users": [one.user_id for one in claimed],
            "notifications": [one.notification_id for one in claimed],
            "given_up_after": GIVEN_UP_AFTER,
        },
    ).fetchall()
    managers = {(row[0], row[9]) for row in rows if row[9] and of_key[row[:3]].kind == MANAGER_DIGEST}
    digests = open_items(connection, sorted(managers)) if managers else {}
    found = []
    for workspace_id, user_id, notification_id, data, *facts in rows:
        one = of_key[workspace_id, user_id, notification_id]
        status, locale, address, user_status, wants_email, employee_id, is_there, is_old, is_owed, is_ahead = facts
        said = data
        reason: Reason | None = None
        flaw = None
        unknown = (not_in_step or {}).get(workspace_id)
        if unknown is not None:
            reason = "expired" if is_old else "unmade"
            flaw = f"its workspace is not in step with the event log, {type(unknown).__name__}: {unknown}".strip()
        elif status != "active" or user_status not in (None, "active") or not is_there:
            reason = "suspended"
        elif data is None:
            reason = "duplicate"
        elif is_old:
            reason = "expired"
        elif wants_email is False:
            reason = "preference"
        elif (one.kind in OWED and not is_owed) or (one.kind == TIMEOFF_REMINDER and not is_ahead):
            reason = "stale"
        elif one.kind == MANAGER_DIGEST:
            items = digests.get((workspace_id, employee_id))
            reason = None if items else "stale"
            said = {**data, **(items or {})}
        if reason is None:
            reason, flaw = _flaw(one.kind, address, said)
        found.append(Standing(one, reason, address, locale, said or {}, flaw))
    return found


def _flaw(kind: str, address: str | None, data: Mapping[str, Any]) -> tuple[Reason | None, str | None]:
    if not address:
        return "no_address", None
    try:
        read_address(address)
        read_data(kind, data)
    except UnusableAddressError as error:
        return "no_address", str(error)
    except UnreadableNotificationError as error:
        return "unreadable", str(error)
    return None, None
