"""The tree of org units on a day: ways up, units below, heads (domain 3.1). A cycle is walked once, never for ever."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from batch_jobs.rules.entities import Employment, OrgUnit
from batch_jobs.rules.versions import Versions


class OrgTree:
    """The org units of one workspace. Units that are named but not defined are not part of the tree."""

    def __init__(self, units: Mapping[str, Versions[OrgUnit]]) -> None:
        self._units = units
        self._ways_up: dict[str, Versions[tuple[OrgUnit, ...]]] = {}

    def way_up(self, unit_id: str | None) -> Versions[tuple[OrgUnit, ...]]:
        """The unit and its ancestors, nearest first, each once; empty when the unit is not defined."""
        if unit_id is None or unit_id not in self._units:
            return _NOWHERE
        if unit_id not in self._ways_up:
            self._ways_up[unit_id] = Versions.piecewise(self._changes(unit_id), lambda day: self._climb(unit_id, day))
        return self._ways_up[unit_id]

    def path(self, unit_id: str | None, day: date) -> tuple[str, ...]:
        """The ids from the root down to the unit. In a cycle the path begins with the last unit not yet visited."""
        return tuple(unit.org_unit_id for unit in reversed(self.way_up(unit_id).on(day)))

    def descendants(self, unit_id: str, day: date) -> frozenset[str]:
        """The unit and all units below it, that is all units whose path holds it; none when it is not defined."""
        children: defaultdict[str | None, list[str]] = defaultdict(list)
        for child_id, versions in self._units.items():
            children[versions.on(day).parent_id].append(child_id)
        found: set[str] = set()
        waiting = [unit_id] if unit_id in self._units else []
        while waiting:
            unit = waiting.pop()
            if unit not in found:
                found.add(unit)
                waiting += children[unit]
        return frozenset(found)

    def _climb(self, unit_id: str, day: date) -> tuple[OrgUnit, ...]:
        visited: dict[str, OrgUnit] = {}
        next_id: str | None = unit_id
        while next_id is not None and next_id in self._units and next_id not in visited:
            unit = visited[next_id] = self._units[next_id].on(day)
            next_id = unit.parent_id
        return tuple(visited.values())

    def _changes(self, unit_id: str) -> set[date]:
        changes: set[date] = set()
        seen: set[str | None] = set()
        waiting: list[str | None] = [unit_id]
        while waiting:
            name = waiting.pop()
            if name is None or name in seen or name not in self._units:
                continue
            seen.add(name)
            changes.update(self._units[name].changes())
            waiting += [unit.parent_id for unit in self._units[name].values()]
        return changes


def manager_of(employment: Employment, way_up: Iterable[OrgUnit]) -> str | None:
    """Who manages the employee of this employment, given its org unit's way up on the day (domain 3.1).

    The manager it names, else the head of its unit or of the nearest ancestor with one. Nobody manages themself: a
    `manager_id` or `head_id` that is the employee's own counts as empty. The id is returned as given, defined or not.
    """
    if employment.manager_id and employment.manager_id != employment.employee_id:
        return employment.manager_id
    return next((unit.head_id for unit in way_up if unit.head_id and unit.head_id != employment.employee_id), None)


_NOWHERE: Versions[tuple[OrgUnit, ...]] = Versions.always(())
