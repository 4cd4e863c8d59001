"""Hostile and broken input of each kind: strategies of hypothesis, half of it nearly right."""

import json
from typing import Any

import typer
import yaml
from hypothesis import strategies as st
from typer.main import get_command

from batch_jobs.cli.application import app
from batch_jobs.jobs import registry
from batch_jobs.store.payloads.catalog import MODELS
from batch_jobs_tests.builders import Event, employee, employment, of, terms, workspace

# What breaks those who do not expect it: in SQL, shells, formats, numbers, dates, encodings.
NASTY = (
    *("", " ", "\0", "a\0b", "\ud800", "\ufeff", "\u202e", "'", '"', "\\", "--", "-", "%s", "%(x)s", "{}", "{0}", "$1"),
    *("'; DROP TABLE batch_jobs.events; --", "acme,globex", "acme' OR '1'='1", "../../etc/passwd", "~", "null", "true"),
    *("nan", "inf", "-1", "0", "1e999", "9" * 400, "١٢", "0x10", "1_000", "2026-02-30", "0000-01-01", "9999-12-31"),
    *("10000-01-01", "2026-11-23..2026-11-20", "2026-1-1", "2026-11-23T00:00", "..", "2026-11-23..", "a" * 10_000),
    *("0001-01-01..9999-12-31", "é" * 63, "👩\u200d💻", "\n", "a\nb", "\r\n", "[", "]", "{", ": ", "*", "&a [*a]"),
)
GOOD_IDS = ("acme", "globex", "e-1", "u-1")
texts = st.sampled_from(NASTY) | st.text(max_size=40) | st.sampled_from(GOOD_IDS)
dates = st.dates().map(str) | st.sampled_from(["2026-11-23", "2026-11-22..2026-11-24"]) | texts
ids = st.sampled_from(GOOD_IDS) | texts
numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 2**64, -(2**63), 10**400])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)

_TYPES = sorted({model.type for model in MODELS})
RIGHT: list[Event] = of("acme", workspace(), terms(), employee("e-1"), employment("e-1/1"))


@st.composite
def _changed_events(draw: st.DrawFn) -> bytes:
    """A right event with some of its fields made wrong, left out, or said twice."""
    event = json.loads(json.dumps(draw(st.sampled_from(RIGHT)), default=str))
    for _ in range(draw(st.integers(0, 3))):
        part = event["payload"] if draw(st.booleans()) and isinstance(event.get("payload"), dict) else event
        name = draw(st.sampled_from([*part, "type", "unknown"]))
        if draw(st.booleans()):
            part.pop(name, None)
        else:
            part[name] = draw(values | st.sampled_from(_TYPES))
    line = json.dumps(event, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(texts) + line[at:]
    return line.encode("utf-8", "surrogatepass")


lines = (
    _changed_events()
    | st.binary(max_size=200)
    | values.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b'{"workspace_id": "acme", "workspace_id": "globex"}',
            b"\xef\xbb\xbf{}",
            b'"' + b"x" * 10_000_000 + b'"',
            b"1" * 5_000,
            b"NaN",
            b"\xff\xfe",
        ]
    )
)
import_files = st.lists(lines, min_size=1, max_size=4).map(b"\n".join)


def _parameter_values(job: str) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from([*registry()[job].parameters.model_fields, "unknown"]) | texts
    return st.dictionaries(names, values | dates, max_size=5)


job_parameters = st.sampled_from([*registry()]).flatmap(lambda job: st.tuples(st.just(job), _parameter_values(job)))

_CONFIG_FIELDS = st.sampled_from(
    ["jobs", "run_date", "workspaces", "dry_run", "allow_future", "force", "employee_id", "org_unit_id", "parameters"]
)


@st.composite
def run_configs(draw: st.DrawFn) -> str:
    """The text of a run config of `run_batch_jobs`, as YAML or JSON, for the launchpad."""
    fields = {"jobs": draw(st.lists(st.sampled_from([*registry()]) | texts, max_size=3)), "dry_run": True}
    fields |= draw(st.dictionaries(_CONFIG_FIELDS | texts, values | dates | st.lists(ids, max_size=3), max_size=4))
    config = {"ops": {"run_batch_jobs": {"config": fields}}}
    if draw(st.integers(0, 9)) == 0:
        config = draw(values)
    if draw(st.booleans()):
        return json.dumps(config)
    try:
        return yaml.safe_dump(config, allow_unicode=True)
    except yaml.YAMLError:
        return json.dumps(config)


# `up` and `demo` run for long, `sample` writes much; `init` is there to change the installation.
_LEFT_OUT = {"up", "demo", "sample", "init"}


def _commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "commands"):
        # A group may do something by itself too, as `runs` does.
        return [(path, command)] * bool(path and command.invoke_without_command) + [
            found
            for name, part in command.commands.items()
            if (*path, name)[0] not in _LEFT_OUT
            for found in _commands(part, (*path, name))
        ]
    return [(path, command)]


COMMANDS = _commands(get_command(app))
_JOBS = st.sampled_from([*registry(), "employees", "projects", "timesheet_statement_generate"])
_WORDS = _JOBS | ids | dates | st.sampled_from(["dry_run=true", "employee_id=e-1", "x=y", "="])


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Arguments of a command: its own options with right and wrong values, in any order, and what it does not know."""
    path, command = draw(st.sampled_from(COMMANDS))
    found: list[str] = []
    for parameter in draw(st.lists(st.sampled_from(command.params), max_size=5)) if command.params else []:
        if isinstance(parameter, typer.core.TyperArgument):
            found.append(draw(_WORDS))
            continue
        name = draw(st.sampled_from([*parameter.opts, *parameter.secondary_opts]))
        found += [name] if parameter.is_flag else [name, draw(_WORDS)]
    if draw(st.integers(0, 3)) == 0:
        found.insert(
            draw(st.integers(0, len(found))), draw(_WORDS | st.sampled_from(["--unknown", "-h", "--json", "--"]))
        )
    return [*path, *map(_as_argument, found)]


def _as_argument(text: str) -> str:
    """The text as a process would be given it: without NUL, and what is no UTF-8 byte by byte."""
    return text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
