"""Time accounts: what is forecast for them, what moved them, what they hold."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0004"
down_revision = "0003"

TABLES = (
    "accrual_fingerprints",
    "accrual_forecast",
    "materialized_entries",
    "accrual_owed",
    "account_movements",
    "account_balances",
)
PROJECTIONS = "('accrual_fingerprints', 'accrual_forecast', 'accrual_owed', 'account_balances')"


def upgrade() -> None:
    """Create the tables."""
    op.execute("""
        CREATE TABLE projections.accrual_fingerprints (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            policy_id text COLLATE "C" NOT NULL,
            fingerprint text,
            accrues_until date,
            problem text,
            forecast_fingerprint text,
            computed_from date,
            horizon_end date,
            last_due_date date,
            position bigint,
            changed boolean GENERATED ALWAYS AS (
                problem IS NOT NULL OR forecast_fingerprint IS NULL OR fingerprint <> forecast_fingerprint
            ) STORED,
            PRIMARY KEY (workspace_id, employee_id, policy_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.accrual_fingerprints IS
        'What each forecast depends on now, beside what the last one (from computed_from on) was made of.
        accrues_until: the last run date on which the employee has the accruing policy, or on which what it credited may
        expire later than a forecast reaches; null for no end, 0001-01-01 for never. problem: why there is no
        fingerprint. Neither: the employee was removed. last_due_date: of the entries of the last forecast, null for
        none. changed: the forecast is missing or wrong, or can not be computed.'
    """)
    # The need-check reads nothing but what is due: one index for each reason to be. How rare a value of a column is,
    # PostgreSQL knows, as it does not of an expression: with the latter it reads all rows.
    op.execute("""
        CREATE INDEX accrual_fingerprints_changed ON projections.accrual_fingerprints (accrues_until, last_due_date)
        WHERE changed
    """)
    op.execute("""
        CREATE INDEX accrual_fingerprints_by_horizon ON projections.accrual_fingerprints (horizon_end)
        WHERE NOT changed AND accrues_until IS NULL
    """)
    op.execute("""
        CREATE INDEX accrual_fingerprints_by_end
        ON projections.accrual_fingerprints (accrues_until, last_due_date)
        WHERE NOT changed AND computed_from <= accrues_until
    """)
    op.execute("""
        CREATE TABLE projections.accrual_forecast (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            entry_id text COLLATE "C" NOT NULL,
            policy_id text COLLATE "C" NOT NULL,
            kind text COLLATE "C" NOT NULL,
            due_date date NOT NULL,
            amount integer NOT NULL,
            materialized_at bigint,
            year_start date NOT NULL,
            PRIMARY KEY (workspace_id, employee_id, entry_id)
        )
    """)
    op.execute("""
        CREATE INDEX accrual_forecast_owed ON projections.accrual_forecast (workspace_id, employee_id, due_date)
        WHERE materialized_at IS NULL
    """)
    op.execute("""
        CREATE TABLE projections.materialized_entries (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            entry_id text COLLATE "C" NOT NULL,
            position bigint NOT NULL,
            PRIMARY KEY (workspace_id, employee_id, entry_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.materialized_entries IS
        'The first credit or expiry of each forecast entry, also of those that no forecast ever held: no later forecast
        may owe them again.'
    """)
    op.execute("""
        CREATE TABLE projections.accrual_owed (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            first_due_date date NOT NULL,
            is_removed boolean NOT NULL,
            PRIMARY KEY (workspace_id, employee_id)
        )
    """)
    op.execute("""
        CREATE INDEX accrual_owed_by_day ON projections.accrual_owed (first_due_date, workspace_id, employee_id)
        WHERE NOT is_removed
    """)
    op.execute("""
        CREATE TABLE projections.account_movements (
            workspace_id text COLLATE "C" NOT NULL,
            position bigint NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            account_id text COLLATE "C" NOT NULL,
            date date NOT NULL,
            credited bigint NOT NULL,
            expired bigint NOT NULL,
            policy_id text COLLATE "C",
            entry_id text COLLATE "C",
            expires_on date,
            year_start date,
            PRIMARY KEY (workspace_id, position)
        )
    """)
    op.execute("""
        CREATE INDEX account_movements_of_employee
        ON projections.account_movements (workspace_id, employee_id, account_id)
    """)
    op.execute("""
        CREATE TABLE projections.account_balances (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            account_id text COLLATE "C" NOT NULL,
            credited bigint NOT NULL,
            used bigint NOT NULL,
            expired bigint NOT NULL,
            planned bigint NOT NULL,
            balance bigint GENERATED ALWAYS AS (credited - used - expired) STORED,
            PRIMARY KEY (workspace_id, employee_id, account_id)
        )
    """)
    for table in TABLES:
        protect(op.execute, f"projections.{table}", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the tables with their checkpoints."""
    op.execute(f"DROP TABLE {', '.join(f'projections.{table}' for table in TABLES)}")
    op.execute(f"DELETE FROM batch_jobs.checkpoints WHERE projection IN {PROJECTIONS}")
    op.execute(f"DELETE FROM batch_jobs.dead_letters WHERE projection IN {PROJECTIONS}")
