"""Import, in events a second, beside a bare INSERT … SELECT of the same rows.

Measured: a file of the night's workspaces (settings, people, hours) into the empty event log, from the first byte read
to the commit: JSON, validation of each payload, staging, locks, positions, both indexes.

Held against: one `INSERT … SELECT` of the very same rows, from a table that is in memory, into a twin of the event log
with the same partitions and indexes, commit included. That is fair since no import into indexed tables can write them
faster; whatever import takes beyond is the price of reading and checking. The twin is as empty as the log was.
"""

import json
import subprocess
import sys
import time
from datetime import date

from batch_jobs.settings import PROJECT_FOLDER
from benchmarks import companies
from benchmarks.bench import Bench, tell
from benchmarks.figures import Figure, Figures

_TWIN = """
    CREATE SCHEMA bench;
    CREATE TABLE bench.events (LIKE batch_jobs.events INCLUDING ALL) PARTITION BY HASH (workspace_id);
    CREATE TABLE bench.source AS SELECT * FROM batch_jobs.events ORDER BY workspace_id, position
"""


def night_workspaces(bench: Bench) -> list[str]:
    """The ids of the night's workspaces."""
    return [f"night-{number:04}" for number in range(bench.sizes.night)]


def measure(bench: Bench) -> Figures:
    """Import the night's workspaces."""
    taken = import_workspaces(bench, night_workspaces(bench))
    tell("writing the same rows by INSERT … SELECT")
    limit = taken["events"] / _bare_seconds(bench, int(taken["events"]))
    return {
        "import_events_per_s": Figure(
            work=f"import of {taken['events']:,} events",
            value=taken["events"] / taken["seconds"],
            unit="events/s",
            limit=limit,
            beside="bare INSERT … SELECT of the rows",
            target=limit / 2,
            more_is_better=True,
        ),
        "import_peak_mb": Figure(
            work="memory of that import",
            value=taken["peak_mb"],
            unit="MB",
            limit=taken["idle_mb"],
            beside="the process before the first line",
        ),
    }


def import_workspaces(bench: Bench, workspaces: list[str], *, today: date | None = None) -> dict[str, float]:
    """Import new workspaces from a file, in a process of its own.

    Args:
        bench: where.
        workspaces: their ids.
        today: the day from which on they plan time off, by default the run date.

    Returns:
        What `import_process` tells.
    """
    file = bench.settings.home / "import.jsonl"
    lines = companies.write_file(
        file, workspaces, employees=bench.sizes.employees, timezone=bench.timezone, today=today or bench.run_date
    )
    tell(f"importing {lines:,} events of {len(workspaces):,} workspaces")
    command = [sys.executable, "-m", "benchmarks.import_process", str(file)]
    done = subprocess.run(command, cwd=PROJECT_FOLDER, check=True, stdout=subprocess.PIPE)
    file.unlink()
    taken: dict[str, float] = json.loads(done.stdout)
    assert taken["events"] == lines, f"{taken['events']} of {lines} events were imported"
    return taken


def _bare_seconds(bench: Bench, rows: int) -> float:
    with bench.database.owner() as connection:
        partitions = connection.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'batch_jobs.events'::regclass"
        ).fetchone()
        assert partitions
        for statement in _TWIN.split(";"):
            connection.execute(statement)
        for number in range(partitions[0]):
            connection.execute(
                f"CREATE TABLE bench.events_{number} PARTITION OF bench.events "
                f"FOR VALUES WITH (MODULUS {partitions[0]}, REMAINDER {number})"
            )
    # In a transaction of its own: a table made in the same one would not be written to the log of transactions.
    began = time.perf_counter()
    with bench.database.owner() as connection:
        written = connection.execute("INSERT INTO bench.events SELECT * FROM bench.source").rowcount
    seconds = time.perf_counter() - began
    assert written == rows
    with bench.database.owner() as connection:
        connection.execute("DROP SCHEMA bench CASCADE")
    return seconds
