"""What two nights of the same history have to agree on, and what they may differ in.

Compared is every table of the schemas batch_jobs, projections and search that has a workspace, row by row, without:

- ids of runs and leases, and instants of the database's own clock;
- positions in the log: jobs that do not wait for each other append in the order in which they come to it. Events are
  compared by their ids, which follow from what they say, with all else that they hold. What an event's position is the
  version of, in projections, is left out likewise; whether it is there is compared;
- the ledger: what failed and was tried again has more rows there. Of the jobs of the night the last run of each
  workspace and run date is compared, with its counters; continuous jobs run as often as they find work;
- of the outbox: how often a message was tried;
- the workspaces that were suspended or deleted in mid-run; those are looked at by rules of their own (`rules.py`).

A clock that goes a day forward or back makes a night of another date within the night: jobs run for the day that they
see, as they should. What such nights have to agree on, after the next night too, is what a night on time and one that
comes late agree on (`batch_jobs_tests/jobs/test_whole_night.py`). Digests and reminders are of the day that they saw.
And where no night was before, one of the day before makes statements of that day's period, which has ended when the
next one comes; the night on time makes none of it.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import date
from typing import Any

import psycopg

from batch_jobs_tests.jobs.test_whole_night import ONLY, PROMISED

_TABLES = """
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('batch_jobs', 'projections', 'search') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id')
    ORDER BY 1
"""
_LEDGER = {"batch_jobs.job_runs", "batch_jobs.job_run_errors"}
_LAST_RUNS = """
    SELECT DISTINCT ON (job, workspace_id, run_date)
        jsonb_build_array(job, workspace_id, run_date, status, counters, errors)::text
    FROM batch_jobs.job_runs
    WHERE job <> ALL ('{sync_projections,deliver_notifications}') AND workspace_id <> ALL (%s)
    ORDER BY job, workspace_id, run_date, attempt DESC
"""
_INSTANTS = ("recorded_at", "next_attempt_at", "ended_at", "leased_until")
_IDS = ("lease", "job_run_id")
_POSITIONS = ("position", "materialized_at")
_TRIES = ("attempts", "unclear_attempts", "server_reply")
_LEFT_OUT = [*_INSTANTS, *_IDS, *_POSITIONS, *_TRIES]

# Where rows of `PROMISED` have the end of their period.
_PERIOD_END = {"timesheet_statements": 5, "approvals_inbox": 6}

Rows = dict[str, list[str]]


def rows_of(url: str, *, but: Collection[str] = ()) -> Rows:
    """The rows of each table as text, in order.

    Args:
        url: the database.
        but: workspaces to leave out.
    """
    left_out = sorted(but)
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(_TABLES) if name not in _LEDGER]
        found = {name: _rows(connection, name, left_out) for name in tables}
        found["the last run of each job"] = sorted(row for (row,) in connection.execute(_LAST_RUNS, [left_out]))
    return found


def promised_rows_of(url: str, *, but: Collection[str] = ()) -> Rows:
    """The rows that do not depend on the night in which jobs come to them. See `rows_of`."""
    left_out = sorted(but)
    found = {}
    with psycopg.connect(url) as connection:
        for table, columns in PROMISED.items():
            rows = connection.execute(
                f"SELECT jsonb_build_array(workspace_id, {columns})::text AS line FROM projections.{table} "
                f"WHERE {ONLY.get(table, 'true')} AND workspace_id <> ALL (%s) ORDER BY 1",
                [left_out],
            )
            found[table] = [line for (line,) in rows]
    return found


def _rows(connection: psycopg.Connection[Any], table: str, but: list[str]) -> list[str]:
    rows = connection.execute(
        "SELECT (to_jsonb(t) - %s::text[] || jsonb_build_object('is_open', to_jsonb(t) ->> 'materialized_at' IS NULL))"
        f"::text AS line FROM {table} t WHERE workspace_id <> ALL (%s) ORDER BY 1",
        [_LEFT_OUT, but],
    )
    return [line for (line,) in rows]


def without(rows: Rows, workspaces: Collection[str]) -> Rows:
    """The same rows but those of some workspaces."""
    marks = [f'"{name}"' for name in workspaces]
    return {table: [line for line in lines if not any(mark in line for mark in marks)] for table, lines in rows.items()}


def without_period(rows: Rows, ended: date) -> Rows:
    """The same promised rows but those of statements whose period ended that day."""
    return {
        table: [
            line for line in lines if table not in _PERIOD_END or json.loads(line)[_PERIOD_END[table]] != str(ended)
        ]
        for table, lines in rows.items()
    }


def digests(rows: Rows) -> dict[str, str]:
    """The SHA-256 of each table."""
    return {table: hashlib.sha256("\n".join(lines).encode()).hexdigest() for table, lines in rows.items()}


def differences(found: Rows, expected: Rows, *, shown: int = 4) -> list[str]:
    """What differs, in words; empty when the digests of all tables are equal."""
    told = []
    one, other = digests(found), digests(expected)
    for table in sorted(one.keys() | other.keys()):
        if one.get(table) == other.get(table):
            continue
        more = sorted(set(found.get(table, [])) - set(expected.get(table, [])))
        less = sorted(set(expected.get(table, [])) - set(found.get(table, [])))
        told.append(f"{table}: {len(more)} rows too many, {len(less)} missing")
        told += [f"  + {line[:600]}" for line in more[:shown]] + [f"  - {line[:600]}" for line in less[:shown]]
    return told
