"""Cutting a run's workspaces into chunks of bounded work. Pure: no database, no job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from batch_jobs.engine.job_runs import Target


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one transaction works on.

    Attributes:
        targets: workspaces, each with its run date.
        row_ids: only these rows of the one workspace, None for all.
        sliced: a workspace with more rows than a chunk takes: it is gone through slice by slice.
    """

    targets: tuple[Target, ...]
    row_ids: tuple[str, ...] | None = None
    sliced: bool = False

    def halves(self) -> "tuple[Chunk, Chunk] | None":
        """The chunk in two parts, None when it is a single workspace without known rows, or a single row."""
        if len(self.targets) > 1:
            middle = len(self.targets) // 2
            return Chunk(self.targets[:middle]), Chunk(self.targets[middle:])
        if self.row_ids is None or len(self.row_ids) <= 1:
            return None
        middle = len(self.row_ids) // 2
        return Chunk(self.targets, self.row_ids[:middle]), Chunk(self.targets, self.row_ids[middle:])


def pack(
    targets: Sequence[Target], rows: Mapping[Target, int], *, at_most: int, divisible: bool = True
) -> Iterator[Chunk]:
    """Pack targets, in their order, into chunks of about so many rows.

    A workspace with more rows than that is a chunk of its own, to be gone through slice by slice and after all others,
    so that a huge one does not hold up the rest.

    Args:
        targets: what to pack.
        rows: how many rows each has; none for those that are not named.
        at_most: rows of a chunk.
        divisible: whether a workspace may be sliced.
    """
    huge = [target for target in targets if rows.get(target, 0) > at_most]
    packed: list[Target] = []
    load = 0
    for target in targets:
        size = rows.get(target, 0)
        if size > at_most:
            continue
        # A workspace costs something even without rows.
        cost = max(size, 1)
        if packed and load + cost > at_most:
            yield Chunk(tuple(packed))
            packed, load = [], 0
        packed.append(target)
        load += cost
    if packed:
        yield Chunk(tuple(packed))
    for target in huge:
        yield Chunk((target,), sliced=divisible)
