"""Time entries by week, published norms, and the activities and accounts that people's policies name."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0005"
down_revision = "0004"

TABLES = (
    "time_entries",
    "timesheet_weeks",
    "policy_activities",
    "norm_fingerprints",
    "published_norms",
    "published_norm_cursors",
)
PROJECTIONS = "('timesheet_weeks', 'policy_activities', 'norm_fingerprints', 'published_norms')"


def upgrade() -> None:
    """Create the tables."""
    op.execute("""
        CREATE TABLE projections.time_entries (
            workspace_id text COLLATE "C" NOT NULL,
            entry_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            date date NOT NULL,
            activity_id text COLLATE "C" NOT NULL,
            minutes integer NOT NULL,
            PRIMARY KEY (workspace_id, entry_id)
        )
    """)
    op.execute("CREATE INDEX time_entries_of_employee ON projections.time_entries (workspace_id, employee_id, date)")
    op.execute("""
        CREATE TABLE projections.timesheet_weeks (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            monday date NOT NULL,
            work_minutes integer NOT NULL,
            time_off_minutes integer NOT NULL,
            non_work_minutes integer NOT NULL,
            expected_minutes integer NOT NULL,
            PRIMARY KEY (workspace_id, employee_id, monday)
        )
    """)
    op.execute("""
        CREATE TABLE projections.policy_activities (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            policy_kind text COLLATE "C" NOT NULL,
            policy_id text COLLATE "C" NOT NULL,
            activity_id text COLLATE "C",
            account_id text COLLATE "C",
            unit text,
            PRIMARY KEY (workspace_id, employee_id, policy_kind, policy_id)
        )
    """)
    op.execute("""
        CREATE TABLE projections.norm_fingerprints (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            fingerprint text,
            employed_until date,
            problem text,
            published_through date NOT NULL,
            furthest_week date NOT NULL,
            PRIMARY KEY (workspace_id, employee_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.norm_fingerprints IS
        'What each employee''s published weeks depend on, so that one query finds those that another input made wrong.
        employed_until: the last day of the last employment, null for no end, 0001-01-01 for no employment at all.
        problem: why there is no fingerprint. published_through: the Monday up to which was published under this very
        fingerprint, furthest_week: up to which anything was ever published; 0001-01-01 for nothing.'
    """)
    # What the need-check over all workspaces reads, without touching the table: who is behind the window, and whose
    # published weeks another fingerprint made wrong.
    op.execute("""
        CREATE INDEX norm_fingerprints_published_through ON projections.norm_fingerprints
        (published_through, employed_until, workspace_id, employee_id) WHERE problem IS NULL
    """)
    op.execute("""
        CREATE INDEX norm_fingerprints_outdated ON projections.norm_fingerprints
        (furthest_week, workspace_id, employee_id) INCLUDE (published_through, employed_until)
        WHERE problem IS NULL AND published_through < furthest_week
    """)
    op.execute("""
        CREATE INDEX norm_fingerprints_with_problem ON projections.norm_fingerprints (workspace_id, employee_id)
        WHERE problem IS NOT NULL
    """)
    op.execute("""
        CREATE TABLE projections.published_norms (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            monday date NOT NULL,
            minutes integer[] NOT NULL,
            holidays jsonb NOT NULL,
            PRIMARY KEY (workspace_id, employee_id, monday)
        )
    """)
    op.execute("""
        CREATE TABLE projections.published_norm_cursors (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            through_week date NOT NULL,
            fingerprint text NOT NULL,
            position bigint NOT NULL,
            furthest_week date NOT NULL,
            PRIMARY KEY (workspace_id, employee_id)
        )
    """)
    op.execute("""
        COMMENT ON COLUMN projections.published_norm_cursors.furthest_week IS
        'The latest through_week ever: a run for a past date takes the cursor back, and weeks beyond it stand.'
    """)
    for table in TABLES:
        protect(op.execute, f"projections.{table}", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the tables with their checkpoints."""
    op.execute(f"DROP TABLE {', '.join(f'projections.{table}' for table in TABLES)}")
    op.execute(f"DELETE FROM batch_jobs.checkpoints WHERE projection IN {PROJECTIONS}")
    op.execute(f"DELETE FROM batch_jobs.dead_letters WHERE projection IN {PROJECTIONS}")
