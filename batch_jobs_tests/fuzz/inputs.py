"""Hostile and broken texts, numbers and ids, and what is made of them: import files and parameters, some right."""

import json
from typing import Any

from hypothesis import strategies as st

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


@st.composite
def _right_events(draw: st.DrawFn) -> bytes:
    """An event that is right by itself: of either workspace, new or there already, or under an id that another has."""
    event = {**draw(st.sampled_from(RIGHT)), "workspace_id": draw(st.sampled_from(["acme", "globex", "fresh"]))}
    if draw(st.booleans()):
        event["event_id"] = str(draw(st.uuids()))
    return json.dumps(event, default=str).encode()


_files = st.lists(lines, min_size=1, max_size=4), st.lists(_right_events(), min_size=1, max_size=4)
# What is taken costs ten times what is refused.
import_files = st.integers(0, 7).flatmap(lambda number: _files[number == 0]).map(b"\n".join)


jobs = st.sampled_from([*registry()])
parameter_names = st.sampled_from(sorted({name for job in registry().values() for name in job.parameters.model_fields}))


def _parameter_values(job: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = registry()[job].parameters.model_fields
    names = st.sampled_from([*fields, "unknown"]) | texts
    of_its_types = {name: st.from_type(info.annotation or object) for name, info in fields.items()}
    return st.dictionaries(names, values | dates, max_size=5) | st.fixed_dictionaries({}, optional=of_its_types)


job_parameters = jobs.flatmap(lambda job: st.tuples(st.just(job), _parameter_values(job)))
