"""Whatever way the same events come in, the projections hold the same rows, and those that the rules give."""

import itertools
import json
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from batch_jobs.rules.definitions import ENTITY_KINDS, Definitions
from batch_jobs.rules.entities import Workspace
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Database
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import Event, import_all, lines, of
from batch_jobs_tests.projections.catching_up import Rows, catch_up_all, everything, finish_run
from batch_jobs_tests.rules.day_by_day import DayByDay

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(12)]

day = st.sampled_from(DAYS)
since = st.none() | day
employees = st.sampled_from(["e-1", "e-2", "e-3"])
units = st.sampled_from(["ou-1", "ou-2", "ou-3"])
calendars = st.sampled_from(["c-1", "c-2"])
users = st.sampled_from(["u-1", "u-2"])
terms_ids = st.sampled_from(["t-1", "t-2"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


employment = st.builds(
    make.employment,
    st.sampled_from(["e-1/1", "e-2/1", "e-3/1"]),
    day,
    maybe(day),
    since=since,
    employee_id=employees,
    terms_id=terms_ids,
    org_unit_id=maybe(units),
    manager_id=maybe(employees),
    holiday_calendar_id=maybe(calendars),
)
statement = st.builds(
    lambda what, who: make.statement(
        what,
        who,
        FIRST,
        DAYS[-1],
        **{"submitted": {"approvers": ["e-3"]}, "approved": {"by": "e-3"}, "reopened": {"by": "e-3", "note": "n"}}.get(
            what, {}
        ),
    ),
    st.sampled_from(["period_started", "ready", "overdue", "submitted", "approved", "reopened"]),
    employees,
)
events = st.one_of(
    st.builds(make.workspace, timezone=st.just("Asia/Tokyo"), default_holiday_calendar_id=maybe(calendars)),
    st.builds(make.employee, employees, since=since, name=st.sampled_from(["Ada", "Søren"])),
    st.builds(make.removed, employees),
    employment,
    employment,
    st.builds(make.user, users, maybe(employees), since=since, status=st.sampled_from(["invited", "active"])),
    st.builds(make.invitation_expired, users),
    st.builds(
        make.unit, units, maybe(units), since=since, head_id=maybe(employees), holiday_calendar_id=maybe(calendars)
    ),
    st.builds(
        make.terms,
        terms_ids,
        since=since,
        approval_period=st.sampled_from(["none", "weekly"]),
        holiday_calendar_id=maybe(calendars),
    ),
    st.builds(make.calendar, calendars, since=since),
    st.builds(make.time_entered, st.sampled_from(["te-1", "te-2"])),
    statement,
)
# What happens between events: nothing, another import begins, all is caught up, or a day's run ends first.
happenings = st.lists(
    st.tuples(events, st.sampled_from(["", "import", "catch up", "run", "definitions only"])), min_size=1, max_size=14
)
numbers = itertools.count(1)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(happenings)
def test_every_split_gives_the_rows_of_one_catch_up_and_of_the_rules(
    shared: Database, happened: list[tuple[Event, str]]
) -> None:
    number = next(numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    last = _step_by_step(shared, split, happened)
    import_all(shared, *of(whole, *(event for event, _ in happened)))
    if last:
        finish_run(shared, last, whole)
    catch_up_all(shared, whole)
    found = everything(shared, whole)
    assert everything(shared, split) == found
    _check_against_rules(found, [event for event, _ in happened], last or FIRST)


def _step_by_step(database: Database, workspace_id: str, happened: list[tuple[Event, str]]) -> date | None:
    """Take the events in as it happened, and catch up at the end. Returns the last run date."""
    waiting: list[Event] = []
    days = iter(DAYS)
    last = None
    for event, then in [*happened, (None, "catch up")]:
        if event:
            waiting.append(event)
        if then and waiting:
            import_all(database, *of(workspace_id, *waiting))
            waiting = []
        if then == "run":
            last = next(days, last)
            assert last
            finish_run(database, last, workspace_id)
        if then in ("run", "catch up"):
            catch_up_all(database, workspace_id)
        if then == "definitions only":
            catch_up_all(database, workspace_id, names=["definitions"])
    return last


def _check_against_rules(found: dict[str, Rows], happened: list[Event], today: date) -> None:
    known, default_calendar, gone = _definitions(happened)
    workspace = Workspace("W", "UTC", default_calendar)
    workforce = Workforce(Definitions.from_rows("w", workspace, known))
    by_day = DayByDay(known, default_calendar, today)
    directory = {row["employee_id"]: row for row in found["employee_directory"]}
    assert set(directory) == set(workforce.definitions.employees)
    for employee_id, row in directory.items():
        user = workforce.user(employee_id, today)
        assert row["status"] == by_day.status(employee_id)
        assert row["name"] == by_day.of("employee", employee_id)["name"]  # type: ignore[index]
        assert row["user_id"] == (user.user_id if user else None)
        assert row["is_manager"] == any(by_day.manager(other) == employee_id for other in directory)
        if current := by_day.current(employee_id):
            assert row["manager_id"] == by_day.manager(employee_id)
            assert tuple(row["org_path"]) == by_day.path(current["org_unit_id"])
        shown = workforce.shown_employment(employee_id, today)
        assert row["org_unit_id"] == (shown.org_unit_id if shown else None)
    expected = [
        (*period, employee_id in directory)
        for employee_id in sorted({"e-1", "e-2", "e-3"} - gone)
        for period in workforce.employment_periods(employee_id)
    ]
    assert [tuple(row.values()) for row in found["employment_periods"]] == expected
    for employee_id in ("e-1", "e-2", "e-3"):
        for there in DAYS if employee_id not in gone else ():
            current = DayByDay(known, default_calendar, there).current(employee_id)
            held = {
                row["employment_id"]: row
                for row in found["employment_periods"]
                if row["employee_id"] == employee_id and row["valid_from"] <= there <= (row["valid_to"] or date.max)
            }
            assert (current is None) == (not held)
            if current:
                row = held[current["employment_id"]]
                there_by_day = DayByDay(known, default_calendar, there)
                assert row["holiday_calendar_id"] == there_by_day.calendar_id(current)
                assert row["approval_period"] == there_by_day.approval_period(current)
                assert len(held) == 1 or row["has_overlap"]


def _definitions(happened: list[Event]) -> tuple[list[Any], str | None, set[str]]:
    """The rows that stand after the events, the workspace's calendar, and who was removed and not defined again."""
    known: list[Any] = []
    calendar = None
    gone: set[str] = set()
    for event in map(json.loads, lines(*happened)):
        payload = event["payload"]
        if event["type"] == "workspace.created":
            calendar = payload["default_holiday_calendar_id"]
        elif event["type"] == "employee.removed":
            known = [row for row in known if row[:2] != ("employee", payload["employee_id"])]
            gone.add(payload["employee_id"])
        elif event["type"] == "user.invitation_expired":
            known = [_expired(row) if row[:2] == ("user", payload["user_id"]) else row for row in known]
        elif event["type"] in DEFINED_ENTITIES and DEFINED_ENTITIES[event["type"]].kind in ENTITY_KINDS:
            kind, id_field = DEFINED_ENTITIES[event["type"]]
            from_day = payload["effective_date"] and date.fromisoformat(payload["effective_date"])
            known.append((kind, payload[id_field], from_day, payload))
            if kind == "employee":
                gone.discard(payload["employee_id"])
    return known, calendar, gone


def _expired(row: Any) -> Any:
    """A version of a user after their invitation expired: only one that is invited changes."""
    *key, values = row
    return (*key, {**values, "status": "expired"}) if values["status"] == "invited" else row
