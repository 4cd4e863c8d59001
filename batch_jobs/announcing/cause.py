"""What is behind trouble in many workspaces: one cause, whatever ids and names its error texts hold. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["failed", "warning", "overdue"]

MANY = "many different errors"
NO_MAIL = "no e-mail was taken"
MOST_REASONS = 5
"""So many new reasons of one job and status are told apart; more are one cause."""

_LONGEST_REASON = 200
_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'|“[^”]*”|`[^`]*`|\([^()]*\)=\([^()]*\)')
_IDS = re.compile(r"[^\s:;,]*\d[^\s:;,]*")
_GAP = re.compile(r"(?:…\s*)+…|\s+")


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """What is told once.

    Attributes:
        job: the job's name; empty for what is overdue: a scheduler that stops is one cause for all jobs.
        status: of the job runs, or `overdue`.
        reason: without ids and names, so the same in every workspace.
    """

    job: str
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A cause as it stands now.

    Attributes:
        cause: which.
        workspaces: where, sorted.
        since: when the first of what is seen now ended, or could have begun.
        size: how much there is of it: workspaces, for `overdue` of each job.
        error: the first error text as it stands in the ledger.
        job_run_id: of that error, None for `overdue`.
        jobs: of `overdue` each job and in how many workspaces.
    """

    cause: Cause
    workspaces: tuple[str, ...]
    since: datetime
    size: int
    error: str = ""
    job_run_id: str | None = None
    jobs: tuple[tuple[str, int], ...] = ()


def reason_of(text: str, workspace_id: str) -> str:
    """The text without what differs between workspaces: quoted values, the workspace's id, words with digits."""
    found = _QUOTED.sub("…", text)
    # Not a pattern for each of thousands of workspaces unless it is needed.
    if workspace_id in found:
        found = re.sub(rf"(?<![\w-]){re.escape(workspace_id)}(?![\w-])", "…", found)
    found = _GAP.sub(lambda gap: " " if gap[0].isspace() else "…", _IDS.sub("…", found)).strip()
    return found[:_LONGEST_REASON] or "without a text"


def together(found: Iterable[Seen]) -> list[Seen]:
    """Sightings of the same cause as one, by cause."""
    merged: dict[Cause, list[Seen]] = {}
    for one in found:
        merged.setdefault(one.cause, []).append(one)
    return [_one(cause, parts) for cause, parts in sorted(merged.items())]


def folded(found: Sequence[Seen], known: Collection[Cause]) -> list[Seen]:
    """The causes, but those as one of which a job has more new ones than anybody wants to be told apart.

    Args:
        found: each cause once.
        known: causes that people were told of or are about to be: those stay as they are, and where `MANY` is one of
            them all new ones of that job and status are a part of it.
    """
    new: dict[tuple[str, Status], list[Seen]] = {}
    for one in found:
        if one.cause not in known:
            new.setdefault((one.cause.job, one.cause.status), []).append(one)
    many = {
        of: Cause(*of, MANY)
        for of, parts in new.items()
        if len(parts) > MOST_REASONS or (Cause(*of, MANY) in known and parts)
    }
    return together(
        replace(one, cause=many[of])
        if one.cause not in known and (of := (one.cause.job, one.cause.status)) in many
        else one
        for one in found
    )


def _one(cause: Cause, parts: Sequence[Seen]) -> Seen:
    first = min(parts, key=lambda part: (part.since, part.workspaces))
    if len(parts) == 1:
        return first
    workspaces = tuple(sorted({name for part in parts for name in part.workspaces}))
    return replace(first, cause=cause, workspaces=workspaces, size=len(workspaces))
