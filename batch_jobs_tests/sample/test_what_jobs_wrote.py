"""What the sample's jobs wrote is what the rules say, to the day."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from batch_jobs.mail.contents import addressee, read_data
from batch_jobs.mail.kinds import DATA
from batch_jobs.rules import timeoff_reminders
from batch_jobs.rules.absence_days import approval_kind, chunks, day_to_register
from batch_jobs.rules.accrual.forecast import Accruals
from batch_jobs.rules.approval_periods import Period, period
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.published_norms import NormPublisher, window
from batch_jobs.rules.statement_deadlines import deadline, overdue_day
from batch_jobs.sample.companies import company
from batch_jobs_tests.sample.histories import History, histories

UNTIL = date(2026, 11, 22)
RUNNING = [
    found.workspace_id
    for found in map(company, range(25))
    if found.chapter in ("ordinary", "wound_down") and not found.nights_missed
]


@pytest.fixture(params=[UNTIL, date(2024, 2, 29)], ids=str)
def until(request: pytest.FixtureRequest) -> date:
    return request.param


@pytest.fixture
def after_the_night(until: date) -> list[History]:
    return [histories(until)[workspace_id].after_the_night_of(until) for workspace_id in RUNNING]


def test_statements_and_absences_replay_without_an_error(until: date):
    states = {statement.state for history in histories(until).values() for statement in history.statements.values()}
    assert states == {"pending", "ready", "overdue", "submitted", "approved", "reopened"}
    states = {absence.state for history in histories(until).values() for absence in history.absences.values()}
    assert states == {"requested", "approved", "rejected", "cancelled"}


def test_everyone_who_should_has_a_statement_after_the_night(until: date, after_the_night: list[History]):
    for history in after_the_night:
        workforce = history.workforce
        bounds = {(found.employee_id, found.period_start, found.period_end) for found in history.statements.values()}
        for employee_id in workforce.definitions.employees:
            employment = workforce.current_employment(employee_id, until)
            if employment and employment.terms_id in workforce.definitions.terms:
                terms = workforce.definitions.terms[employment.terms_id].on(until)
                current = period(terms.approval_period, until)
                assert current is None or (employee_id, *current) in bounds


def test_no_deadline_passes_unnoticed(until: date, after_the_night: list[History]):
    for history in after_the_night:
        for statement in history.statements.values():
            about = (history.workforce, statement.employee_id, Period(statement.period_start, statement.period_end))
            if statement.state == "pending":
                assert deadline(*about, history.away(statement.employee_id)) > until
            elif statement.state == "ready":
                assert overdue_day(*about, history.away(statement.employee_id)) > until


def test_reminders_name_the_manager_of_their_day(until: date):
    for history in histories(until).values():
        for event in history.events:
            if event["type"] in ("statement.ready", "statement.overdue"):
                employee_id, run_date = event["employee_id"], date.fromisoformat(event["occurred_at"][:10])
                day = history.workforce.last_covered_day(employee_id, run_date)
                assert day
                manager = history.workforce.manager(employee_id, day)
                assert event.get("targets", []) == ([manager] if manager else [])


def test_consumption_takes_the_working_days(until: date):
    for history in histories(until).values():
        for payload in history.of("time_off.consumed"):
            first, last = date.fromisoformat(payload["from_date"]), date.fromisoformat(payload["to_date"])
            terms = [history.workforce.terms(payload["employee_id"], day) for day in (first, last)]
            if terms[0] != terms[1]:
                # Where nobody approves hours all is consumed at once, before a change inside the absence is applied.
                continue
            expected = history.workforce.working_days(payload["employee_id"], first, last)
            assert [day["date"] for day in payload["days"]] == [day.isoformat() for day in expected]
            fraction = history.absences[payload["absence_id"]].fraction
            assert [day["minutes"] for day in payload["days"]] == [
                int(history.workforce.expected_minutes(payload["employee_id"], day) * fraction) for day in expected
            ]


def test_no_absence_that_is_due_is_left(until: date, after_the_night: list[History]):
    for history in after_the_night:
        registered = {(payload["absence_id"], payload["date"]) for payload in history.of("absence.registered")}
        policies = {payload["policy_id"]: payload for payload in history.of("time_off_policy.defined")}
        for absence in history.absences.values():
            kind = approval_kind(history.workforce, absence.employee_id, until)
            assert absence.state != "approved" or chunks(absence, until, kind) == []
            day = day_to_register(absence, until)
            minutes = history.workforce.expected_minutes(absence.employee_id, day) if day else 0
            if minutes and "activity_id" in policies[absence.policy_id]:
                assert (absence.absence_id, day.isoformat()) in registered


def test_everyone_was_reminded_of_their_time_off(until: date, after_the_night: list[History]):
    for history in after_the_night:
        workforce = history.workforce
        reminded = {one for sent in history.of("notification.created") for one in sent["data"].get("absence_ids", ())}
        for employee_id in workforce.definitions.employees:
            theirs = [absence for absence in history.absences.values() if absence.employee_id == employee_id]
            for block in timeoff_reminders.blocks(workforce, employee_id, theirs, until):
                if timeoff_reminders.is_due(workforce, employee_id, block, until):
                    reminder = timeoff_reminders.reminder(workforce, employee_id, block, reminded)
                    assert reminder is None or workforce.active_user(employee_id, until) is None


def test_every_notification_has_what_its_message_says(until: date):
    sent = [one for history in histories(until).values() for one in history.of("notification.created")]
    assert {one["kind"] for one in sent} == set(DATA)
    for one in sent:
        assert addressee(read_data(one["kind"], one["data"]))


def test_no_change_and_no_entry_that_is_due_is_left(until: date, after_the_night: list[History]):
    for history in after_the_night:
        faulty = history.workspace_id == "golden-gate-robotics"
        assert len(history.changes_due(until)) == faulty
        assert history.entries_due(until) == set()


def test_forecasts_are_those_of_the_rules(until: date, after_the_night: list[History]):
    for history in after_the_night:
        accruals = Accruals(history.workforce)
        newest = {
            (found["employee_id"], found["policy_id"]): found for found in history.of("accrual.forecast_computed")
        }
        for employee_id in history.workforce.definitions.employees:
            for policy_id in accruals.policies(employee_id, until):
                written = newest[employee_id, policy_id]
                assert written["fingerprint"] == accruals.fingerprint(employee_id, policy_id)
                computed_from = date.fromisoformat(written["computed_from"])
                entries = accruals.forecast(employee_id, policy_id, computed_from).entries
                assert [(entry["entry_id"], entry["amount"]) for entry in written["entries"]] == [
                    (entry.entry_id, entry.amount) for entry in entries
                ]


def test_norms_stand_published_as_the_rules_would_publish_them(until: date, after_the_night: list[History]):
    for history in after_the_night:
        publisher = NormPublisher(history.workforce)
        newest = {found["employee_id"]: found for found in history.of("norm.published")}
        weeks = {
            (found["employee_id"], week["monday"]): (week["minutes"], [day["name"] for day in week["holidays"]])
            for found in history.of("norm.published")
            for week in found["weeks"]
        }
        for employee_id in history.workforce.definitions.employees:
            employment = history.workforce.shown_employment(employee_id, until)
            if history.workforce.status(employee_id, until) == "ended" or employment.terms_id == "temp":
                continue
            assert newest[employee_id]["through_week"] == window(until)[-1].isoformat()
            assert newest[employee_id]["fingerprint"] == publisher.fingerprint(employee_id)
            for monday in window(until):
                week = publisher.week(employee_id, monday)
                names = [name for _, name in week.holidays]
                assert weeks[employee_id, monday.isoformat()] == (list(week.minutes), names)


def test_what_expires_is_never_more_than_what_was_credited(until: date):
    for history in histories(until).values():
        credited: Counter[tuple[str, str]] = Counter()
        for payload in history.of("account.credited"):
            credited[payload["employee_id"], payload.get("policy_id", "")] += payload["amount"]
        for payload in history.of("account.expired"):
            credited[payload["employee_id"], payload["policy_id"]] -= payload["amount"]
        assert all(left >= 0 for (_, policy_id), left in credited.items() if policy_id)


def test_changes_are_applied_on_their_day(until: date):
    for history in histories(until).values():
        effective = {payload["change_id"]: payload["effective_date"] for payload in history.of("change.scheduled")}
        for event in history.events:
            if event["type"] == "change.applied":
                assert event["occurred_at"][:10] == effective[event["payload"]["change_id"]]


def test_hours_are_entered_by_those_at_work(until: date):
    history = histories(until)["nordlys-design"]
    for payload in history.of("time.entered"):
        day = date.fromisoformat(payload["date"])
        assert history.workforce.status(payload["employee_id"], day) == "active"
    entered = sum(payload["minutes"] for payload in history.of("time.entered"))
    expected = taken = 0
    begin = datetime.fromisoformat(history.events[0]["occurred_at"]).date()
    for employee_id in history.workforce.definitions.employees:
        for number in range((until - begin).days + 1):
            expected += history.workforce.expected_minutes(employee_id, begin + timedelta(days=number))
    for payload in history.of("time_off.consumed"):
        taken += sum(day["minutes"] for day in payload["days"])
    assert 0.8 * expected < entered + taken < 1.1 * expected


def test_undefined_terms_are_there_for_a_warning(until: date):
    history = histories(until)["havnens-bageri"]
    faulty = [payload for payload in history.of("employment.defined") if payload["terms_id"] == "temp"]
    assert faulty
    with pytest.raises(UndefinedReferenceError, match='terms_id "temp" is not defined'):
        history.workforce.expected_minutes(faulty[0]["employee_id"], until)
