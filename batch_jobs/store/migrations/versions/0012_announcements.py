"""What people were told of jobs that fail, warn or do not run; row errors hang on runs of their own workspace."""

from alembic import op

from batch_jobs.store.isolation import WORKER

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table, which is the owner's, since a cause belongs to no workspace; and close a gap."""
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
    # Looked for every few minutes, in a ledger of millions.
    op.execute("""
        CREATE INDEX job_runs_in_trouble ON batch_jobs.job_runs (ended_at) WHERE status IN ('failed', 'warning')
    """)
    # A foreign key is checked with the owner's rights: by it alone a row could hang on another workspace's run.
    op.execute(f"""
        CREATE POLICY of_own_run ON batch_jobs.job_run_errors AS RESTRICTIVE FOR INSERT TO {WORKER}
        WITH CHECK (EXISTS (SELECT FROM batch_jobs.job_runs r WHERE r.job_run_id = job_run_errors.job_run_id))
    """)


def downgrade() -> None:
    """Drop all of it; what waits to be told is not told."""
    op.execute("DROP POLICY of_own_run ON batch_jobs.job_run_errors")
    op.execute("DROP INDEX batch_jobs.job_runs_in_trouble")
    op.execute("DROP TABLE batch_jobs.announcements")
