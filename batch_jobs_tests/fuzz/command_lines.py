"""Arguments of commands: right and wrong ones in any order, and such as must be refused."""

from collections.abc import Mapping
from typing import Any

import typer
from hypothesis import strategies as st
from typer.main import get_command

from batch_jobs.cli.application import app
from batch_jobs_tests.fuzz.inputs import dates, ids, jobs

Path = tuple[str, ...]

# `up` and `demo` run for long, `sample` writes much, `init` changes the installation: they get what they must refuse.
_NOT_RUN = frozenset({"up", "demo", "sample", "init"})


def _commands(command: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    if hasattr(command, "commands"):
        # A group may do something by itself too, as `runs` does.
        return [(path, command)] * bool(path and command.invoke_without_command) + [
            found for name, part in command.commands.items() for found in _commands(part, (*path, name))
        ]
    return [(path, command)]


ALL_COMMANDS = _commands(get_command(app))
COMMANDS = [(path, command) for path, command in ALL_COMMANDS if path[0] not in _NOT_RUN]
_WORDS = (
    jobs
    | st.sampled_from(["employees", "projects"])
    | ids
    | dates
    | st.sampled_from(["dry_run=true", "employee_id=e-1", "x=y", "="])
)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Arguments of a command: its own options with right and wrong values, in any order, and what it does not know."""
    path, command = draw(st.sampled_from(COMMANDS))
    found: list[str] = []
    chosen = draw(st.lists(st.sampled_from(command.params), max_size=5)) if command.params else []
    if draw(st.booleans()):
        chosen += [parameter for parameter in command.params if parameter.required and parameter not in chosen]
    for parameter in chosen:
        word = right_value(parameter) if draw(st.booleans()) else draw(_WORDS)
        if isinstance(parameter, typer.core.TyperArgument):
            found.append(word)
            continue
        name = draw(st.sampled_from([*parameter.opts, *parameter.secondary_opts]))
        found += [name] if parameter.is_flag else [name, word]
    if draw(st.integers(0, 3)) == 0:
        found.insert(
            draw(st.integers(0, len(found))), draw(_WORDS | st.sampled_from(["--unknown", "-h", "--json", "--"]))
        )
    return [*path, *map(_as_argument, found)]


def _as_argument(text: str) -> str:
    """The text as a process would be given it: without NUL, and what is no UTF-8 byte by byte."""
    return text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


_NO_DATES = (
    "2026-02-30",
    "0000-01-01",
    "10000-01-01",
    "2026-1-1",
    "20261123",
    "2026-W48-1",
    "2026-11-23T00:00",
    "",
    "..",
)
_NO_IDS = ("no-such", "", "acme,globex", "acme' OR '1'='1", "../acme", "ACME", " acme")
_NO_JOBS = ("no_such_job", "", "Sync_Projections", "sync_projections ", "sync-projections", "*")
# By the name of the parameter: what nobody could take for one.
_WRONG: Mapping[str, tuple[str, ...]] = {
    "date_": (*_NO_DATES, "2026-11-23..2026-11-20", "2026-11-23..", "0001-01-01..9999-12-31"),
    "until": _NO_DATES,
    "workspace": _NO_IDS,
    "workspaces": _NO_IDS,
    "job": _NO_JOBS,
    "jobs": _NO_JOBS,
    "param": ("x", "=", "=x", "no_such=1", "dry_run=perhaps"),
    "job_run_id": ("no-such", "", "'", "zz"),
    "status": ("no-such", "", "Completed"),
    "index": ("no-such", "", "Employees"),
    "kind": ("no-such", ""),
    "role": ("no-such", "", "Viewer"),
    "locale": ("no-such", ""),
    "host": ("0.0.0.0", "::", "no such host", ""),
}


def wrong_values(parameter: Any) -> tuple[str, ...]:
    """What a parameter must refuse whatever is said beside it."""
    known = _WRONG.get(parameter.name, ())
    if parameter.type_descriptor.annotation is not int:
        return known
    ends = ((parameter.min, -1), (parameter.max, 1))
    outside = tuple(str(end + step) for end, step in ends if end is not None)
    return ("abc", "", "1.5", "0x10", *outside)


def right_value(parameter: Any) -> str:
    """What a parameter takes in an installation with the workspace acme."""
    right = {
        "jobs": "sync_projections",
        "job": "sync_projections",
        "date_": "2026-11-23",
        "limit": "5",
        "param": "dry_run=true",
        "status": "completed",
        "locale": "da",
        "index": "employees",
        "words": "e",
        "kind": "statement_overdue",
        "job_run_id": "0",
        "role": "viewer",
    }
    return right.get(parameter.name, "acme")


def line_of(path: Path, command: Any, chosen: Mapping[str, str]) -> list[str]:
    """The arguments that give a command these values by the name of the parameter, and what else it needs."""
    found = [*path]
    for parameter in command.params:
        value = chosen.get(parameter.name, right_value(parameter) if parameter.required else None)
        if value is not None:
            found += [value] if isinstance(parameter, typer.core.TyperArgument) else [parameter.opts[0], value]
    return found


def _refused_lines() -> list[list[str]]:
    found = [["up", "--auth", "--without-login"]]
    for path, command in ALL_COMMANDS:
        right = line_of(path, command, {})
        found += [[*right, "--no-such-option"], [*path, "--no-such-option=1", *right[len(path) :]]]
        if not any(parameter.nargs == -1 for parameter in command.params) and not hasattr(command, "commands"):
            found.append([*right, *("one", "more") * len(command.params), "too many"])
        for parameter in command.params:
            found += [line_of(path, command, {parameter.name: value}) for value in wrong_values(parameter)]
    return found


REFUSED = _refused_lines()


@st.composite
def refused_command_lines(draw: st.DrawFn) -> list[str]:
    """Arguments that are right but for one, so that the command must refuse them."""
    line = draw(st.sampled_from(REFUSED))
    # The flags of `up` may make the rest right.
    path, command = next(found for found in ALL_COMMANDS if tuple(line[: len(found[0])]) == found[0])
    flags = [name for parameter in command.params if getattr(parameter, "is_flag", False) for name in parameter.opts]
    if path[0] in _NOT_RUN or not flags:
        return line
    return [*path, *draw(st.lists(st.sampled_from(flags), max_size=2)), *line[len(path) :]]
