"""All that one workspace has defined about settings and people, by kind and id, with its versions (domain 2.1, 3.0)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from batch_jobs.rules.entities import (
    Employee,
    Employment,
    EmploymentTerms,
    HolidayCalendar,
    OrgUnit,
    Payload,
    User,
    Workspace,
    WorkTimePolicy,
)
from batch_jobs.rules.policies import Activity, AllowancePolicy, TimeAccount, TimeOffPolicy
from batch_jobs.rules.versions import ALWAYS, Versions

_ENTITIES: Mapping[str, tuple[str, Any]] = {
    "user": ("users", User),
    "employee": ("employees", Employee),
    "employment": ("employments", Employment),
    "org_unit": ("org_units", OrgUnit),
    "employment_terms": ("terms", EmploymentTerms),
    "work_time_policy": ("work_time_policies", WorkTimePolicy),
    "holiday_calendar": ("holiday_calendars", HolidayCalendar),
    "time_off_policy": ("time_off_policies", TimeOffPolicy),
    "allowance_policy": ("allowance_policies", AllowancePolicy),
    "time_account": ("time_accounts", TimeAccount),
    "activity": ("activities", Activity),
}
POLICY_KINDS = frozenset({"time_off_policy", "allowance_policy", "time_account", "activity"})
"""The kinds that only the rules of absences, accruals and accounts need. Who asks no such rule need not load them."""
ENTITY_KINDS = frozenset(_ENTITIES) - POLICY_KINDS
"""The kinds that every rule about people and working time needs, each the first part of its event type."""
ALL_KINDS = ENTITY_KINDS | POLICY_KINDS
"""What the rules of absences, accruals and accounts need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """The definitions of a workspace, each kind by id. `employees` are those defined and not removed since."""

    workspace_id: str
    workspace: Workspace
    users: Mapping[str, Versions[User]] = field(default_factory=dict)
    employees: Mapping[str, Versions[Employee]] = field(default_factory=dict)
    employments: Mapping[str, Versions[Employment]] = field(default_factory=dict)
    org_units: Mapping[str, Versions[OrgUnit]] = field(default_factory=dict)
    terms: Mapping[str, Versions[EmploymentTerms]] = field(default_factory=dict)
    work_time_policies: Mapping[str, Versions[WorkTimePolicy]] = field(default_factory=dict)
    holiday_calendars: Mapping[str, Versions[HolidayCalendar]] = field(default_factory=dict)
    time_off_policies: Mapping[str, Versions[TimeOffPolicy]] = field(default_factory=dict)
    allowance_policies: Mapping[str, Versions[AllowancePolicy]] = field(default_factory=dict)
    time_accounts: Mapping[str, Versions[TimeAccount]] = field(default_factory=dict)
    activities: Mapping[str, Versions[Activity]] = field(default_factory=dict)

    @classmethod
    def from_rows(
        cls,
        workspace_id: str,
        workspace: Workspace,
        rows: Iterable[tuple[str, str, date | None, Payload]],
    ) -> "Definitions":
        """The definitions from `*.defined` events.

        Args:
            workspace_id: for the texts of errors.
            workspace: as `workspace.created` gave it.
            rows: kind (of `ENTITY_KINDS` or `POLICY_KINDS`), id of the entity, `effective_date` (None: for all days)
                and payload. Rows of one entity are in the order of their positions.

        Raises:
            KeyError: a row's kind is none of those.
        """
        pairs: dict[str, defaultdict[str, list[tuple[date, Any]]]] = {kind: defaultdict(list) for kind in _ENTITIES}
        for kind, entity_id, effective_date, payload in rows:
            _, entity = _ENTITIES[kind]
            pairs[kind][entity_id].append((effective_date or ALWAYS, entity.from_payload(payload)))
        by_name: dict[str, Any] = {
            name: {entity_id: Versions(found) for entity_id, found in pairs[kind].items()}
            for kind, (name, _) in _ENTITIES.items()
        }
        return cls(workspace_id=workspace_id, workspace=workspace, **by_name)
