"""Finds a notification of a workspace with all that a message to its user needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from batch_jobs.store.database import Transaction

# The user as of the notification's day.
_NEWEST = """
    SELECT n.workspace_id, n.notification_id, n.user_id, n.kind, n.data, n.created_at,
        u.email, coalesce(u.locale, w.locale)
    FROM projections.notifications n
    JOIN batch_jobs.workspaces w ON w.workspace_id = n.workspace_id
    LEFT JOIN LATERAL (
        SELECT d."values" ->> 'email' AS email, d."values" ->> 'locale' AS locale
        FROM projections.definitions d
        WHERE d.workspace_id = n.workspace_id AND d.kind = 'user' AND d.entity_id = n.user_id
        ORDER BY d.valid_from <= n.created_at::date DESC, abs(d.valid_from - n.created_at::date) LIMIT 1
    ) u ON true
    LEFT JOIN batch_jobs.outbox o
      ON (o.workspace_id, o.user_id, o.notification_id) = (n.workspace_id, n.user_id, n.notification_id)
    WHERE n.workspace_id = %s AND n.kind = %s AND 'email' = ANY (n.channels)
    ORDER BY coalesce(o.state = 'waiting', false) DESC, n.position DESC LIMIT 1
"""
_KINDS = """
    SELECT kind, count(*) FROM projections.notifications
    WHERE workspace_id = %s AND 'email' = ANY (channels) GROUP BY kind ORDER BY kind COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A notification, and whom it is for. `address` and `locale` are None where the user is not defined, or has none.

    `locale` is the user's, else the workspace's.
    """

    workspace_id: str
    notification_id: str
    user_id: str
    kind: str
    data: Mapping[str, Any]
    created_at: datetime
    address: str | None
    locale: str | None


def newest_message(connection: Transaction, workspace_id: str, kind: str) -> PendingMessage | None:
    """The newest message of the kind that waits in the outbox, else the newest there was; None when there was none."""
    row = connection.execute(_NEWEST, [workspace_id, kind]).fetchone()
    return PendingMessage(*row) if row else None


def message_kinds(connection: Transaction, workspace_id: str) -> dict[str, int]:
    """By kind, how many notifications of the workspace go out by e-mail."""
    return dict(connection.execute(_KINDS, [workspace_id]).fetchall())
