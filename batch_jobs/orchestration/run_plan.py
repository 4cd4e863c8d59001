"""Which Dagster runs to ask for, given what is due. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from batch_jobs.engine.due import DueItem
from batch_jobs.orchestration.partitions import Target
from batch_jobs.orchestration.ranges import KeyRange, covering_ranges

# A run costs seconds, of a process to start, and an unneeded workspace inside its range a millisecond.
BRIDGED = 2_000
ALONE_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a schedule asks for.

    Attributes:
        ranges: run date and workspaces, oldest date first.
        alone: what failed before. Each gets a run of its own, so that its cell turns red when it fails again, and
            only its. Where many have failed, such as all that a lost worker was at, they are among the ranges, in
            portions: whoever makes the worker die again takes few along. Their cells then stay without a colour.
        notes: what is due and yet not asked for now, in words.
    """

    ranges: Sequence[tuple[date, KeyRange]]
    alone: Sequence[Target]
    notes: Sequence[str]


def plan_runs(
    due: Sequence[DueItem], workspaces: Sequence[str], *, under_way: Collection[Target], dates: tuple[date, date]
) -> RunPlan:
    """Plan few runs over what is due.

    Args:
        due: what is due, oldest run date first.
        workspaces: those that are partitions, in Dagster's order.
        under_way: what unfinished runs were asked for.
        dates: first and last run date that have partitions.
    """
    known = set(workspaces)
    left: list[DueItem] = []
    unseen = outside = asked = 0
    for item in due:
        if not dates[0] <= item.run_date <= dates[1]:
            outside += 1
        elif item.workspace_id not in known:
            unseen += 1
        elif Target(item.workspace_id, item.run_date) in under_way:
            asked += 1
        else:
            left.append(item)
    failed = [item for item in left if item.failures]
    alone = [Target(item.workspace_id, item.run_date) for item in failed] if len(failed) <= ALONE_AT_MOST else []
    together = [item for item in left if not (alone and item.failures)]
    apart = {*alone, *under_way}
    notes = [
        f"{number} {why}"
        for number, why in (
            (asked, "asked for already"),
            (unseen, "not yet a partition"),
            (outside, f"outside of the window {dates[0]} to {dates[1]}"),
        )
        if number
    ]
    ranges = [
        (day, found)
        for day in sorted({item.run_date for item in together})
        for portion in _portions([item for item in together if item.run_date == day], workspaces)
        for found in covering_ranges(
            portion,
            workspaces,
            bridged=BRIDGED,
            apart={target.workspace_id for target in apart if target.run_date == day},
        )
    ]
    return RunPlan(ranges, alone, notes)


def _portions(due: Sequence[DueItem], workspaces: Sequence[str]) -> Iterator[set[str]]:
    """The workspaces of one run date, neighbours together: one portion, or more where many have failed."""
    failed = sum(item.failures > 0 for item in due)
    number = min(ALONE_AT_MOST, -(-failed // ALONE_AT_MOST)) or 1
    wanted = {item.workspace_id for item in due}
    ordered = [name for name in workspaces if name in wanted]
    ends = [len(ordered) * part // number for part in range(number + 1)]
    return (set(ordered[start:end]) for start, end in pairwise(ends))
