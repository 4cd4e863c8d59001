"""Notifications: all that were ever created, and the feed of each user."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0006"
down_revision = "0005"

TABLES = ("notifications", "notification_feed", "reminded_absences")


def upgrade() -> None:
    """Create the tables."""
    op.execute("""
        CREATE TABLE projections.notifications (
            workspace_id text COLLATE "C" NOT NULL,
            user_id text COLLATE "C" NOT NULL,
            dedup_key text COLLATE "C" NOT NULL,
            notification_id text COLLATE "C" NOT NULL,
            kind text COLLATE "C" NOT NULL,
            channels text[] NOT NULL,
            data jsonb NOT NULL,
            created_at timestamptz NOT NULL,
            position bigint NOT NULL,
            PRIMARY KEY (workspace_id, user_id, dedup_key),
            CONSTRAINT notifications_by_id UNIQUE (workspace_id, user_id, notification_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.notifications IS
        'All that were ever created, by what makes each unique; also those that left the feed, or were never for it.'
    """)
    op.execute("""
        CREATE TABLE projections.notification_feed (
            workspace_id text COLLATE "C" NOT NULL,
            user_id text COLLATE "C" NOT NULL,
            notification_id text COLLATE "C" NOT NULL,
            kind text COLLATE "C" NOT NULL,
            data jsonb NOT NULL,
            created_at timestamptz NOT NULL,
            read_at timestamptz,
            dismissed_at timestamptz,
            dedup_key text COLLATE "C" NOT NULL,
            PRIMARY KEY (workspace_id, user_id, notification_id)
        )
    """)
    op.execute("""
        CREATE TABLE projections.reminded_absences (
            workspace_id text COLLATE "C" NOT NULL,
            absence_id text COLLATE "C" NOT NULL,
            PRIMARY KEY (workspace_id, absence_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.reminded_absences IS
        'The absences that a notification of kind timeoff_reminder has named: none is reminded of again.'
    """)
    # What need-checks of reminders read of all workspaces, without touching the tables.
    op.execute("""
        CREATE INDEX absences_to_remind_of ON projections.absences (start_date, workspace_id, employee_id)
        WHERE unconsumed_from IS NOT NULL AND fraction = 1
    """)
    op.execute("""
        CREATE INDEX timesheet_statements_not_handed_in ON projections.timesheet_statements (workspace_id, statement_id)
        WHERE state IN ('pending', 'ready')
    """)
    for table in TABLES:
        protect(op.execute, f"projections.{table}", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the tables with their checkpoints."""
    op.execute(f"DROP TABLE {', '.join(f'projections.{table}' for table in TABLES)}")
    op.execute("DROP INDEX projections.timesheet_statements_not_handed_in, projections.absences_to_remind_of")
    op.execute("DELETE FROM batch_jobs.checkpoints WHERE projection = 'notification_feed'")
    op.execute("DELETE FROM batch_jobs.dead_letters WHERE projection = 'notification_feed'")
