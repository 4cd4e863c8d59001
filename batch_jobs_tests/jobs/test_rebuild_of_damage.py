"""Every projection and search index, damaged by hand: the dry run names just those rows, and the run mends them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batch_jobs import search
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.installation import all_projections, make_engine
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.jobs.rebuild_search_indexes import RebuildSearchIndexes
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests.absence_events import sick
from batch_jobs_tests.accrual_events import forecast
from batch_jobs_tests.builders import import_all, of
from batch_jobs_tests.engine.company import digests, engine_of, run
from batch_jobs_tests.engine.damage import add_a_row, change_a_row, remove_a_row
from batch_jobs_tests.postgres import Databases
from batch_jobs_tests.projections.catching_up import finish_run
from batch_jobs_tests.random_events import DAYS
from batch_jobs_tests.store.examples import EXAMPLES

CHANGED, ADDED, REMOVED, SOUND = NAMES = ("a-row-changed", "a-row-added", "a-row-removed", "sound")
# Events that end or take away what others brought, or that speak of something else than the others.
LEFT_OUT = (
    "workspace.suspended",
    "workspace.deleted",
    "employee.removed",
    "change.cancelled",
    "time_off.approved",
    "time_off.rejected",
    "time_off.cancelled",
    "time_off.interrupted",
    "time.removed",
    "statement.approved",
    "statement.reopened",
    "notification.read",
    "notification.dismissed",
    "notification.purged",
    "user.invitation_expired",
)


def _fill(url: str) -> None:
    # The absence that a registration of the examples is about comes first.
    events = [sick("ab-2", DAYS[0], employee_id="e-12")]
    events += [one for name, one in EXAMPLES.items() if name not in LEFT_OUT]
    events.append(forecast(DAYS[0], {DAYS[-1]: 208}, employee_id="e-12"))
    with Database(url) as database:
        migrate(database)
        for workspace_id in NAMES:
            import_all(database, *of(workspace_id, *events))
            finish_run(database, DAYS[-1], workspace_id)
        make_engine(database, Settings(home=Path())).catch_up()


@pytest.fixture
def company(make_database: Callable[..., str], databases: Databases) -> Iterator[Database]:
    """Workspaces with the same events, so that each table has a row in each of them."""
    with Database(make_database(databases.template("to_be_damaged", _fill))) as opened:
        yield opened


def rebuild(database: Database, name: str, *, dry_run: bool) -> dict[str, JobRun]:
    job, choice = (
        (RebuildSearchIndexes(), "index") if name in search.registry() else (RebuildEmployeeProjections(), "projection")
    )
    runs = run(engine_of(database, job), job.name, NAMES, parameters={choice: name, "dry_run": dry_run})
    return {one.workspace_id: one for one in runs}


def versions_of_rows(database: Database) -> set[tuple[Any, ...]]:
    """Every row of every table by the transaction that wrote it."""
    with database.owner() as connection:
        return {
            (table.name, *row)
            for projection in all_projections().values()
            for table in projection.tables
            for row in connection.execute(
                f"SELECT xmin::text, ctid::text, {', '.join(table.key)} FROM {projection.schema}.{table.name}"
            )
        }


@pytest.mark.parametrize("name", all_projections())
def test_damage_is_named_to_the_row_and_mended_to_the_byte(company: Database, name: str) -> None:
    projection = all_projections()[name]
    right = digests(company)
    sound = versions_of_rows(company)
    damaged: dict[tuple[str, str], tuple[dict[str, Any], set[str]]] = {}
    for table in projection.tables:
        place = projection.schema, table
        if table.columns:
            damaged[CHANGED, table.name] = change_a_row(company, *place, CHANGED)
        damaged[ADDED, table.name] = add_a_row(company, *place, ADDED), set()
        damaged[REMOVED, table.name] = remove_a_row(company, *place, REMOVED), set()
    wrong, wrong_rows = digests(company), versions_of_rows(company)

    for dry_run in (True, False):
        runs = rebuild(company, name, dry_run=dry_run)
        assert {one.status for one in runs.values()} == {"completed"}
        # Seen from the events: what was added by hand is removed, what was removed is added.
        for workspace_id, change in ((CHANGED, "changed"), (ADDED, "removed"), (REMOVED, "added"), (SOUND, "")):
            of_workspace = {table: row for (where, table), row in damaged.items() if where == workspace_id}
            unit = "documents" if projection.schema == "search" else "rows"
            counters = {kind: runs[workspace_id].counters[f"{unit}_{kind}"] for kind in ("added", "changed", "removed")}
            assert {kind: number for kind, number in counters.items() if number} == (
                {change: len(of_workspace)} if of_workspace else {}
            )
            if dry_run:
                _check_plan(runs[workspace_id].plan or [], projection.schema, change, of_workspace)
        if dry_run:
            assert (digests(company), versions_of_rows(company)) == (wrong, wrong_rows)

    assert digests(company) == right
    # Nothing was touched but the rows that were changed or are back.
    mended = {(row[0], *row[3:]) for row in sound - versions_of_rows(company)}
    assert mended == {
        (table.name, where, *_values(company, projection.schema, table, where))
        for table in projection.tables
        for where in (CHANGED, REMOVED)
        if (where, table.name) in damaged
    }


def _check_plan(
    plan: list[dict[str, Any]], schema: str, change: str, rows: dict[str, tuple[dict[str, Any], set[str]]]
) -> None:
    shown = {row["table"]: row for row in plan}
    assert len(shown) == len(plan) == len(rows)
    for table, (key, columns) in rows.items():
        row = shown[f"{schema}.{table}"]
        assert (row["change"], row["key"]) == (change, key)
        assert (row["before"] is None, row["after"] is None) == (change == "added", change == "removed")
        if change == "changed":
            assert set(row["before"]) == set(row["after"]) == columns
            assert all(row["before"][column] != row["after"][column] for column in columns)


def _values(database: Database, schema: str, table: Any, workspace_id: str) -> tuple[Any, ...]:
    with database.owner() as connection:
        row = connection.execute(
            f"SELECT {', '.join(table.key[1:])} FROM {schema}.{table.name} WHERE workspace_id = %s "
            f"ORDER BY {', '.join(table.key)} LIMIT 1",
            [workspace_id],
        ).fetchone()
    assert row
    return tuple(row)
