"""What an installation holds, told by two numbers of each table, and whether it is whole."""

from functools import cache

from batch_jobs.store.database import Database

State = dict[str, tuple[int, int]]
"""Of each table how many rows it has, and a sum that changes with any of them."""

_TABLES = """
    SELECT relnamespace::regnamespace || '.' || quote_ident(relname) FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p'
      AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
# What must be true whatever was tried, as numbers that are to be zero.
_WHOLE = {
    "events more than the heads say": "(SELECT count(*) FROM batch_jobs.events) - "
    "(SELECT coalesce(sum(head), 0) FROM batch_jobs.workspaces)",
    "runs left active": "(SELECT count(*) FROM batch_jobs.job_runs WHERE status IN ('pending', 'started'))",
    "checkpoints ahead of the log": "(SELECT count(*) FROM batch_jobs.checkpoints c "
    "JOIN batch_jobs.workspaces w USING (workspace_id) WHERE c.position > w.head)",
}


def state_of(database: Database) -> State:
    """What a database holds now, in all its tables. Makes sure that it is whole."""
    query = _query(database)
    with database.owner() as connection:
        found = {name: (number, digest) for name, number, digest in connection.execute(query).fetchall()}
    for broken in _WHOLE:
        number, _ = found.pop(broken)
        assert number == 0, f"{number} {broken}"
    return found


def differing(before: State, after: State) -> dict[str, str]:
    """The tables that are not what they were, with how many rows they had and have."""
    return {name: f"{before[name][0]} rows, now {after[name][0]}" for name in before if before[name] != after[name]}


@cache
def _query(database: Database) -> str:
    with database.owner() as connection:
        tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    assert {"batch_jobs.events", "projections.definitions", "batch_jobs.web_users"} <= set(tables)
    digests = [
        f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {name} t" for name in tables
    ]
    return " UNION ALL ".join(digests + [f"SELECT '{name}', {count}, 0" for name, count in _WHOLE.items()])
