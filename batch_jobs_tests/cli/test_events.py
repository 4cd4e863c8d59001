"""import and export: what they print, that they repeat harmlessly, and that nothing half-done stays."""

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from batch_jobs.store.database import Database
from batch_jobs_tests.builders import lines
from batch_jobs_tests.cli.command_line import EXECUTABLE, CommandLine
from batch_jobs_tests.cli.conftest import people, write_events


def count(database: Database, table: str) -> int:
    with database.owner() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def test_import_tells_what_is_new_and_fills_the_projections(cli: CommandLine, opened: Database, tmp_path: Path) -> None:
    file = write_events(tmp_path / "people.jsonl", *people())
    ended = cli("import", file)
    assert ended.code == 0, ended
    assert ended.out == "6 new, 0 duplicates, 1 workspaces with news\n"
    assert ended.err == ""
    assert count(opened, "projections.employee_directory") == 2


def test_import_again_changes_nothing(cli: CommandLine, opened: Database, tmp_path: Path) -> None:
    file = write_events(tmp_path / "people.jsonl", *people())
    cli("import", file)
    assert cli.json("import", file) == {"new": 0, "duplicates": 6, "workspaces": []}
    assert count(opened, "batch_jobs.events") == 6


def test_import_reads_stdin(cli: CommandLine) -> None:
    ended = cli("import", "-", stdin=b"".join(lines(*people("zeta"))))
    assert ended.code == 0, ended
    assert ended.out.startswith("6 new")


def test_import_from_a_closed_stdin_is_refused(cli: CommandLine) -> None:
    assert cli("import", "-", preexec_fn=lambda: os.close(0)).refuses("standard input is closed")


def test_export_gives_what_import_takes(
    cli: CommandLine, make_database: Callable[..., str], migrated: str, tmp_path: Path
) -> None:
    cli("import", write_events(tmp_path / "people.jsonl", *people()))
    written = cli("export", "--workspace", "acme", tmp_path / "out.jsonl")
    assert written.out == f"6 events of acme written to {tmp_path / 'out.jsonl'}\n"
    assert cli("export", "--workspace", "acme").out == (tmp_path / "out.jsonl").read_text()
    assert cli("export", "--workspace", "acme", "--json").out == (tmp_path / "out.jsonl").read_text()
    again = tmp_path / "again.jsonl"
    told = cli.json("export", "--workspace", "acme", again)
    assert told == {"events": 6, "workspace": "acme", "file": str(again)}
    assert again.read_text() == (tmp_path / "out.jsonl").read_text()
    other = CommandLine(tmp_path / "other", make_database(migrated))
    assert other("import", tmp_path / "out.jsonl").out.startswith("6 new")
    assert other("export", "--workspace", "acme").out == (tmp_path / "out.jsonl").read_text()


def test_export_of_an_unknown_workspace(cli: CommandLine, tmp_path: Path) -> None:
    cli("import", write_events(tmp_path / "people.jsonl", *people()))
    assert cli("export", "--workspace", "acne", tmp_path / "out.jsonl").refuses(
        'workspace "acne"', "did you mean acme?"
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["people.jsonl"]


@pytest.mark.parametrize("command", [["export", "--workspace"], ["runs", "--workspace"], ["runs", "--job"]])
def test_bytes_that_are_no_text_are_refused(cli: CommandLine, command: list[str]) -> None:
    assert cli(*command, "\udced\udca0\udc80").refuses("\\udced")


def test_a_full_disk_leaves_the_older_export_alone(cli: CommandLine, tmp_path: Path) -> None:
    cli("import", write_events(tmp_path / "people.jsonl", *people(good=30)))
    out = tmp_path / "out.jsonl"
    out.write_text("the older one")
    # As a full disk does, the limit ends a write in its middle.
    full = cli(
        "export", "--workspace", "acme", out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    )
    assert full.refuses(str(out), "the disk is full", "make room")
    assert out.read_text() == "the older one"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.jsonl", "people.jsonl"]


def test_a_device_is_written_to_and_not_replaced(cli: CommandLine, tmp_path: Path) -> None:
    cli("import", write_events(tmp_path / "people.jsonl", *people()))
    assert cli("export", "--workspace", "acme", "/dev/stderr").err == cli("export", "--workspace", "acme", "-").out


def test_whoever_reads_the_output_may_leave(cli: CommandLine, tmp_path: Path) -> None:
    cli("import", write_events(tmp_path / "people.jsonl", *people(good=500)))
    export = subprocess.Popen(
        [EXECUTABLE, "export", "--workspace", "acme"],
        env=cli.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert export.stdout is not None
    export.stdout.readline()
    export.stdout.close()
    _, err = export.communicate()
    assert (export.returncode, err) == (141, b"")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.jsonl", ["there is no file", "check its name"]),
        (".", ["is a folder", "expected a file of JSON lines"]),
    ],
)
def test_import_of_what_is_no_file(cli: CommandLine, tmp_path: Path, name: str, said: list[str]) -> None:
    assert cli("import", tmp_path / name).refuses(str(tmp_path / name), *said)
