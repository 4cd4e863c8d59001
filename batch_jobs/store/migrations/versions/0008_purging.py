"""What purging needs beyond the rights of a worker: rows of deleted workspaces, old history of the orchestrator."""

from alembic import op

from batch_jobs.store.isolation import READER, WORKER

revision = "0008"
down_revision = "0007"

# The functions run with the rights of the schema's owner, so each judges for itself what may be deleted, finds
# nothing by the caller's search path, and is for the worker alone.
_AS_OWNER = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"


def upgrade() -> None:
    """Create the functions and the indexes that tell what is past its retention."""
    op.execute(f"GRANT DELETE ON batch_jobs.job_runs TO {WORKER}")
    op.execute("CREATE INDEX job_runs_by_end ON batch_jobs.job_runs (ended_at)")
    op.execute("""
        CREATE INDEX notification_feed_by_age ON projections.notification_feed (least(read_at, dismissed_at))
        WHERE read_at IS NOT NULL OR dismissed_at IS NOT NULL
    """)
    op.execute("""
        CREATE INDEX definitions_invited ON projections.definitions (workspace_id, entity_id)
        WHERE kind = 'user' AND "values" ->> 'status' = 'invited'
    """)
    _create_purge_of_workspaces()
    _create_purge_of_orchestrator()
    for function, roles in (
        ("purge_workspace(text)", WORKER),
        ("orchestrator_has_older(timestamptz)", f"{WORKER}, {READER}"),
        ("purge_orchestrator(timestamptz, integer)", WORKER),
    ):
        op.execute(f"REVOKE ALL ON FUNCTION batch_jobs.{function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION batch_jobs.{function} TO {roles}")


def _create_purge_of_workspaces() -> None:
    # Every table that holds rows of workspaces has the policy in_scope, those that later migrations add too. Runs that
    # go on stay in the ledger: the one that purges is among them, and remains as the record of it.
    op.execute(f"""
        CREATE FUNCTION batch_jobs.purge_workspace(wanted text) RETURNS bigint LANGUAGE plpgsql {_AS_OWNER} AS $$
        DECLARE
            held text;
            tenant regclass;
            rows bigint;
            removed bigint := 0;
        BEGIN
            IF wanted NOT IN (SELECT batch_jobs.scope()) THEN
                RAISE insufficient_privilege USING MESSAGE = format('workspace "%s" is not in scope', wanted);
            END IF;
            SELECT status INTO held FROM batch_jobs.workspaces WHERE workspace_id = wanted FOR UPDATE;
            IF held IS DISTINCT FROM 'deleted' THEN
                RAISE insufficient_privilege USING MESSAGE = format(
                    'workspace "%s" is %s; only deleted workspaces are purged', wanted, coalesce(held, 'unknown')
                );
            END IF;
            FOR tenant IN
                SELECT p.polrelid FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                WHERE p.polname = 'in_scope' AND NOT c.relispartition AND c.relpersistence <> 't' ORDER BY p.polrelid
            LOOP
                EXECUTE format('DELETE FROM %s WHERE workspace_id = $1', tenant)
                    || CASE tenant WHEN 'batch_jobs.job_runs'::regclass
                        THEN ' AND status NOT IN (''pending'', ''started'')' ELSE '' END
                    USING wanted;
                GET DIAGNOSTICS rows = ROW_COUNT;
                removed := removed + rows;
            END LOOP;
            RETURN removed;
        END $$
    """)


def _create_purge_of_orchestrator() -> None:
    # Dagster makes its schema itself, so these functions must do without it, and go by the columns of its tables that
    # have stood since its first versions. Its timestamps are in UTC, without saying so.
    op.execute(f"""
        CREATE FUNCTION batch_jobs.orchestrator_has_older(before timestamptz) RETURNS boolean
        LANGUAGE plpgsql STABLE {_AS_OWNER} AS $$
        DECLARE
            until timestamp := before AT TIME ZONE 'UTC';
        BEGIN
            IF to_regclass('dagster.runs') IS NULL OR to_regclass('dagster.event_logs') IS NULL
                OR to_regclass('dagster.job_ticks') IS NULL
            THEN
                RETURN false;
            END IF;
            -- Ticks, and events without a run, are looked at from the first one on: no index knows their age.
            RETURN EXISTS (
                    SELECT FROM dagster.runs
                    WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND update_timestamp < until
                )
                OR coalesce((SELECT timestamp FROM dagster.job_ticks ORDER BY id LIMIT 1) < until, false)
                OR coalesce(
                    (SELECT timestamp FROM dagster.event_logs WHERE run_id = '' ORDER BY run_id, id LIMIT 1) < until,
                    false
                );
        END $$
    """)
    # A run goes with its events, as Dagster's own deletion does it, its tags by their foreign key; of a run with more
    # events than are left to delete the first go now, and the run when all have gone.
    op.execute(f"""
        CREATE FUNCTION batch_jobs.purge_orchestrator(before timestamptz, at_most integer) RETURNS integer
        LANGUAGE plpgsql {_AS_OWNER} AS $$
        DECLARE
            until timestamp := before AT TIME ZONE 'UTC';
            past record;
            gone integer;
            room integer := at_most;
            removed integer := 0;
        BEGIN
            IF NOT batch_jobs.orchestrator_has_older(before) THEN
                RETURN 0;
            END IF;
            FOR past IN
                SELECT run_id FROM dagster.runs
                WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND update_timestamp < until
                ORDER BY update_timestamp, id LIMIT at_most FOR UPDATE SKIP LOCKED
            LOOP
                EXIT WHEN room <= 0;
                WITH old AS (
                    DELETE FROM dagster.event_logs WHERE id IN (
                        SELECT id FROM dagster.event_logs WHERE run_id = past.run_id ORDER BY run_id, id LIMIT room
                    ) RETURNING id
                ), tags AS (
                    DELETE FROM dagster.asset_event_tags t USING old WHERE t.event_id = old.id
                )
                SELECT count(*) INTO gone FROM old;
                room := room - gone - 1;
                IF room >= 0 THEN
                    DELETE FROM dagster.runs WHERE run_id = past.run_id;
                    removed := removed + 1;
                END IF;
            END LOOP;
            WITH old AS (
                DELETE FROM dagster.event_logs WHERE id IN (
                    SELECT id FROM dagster.event_logs WHERE run_id = '' AND timestamp < until
                    ORDER BY run_id, id LIMIT greatest(room, 0)
                ) RETURNING id
            ), tags AS (
                DELETE FROM dagster.asset_event_tags t USING old WHERE t.event_id = old.id
            )
            SELECT count(*) INTO gone FROM old;
            room := room - gone;
            removed := removed + gone;
            DELETE FROM dagster.job_ticks WHERE id IN (
                SELECT id FROM dagster.job_ticks WHERE timestamp < until ORDER BY id LIMIT greatest(room, 0)
            );
            GET DIAGNOSTICS gone = ROW_COUNT;
            RETURN removed + gone;
        END $$
    """)


def downgrade() -> None:
    """Drop the functions and indexes."""
    for function in (
        "purge_orchestrator(timestamptz, integer)",
        "orchestrator_has_older(timestamptz)",
        "purge_workspace(text)",
    ):
        op.execute(f"DROP FUNCTION batch_jobs.{function}")
    op.execute("DROP INDEX projections.definitions_invited, projections.notification_feed_by_age")
    op.execute("DROP INDEX batch_jobs.job_runs_by_end")
    op.execute(f"REVOKE DELETE ON batch_jobs.job_runs FROM {WORKER}")
