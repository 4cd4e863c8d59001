"""A sample's events, read back with the product's own reader and rules."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, NamedTuple

from batch_jobs.rules import absences, statements
from batch_jobs.rules.absences import Absence
from batch_jobs.rules.definitions import ALL_KINDS, Definitions
from batch_jobs.rules.entities import Workspace
from batch_jobs.rules.statements import Statement
from batch_jobs.rules.workforce import Workforce
from batch_jobs.sample.generator import generate
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES

EMPLOYEES = 10


class Happening(NamedTuple):
    """What the rules read of an event."""

    type: str
    payload: dict[str, Any]
    occurred_at: datetime


@dataclass
class History:
    """The events of one workspace."""

    workspace_id: str
    events: list[dict[str, Any]] = field(default_factory=list)

    def after_the_night_of(self, day: date) -> "History":
        """What was there when the jobs of the day had run, and nothing else had happened on it."""
        start_of_day = f"{day}T00:00:00"
        return History(self.workspace_id, [event for event in self.events if event["occurred_at"][:19] <= start_of_day])

    def of(self, *types: str) -> list[dict[str, Any]]:
        """The payloads of the events of these types."""
        return [event["payload"] for event in self.events if event["type"] in types]

    @cached_property
    def workforce(self) -> Workforce:
        """The people and settings, removed employees left out."""
        created = next(event for event in self.events if event["type"] == "workspace.created")
        removed = {payload["employee_id"] for payload in self.of("employee.removed")}
        rows = []
        for event in self.events:
            entity, payload = DEFINED_ENTITIES.get(event["type"]), event["payload"]
            if (
                entity
                and entity.kind in ALL_KINDS
                and not (entity.kind == "employee" and payload["employee_id"] in removed)
            ):
                since = payload.get("effective_date")
                rows.append(
                    (entity.kind, payload[entity.id_field], date.fromisoformat(since) if since else None, payload)
                )
        return Workforce(Definitions.from_rows(self.workspace_id, Workspace.from_payload(created["payload"]), rows))

    @cached_property
    def statements(self) -> dict[str, Statement]:
        """The statements by id. Raises TransitionError when an event does not fit the state."""
        found: dict[str, Statement] = {}
        for event in self._happenings("statement."):
            statement_id = event.payload["statement_id"]
            found[statement_id] = statements.apply(found.get(statement_id), event)
        return found

    @cached_property
    def absences(self) -> dict[str, Absence]:
        """The absences by id. Raises TransitionError as `statements`."""
        found: dict[str, Absence] = {}
        for event in self._happenings("time_off."):
            if event.type in absences.EVENT_TYPES:
                absence_id = event.payload["absence_id"]
                found[absence_id] = absences.apply(found.get(absence_id), event)
        return found

    def away(self, employee_id: str) -> list[tuple[date, date | None]]:
        """First and last day of the employee's approved full-day absences."""
        return [
            (absence.start_date, absence.end_date)
            for absence in self.absences.values()
            if absence.employee_id == employee_id and absence.state == "approved" and absence.full_days
        ]

    def changes_due(self, run_date: date) -> set[str]:
        """The ids of scheduled changes whose day has come."""
        due = {
            payload["change_id"]
            for payload in self.of("change.scheduled")
            if payload["effective_date"] <= run_date.isoformat()
        }
        return due - {payload["change_id"] for payload in self.of("change.applied", "change.cancelled")}

    def entries_due(self, run_date: date) -> set[str]:
        """The ids of forecast entries that are due and not materialised."""
        standing: dict[tuple[str, str], dict[str, str]] = {}
        for forecast in self.of("accrual.forecast_computed"):
            entries = standing.setdefault((forecast["employee_id"], forecast["policy_id"]), {})
            for entry_id in [one for one, due_date in entries.items() if due_date >= forecast["computed_from"]]:
                del entries[entry_id]
            entries.update({entry["entry_id"]: entry["due_date"] for entry in forecast["entries"]})
        done = {payload.get("entry_id") for payload in self.of("account.credited", "account.expired")}
        return {
            entry_id
            for entries in standing.values()
            for entry_id, due_date in entries.items()
            if due_date <= run_date.isoformat() and entry_id not in done
        }

    def _happenings(self, prefix: str) -> Iterable[Happening]:
        for event in self.events:
            if event["type"].startswith(prefix):
                yield Happening(event["type"], event["payload"], datetime.fromisoformat(event["occurred_at"]))


@cache
def histories(until: date, seed: int = 7, employees: int = EMPLOYEES) -> dict[str, History]:
    """All twenty-five named workspaces, by id, generated once a test process."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in generate(workspaces=25, employees=employees, seed=seed, until=until):
        found[event["workspace_id"]].append(event)
    return {workspace_id: History(workspace_id, events) for workspace_id, events in found.items()}
