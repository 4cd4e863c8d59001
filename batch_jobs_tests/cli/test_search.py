"""search: what it prints for people and scripts, and what it refuses."""

from pathlib import Path

import pytest

from batch_jobs_tests.builders import employee, employment, unit, workspace
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.conftest import write_events
from batch_jobs_tests.search.searching import project


@pytest.fixture
def searched(cli: CommandLine, tmp_path: Path) -> CommandLine:
    """The command line on a workspace with people and a project."""
    file = write_events(
        tmp_path / "people.jsonl",
        workspace(),
        unit("ou-1", name="Nordic"),
        unit("ou-2", "ou-1", name="Platform"),
        employee("e-1", name="Søren Engel", email="se@acme.example"),
        employee("e-2", name="Bo Soren"),
        employment("e-1/1", job_title="Engineer", org_unit_id="ou-2"),
        project("p-1", name="Bridge", manager_id="e-1"),
    )
    ended = cli("import", file)
    assert ended.code == 0, ended
    return cli


def test_json_holds_all_that_is_known_of_a_document(searched: CommandLine) -> None:
    assert searched.json("search", "employees", "søren eng", "--workspace", "acme") == [
        {
            "entity_id": "e-1",
            "title": "Søren Engel",
            "preferred_name": None,
            "email": "se@acme.example",
            "job_title": "Engineer",
            "org_units": ["Nordic", "Platform"],
            "rank": 1,
        }
    ]
    found = searched.json("search", "projects", "SOREN", "bri", "--workspace", "acme")
    assert [(one["entity_id"], one["manager"]) for one in found] == [("p-1", "Søren Engel")]
    assert searched.json("search", "activities", "soren", "--workspace", "acme") == []


def test_people_get_a_table_best_match_first(searched: CommandLine) -> None:
    ended = searched("search", "employees", "soren", "--workspace", "acme")
    assert ended.code == 0, ended
    heading, _, first, second = ended.out.splitlines()
    assert heading.split() == ["id", "name", "preferred", "name", "email", "job", "title", "org", "units"]
    assert first.startswith("e-1")
    assert "Nordic / Platform" in first
    assert second.startswith("e-2")
    assert len(searched.json("search", "employees", "soren", "--workspace", "acme", "--limit", "1")) == 1


def test_nothing_found_is_said_and_is_no_failure(searched: CommandLine) -> None:
    ended = searched("search", "employees", "xyzzy", "--workspace", "acme")
    assert (ended.code, ended.out) == (0, 'nothing found for "xyzzy" among the employees of acme\n')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["employes", "soren", "--workspace", "acme"], ['search index "employes"', "did you mean employees?"]),
        (["employees", "soren", "--workspace", "acne"], ['workspace "acne"', "did you mean acme?"]),
        (["employees", "!?", "--workspace", "acme"], ['"!?" holds no word', "give at least"]),
        (["employees", "", "--workspace", "acme"], ['"" holds no word']),
        (["employees", "soren"], ["--workspace"]),
        (["employees", "--workspace", "acme"], ["WORDS"]),
        (["employees", "soren", "--workspace", "acme", "--limit", "0"], ["limit 0: expected 1 to 1000"]),
    ],
)
def test_what_is_refused(searched: CommandLine, arguments: list[str], said: list[str]) -> None:
    assert searched("search", *arguments).refuses(*said)
