"""Files of events: all or nothing, in bounded memory, and out again as they came in."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import export_events, import_events
from batch_jobs_tests.builders import employee, import_all, lines, time_entered, workspace
from batch_jobs_tests.store.examples import EXAMPLES

# Imports as many made-up events as told, and says how many megabytes its memory reached.
_IMPORT_MANY = """
import resource, sys, uuid
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import export_events, import_events
line = ('{"workspace_id":"acme","event_id":"%s","type":"time.entered","version":1,'
    '"occurred_at":"2026-01-02T08:00:00Z","actor":"user:u-1","payload":{"entry_id":"te-%d","employee_id":"e-1",'
    '"date":"2026-01-02","activity_id":"work","minutes":450}}\\n')
number = int(sys.argv[2])
database = Database(sys.argv[1])
import_events(database, ((line % (uuid.uuid4(), one)).encode() for one in range(number)))
with open("/dev/null", "wb") as out:
    assert export_events(database, "acme", out) == number
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""

# Imports events without end, and says when the first are on their way.
_IMPORT_FOR_EVER = """
import itertools, sys
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import import_events
from batch_jobs_tests.builders import lines, time_entered
def endless():
    for one in itertools.count():
        if one == 5000: print("under way", flush=True)
        yield from lines(time_entered(f"te-{one}"))
import_events(Database(sys.argv[1]), endless())
"""


def exported(database: Database, workspace_id: str = "acme") -> bytes:
    out = io.BytesIO()
    export_events(database, workspace_id, out)
    return out.getvalue()


def counts(database: Database) -> tuple[Any, ...]:
    with database.reader() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM batch_jobs.events), (SELECT count(*) FROM batch_jobs.workspaces)"
        ).fetchone()
    assert row
    return row


@pytest.mark.every_postgres
def test_what_goes_out_comes_in_again_to_the_byte(
    database: Database, make_database: Callable[..., str], migrated: str
) -> None:
    """All event types with all fields; payloads are those that were sent."""
    import_all(database, *EXAMPLES.values())
    first = exported(database)
    sent = [one["payload"] for one in EXAMPLES.values()]
    assert [json.loads(line)["payload"] for line in first.splitlines()] == sent
    with Database(make_database(migrated)) as other:
        assert import_events(other, io.BytesIO(first)).events == len(EXAMPLES)
        assert exported(other) == first
    again = import_events(database, io.BytesIO(first))
    assert (again.events, again.duplicates) == (0, len(EXAMPLES))


def test_one_workspace_goes_out_and_no_other(database: Database) -> None:
    import_all(database, workspace("acme"), workspace("globex"))
    assert [json.loads(line)["workspace_id"] for line in exported(database).splitlines()] == ["acme"]


def test_an_unknown_workspace_is_named_with_what_comes_close(database: Database) -> None:
    import_all(database, workspace("acme"))
    with pytest.raises(BadInputError, match='workspace "acne" is not known; did you mean acme'):
        exported(database, "acne")
    with pytest.raises(BadInputError, match='workspace "zz" is not known; import its events first'):
        exported(database, "zz")


@pytest.mark.parametrize("content", [[], [b""], [b"\n", b"  \r\n"], [b"\xef\xbb\xbf"]])
def test_a_file_without_events(database: Database, content: list[bytes]) -> None:
    appended = import_events(database, content)
    assert (appended.events, appended.duplicates, appended.heads) == (0, 0, {})
    assert counts(database) == (0, 0)


def test_empty_lines_count_as_lines(database: Database) -> None:
    good, bad = *lines(employee("e-1")), b"{}\n"
    assert import_events(database, [b"\n", good, b" \n"]).events == 1
    with pytest.raises(BadInputError, match=r"^line 4: "):
        import_events(database, [b"\n", *lines(employee("e-2")), b"\n", bad])


@pytest.mark.every_postgres
def test_a_bad_line_undoes_the_file(database: Database) -> None:
    content = lines(workspace(), *(time_entered(f"te-{number}") for number in range(500)))
    with pytest.raises(BadInputError, match=r"^line 502: "):
        import_events(database, [*content, b'{"type": "time.entered"}\n', *lines(time_entered("te-x"))])
    assert counts(database) == (0, 0)
    import_events(database, content)
    assert counts(database) == (501, 1)


@pytest.fixture
def started(database: Database) -> Iterator[subprocess.Popen[str]]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", _IMPORT_FOR_EVER, database.url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    yield process
    process.kill()
    process.wait()


def test_a_killed_import_leaves_nothing_behind(database: Database, started: subprocess.Popen[str]) -> None:
    assert started.stdout
    assert started.stdout.readline() == "under way\n"
    started.send_signal(signal.SIGKILL)
    started.wait(30)
    assert counts(database) == (0, 0)
    assert import_all(database, workspace()).heads == {"acme": 1}


def test_memory_does_not_grow_with_the_file(make_database: Callable[..., str], migrated: str) -> None:
    peaks = []
    for number in (10_000, 60_000):
        url = make_database(migrated)
        run = subprocess.run(
            [sys.executable, "-c", _IMPORT_MANY, url, str(number)], capture_output=True, text=True, check=True
        )
        peaks.append(int(run.stdout))
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*), max(position) FROM batch_jobs.events").fetchone() == (
                number,
                number,
            )
    assert peaks[1] < peaks[0] + 8, f"{peaks} MB"


def test_progress_is_told_by_lines(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batch_jobs.store.transfer.PROGRESS_EVERY", 10)
    told: list[int] = []
    import_events(database, lines(*(time_entered(f"te-{number}") for number in range(25))), progress=told.append)
    assert told == [10, 20]


def test_an_import_that_is_stopped_while_it_holds_workspaces_lets_them_go_after_a_while(database: Database) -> None:
    with database.owner() as connection:
        connection.execute("""
            CREATE TABLE batch_jobs.seen (idle_limit text);
            CREATE FUNCTION note_limit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                INSERT INTO batch_jobs.seen VALUES (current_setting('idle_in_transaction_session_timeout'));
                RETURN NULL;
            END $$;
            CREATE TRIGGER note_limit AFTER INSERT ON batch_jobs.events EXECUTE FUNCTION note_limit();
        """)
    import_all(database, employee("e-1"))
    with database.owner() as connection:
        assert set(connection.execute("SELECT idle_limit FROM batch_jobs.seen").fetchall()) == {("45s",)}
