"""`mail`: what messages look like before anybody gets one."""

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from batch_jobs.cli.output import note
from batch_jobs.engine.engine import Engine
from batch_jobs.errors import BadInputError
from batch_jobs.installation import open_engine
from batch_jobs.mail.contents import addressee
from batch_jobs.mail.kinds import DATA
from batch_jobs.mail.message import compose
from batch_jobs.mail.pending import PendingMessage, message_kinds, newest_message
from batch_jobs.mail.rendering import render
from batch_jobs.settings import read_settings
from batch_jobs.store.workspaces import check_known

# Of a user who is not defined: a message can be looked at all the same, and would never be sent.
NO_ADDRESS = "no-address@invalid"

app = typer.Typer(help="Look at messages before anybody gets one.", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def mail() -> None:
    """A group, so that further commands may join it."""


@app.command("preview")
def preview(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="statement_deadline, statement_overdue, timeoff_reminder or manager_digest."
        ),
    ],
    workspace: Annotated[str, typer.Option("--workspace", metavar="ID", help="Whose message.")],
    locale: Annotated[
        str | None, typer.Option("--locale", help="Language, such as da; the reader's own unless it is given.")
    ] = None,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write the HTML alone there; - for stdout.")
    ] = None,
    eml: Annotated[
        str | None, typer.Option("--eml", metavar="FILE", help="Write the whole message there; - for stdout.")
    ] = None,
) -> None:
    """Write the newest message of a kind in a workspace, as it would be sent: to stdout unless a file is named."""
    if html == eml == "-":
        raise BadInputError("--html and --eml are both -; expected a file for one of them")
    if html and eml and Path(html).resolve() == Path(eml).resolve():
        raise BadInputError(f'--html and --eml are both the file "{eml}"; expected two files')
    settings = read_settings()
    with open_engine(settings, progress=note) as engine:
        found = _find(engine, kind, workspace)
        now = engine.clock()
    rendered = render(kind, locale or found.locale, found.data, base_url=settings.base_url)
    if html:
        _write(html, rendered.html.encode())
    if eml or not html:
        message = compose(
            rendered,
            workspace_id=workspace,
            notification_id=found.notification_id,
            user_id=found.user_id,
            sender=settings.mail_from,
            recipient_name=addressee(found.data),
            recipient_address=found.address or NO_ADDRESS,
            base_url=settings.base_url,
            sent_at=now,
        )
        _write(eml or "-", message.content)


def _find(engine: Engine, kind: str, workspace: str) -> PendingMessage:
    """Raises BadInputError when kind or workspace are not known, or there is no such message."""
    if kind not in DATA:
        close = get_close_matches(kind, DATA, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(DATA)}"
        raise BadInputError(f'message kind "{kind}" is not known; {hint}')
    check_known(engine.database, workspace)
    engine.catch_up(workspaces=[workspace], names=["definitions", "notification_feed"])
    with engine.database.worker([workspace]) as connection:
        found, kinds = newest_message(connection, workspace, kind), message_kinds(connection, workspace)
    if found is None:
        others = ", ".join(f"{name} ({count:,})" for name, count in kinds.items())
        raise BadInputError(
            f"workspace {workspace} has no message of kind {kind}; "
            + (f"there are: {others}" if others else "it has none of any kind: run the jobs that make them first")
        )
    return found


def _write(file: str, content: bytes) -> None:
    if file == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        Path(file).write_bytes(content)
        note(f"written: {file}")
