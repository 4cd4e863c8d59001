"""The outbox: which notification goes to whom by e-mail, and what became of it."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table. What was created before is history, and not sent."""
    op.execute("""
        CREATE TABLE batch_jobs.outbox (
            workspace_id text COLLATE "C" NOT NULL,
            user_id text COLLATE "C" NOT NULL,
            notification_id text COLLATE "C" NOT NULL,
            kind text COLLATE "C" NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'skipped')),
            reason text COLLATE "C",
            attempts integer NOT NULL DEFAULT 0,
            unclear_attempts integer NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL DEFAULT now(),
            lease uuid,
            leased_until timestamptz,
            recipient text,
            message_id text,
            server_reply text,
            job_run_id uuid,
            ended_at timestamptz,
            PRIMARY KEY (workspace_id, user_id, notification_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.outbox IS
        'One row per e-mail, written with the event that creates the notification. reason: why it was not sent, or not
        yet. unclear_attempts: those that ended without an answer after the whole message, so that a copy may exist.
        job_run_id: the run that tried last.'
    """)
    op.execute("CREATE INDEX outbox_waiting ON batch_jobs.outbox (next_attempt_at) WHERE state = 'waiting'")
    op.execute("CREATE INDEX outbox_ended ON batch_jobs.outbox (workspace_id, ended_at) WHERE state <> 'waiting'")
    op.execute("CREATE INDEX outbox_by_run ON batch_jobs.outbox (job_run_id) WHERE job_run_id IS NOT NULL")
    protect(op.execute, "batch_jobs.outbox", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the table; what waits in it is never sent."""
    op.execute("DROP TABLE batch_jobs.outbox")
