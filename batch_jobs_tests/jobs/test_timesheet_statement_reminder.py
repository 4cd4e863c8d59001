"""Which statements move on when, and who is told, by examples."""

from datetime import date, timedelta

import pytest

from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import digests, engine_of, rows
from batch_jobs_tests.jobs.statement_reminders import JOB, JUNE, STEPS, TOLD, counts, jobs, remind, staff, steps
from batch_jobs_tests.jobs.time_off import off, said


@pytest.fixture
def engine(database):
    return engine_of(database, *jobs())


def _first_nights(engine, start, nights=30, workspace_id="acme"):
    """The first night of each step."""
    found = {}
    for night in (start + timedelta(number) for number in range(nights)):
        remind(engine, night, workspace_id)
        for what, _ in steps(engine, workspace_id):
            found.setdefault(what, night)
    return found


def test_ready_on_the_last_working_day_and_overdue_on_the_first_after_the_period(engine):
    builders.import_all(engine.database, *staff())
    assert counts(remind(engine, date(2026, 6, 29))) == (1, 0, 0, 1, 0)
    one = remind(engine, date(2026, 6, 30))
    assert (one.status, counts(one)) == ("completed", (1, 1, 0, 0, 0))
    assert counts(remind(engine, date(2026, 6, 30))) == (1, 0, 0, 1, 0)
    assert counts(remind(engine, date(2026, 7, 1))) == (1, 0, 1, 0, 0)
    again = remind(engine, date(2026, 7, 2))
    assert counts(again) == (0, 0, 0, 0, 0)
    assert steps(engine) == [("ready", ["boss"]), ("overdue", ["boss"])]
    data = {
        "employee_name": "Ada",
        "statement_id": "e-1:2026-06-01:2026-06-30",
        "period_start": "2026-06-01",
        "period_end": "2026-06-30",
        "deadline": "2026-06-30",
    }
    told = rows(engine.database, TOLD, "acme")
    assert told == [("u-1", "statement_deadline", data), ("u-1", "statement_overdue", data)]
    written = rows(
        engine.database,
        "SELECT coalesce(payload ->> 'dedup_key', type), event_id FROM batch_jobs.events WHERE actor = %s",
        f"job:{JOB}",
    )
    ids = dict(written)
    statement_id = data["statement_id"]
    for step in ("ready", "overdue"):
        assert ids[f"statement.{step}"] == deterministic_event_id("acme", JOB, statement_id, step)
    key = f"statement_overdue:{statement_id}"
    assert ids[key] == deterministic_event_id("acme", JOB, "notification", key)


def test_a_statement_two_steps_behind_takes_both_and_one_notification(engine):
    builders.import_all(engine.database, *staff())
    assert counts(remind(engine, date(2026, 8, 15))) == (1, 1, 1, 0, 0)
    assert [what for what, _ in steps(engine)] == ["ready", "overdue"]
    assert [kind for _, kind, _ in rows(engine.database, TOLD, "acme")] == ["statement_overdue"]
    assert rows(engine.database, "SELECT state FROM projections.timesheet_statements") == [("overdue",)]
    before = digests(engine.database)
    remind(engine, date(2026, 8, 15))
    assert digests(engine.database) == before


def test_over_easter(engine):
    """Maundy Thursday, 2 April 2026, to Easter Monday, 6 April, is free in Denmark (borger.dk, "Helligdage")."""
    week = date(2026, 3, 30), date(2026, 4, 5)
    builders.import_all(engine.database, *staff(bounds=week))
    assert _first_nights(engine, week[0], 10) == {"ready": date(2026, 4, 1), "overdue": date(2026, 4, 7)}


@pytest.mark.parametrize(
    ("absences", "ready", "overdue"),
    [
        ([off("a", date(2026, 6, 29), date(2026, 7, 10))], date(2026, 6, 26), date(2026, 7, 13)),
        # Half days, refused, taken back and open requests leave the days as they are.
        ([off("a", date(2026, 6, 29), date(2026, 7, 10), fraction=0.5)], date(2026, 6, 30), date(2026, 7, 1)),
        (
            [off("a", date(2026, 6, 29), date(2026, 7, 10), approval_required=True)],
            *(date(2026, 6, 30), date(2026, 7, 1)),
        ),
        ([off("a", date(2026, 6, 29)), said("cancelled", "a")], date(2026, 6, 30), date(2026, 7, 1)),
        # Ill without end, and back on 20 July.
        (
            [off("a", date(2026, 6, 22)), said("interrupted", "a", date="2026-07-20")],
            date(2026, 6, 19),
            date(2026, 7, 20),
        ),
        # Two absences side by side, and one that does not matter.
        (
            [
                off("a", date(2026, 6, 30), date(2026, 6, 30)),
                off("b", date(2026, 6, 26), date(2026, 6, 29)),
                off("c", date(2026, 6, 2), date(2026, 6, 3)),
                off("d", date(2026, 7, 1), date(2026, 7, 1)),
            ],
            date(2026, 6, 25),
            date(2026, 7, 2),
        ),
        # All of the period off, and longer than anyone looks ahead.
        ([off("a", date(2026, 5, 1))], date(2026, 6, 30), date(2026, 7, 1)),
    ],
)
def test_absences_move_both_days(engine, absences, ready, overdue):
    builders.import_all(engine.database, *staff(*absences))
    assert _first_nights(engine, date(2026, 6, 18), 35) == {"ready": ready, "overdue": overdue}


def test_away_for_a_year_after_a_period_that_ends_before_a_weekend(engine):
    july = date(2026, 7, 1), date(2026, 7, 31)
    builders.import_all(engine.database, *staff(bounds=july), off("a", date(2026, 1, 1)))
    assert _first_nights(engine, date(2026, 7, 30), 5) == {"ready": july[1], "overdue": date(2026, 8, 1)}


def test_the_absence_of_one_is_not_that_of_their_like(engine):
    """Employees who share schedule and period share the look at them, but not their absences."""
    others = [
        event
        for who in ("e-2", "e-3")
        for event in (
            builders.employee(who),
            builders.employment(f"{who}/1"),
            builders.statement("period_started", who, *JUNE),
        )
    ]
    builders.import_all(engine.database, *staff(*others, off("a", date(2026, 6, 30), date(2026, 6, 30), "e-2")))
    assert counts(remind(engine, date(2026, 6, 29))) == (3, 1, 0, 2, 0)
    assert [one.split(":")[0] for one, *_ in rows(engine.database, STEPS, "acme")] == ["e-2"]


def test_someone_who_left_is_asked_by_the_manager_of_their_last_day(engine):
    left = builders.employment("e-1/1", end=date(2026, 6, 12), manager_id="boss")
    new = [
        builders.employee("new"),
        builders.employment("e-1/1", end=date(2026, 6, 12), manager_id="new", since=date(2026, 6, 10)),
        builders.employment("e-1/1", end=date(2026, 6, 12), manager_id="later", since=date(2026, 6, 13)),
    ]
    builders.import_all(engine.database, *staff(left, *new))
    assert _first_nights(engine, date(2026, 6, 10), 25) == {"ready": date(2026, 6, 12), "overdue": date(2026, 7, 1)}
    assert steps(engine) == [("ready", ["new"]), ("overdue", ["new"])]


def test_the_manager_is_that_of_the_run_date(engine):
    change = builders.employment("e-1/1", manager_id="new", since=date(2026, 7, 1))
    builders.import_all(engine.database, *staff(change))
    remind(engine, date(2026, 6, 30))
    remind(engine, date(2026, 7, 1))
    assert steps(engine) == [("ready", ["boss"]), ("overdue", ["new"])]


def test_a_unit_without_a_head_above_it_has_no_manager(engine):
    circle = [builders.unit("ou-1", "ou-2"), builders.unit("ou-2", "ou-1")]
    builders.import_all(engine.database, *staff(builders.employment("e-1/1", org_unit_id="ou-1"), *circle))
    remind(engine, date(2026, 6, 30))
    assert steps(engine) == [("ready", [])]


@pytest.mark.parametrize(
    ("users", "told"),
    [
        ([builders.user("u-1", "e-1", status="suspended")], []),
        ([builders.user("u-1", "e-1", status="invited"), builders.user("u-2", "e-1")], ["u-2"]),
        ([builders.user("u-0", "e-1"), builders.user("u-2", "e-1")], ["u-0"]),
        ([builders.user("u-1", "boss")], []),
    ],
)
def test_the_active_user_is_told_and_without_one_nobody(engine, users, told):
    builders.import_all(engine.database, *staff(*users))
    one = remind(engine, date(2026, 6, 30))
    assert (one.status, counts(one)) == ("completed", (1, 1, 0, 0, 0))
    assert [user_id for user_id, *_ in rows(engine.database, TOLD, "acme")] == told


def test_of_removed_people_nothing_is_asked(engine):
    builders.import_all(engine.database, *staff(builders.removed("e-1")))
    one = remind(engine, date(2026, 8, 1))
    assert (one.status, counts(one)) == ("completed", (1, 0, 0, 1, 0))
    assert steps(engine) == []


def test_only_pending_and_ready_statements_are_looked_at(engine):
    bounds = [(date(2026, month, 1), date(2026, month, 28)) for month in (1, 2, 3, 4)]
    started = [builders.statement("period_started", "e-1", *one) for one in bounds]
    moved = [
        *(builders.statement("ready", "e-1", *one) for one in bounds),
        builders.statement("submitted", "e-1", *bounds[1], approvers=["boss"]),
        builders.statement("submitted", "e-1", *bounds[2], approvers=[]),
        builders.statement("submitted", "e-1", *bounds[3], approvers=[]),
        builders.statement("reopened", "e-1", *bounds[3], by="boss", note="?"),
    ]
    builders.import_all(engine.database, *staff(*started, *moved))
    assert counts(remind(engine, date(2026, 6, 1))) == (2, 0, 1, 1, 0)


def test_bad_data_is_named_and_stops_nobody_else(engine):
    def owes(who, **fields):
        return builders.employment(f"{who}/1", **fields), builders.statement("period_started", who, *JUNE)

    people = [builders.employee(who) for who in ("e-2", "e-3", "e-4")]
    builders.import_all(
        engine.database,
        *staff(
            *people,
            builders.terms("t-2", work_time_policy_id="w-9"),
            *owes("e-2", terms_id="t-9"),
            *owes("e-3", terms_id="t-2"),
            *owes("e-4", terms_id="t-2"),
            *owes("e-9"),
        ),
    )
    one = remind(engine, date(2026, 6, 30))
    assert (one.status, counts(one)) == ("warning", (5, 1, 0, 0, 4))
    errors = rows(
        engine.database, "SELECT entity, entity_id, error, message FROM batch_jobs.job_run_errors ORDER BY entity_id"
    )
    assert [error[1][:3] for error in errors] == ["e-2", "e-3", "e-4", "e-9"]
    assert {(error[0], error[2]) for error in errors} == {("statement", "undefined_reference")}
    assert [f'"e-{number}/1"' in errors[index][3] for index, number in enumerate((2, 3, 4))] == [True] * 3
    assert 'employee_id "e-9" is not defined' in errors[3][3]
    builders.import_all(engine.database, builders.terms("t-9"), builders.employee("e-9"))
    (again,) = engine.retry(one.job_run_id, actor="user:anna")
    assert counts(again) == (4, 2, 0, 0, 2)


def test_the_last_period_of_the_calendar(engine):
    builders.import_all(engine.database, *staff(bounds=(date(9999, 12, 1), date.max)))
    assert counts(remind(engine, date(9999, 12, 30))) == (1, 0, 0, 1, 0)
    assert counts(remind(engine, date.max)) == (1, 1, 1, 0, 0)
