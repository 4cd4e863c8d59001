"""Creating notifications from jobs: each once per user and dedup key, however often the job runs (domain 6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch_jobs.engine.batch import Batch
from batch_jobs.store.payloads.notifications import Channel, NotificationCreated

IN_APP_AND_EMAIL: tuple[Channel, ...] = ("in_app", "email")

# An event under the same id may be another user's: the id is made without them. To write it again for the employee's
# new user would be to give one id to two events.
_EXISTING = """
    SELECT w.number FROM unnest(%(workspaces)s::text[], %(users)s::text[], %(keys)s::text[], %(ids)s::uuid[])
        WITH ORDINALITY AS w(workspace_id, user_id, dedup_key, event_id, number)
    WHERE EXISTS (
        SELECT FROM projections.notifications n
        WHERE n.workspace_id = w.workspace_id AND n.user_id = w.user_id AND n.dedup_key = w.dedup_key
    ) OR EXISTS (SELECT FROM batch_jobs.events e WHERE e.workspace_id = w.workspace_id AND e.event_id = w.event_id)
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a job wants a user to know.

    Attributes:
        row: of the batch, that it comes from.
        user_id: who shall know.
        kind: one of `mail.kinds`.
        key_parts: what it is about, and so what makes it the same as another one of its kind.
        data: what it says, in the fields of its kind.
        channels: the ways that it takes.
    """

    row: Any
    user_id: str
    kind: str
    key_parts: tuple[str, ...]
    data: Mapping[str, Any]
    channels: tuple[Channel, ...] = IN_APP_AND_EMAIL

    @property
    def dedup_key(self) -> str:
        """Unique per user."""
        return ":".join((self.kind, *self.key_parts))


def create(batch: Batch, notices: Sequence[Notice]) -> list[bool]:
    """Append a `notification.created` for each notice whose user has none of its dedup key yet.

    Args:
        batch: of the job that wants them; its workspaces' `notification_feed` is up to date.
        notices: any number; of equal ones the first is created.

    Returns:
        For each notice whether it was created: False means that it existed already.
    """
    if not notices:
        return []
    ids = [batch.event_id(notice.row, "notification", notice.dedup_key) for notice in notices]
    existing = batch.connection.execute(
        _EXISTING,
        {
            "workspaces": [notice.row.workspace_id for notice in notices],
            "users": [notice.user_id for notice in notices],
            "keys": [notice.dedup_key for notice in notices],
            "ids": ids,
        },
    )
    taken = {number for (number,) in existing}
    written = set()
    created = []
    for number, (notice, event_id) in enumerate(zip(notices, ids, strict=True), 1):
        created.append(number not in taken and event_id not in written)
        if created[-1]:
            written.add(event_id)
            payload = NotificationCreated(
                notification_id=str(event_id),
                user_id=notice.user_id,
                kind=notice.kind,
                channels=notice.channels,
                data=dict(notice.data),
                dedup_key=notice.dedup_key,
            )
            batch.append(notice.row, payload, "notification", notice.dedup_key)
    return created
