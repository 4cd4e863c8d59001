"""What people were told of jobs that fail, warn or do not run, and what they are still to be told."""

from alembic import op

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    """Create the table: the owner's, since a cause belongs to no workspace."""
    op.execute("""
        CREATE TABLE batch_jobs.announcements (
            announcement_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            channel text NOT NULL,
            job text NOT NULL,
            status text NOT NULL CHECK (status IN ('failed', 'warning', 'overdue')),
            reason text NOT NULL,
            since timestamptz NOT NULL,
            first_seen_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL,
            most integer NOT NULL DEFAULT 0,
            told_at timestamptz,
            told integer NOT NULL DEFAULT 0,
            messages integer NOT NULL DEFAULT 0,
            message jsonb,
            attempts integer NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            reply text,
            closed_at timestamptz,
            CHECK ((message IS NULL) = (next_attempt_at IS NULL))
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.announcements IS
        'One row per cause of trouble and channel that is told of it, from the first sight to the end. job: empty for
        what is overdue, whatever the job. reason: without ids and names, so the same in every workspace. most, told: in
        how many workspaces at the most, and how much as last told. message: the newest one, until the channel took it.'
    """)
    op.execute("""
        CREATE UNIQUE INDEX announcements_open ON batch_jobs.announcements (channel, job, status, reason)
        WHERE closed_at IS NULL
    """)


def downgrade() -> None:
    """Drop the table; what waits in it is not told."""
    op.execute("DROP TABLE batch_jobs.announcements")
