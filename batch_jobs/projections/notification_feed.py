"""The feed of each user, and every notification there ever was: what tells jobs which ones exist already."""

from collections.abc import Sequence

from batch_jobs.engine.projection import DeadLetter, Folded, Projection, Window
from batch_jobs.engine.tables import Table, changed_rows, upsert_rows
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

# Those whose key or id another one has as well, whichever came first.
_CONTESTED = """
    WITH made AS (
        SELECT workspace_id, position, payload ->> 'user_id' AS user_id,
            payload ->> 'dedup_key' AS dedup_key, payload ->> 'notification_id' AS notification_id
        FROM pending_events WHERE type = 'notification.created'
    ), compared AS (
        SELECT m.*,
            count(*) OVER (PARTITION BY workspace_id, user_id, dedup_key) AS of_key,
            count(*) OVER (PARTITION BY workspace_id, user_id, notification_id) AS of_id,
            EXISTS (
                SELECT FROM notifications n WHERE (n.workspace_id, n.user_id, n.dedup_key)
                    = (m.workspace_id, m.user_id, m.dedup_key)
            ) AS key_is_taken,
            EXISTS (
                SELECT FROM notifications n WHERE (n.workspace_id, n.user_id, n.notification_id)
                    = (m.workspace_id, m.user_id, m.notification_id)
            ) AS id_is_taken
        FROM made m
    )
    SELECT workspace_id, position, user_id, dedup_key, notification_id, key_is_taken, id_is_taken FROM compared
    WHERE of_key > 1 OR of_id > 1 OR key_is_taken OR id_is_taken ORDER BY workspace_id, position
"""

_REFUSED = """
    CREATE TEMPORARY TABLE refused_notifications (
        workspace_id text COLLATE "C", position bigint, PRIMARY KEY (workspace_id, position)
    ) ON COMMIT DELETE ROWS
"""
_REFUSE = "INSERT INTO refused_notifications SELECT * FROM unnest(%s::text[], %s::bigint[])"

# Those that were refused are left out, so that no key is there already.
_TAKEN = """
    e.type = 'notification.created' AND NOT EXISTS (
        SELECT FROM refused_notifications r WHERE r.workspace_id = e.workspace_id AND r.position = e.position
    )
"""
_CREATED = f"""
    SELECT e.workspace_id, e.payload ->> 'user_id', e.payload ->> 'dedup_key', e.payload ->> 'notification_id',
        e.payload ->> 'kind', ARRAY(SELECT jsonb_array_elements_text(e.payload -> 'channels')), e.payload -> 'data',
        e.occurred_at, e.position
    FROM pending_events e WHERE {_TAKEN}
"""
_SHOWN = f"""
    SELECT e.workspace_id, e.payload ->> 'user_id', e.payload ->> 'notification_id', e.payload ->> 'kind',
        e.payload -> 'data', e.occurred_at, m.read_at, m.dismissed_at, e.payload ->> 'dedup_key'
    FROM pending_events e LEFT JOIN notification_marks m ON m.workspace_id = e.workspace_id
      AND m.user_id = e.payload ->> 'user_id' AND m.notification_id = e.payload ->> 'notification_id'
    WHERE {_TAKEN} AND e.payload -> 'channels' ? 'in_app' AND m.is_purged IS NOT TRUE
"""
_REMINDED = f"""
    SELECT DISTINCT e.workspace_id, i.absence_id
    FROM pending_events e CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE jsonb_typeof(e.payload #> '{{data,absence_ids}}')
        WHEN 'array' THEN e.payload #> '{{data,absence_ids}}' ELSE '[]' END
    ) AS i(absence_id)
    WHERE {_TAKEN} AND e.payload ->> 'kind' = 'timeoff_reminder' AND length(i.absence_id) BETWEEN 1 AND 100
"""

_SAID = """
    CREATE TEMPORARY TABLE said_of_notifications (
        workspace_id text COLLATE "C", position bigint, type text COLLATE "C", occurred_at timestamptz,
        user_id text COLLATE "C", notification_id text COLLATE "C", is_known boolean
    ) ON COMMIT DELETE ROWS
"""
# What was said of a notification before it was created was said of none.
_FIND_SAID = """
    INSERT INTO said_of_notifications
    SELECT e.workspace_id, e.position, e.type, e.occurred_at, e.payload ->> 'user_id', e.payload ->> 'notification_id',
        EXISTS (
            SELECT FROM notifications n
            WHERE n.workspace_id = e.workspace_id AND n.user_id = e.payload ->> 'user_id'
              AND n.notification_id = e.payload ->> 'notification_id' AND n.position < e.position
        )
    FROM pending_events e
    WHERE e.type IN ('notification.read', 'notification.dismissed', 'notification.purged')
"""
_MARKS = """
    CREATE TEMPORARY TABLE notification_marks (
        workspace_id text COLLATE "C", user_id text COLLATE "C", notification_id text COLLATE "C",
        read_at timestamptz, dismissed_at timestamptz, is_purged boolean
    ) ON COMMIT DELETE ROWS
"""
# The first of each kind counts.
_FIND_MARKS = """
    INSERT INTO notification_marks
    SELECT workspace_id, user_id, notification_id,
        min(occurred_at) FILTER (WHERE type = 'notification.read'),
        min(occurred_at) FILTER (WHERE type = 'notification.dismissed'),
        bool_or(type = 'notification.purged')
    FROM (
        SELECT DISTINCT ON (workspace_id, user_id, notification_id, type) *
        FROM said_of_notifications WHERE is_known
        ORDER BY workspace_id, user_id, notification_id, type, position
    ) first
    GROUP BY workspace_id, user_id, notification_id
"""
_PURGE = """
    DELETE FROM notification_feed f USING notification_marks m
    WHERE m.is_purged
      AND (f.workspace_id, f.user_id, f.notification_id) = (m.workspace_id, m.user_id, m.notification_id)
    RETURNING f.workspace_id
"""
_MARK = """
    UPDATE notification_feed f SET
        read_at = coalesce(f.read_at, m.read_at), dismissed_at = coalesce(f.dismissed_at, m.dismissed_at)
    FROM notification_marks m
    WHERE (f.workspace_id, f.user_id, f.notification_id) = (m.workspace_id, m.user_id, m.notification_id)
      AND (f.read_at IS NULL AND m.read_at IS NOT NULL OR f.dismissed_at IS NULL AND m.dismissed_at IS NOT NULL)
    RETURNING f.workspace_id
"""
_UNKNOWN = """
    SELECT workspace_id, position, type, user_id, notification_id FROM said_of_notifications
    WHERE NOT is_known ORDER BY workspace_id, position
"""


class NotificationFeed(Projection):
    """What each user sees in the product; e-mail alone is for no feed, and what is purged leaves it for good.

    `notifications` holds every one that was created, the first of each dedup key of a user, and keeps them;
    `reminded_absences` those absences that a `timeoff_reminder` named. The first `notification.read` and the first
    `notification.dismissed` stay. What is said of a notification that is not in the feed changes nothing; of one that
    was never created it is a dead letter.
    """

    name = "notification_feed"
    description = "Notifications that users find in the product, read and dismissed or not."
    event_types = frozenset(f"notification.{what}" for what in ("created", "read", "dismissed", "purged"))
    table = Table(
        "notification_feed",
        ("workspace_id", "user_id", "notification_id"),
        ("kind", "data", "created_at", "read_at", "dismissed_at", "dedup_key"),
    )
    further_tables = (
        Table(
            "notifications",
            ("workspace_id", "user_id", "dedup_key"),
            ("notification_id", "kind", "channels", "data", "created_at", "position"),
        ),
        Table("reminded_absences", ("workspace_id", "absence_id"), ()),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Take away what was purged, mark the rest, and add what was created with its marks. See `Projection.fold`."""
        letters = _refuse_repeated(connection)
        notifications, reminded = self.further_tables
        changes = upsert_rows(connection, notifications, _CREATED)
        changes += upsert_rows(connection, reminded, _REMINDED, update="NOTHING")
        temporary_table(connection, "said_of_notifications", _SAID)
        connection.execute(_FIND_SAID)
        temporary_table(connection, "notification_marks", _MARKS)
        connection.execute(_FIND_MARKS)
        changes += changed_rows(connection, _PURGE)
        changes += changed_rows(connection, _MARK)
        changes += upsert_rows(connection, self.table, _SHOWN)
        for workspace_id, position, event_type, user_id, notification_id in connection.execute(_UNKNOWN):
            what = event_type.removeprefix("notification.")
            reason = (
                f'notification "{notification_id}" of user "{user_id}" was {what} before it was created; '
                "import its notification.created first"
            )
            letters.append(DeadLetter(workspace_id, position, reason))
        return Folded(changes, letters)


def _refuse_repeated(connection: Transaction) -> list[DeadLetter]:
    """Of those with one key, or one id, of a user the first one counts."""
    letters: list[DeadLetter] = []
    keys: set[tuple[str, str, str]] = set()
    ids: set[tuple[str, str, str]] = set()
    for workspace_id, position, user_id, dedup_key, notification_id, key_is_taken, id_is_taken in connection.execute(
        _CONTESTED
    ):
        key, identity = (workspace_id, user_id, dedup_key), (workspace_id, user_id, notification_id)
        if key_is_taken or key in keys:
            reason = f'user "{user_id}" has a notification with dedup_key "{dedup_key}" already; the first one counts'
        elif id_is_taken or identity in ids:
            reason = (
                f'user "{user_id}" has a notification "{notification_id}" already, with another dedup_key; '
                "give each notification an id of its own"
            )
        else:
            keys.add(key)
            ids.add(identity)
            continue
        letters.append(DeadLetter(workspace_id, position, reason))
    temporary_table(connection, "refused_notifications", _REFUSED)
    if letters:
        places = [letter.workspace_id for letter in letters], [letter.position for letter in letters]
        connection.execute(_REFUSE, places)
    return letters
