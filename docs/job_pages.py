"""Writes the generated part of each page in docs/jobs/ from the job's own declaration. Run it after changing a job."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from batch_jobs.engine.by_hand import in_order
from batch_jobs.engine.contract import Job
from batch_jobs.jobs import registry

FOLDER = Path(__file__).parent / "jobs"
BEGIN, END = "<!-- from the code: begin -->", "<!-- from the code: end -->"
GENERATED = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def pages() -> dict[Path, str]:
    """What each page should say: its own words as they stand, the generated part as the code is now."""
    found = {FOLDER / "README.md": _renewed(FOLDER / "README.md", "# Jobs", _index())}
    for name, job in registry().items():
        found[FOLDER / f"{name}.md"] = _renewed(FOLDER / f"{name}.md", f"# {name}", _facts(job))
    return found


def _renewed(page: Path, title: str, generated: Iterator[str]) -> str:
    text = page.read_text() if page.exists() else f"{title}\n\n{BEGIN}\n{END}\n"
    part = "\n".join([BEGIN, *generated, END])
    return GENERATED.sub(lambda _: part, text)


def _index() -> Iterator[str]:
    jobs = in_order(registry(), registry())
    yield "| job | after | what it does |"
    yield "|---|---|---|"
    for job in (job for job in jobs if not job.by_hand_only and not job.continuous):
        yield f"| [{job.name}]({job.name}.md) | {', '.join(job.after) or '–'} | {job.description} |"
    yield from _list("All day long:", (job for job in jobs if job.continuous))
    yield from _list("For troubleshooting, by hand:", (job for job in jobs if job.by_hand_only))


def _list(heading: str, jobs: Iterable[Job]) -> Iterator[str]:
    yield from ("", heading, "", "| job | what it does |", "|---|---|")
    for job in jobs:
        yield f"| [{job.name}]({job.name}.md) | {job.description} |"


def _facts(job: Job) -> Iterator[str]:
    yield job.description
    yield ""
    if job.by_hand_only:
        yield "**When.** Started by hand only."
    elif job.continuous:
        yield "**When.** Looked at every half minute, at any time of the day; runs for the workspaces where something"
        yield "is due."
    else:
        yield f"**When.** Looked at every five minutes from {job.start_time:%H:%M} local time of the workspace; runs"
        yield "once per workspace and run date, where something is due."
    if job.after:
        yield f"Waits for {', '.join(f'[{name}]({name}.md)' for name in job.after)} of the same night."
    if job.catch_up_days:
        yield f"Nights that were missed are made good one by one, oldest first, up to {job.catch_up_days} days back."
    yield ""
    yield "| parameter | type | default | what it does |"
    yield "|---|---|---|---|"
    for name, value in job.parameters.model_json_schema()["properties"].items():
        yield f"| `{name}` | {_type(value)} | {_default(value)} | {value['description']} |"
    yield ""
    yield "| counter | | what it counts |"
    yield "|---|---|---|"
    for counter in job.counters:
        yield f"| `{counter.name}` | {'warns' if counter.warns else ''} | {counter.description} |"


def _type(value: dict[str, Any]) -> str:
    names = {"string": "text", "boolean": "yes or no", "integer": "whole number"}
    kinds = [one["type"] for one in value.get("anyOf", [value]) if one["type"] != "null"]
    return " or ".join(names.get(kind, kind) for kind in kinds)


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    return "–" if default is None else f"`{str(default).lower()}`"


def main() -> None:
    """Write the pages that are out of date, and name them."""
    for page, text in pages().items():
        if not page.exists() or page.read_text() != text:
            page.write_text(text)
            print(f"wrote {page.relative_to(FOLDER.parent)}")


if __name__ == "__main__":
    sys.exit(main())
