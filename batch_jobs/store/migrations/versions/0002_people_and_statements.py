"""The definitions that people and settings events make, the directory, employment periods and statements."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0002"
down_revision = "0001"

TABLES = ("definitions", "employee_directory", "employment_periods", "timesheet_statements")


def upgrade() -> None:
    """Create the schema `projections` with the first four tables."""
    op.execute("CREATE SCHEMA projections")
    op.execute("GRANT USAGE ON SCHEMA projections TO batch_jobs_worker, batch_jobs_reader")
    op.execute("""
        CREATE TABLE projections.definitions (
            workspace_id text COLLATE "C" NOT NULL,
            kind text COLLATE "C" NOT NULL,
            entity_id text COLLATE "C" NOT NULL,
            valid_from date NOT NULL,
            position bigint NOT NULL,
            "values" jsonb,
            employee_id text COLLATE "C" GENERATED ALWAYS AS (
                CASE kind WHEN 'employee' THEN entity_id ELSE "values" ->> 'employee_id' END
            ) STORED,
            PRIMARY KEY (workspace_id, kind, entity_id, valid_from)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.definitions IS
        'Every version of every defined entity. valid_from 0001-01-01: for all days. values null: removed.'
    """)
    op.execute("""
        CREATE INDEX definitions_of_employee ON projections.definitions (workspace_id, employee_id)
        WHERE employee_id IS NOT NULL
    """)
    op.execute("""
        CREATE TABLE projections.employee_directory (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            name text NOT NULL,
            preferred_name text,
            email text,
            user_id text COLLATE "C",
            status text NOT NULL,
            employment_id text COLLATE "C",
            job_title text,
            org_unit_id text COLLATE "C",
            org_path text[] NOT NULL,
            manager_id text COLLATE "C",
            is_manager boolean NOT NULL DEFAULT false,
            PRIMARY KEY (workspace_id, employee_id)
        )
    """)
    op.execute("""
        COMMENT ON COLUMN projections.employee_directory.employment_id IS
        'The employment that the row shows: when it moves to somebody else, this row must change.'
    """)
    op.execute("""
        CREATE INDEX employee_directory_of_manager ON projections.employee_directory (workspace_id, manager_id)
    """)
    op.execute("""
        CREATE TABLE projections.employment_periods (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            employment_id text COLLATE "C" NOT NULL,
            valid_from date NOT NULL,
            valid_to date,
            start_date date NOT NULL,
            end_date date,
            terms_id text COLLATE "C" NOT NULL,
            org_unit_id text COLLATE "C",
            manager_id text COLLATE "C",
            holiday_calendar_id text COLLATE "C",
            approval_period text,
            has_overlap boolean NOT NULL,
            employee_is_defined boolean NOT NULL,
            PRIMARY KEY (workspace_id, employee_id, employment_id, valid_from)
        )
    """)
    op.execute("""
        COMMENT ON COLUMN projections.employment_periods.has_overlap IS
        'Another employment of the employee covers some of these days, so which one is current must be looked up.'
    """)
    op.execute("""
        CREATE TABLE projections.timesheet_statements (
            workspace_id text COLLATE "C" NOT NULL,
            statement_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            terms_id text COLLATE "C" NOT NULL,
            period_start date NOT NULL,
            period_end date NOT NULL,
            state text NOT NULL,
            submitted_at timestamptz,
            approvers text[] NOT NULL,
            approved_by text[] NOT NULL,
            PRIMARY KEY (workspace_id, statement_id)
        )
    """)
    op.execute("""
        CREATE INDEX timesheet_statements_of_period ON projections.timesheet_statements
        (period_start, period_end, workspace_id, employee_id)
    """)
    # What need-checks over all workspaces read, without touching the table.
    op.execute("""
        CREATE INDEX employment_periods_in_force ON projections.employment_periods
        (approval_period, workspace_id, employee_id, valid_from)
        INCLUDE (valid_to, has_overlap, employee_is_defined)
    """)
    for table in TABLES:
        protect(op.execute, f"projections.{table}", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the projections and their checkpoints, so that they are rebuilt from the event log when they come back."""
    op.execute("DROP SCHEMA projections CASCADE")
    op.execute("DELETE FROM batch_jobs.checkpoints")
    op.execute("DELETE FROM batch_jobs.dead_letters")
