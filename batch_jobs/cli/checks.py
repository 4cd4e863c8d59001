"""`doctor`: what is well with an installation, what is not, and the remedy."""

from collections import Counter

import typer

from batch_jobs.cli.arguments import AsJson
from batch_jobs.cli.failures import DONE, FAILED
from batch_jobs.cli.output import print_json, print_table, say
from batch_jobs.errors import BadInputError
from batch_jobs.settings import read_settings


def doctor(as_json: AsJson = False) -> None:
    """Check whether the installation is well, from its database to its mail server.

    The database: schema, tables, roles, row-level security, users of the web UI. What goes on in it: scheduler (what is
    overdue), time zones, workers, projections, versions of projections, dead letters, orchestrator, announcements. The
    machine: orchestrator home, disk, port, mail. Each check is one line, with the remedy where there is a problem. Exit
    code 1 when there is one.
    """
    from batch_jobs.doctor import Finding, examine
    from batch_jobs.doctor.finding import counted

    try:
        findings = examine(read_settings())
    except BadInputError as error:
        findings = [Finding("settings", "problem", str(error))]
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        print_table(
            ["check", "state", "finding"],
            [
                [finding.check, finding.state, f"{finding.text}; {finding.remedy}" if finding.remedy else finding.text]
                for finding in findings
            ],
            folding=["finding"],
        )
        problems = Counter(finding.state for finding in findings)["problem"]
        say(counted(problems, "problem") if problems else "all is well")
    raise typer.Exit(FAILED if any(finding.state == "problem" for finding in findings) else DONE)
