"""`announce`: telling people what fails, warns or does not run, for cron."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from batch_jobs.cli.arguments import AsJson
from batch_jobs.cli.failures import FAILED
from batch_jobs.cli.output import note, print_json, say
from batch_jobs.installation import open_engine
from batch_jobs.settings import read_settings

if TYPE_CHECKING:
    from batch_jobs.announcing.announcements import Judged
    from batch_jobs.announcing.announcer import Sent


def announce(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be told now. Nothing is sent or noted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell by webhook or e-mail of job runs that failed or ended with warnings, and of jobs that are overdue.

    One message for a cause in however many workspaces, and one when it is mended. For cron, every five minutes: while
    `batch-jobs up` runs, its sensor does the same, and both together send nothing twice. docs/monitoring.md tells more.
    Exit code 1 when a message was not taken; it is tried again.
    """
    from batch_jobs.announcing.announcer import look, tell, would_tell
    from batch_jobs.announcing.channels import NOBODY, channel_names

    settings = read_settings()
    channels = channel_names(settings)
    if not channels:
        note(NOBODY)
        if not dry_run:
            if as_json:
                print_json(_as_json([], [], []))
            return
    with open_engine(settings, progress=note) as engine:
        if dry_run:
            # Without a channel, what anybody would be told.
            judged, sent = would_tell(engine, settings, channels or ["nobody"]), []
        else:
            judged = look(engine, settings)
            sent = list(tell(engine, settings))
    if as_json:
        print_json(_as_json(channels, judged, sent))
    else:
        _print(judged, sent, dry_run=dry_run)
    if any(not one.taken for one in sent):
        raise typer.Exit(FAILED)


def _print(judged: "list[Judged]", sent: "list[Sent]", *, dry_run: bool) -> None:
    for one in judged:
        if dry_run and one.message:
            say(f"would tell {one.open.channel}:\n{one.message.text}\n")
    for message in sent:
        title = message.message["title"]
        if message.taken:
            say(f"told {message.channel}: {title}")
        else:
            say(f"{message.channel} did not take it, and it is tried again later: {message.reply}\n  {title}")
    waiting = {one.open.cause for one in judged if one.open.told_at is None and not one.message}
    told = {one.open.cause for one in judged if one.open.told_at is not None and one.step != "closed"}
    say(f"{len(told)} causes known already, {len(waiting)} too new to be told")


def _as_json(channels: list[str], judged: "list[Judged]", sent: "list[Sent]") -> dict[str, Any]:
    return {
        "channels": channels,
        "causes": [
            {
                "channel": one.open.channel,
                "job": one.open.cause.job,
                "status": one.open.cause.status,
                "reason": one.open.cause.reason,
                "step": one.step,
                "since": one.open.since,
                "workspaces": len(one.seen.workspaces) if one.seen else 0,
                "message": one.message and one.message.as_json(),
            }
            for one in judged
        ],
        "sent": [
            {"channel": one.channel, "id": one.message["id"], "taken": one.taken, "reply": one.reply} for one in sent
        ],
    }
