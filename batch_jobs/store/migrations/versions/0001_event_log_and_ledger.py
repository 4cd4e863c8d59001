"""The event log, the workspaces with their heads, the ledger of job runs, checkpoints and dead letters."""

from alembic import op

from batch_jobs.store.isolation import create_roles, protect

revision = "0001"
down_revision = None

# Many workspaces write at once, each to one partition; autovacuum and index pages stay small.
EVENT_PARTITIONS = 8


def upgrade() -> None:
    """Create the two roles that jobs run as and the tables of the schema `batch_jobs`."""
    create_roles(op.execute)
    op.execute("GRANT USAGE ON SCHEMA batch_jobs TO batch_jobs_worker, batch_jobs_reader")
    # Work is staged in temporary tables, which a database may have taken from the public.
    op.execute("""
        DO $$ BEGIN
            EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO batch_jobs_worker', current_database());
        END $$
    """)
    # The workspaces that the transaction may touch, as `SET LOCAL batch_jobs.workspaces` lists them.
    op.execute("""
        CREATE FUNCTION batch_jobs.scope() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE AS
        $$ SELECT unnest(string_to_array(current_setting('batch_jobs.workspaces', true), ',')) $$
    """)
    _create_event_log()
    _create_ledger()
    _create_progress_of_projections()
    protect(op.execute, "batch_jobs.workspaces", worker="SELECT, INSERT, UPDATE")
    protect(op.execute, "batch_jobs.events", worker="SELECT, INSERT")
    for number in range(EVENT_PARTITIONS):
        protect(op.execute, f"batch_jobs.events_{number}", worker=None)
    protect(op.execute, "batch_jobs.job_runs", worker="SELECT, UPDATE")
    protect(op.execute, "batch_jobs.job_run_errors", worker="SELECT, INSERT")
    protect(op.execute, "batch_jobs.schedule_cursors", worker=None)
    protect(op.execute, "batch_jobs.checkpoints", worker="SELECT, INSERT, UPDATE, DELETE")
    protect(op.execute, "batch_jobs.dead_letters", worker="SELECT, INSERT, UPDATE, DELETE")
    # The fence of the engine: a chunk locks its worker's row, so it needs the right to, and no more.
    op.execute("GRANT SELECT, UPDATE (fenced_by) ON batch_jobs.workers TO batch_jobs_worker")
    op.execute("GRANT SELECT ON batch_jobs.workers TO batch_jobs_reader")


def _create_event_log() -> None:
    op.execute("""
        CREATE TABLE batch_jobs.workspaces (
            workspace_id text COLLATE "C" PRIMARY KEY,
            head bigint NOT NULL DEFAULT 0,
            status text NOT NULL DEFAULT 'undefined'
                CHECK (status IN ('undefined', 'active', 'suspended', 'deleted')),
            name text,
            timezone text,
            locale text,
            default_holiday_calendar_id text COLLATE "C",
            first_event_at timestamptz,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            last_run_date date
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.workspaces IS
        'Written with the event log itself, so never behind it. head: position of the newest event; advanced under
        the row''s lock, which makes positions gapless. last_run_date: latest run date of a finished job run.'
    """)
    op.execute("""
        CREATE TABLE batch_jobs.events (
            workspace_id text COLLATE "C" NOT NULL,
            position bigint NOT NULL,
            event_id uuid NOT NULL,
            type text COLLATE "C" NOT NULL,
            version smallint NOT NULL,
            occurred_at timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            actor text NOT NULL,
            employee_id text COLLATE "C",
            targets text[] NOT NULL,
            payload jsonb NOT NULL,
            PRIMARY KEY (workspace_id, position),
            UNIQUE (workspace_id, event_id)
        ) PARTITION BY HASH (workspace_id)
    """)
    for number in range(EVENT_PARTITIONS):
        op.execute(f"""
            CREATE TABLE batch_jobs.events_{number} PARTITION OF batch_jobs.events
            FOR VALUES WITH (MODULUS {EVENT_PARTITIONS}, REMAINDER {number})
        """)


def _create_ledger() -> None:
    op.execute("""
        CREATE TABLE batch_jobs.workers (
            worker_id uuid PRIMARY KEY,
            host text NOT NULL,
            pid integer NOT NULL,
            dagster_run_id text,
            started_at timestamptz NOT NULL DEFAULT now(),
            heartbeat_at timestamptz NOT NULL DEFAULT now(),
            fenced_by uuid
        )
    """)
    op.execute("""
        CREATE TABLE batch_jobs.job_runs (
            job_run_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            job text NOT NULL,
            workspace_id text COLLATE "C" NOT NULL,
            run_date date NOT NULL,
            attempt integer NOT NULL,
            status text NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending', 'started', 'completed', 'warning', 'failed', 'stopped')),
            trigger text NOT NULL
                CHECK (trigger IN ('schedule', 'sensor', 'manual', 'backfill', 'replay', 'retry')),
            actor text NOT NULL,
            params jsonb NOT NULL DEFAULT '{}',
            counters jsonb NOT NULL DEFAULT '{}',
            errors integer NOT NULL DEFAULT 0,
            message text,
            queued_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            ended_at timestamptz,
            dagster_run_id text,
            replay_of uuid,
            dry_run boolean NOT NULL,
            partial boolean NOT NULL,
            worker_id uuid,
            stop_requested_at timestamptz,
            rows_done bigint NOT NULL DEFAULT 0,
            plan jsonb,
            UNIQUE (job, workspace_id, run_date, attempt)
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.job_runs IS
        'One row per (job, workspace, run date, attempt). partial: a dry run, one employee or unit, or failed rows only;
        it does not make the job done for its key. plan: the rows a dry run would write, the first 100.'
    """)
    op.execute("""
        CREATE UNIQUE INDEX job_runs_one_active ON batch_jobs.job_runs (job, workspace_id, run_date)
        WHERE status IN ('pending', 'started')
    """)
    op.execute("CREATE INDEX job_runs_newest ON batch_jobs.job_runs (queued_at DESC)")
    op.execute(
        "CREATE INDEX job_runs_by_worker ON batch_jobs.job_runs (worker_id) WHERE status IN ('pending', 'started')"
    )
    op.execute("CREATE INDEX job_runs_of_key ON batch_jobs.job_runs (job, run_date, workspace_id)")
    op.execute("""
        CREATE TABLE batch_jobs.job_run_errors (
            job_run_id uuid NOT NULL REFERENCES batch_jobs.job_runs ON DELETE CASCADE,
            number integer NOT NULL,
            workspace_id text COLLATE "C" NOT NULL,
            row_id text NOT NULL,
            entity text NOT NULL,
            entity_id text NOT NULL,
            error text NOT NULL,
            message text NOT NULL,
            PRIMARY KEY (job_run_id, number)
        )
    """)
    op.execute("""
        CREATE TABLE batch_jobs.schedule_cursors (
            job text NOT NULL,
            workspace_id text COLLATE "C" NOT NULL,
            checked_date date NOT NULL,
            PRIMARY KEY (job, workspace_id)
        )
    """)
    op.execute("""
        COMMENT ON TABLE batch_jobs.schedule_cursors IS
        'For jobs that catch up missed nights: the newest run date up to which the scheduler has seen everything done.'
    """)


def _create_progress_of_projections() -> None:
    op.execute("""
        CREATE TABLE batch_jobs.checkpoints (
            projection text NOT NULL,
            workspace_id text COLLATE "C" NOT NULL,
            position bigint NOT NULL,
            as_of date,
            version integer NOT NULL,
            PRIMARY KEY (projection, workspace_id)
        )
    """)
    op.execute("""
        CREATE TABLE batch_jobs.dead_letters (
            workspace_id text COLLATE "C" NOT NULL,
            projection text NOT NULL,
            position bigint NOT NULL,
            event_id uuid NOT NULL,
            type text NOT NULL,
            reason text NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (workspace_id, projection, position)
        )
    """)


def downgrade() -> None:
    """Drop everything of this migration. The roles stay: other databases of the server may use them."""
    op.execute("""
        DROP TABLE batch_jobs.dead_letters, batch_jobs.checkpoints, batch_jobs.schedule_cursors,
            batch_jobs.job_run_errors, batch_jobs.job_runs, batch_jobs.workers, batch_jobs.events, batch_jobs.workspaces
    """)
    op.execute("DROP FUNCTION batch_jobs.scope()")
