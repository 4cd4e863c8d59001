"""What has to hold for every input, whatever it is: done, or refused in one clear text with nothing written.

Each trial returns whether the input was taken. Where hardly any is, nothing is tried but the refusals.
"""

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from dagster import DagsterInvalidConfigError, validate_run_config
from dagster_shared.yaml_utils import load_run_config_yaml

from batch_jobs.cli import main
from batch_jobs.engine.requests import find_job, read_parameters
from batch_jobs.errors import BadInputError, BatchJobsError
from batch_jobs.jobs import registry
from batch_jobs.store.transfer import import_events
from batch_jobs_tests.fuzz.launchpad import forms, read
from batch_jobs_tests.fuzz.limit import limited
from batch_jobs_tests.fuzz.place import Place

LONGEST_TEXT = 5_000
# As scripts know it, not as the code has it.
BAD_INPUT = 2
EVENTS = "batch_jobs.events"


@limited
def try_import(place: Place, content: bytes) -> bool:
    """A file is imported as a whole or not at all, and a second time changes nothing."""
    lines = content.splitlines(keepends=True)
    before = place.state()
    try:
        done = import_events(place.database, lines)
    except BatchJobsError as error:
        _is_clear(str(error))
        place.still_holds(before)
        return False
    after = place.state()
    ids = _event_ids(lines)
    assert done.events + done.duplicates == len(ids), f"{done} of {len(ids)} lines"
    assert after[EVENTS][0] - before[EVENTS][0] == done.events
    assert _stored(place, ids) == {*ids}
    again = import_events(place.database, lines)
    assert (again.events, again.duplicates) == (0, len(ids))
    place.still_holds(after)
    return True


def _event_ids(lines: Sequence[bytes]) -> list[tuple[str, UUID]]:
    texts = [line.removeprefix(b"\xef\xbb\xbf") for line in lines[:1]] + [*lines[1:]]
    events = [json.loads(text) for text in texts if text.strip()]
    return [(event["workspace_id"], UUID(event["event_id"])) for event in events]


def _stored(place: Place, ids: Sequence[tuple[str, UUID]]) -> set[tuple[str, UUID]]:
    with place.database.owner() as connection:
        rows = connection.execute(
            "SELECT workspace_id, event_id FROM batch_jobs.events WHERE event_id = ANY (%s)", [[one for _, one in ids]]
        )
        return {*rows.fetchall()} & {*ids}


@limited
def try_parameters(job: str, given: Mapping[str, Any]) -> bool:
    """Parameters are read, or refused with the name of one."""
    try:
        read_parameters(find_job(registry(), job), given)
    except BadInputError as error:
        _is_clear(str(error))
        return False
    return True


@limited
def try_run_config(place: Place, job: str, text: str) -> bool:
    """A run config is refused by Dagster as config, or read by the op: refused by it, or understood.

    Returns:
        Whether the op got it.
    """
    form = forms()[job]
    try:
        config: Any = load_run_config_yaml(text)
    except yaml.YAMLError:
        return False
    try:
        valid = validate_run_config(form.job, config if isinstance(config, dict) else {"ops": config})
    except DagsterInvalidConfigError:
        return False
    place.engine.catch_up()
    before = place.state()
    try:
        read(form, place.engine, form.opened(valid))
    except BadInputError as error:
        _is_clear(str(error))
    place.still_holds(before)
    return True


@limited
def try_command(place: Place, arguments: Sequence[str]) -> bool:
    """A command ends with a documented exit code, and what it refuses has changed nothing."""
    return _tried(place, arguments)[0] != BAD_INPUT


@limited
def try_refused_command(place: Place, arguments: Sequence[str]) -> bool:
    """A command that nobody can carry out is refused as bad input."""
    code, said = _tried(place, arguments)
    assert code == BAD_INPUT, f"ended with {code}: {said[:300]}"
    return False


def _tried(place: Place, arguments: Sequence[str]) -> tuple[int, str]:
    """Run a command. Returns its exit code, and all that it said."""
    # Most commands begin with that, and may refuse something later.
    place.engine.catch_up()
    before = place.state()
    # As Python opens them.
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace", write_through=True)
    with (
        _standing_in(place, ["batch-jobs", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ending,
    ):
        main()
    code = ending.value.code
    assert isinstance(code, int)
    assert code in (0, 1, 2, 3), code
    printed, complained = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    said = printed + complained
    assert "Traceback" not in said, said[:LONGEST_TEXT]
    if code == BAD_INPUT:
        _is_clear(complained)
        place.still_holds(before)
    else:
        place.state()
    return code, said


@contextlib.contextmanager
def _standing_in(place: Place, arguments: list[str]) -> Iterator[None]:
    """Be the process of a command: its arguments, folder, environment, and nothing to read."""
    kept, folder, stdin, given = dict(os.environ), Path.cwd(), sys.stdin, sys.argv
    os.environ.update(place.environment)
    os.chdir(place.folder)
    sys.stdin = io.TextIOWrapper(io.BytesIO(b""))
    sys.argv = arguments
    try:
        yield
    finally:
        sys.stdin, sys.argv = stdin, given
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(kept)


def _is_clear(text: str) -> None:
    """One text for people: not empty, of bounded length, not the representation of an exception."""
    assert text.strip(), "refused without a word"
    assert len(text) < LONGEST_TEXT, f"{len(text)} characters: {text[:300]}"
    assert "Traceback" not in text
