"""mail preview: the message that would be sent, as a file or on stdout, and what is refused; and what a try of the
delivery shows.
"""

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from batch_jobs_tests.builders import employee, employment, event, terms, user, workspace
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.conftest import write_events

URL = {"BATCH_JOBS_BASE_URL": "https://time.example.com", "BATCH_JOBS_MAIL_FROM": "Tid <no-reply@time.example.com>"}


@pytest.fixture
def reminded(cli: CommandLine, tmp_path: Path) -> CommandLine:
    """The command line on a Danish workspace in which a job has reminded somebody of a timesheet."""
    statement = {"statement_id": "e-1:2026-02-23:2026-03-01", "employee_id": "e-1", "terms_id": "t-1"}
    file = write_events(
        tmp_path / "people.jsonl",
        workspace(locale="da"),
        workspace("empty"),
        terms("t-1", approval_period="weekly"),
        employee("e-1", name="Søren Østergård"),
        employment("e-1/1"),
        user("u-1", "e-1", email="so@acme.example"),
        event("statement.period_started", statement | {"period_start": "2026-02-23", "period_end": "2026-03-01"}),
    )
    for command in (["import", file], ["run", "timesheet_statement_reminder", "--date", "2026-02-27"]):
        ended = cli(*command, "--workspace", "acme") if command[0] == "run" else cli(*command)
        assert ended.code == 0, ended
    cli.environment |= URL
    return cli


def test_preview(reminded: CommandLine, tmp_path: Path) -> None:
    preview = ("mail", "preview", "statement_deadline", "--workspace", "acme")
    ended = reminded(*preview)
    assert ended.code == 0, ended
    found = message_from_bytes(ended.out.encode(), policy=policy.default)
    assert found["Subject"] == "Husk at indsende din timeseddel for 23. feb.–1. mar. 2026"
    assert found["To"].addresses[0].addr_spec == "so@acme.example"
    assert found["To"].addresses[0].display_name == "Søren Østergård"
    assert found["From"].addresses[0].addr_spec == "no-reply@time.example.com"
    assert "Hej Søren Østergård" in found.get_body(("plain",)).get_content()

    html, eml = tmp_path / "m.html", tmp_path / "m.eml"
    ended = reminded(*preview, "--locale", "fr", "--html", html, "--eml", eml)
    assert (ended.code, ended.out) == (0, "")
    assert '<html lang="fr">' in html.read_text()
    assert 'href="https://time.example.com/timesheets"' in html.read_text()
    copy = message_from_bytes(eml.read_bytes(), policy=policy.default)
    assert copy["Message-ID"] == found["Message-ID"]
    assert reminded(*preview, "--html", "-").out.startswith("<!DOCTYPE html>")


def test_a_dry_run_of_the_delivery_is_shown_message_by_message(reminded: CommandLine) -> None:
    (run,) = reminded.json("run", "deliver_notifications", "--workspace", "acme", "--dry-run")
    assert run["counters"]["sent"] == 1
    shown = reminded("runs", "show", run["job_run_id"])
    assert shown.code == 0, shown
    headings, _, row = shown.out.splitlines()[-3:]
    assert sorted(headings.split()) == ["kind", "recipient", "user_id"]
    assert sorted(row.split()) == ["so@acme.example", "statement_deadline", "u-1"]


REFUSED = [
    (["statement_deadlin", "--workspace", "acme"], ["did you mean statement_deadline?"]),
    (["manager_digest", "--workspace", "acme"], ["no message of kind manager_digest", "statement_deadline (1)"]),
    (["manager_digest", "--workspace", "empty"], ["none of any kind"]),
    (["manager_digest", "--workspace", "acne"], ['workspace "acne"', "did you mean acme?"]),
    (["manager_digest", "--workspace", "acme", "--html", "-", "--eml", "-"], ["both -"]),
    (
        ["manager_digest", "--workspace", "acme", "--html", "/no/m", "--eml", "/no/../no/m"],
        ['both the file "/no/../no/m"', "two files"],
    ),
    (["statement_deadline", "--workspace", "acme", "--eml", "/no/folder/x.eml"], ["/no/folder/x.eml"]),
]


def test_what_is_refused(reminded: CommandLine) -> None:
    for arguments, said in REFUSED:
        assert reminded("mail", "preview", *arguments).refuses(*said)
