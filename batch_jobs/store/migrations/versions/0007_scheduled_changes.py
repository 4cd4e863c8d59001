"""Changes planned for a day, until they are applied or cancelled; who ever held an employment."""

from alembic import op

from batch_jobs.store.isolation import protect

revision = "0007"
down_revision = "0006"

TABLES = ("scheduled_changes", "employment_owners")


def upgrade() -> None:
    """Create the tables; definitions are folded anew, since they now remember who held an employment."""
    op.execute("""
        CREATE TABLE projections.scheduled_changes (
            workspace_id text COLLATE "C" NOT NULL,
            change_id text COLLATE "C" NOT NULL,
            entity text COLLATE "C" NOT NULL,
            entity_id text COLLATE "C" NOT NULL,
            effective_date date NOT NULL,
            "values" jsonb NOT NULL,
            position bigint NOT NULL,
            state text NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'applied')),
            PRIMARY KEY (workspace_id, change_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.scheduled_changes IS
        'Also those that were applied or cancelled: an applied change_id must not be applied a second time.'
    """)
    op.execute("""
        CREATE INDEX scheduled_changes_open ON projections.scheduled_changes (effective_date, workspace_id)
        WHERE state = 'scheduled'
    """)
    op.execute("""
        CREATE TABLE projections.employment_owners (
            workspace_id text COLLATE "C" NOT NULL,
            employment_id text COLLATE "C" NOT NULL,
            employee_id text COLLATE "C" NOT NULL,
            PRIMARY KEY (workspace_id, employment_id, employee_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE projections.employment_owners IS
        'Every employee whom any version of an employment ever named: when it moves, all of them are affected.'
    """)
    op.execute("TRUNCATE projections.definitions")
    op.execute("DELETE FROM batch_jobs.checkpoints WHERE projection = 'definitions'")
    op.execute("DELETE FROM batch_jobs.dead_letters WHERE projection = 'definitions'")
    for table in TABLES:
        protect(op.execute, f"projections.{table}", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the tables with their checkpoints."""
    op.execute("DROP TABLE projections.scheduled_changes, projections.employment_owners")
    op.execute("DELETE FROM batch_jobs.checkpoints WHERE projection = 'scheduled_changes'")
    op.execute("DELETE FROM batch_jobs.dead_letters WHERE projection = 'scheduled_changes'")
