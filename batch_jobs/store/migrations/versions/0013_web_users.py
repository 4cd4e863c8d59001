"""Who may sign in to the web UI, who is signed in, who tried lately; and who stopped a job run."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the tables. The roles that jobs run as are given nothing: they have no business here."""
    op.execute("""
        CREATE TABLE batch_jobs.web_users (
            name text COLLATE "C" PRIMARY KEY,
            role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
            password_hash text NOT NULL,
            added_at timestamptz NOT NULL DEFAULT now(),
            signed_in_at timestamptz
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.web_users IS
        'Who may sign in to the web UI. password_hash: Argon2id with its parameters and salt. signed_in_at: last time.'
    """)
    op.execute("""
        CREATE TABLE batch_jobs.web_sessions (
            token_hash bytea PRIMARY KEY,
            name text COLLATE "C" NOT NULL REFERENCES batch_jobs.web_users ON DELETE CASCADE,
            began_at timestamptz NOT NULL DEFAULT now(),
            ends_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.web_sessions IS
        'One row per signed-in browser. token_hash: SHA-256 of what its cookie holds, so that no reader of this table
        can sign in with it.'
    """)
    op.execute("CREATE INDEX web_sessions_by_name ON batch_jobs.web_sessions (name)")
    op.execute("""
        CREATE TABLE batch_jobs.web_sign_in_tries (
            try_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text COLLATE "C" NOT NULL,
            address text COLLATE "C" NOT NULL,
            tried_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.web_sign_in_tries IS
        'Tries to sign in within the last quarter of an hour that did not succeed, or have not yet.'
    """)
    op.execute("ALTER TABLE batch_jobs.job_runs ADD COLUMN stop_requested_by text")


def downgrade() -> None:
    """Drop the tables; nobody can sign in any more."""
    op.execute("ALTER TABLE batch_jobs.job_runs DROP COLUMN stop_requested_by")
    op.execute("DROP TABLE batch_jobs.web_sign_in_tries, batch_jobs.web_sessions, batch_jobs.web_users")
