"""`import` and `export`: events in and out of the log, as JSON lines."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import uuid4

import typer

from batch_jobs.cli.arguments import AsJson
from batch_jobs.cli.output import note, print_json, say
from batch_jobs.cli.partitions import show_workspaces
from batch_jobs.cli.progress import Advance, progress_bar
from batch_jobs.engine.engine import Engine
from batch_jobs.errors import BadInputError
from batch_jobs.installation import open_engine
from batch_jobs.store.events import Appended
from batch_jobs.store.transfer import export_events, import_events

STREAM = "-"
# How often a bar is told, in bytes read.
STEP = 1 << 20


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE.jsonl", help="The file, one event a line; - reads stdin.")],
    as_json: AsJson = False,
) -> None:
    """Append the events of a file to the log: all of them, or none when a line is bad.

    Events that the log has already are counted as duplicates and change nothing, so an import can be repeated.
    Projections are caught up afterwards; when that is interrupted nothing is lost, the next command does it.
    """
    with open_engine(progress=note) as engine:
        with _open_to_read(file) as lines, progress_bar(f"importing {file}", unit="bytes") as advance:
            appended = import_events(engine.database, _counted(lines, advance))
        report_import(engine, appended, as_json=as_json)


def report_import(engine: Engine, appended: Appended, *, as_json: bool = False) -> None:
    """Say what an import did, and catch the projections of its workspaces up."""
    workspaces = sorted(appended.heads)
    if as_json:
        print_json({"new": appended.events, "duplicates": appended.duplicates, "workspaces": workspaces})
    else:
        say(f"{appended.events:,} new, {appended.duplicates:,} duplicates, {len(workspaces):,} workspaces with news")
        sys.stdout.flush()
    with progress_bar("catching up projections", unit="events") as advance:
        result = engine.catch_up(workspaces=workspaces, on_progress=advance)
    show_workspaces(engine)
    if result.dead_letters:
        note(f"{result.dead_letters:,} events could not be applied to a projection; `batch-jobs doctor` tells which")


def export(
    workspace: Annotated[str, typer.Option("--workspace", metavar="ID", help="Whose events.")],
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Where to; by default, and for -, stdout.", show_default=False)
    ] = STREAM,
    as_json: AsJson = False,
) -> None:
    """Write all events of a workspace as JSON lines, in the order of the log, ready to be imported elsewhere.

    A FILE appears under its name only when it is complete; an older one of that name stays until then. The events are
    JSON with --json and without; it tells what was written to a FILE as JSON.
    """
    with open_engine(progress=note) as engine:
        if file == STREAM:
            export_events(engine.database, workspace, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        with _written_at_once(Path(file)) as out:
            count = export_events(engine.database, workspace, out)
    if as_json:
        print_json({"events": count, "workspace": workspace, "file": file})
    else:
        say(f"{count:,} events of {workspace} written to {file}")


def _open_to_read(file: str) -> BinaryIO:
    if file == STREAM:
        if sys.stdin is None:
            raise BadInputError("standard input is closed; give events on it, or the name of a file")
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except IsADirectoryError:
        raise BadInputError(f'"{file}" is a folder; expected a file of JSON lines') from None
    except FileNotFoundError:
        raise BadInputError(f'there is no file "{file}"; check its name, or give - to read stdin') from None
    except OSError as error:
        raise BadInputError(f'"{file}" can not be read: {error.strerror}; check its permissions') from error


def _counted(lines: BinaryIO, advance: Advance) -> Iterator[bytes]:
    total = _size(lines)
    read = shown = 0
    for line in lines:
        read += len(line)
        if read - shown >= STEP:
            advance(read, total)
            shown = read
        yield line
    advance(read, read)


def _size(lines: BinaryIO) -> int | None:
    size = os.fstat(lines.fileno()).st_size
    return size or None


@contextmanager
def _written_at_once(file: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when the block ends well, and leaves nothing behind when not."""
    if file.is_dir():
        raise BadInputError(f'"{file}" is a folder; expected the name of a file to write')
    if file.exists() and not file.is_file():
        # A pipe or a device is written to; a file in its place would be in everybody's way.
        with file.open("wb") as out:
            yield out
        return
    target = file.resolve()
    part = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        out = part.open("xb")
    except OSError as error:
        raise BadInputError(
            f'"{file}" can not be written: {target.parent}: {error.strerror}; choose a folder that exists and is yours'
        ) from error
    try:
        with out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except OSError as error:
        error.filename = error.filename or str(file)
        raise
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
