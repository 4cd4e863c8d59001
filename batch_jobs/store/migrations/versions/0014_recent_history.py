"""No worker deletes recent history of the orchestrator, whatever it asks for: it is that of all workspaces."""

from alembic import op

from batch_jobs.store.isolation import WORKER

revision = "0014"
down_revision = "0013"

_PURGE = "batch_jobs.purge_orchestrator(timestamptz, integer)"


def upgrade() -> None:
    """Put a bound before the function, which stays what does the work and is the owner's alone from now on."""
    op.execute(f"REVOKE EXECUTE ON FUNCTION {_PURGE} FROM {WORKER}")
    op.execute(f"ALTER FUNCTION {_PURGE} RENAME TO delete_orchestrator_history")
    # The lowest retention that the job takes, by the database's clock: that of a run date may be ahead. In hours, as a
    # day of the session's time zone may be shorter.
    op.execute("""
        CREATE FUNCTION batch_jobs.purge_orchestrator(before timestamptz, at_most integer) RETURNS integer
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
            SELECT batch_jobs.delete_orchestrator_history(least(before, now() - interval '168 hours'), at_most)
        $$
    """)
    op.execute(f"REVOKE ALL ON FUNCTION {_PURGE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_PURGE} TO {WORKER}")


def downgrade() -> None:
    """Take the bound away."""
    op.execute(f"DROP FUNCTION {_PURGE}")
    op.execute(
        "ALTER FUNCTION batch_jobs.delete_orchestrator_history(timestamptz, integer) RENAME TO purge_orchestrator"
    )
    op.execute(f"GRANT EXECUTE ON FUNCTION {_PURGE} TO {WORKER}")
