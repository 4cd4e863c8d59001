"""Whatever the day, the coming night has something to do in some workspaces, and nothing at all in others."""

from datetime import date, timedelta

import pytest

from batch_jobs.rules.absence_days import approval_kind, chunks, day_to_register
from batch_jobs.rules.approval_periods import period
from batch_jobs_tests.sample.histories import History, histories

DAYS = [date(2026, 11, 22), date(2024, 2, 29)]


def _without_statement(history: History, run_date: date) -> list[str]:
    workforce = history.workforce
    bounds = {(found.employee_id, found.period_start, found.period_end) for found in history.statements.values()}
    due = []
    for employee_id in workforce.definitions.employees:
        employment = workforce.current_employment(employee_id, run_date)
        terms = workforce.definitions.terms.get(employment.terms_id) if employment else None
        current = period(terms.on(run_date).approval_period, run_date) if terms else None
        if current and (employee_id, *current) not in bounds:
            due.append(employee_id)
    return due


def _to_consume(history: History, run_date: date) -> list[str]:
    return [
        absence.absence_id
        for absence in history.absences.values()
        if absence.state == "approved"
        and chunks(absence, run_date, approval_kind(history.workforce, absence.employee_id, run_date))
    ]


def _to_register(history: History, run_date: date) -> list[str]:
    return [absence.absence_id for absence in history.absences.values() if day_to_register(absence, run_date)]


def _to_remind(history: History, run_date: date) -> list[str]:
    reminded = {one for data in history.of("notification.created") for one in data["data"].get("absence_ids", [])}
    return [
        absence.absence_id
        for absence in history.absences.values()
        if absence.state == "approved"
        and absence.full_days
        and absence.end_date
        and run_date < absence.start_date <= run_date + timedelta(days=14)
        and absence.absence_id not in reminded
        and not history.workforce.working_days(
            absence.employee_id, run_date + timedelta(days=1), absence.start_date - timedelta(days=1)
        )
    ]


def _work(history: History, run_date: date) -> dict[str, int]:
    return {
        "statements": len(_without_statement(history, run_date)),
        "consumption": len(_to_consume(history, run_date)),
        "registration": len(_to_register(history, run_date)),
        "reminders": len(_to_remind(history, run_date)),
        "changes": len(history.changes_due(run_date)),
    }


@pytest.mark.parametrize("until", DAYS, ids=str)
@pytest.mark.parametrize("later", [0, 1])
def test_every_job_has_work_somewhere_and_not_everywhere(until: date, later: int):
    """Also for today's run date, when the caller gives today."""
    run_date = until + timedelta(days=later)
    work = [_work(history, run_date) for history in histories(until).values()]
    for job in work[0]:
        with_work = sum(1 for counts in work if counts[job])
        assert 0 < with_work < len(work), job


@pytest.mark.parametrize("until", DAYS, ids=str)
def test_someone_has_just_begun(until: date):
    for workspace_id in ("nordlys-design", "rheinwerk-software", "harbor-light-clinic"):
        history = histories(until)[workspace_id]
        assert _without_statement(history, until)
        assert len(_without_statement(history, until + timedelta(days=1))) > 1


@pytest.mark.parametrize("until", DAYS, ids=str)
def test_the_newest_period_is_not_started_where_the_jobs_stood_still(until: date):
    behind, ahead = (histories(until)[name] for name in ("boulangerie-zephyr", "nordlys-design"))
    assert len(_without_statement(behind, until)) > 5
    assert len(_without_statement(ahead, until)) <= 1


@pytest.mark.parametrize("until", DAYS, ids=str)
@pytest.mark.parametrize("workspace_id", ["fjordlys-handel", "kiezkueche-berlin"])
def test_nothing_is_due_where_nobody_works(until: date, workspace_id: str):
    history, run_date = histories(until)[workspace_id], until + timedelta(days=1)
    workforce = history.workforce
    assert set(_work(history, run_date).values()) == {0}
    assert history.entries_due(run_date + timedelta(days=800)) == set()
    assert {workforce.status(employee_id, run_date) for employee_id in workforce.definitions.employees} <= {"ended"}
    assert {statement.state for statement in history.statements.values()} <= {"approved"}
    assert all(versions.on(run_date).status != "invited" for versions in workforce.definitions.users.values())
    seen = {payload["notification_id"] for payload in history.of("notification.read", "notification.dismissed")}
    assert seen == {payload["notification_id"] for payload in history.of("notification.purged")}


@pytest.mark.parametrize("until", DAYS, ids=str)
def test_the_suspended_company_is_silent(until: date):
    last = histories(until)["isarblick-logistik"].events[-1]
    assert last["type"] == "workspace.suspended"
    assert last["occurred_at"][:10] < until.isoformat()


@pytest.mark.parametrize("until", DAYS, ids=str)
def test_a_manager_has_left_and_the_team_still_reports_to_them(until: date):
    history = histories(until)["golden-gate-robotics"]
    workforce = history.workforce
    managers = {workforce.manager(employee_id, until) for employee_id in workforce.definitions.employees} - {None}
    assert "ended" in {workforce.status(manager, until) for manager in managers}
