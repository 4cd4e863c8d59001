"""Time accounts: what is forecast for them, what moved them, what they hold."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0004"
down_revision = "0003"

TABLES = (
    "accrual_fingerprints",
    "accrual_forecast",
    "accrual_forecast_cursors",
    "account_movements",
    "account_balances",
)
PROJECTIONS = "('accrual_fingerprints', 'accrual_forecast', 'account_balances')"


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
            PRIMARY KEY (workspace_id, employee_id, policy_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.accrual_fingerprints IS
        'What each forecast depends on, so that one query finds the forecasts that another input made wrong.
        accrues_until: the last day of an employment whose terms carry the accruing policy, null for no end.
        problem: why there is no fingerprint.'
    """)
    op.execute("""
        CREATE TABLE projections.accrual_forecast (
            workspace_id text COLLATE "C" NOT NULL,
            entry_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            policy_id text COLLATE "C" NOT NULL,
            kind text COLLATE "C" NOT NULL,
            due_date date NOT NULL,
            amount integer NOT NULL,
            materialized_at bigint,
            year_start date,
            PRIMARY KEY (workspace_id, entry_id)
        )
    """)
    op.execute("""
        CREATE INDEX accrual_forecast_of_employee ON projections.accrual_forecast (workspace_id, employee_id, policy_id)
    """)
    op.execute("""
        CREATE TABLE projections.accrual_forecast_cursors (
            workspace_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            policy_id text COLLATE "C" NOT NULL,
            computed_from date NOT NULL,
            horizon_end date NOT NULL,
            fingerprint text NOT NULL,
            position bigint NOT NULL,
            PRIMARY KEY (workspace_id, employee_id, policy_id)
        )
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
