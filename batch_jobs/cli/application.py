"""The commands of `batch-jobs` and the groups they are listed under. No command is written here."""

from collections.abc import Sequence

import typer
from typer.main import get_command

from batch_jobs.cli import (
    announcing,
    checks,
    demonstration,
    events,
    ledger,
    mail,
    metrics,
    running,
    samples,
    search,
    services,
    setup,
    users,
)

# Plain help: it is read in pipes and small terminals, and needs no library to be loaded.
app = typer.Typer(
    help="Batch jobs of a time-tracking and HR product: run them, see what is due, read what was done.\n\n"
    "Exit codes: 0 done, 1 a job run failed or was stopped, 2 bad usage or bad input, 3 finished with warnings.",
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

app.command("init")(setup.init)
app.command("sample")(samples.sample)
app.command("import")(events.import_)
app.command("export")(events.export)
app.command("due")(running.due)
app.command("run")(running.run)
app.add_typer(ledger.app, name="runs")
app.command("search")(search.search)
app.add_typer(mail.app, name="mail")
app.command("up")(services.up)
app.add_typer(users.app, name="users")
app.command("doctor")(checks.doctor)
app.command("metrics")(metrics.metrics)
app.command("announce")(announcing.announce)
app.command("demo")(demonstration.demo)
app.command("db-url")(setup.db_url)


def run_command(arguments: Sequence[str]) -> None:
    """Run one command; whatever it raises is the caller's, as is `typer.Exit` with its code."""
    command = get_command(app)
    with command.make_context("batch-jobs", list(arguments)) as context:
        command.invoke(context)
