"""Absences with their consumed and registered days, and the inbox of those who approve."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0003"
down_revision = "0002"

TABLES = ("absences", "absence_days", "approvals_inbox")


def upgrade() -> None:
    """Create the tables; statements learn who was told of them last, so they are folded anew."""
    op.execute("""
        CREATE TABLE projections.absences (
            workspace_id text COLLATE "C" NOT NULL,
            absence_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            policy_id text COLLATE "C" NOT NULL,
            state text NOT NULL,
            bucket text,
            start_date date NOT NULL,
            end_date date,
            fraction numeric NOT NULL,
            consumed_to date,
            open_ended boolean NOT NULL,
            requested_at timestamptz NOT NULL,
            unconsumed_from date GENERATED ALWAYS AS (
                CASE WHEN state = 'approved' AND NOT open_ended AND end_date >= coalesce(consumed_to + 1, start_date)
                THEN coalesce(consumed_to + 1, start_date) END
            ) STORED,
            PRIMARY KEY (workspace_id, absence_id)
        )
    """)
    op.execute("""
        COMMENT ON COLUMN projections.absences.open_ended IS
        'Requested without an end. It stays so when an interruption gives it one: it is registered, never consumed.'
    """)
    op.execute("""
        COMMENT ON COLUMN projections.absences.unconsumed_from IS
        'The first day that is still to be consumed: of approved closed absences that are not used.'
    """)
    op.execute("CREATE INDEX absences_of_employee ON projections.absences (workspace_id, employee_id)")
    # What need-checks over all workspaces read: the few absences that are not over yet, by day.
    op.execute("""
        CREATE INDEX absences_unconsumed ON projections.absences (start_date, workspace_id, absence_id)
        INCLUDE (employee_id, unconsumed_from) WHERE unconsumed_from IS NOT NULL
    """)
    op.execute("""
        CREATE INDEX absences_open_ended ON projections.absences
        ((coalesce(end_date, 'infinity')), workspace_id) WHERE open_ended AND state = 'approved'
    """)
    op.execute("""
        CREATE INDEX absences_requested ON projections.absences (workspace_id, employee_id) WHERE state = 'requested'
    """)
    op.execute("""
        CREATE TABLE projections.absence_days (
            workspace_id text COLLATE "C" NOT NULL,
            absence_id text COLLATE "C" NOT NULL,
            date date NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            activity_id text COLLATE "C",
            account_id text COLLATE "C",
            minutes integer NOT NULL,
            amount integer NOT NULL,
            registered boolean NOT NULL,
            PRIMARY KEY (workspace_id, absence_id, date)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.absence_days IS
        'The days consumed (from an account, in its unit) or registered that stand: refunded ones are gone.'
    """)
    op.execute("CREATE INDEX absence_days_of_employee ON projections.absence_days (workspace_id, employee_id, date)")
    op.execute("""
        CREATE TABLE projections.approvals_inbox (
            workspace_id text COLLATE "C" NOT NULL,
            manager_id text COLLATE "C" NOT NULL,
            item_kind text COLLATE "C" NOT NULL,
            item_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            period_start date NOT NULL,
            period_end date,
            since timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, manager_id, item_kind, item_id)
        )
    """)
    op.execute("CREATE INDEX approvals_inbox_of_item ON projections.approvals_inbox (workspace_id, item_kind, item_id)")
    op.execute("""
        ALTER TABLE projections.timesheet_statements
            ADD COLUMN state_since timestamptz NOT NULL DEFAULT '-infinity',
            ADD COLUMN told text[] NOT NULL DEFAULT '{}'
    """)
    op.execute("""
        COMMENT ON COLUMN projections.timesheet_statements.told IS
        'Whom the latest statement.ready or statement.overdue named in its targets.'
    """)
    op.execute("TRUNCATE projections.timesheet_statements")
    op.execute("DELETE FROM batch_jobs.checkpoints WHERE projection = 'timesheet_statements'")
    op.execute("DELETE FROM batch_jobs.dead_letters WHERE projection = 'timesheet_statements'")
    for table in TABLES:
        protect(op.execute, f"projections.{table}", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the tables with their checkpoints."""
    op.execute("DROP TABLE projections.absences, projections.absence_days, projections.approvals_inbox")
    op.execute("ALTER TABLE projections.timesheet_statements DROP COLUMN state_since, DROP COLUMN told")
    op.execute("DELETE FROM batch_jobs.checkpoints WHERE projection IN ('absences', 'approvals_inbox')")
    op.execute("DELETE FROM batch_jobs.dead_letters WHERE projection IN ('absences', 'approvals_inbox')")
