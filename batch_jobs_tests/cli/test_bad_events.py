"""Files that can not be imported: refused as a whole, in a text that names line, field, value and what was expected."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_jobs.store.database import Database
from batch_jobs_tests.builders import Event, lines
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.conftest import people
from batch_jobs_tests.cli.test_events import count


def changed(**fields: Any) -> Callable[[Event], bytes]:
    """The event with other fields of the envelope."""
    return lambda event: json.dumps({**event, **fields}, default=str).encode()


def paying(**fields: Any) -> Callable[[Event], bytes]:
    """The event with other fields of its payload; None leaves one out."""

    def change(event: Event) -> bytes:
        payload = {name: value for name, value in {**event["payload"], **fields}.items() if value is not None}
        return json.dumps({**event, "payload": payload}, default=str).encode()

    return change


BAD_LINES: dict[str, tuple[Callable[[Event], bytes], list[str]]] = {
    "unknown event type": (changed(type="employmnt.defined"), ["employmnt.defined", "employment.defined"]),
    "missing field": (paying(terms_id=None), ["terms_id", "missing"]),
    "extra field": (paying(salary=10), ["salary"]),
    "wrong type": (changed(targets="e-1"), ["targets", "e-1"]),
    "impossible date": (paying(start_date="2026-02-30"), ["start_date", "2026-02-30"]),
    "forbidden character in a workspace id": (changed(workspace_id="ac|me"), ["workspace_id", "ac|me"]),
    "forbidden character in another id": (paying(terms_id="t|1"), ["terms_id", "t|1"]),
    "another content under the same id": (paying(job_title="Baker"), ["event_id", "another payload", "a new event_id"]),
    "cut in the middle": (lambda event: json.dumps(event, default=str).encode()[:80], ["JSON"]),
    "wrong encoding": (
        lambda event: json.dumps({**event, "actor": "user:Søren"}, default=str, ensure_ascii=False).encode("latin-1"),
        ["UTF-8"],
    ),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_refuses_the_file(cli: CommandLine, opened: Database, tmp_path: Path, case: str) -> None:
    spoil, said = BAD_LINES[case]
    good = people()
    spoilt = spoil(good[-1])
    file = tmp_path / "bad.jsonl"
    # The line before is the same event unspoilt, so that its id is there twice.
    file.write_bytes(b"".join(lines(*good)) + spoilt)
    assert cli("import", file).refuses(f"line {len(good) + 1}", *said)
    assert count(opened, "batch_jobs.events") == 0
    assert count(opened, "batch_jobs.workspaces") == 0
