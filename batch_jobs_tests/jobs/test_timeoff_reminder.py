"""Who is reminded of which time off: by examples, and against the rule over random absences."""

import string
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.jobs.apply_scheduled_changes import ApplyScheduledChanges
from batch_jobs.jobs.timeoff_reminder import TimeoffReminder
from batch_jobs.projections.workforces import load_workforces
from batch_jobs.rules.absences import Absence
from batch_jobs.rules.timeoff_reminders import blocks, is_due
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import digests, engine_of, rows, run
from batch_jobs_tests.jobs.time_off import account, off, said, time_off_policy

JOB = TimeoffReminder.name
MONDAY = date(2026, 7, 6)
FRIDAY = date(2026, 7, 3)

_SENT = """
    SELECT payload ->> 'user_id', payload ->> 'dedup_key', payload -> 'data' FROM batch_jobs.events
    WHERE workspace_id = %s AND type = 'notification.created' ORDER BY position
"""


@pytest.fixture
def engine(database):
    return engine_of(database, ApplyScheduledChanges(), TimeoffReminder())


def _staff(*events, workspace_id="acme"):
    """Ada works in Denmark and has an account of holidays and one of overtime."""
    return [
        builders.workspace(workspace_id, default_holiday_calendar_id="dk"),
        *builders.of(
            workspace_id,
            builders.calendar("dk", country="DK"),
            builders.terms(),
            builders.employee("e-1", name="Ada Lovelace", preferred_name="Ada"),
            builders.employment("e-1/1"),
            builders.user("u-1", "e-1"),
            account("a", name="Holidays"),
            account("b", name="Overtime"),
            time_off_policy("holiday", account_id="a"),
            time_off_policy("overtime", account_id="b"),
            *events,
        ),
    ]


def _remind(engine, day, workspace_id="acme", **wishes):
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def _counts(one):
    """Sent, without user, duplicates, errors."""
    names = ("reminders_sent", "reminders_no_user", "reminders_duplicates", "reminder_errors")
    return tuple(one.counters[name] for name in names)


def _named(engine, workspace_id="acme"):
    return [data["absence_ids"] for _, _, data in rows(engine.database, _SENT, workspace_id)]


def test_a_block_over_a_weekend_is_one_reminder_on_the_last_working_day_before(engine):
    builders.import_all(
        engine.database,
        *_staff(
            off("a-1", MONDAY, date(2026, 7, 10)),
            off("a-2", date(2026, 7, 13), date(2026, 7, 17)),
            off("a-3", date(2026, 7, 21), date(2026, 7, 22)),
        ),
    )
    assert _counts(_remind(engine, FRIDAY - timedelta(1))) == (0, 0, 0, 0)
    one = _remind(engine, FRIDAY)
    assert (one.status, _counts(one)) == ("completed", (1, 0, 0, 0))
    ((user_id, dedup_key, data),) = rows(engine.database, _SENT, "acme")
    assert (user_id, dedup_key) == ("u-1", "timeoff_reminder:a-1")
    assert data == {
        "employee_name": "Ada",
        "absence_ids": ["a-1", "a-2"],
        "start_date": "2026-07-06",
        "end_date": "2026-07-17",
        "working_days": 10,
        "account": "Holidays",
    }
    ((event_id, notification_id, channels),) = rows(
        engine.database,
        "SELECT event_id, payload ->> 'notification_id', payload -> 'channels' FROM batch_jobs.events "
        "WHERE type = 'notification.created'",
    )
    assert event_id == deterministic_event_id("acme", JOB, "notification", "timeoff_reminder:a-1")
    assert (notification_id, channels) == (str(event_id), ["in_app", "email"])


def test_easter_is_told_before_maundy_thursday(engine):
    """2 to 6 April 2026 are Maundy Thursday to Easter Monday, free in Denmark but for Saturday and Sunday."""
    easter = date(2026, 4, 7)
    builders.import_all(engine.database, *_staff(off("a-1", easter, date(2026, 4, 10))))
    assert _counts(_remind(engine, date(2026, 3, 31))) == (0, 0, 0, 0)
    assert _counts(_remind(engine, date(2026, 4, 1))) == (1, 0, 0, 0)


def test_without_a_working_day_before_it_is_told_at_once(engine):
    """Someone whose first day at work is a day off."""
    builders.import_all(
        engine.database, *_staff(builders.employment("e-1/1", MONDAY), off("a-1", MONDAY, date(2026, 7, 10)))
    )
    assert _counts(_remind(engine, MONDAY - timedelta(15))) == (0, 0, 0, 0)
    assert _counts(_remind(engine, MONDAY - timedelta(14))) == (1, 0, 0, 0)


def test_what_a_reminder_named_is_not_told_again_though_its_block_has_begun(engine):
    builders.import_all(
        engine.database,
        *_staff(off("a-1", MONDAY, date(2026, 7, 10)), off("a-2", date(2026, 7, 13), date(2026, 7, 17))),
    )
    assert _counts(_remind(engine, FRIDAY)) == (1, 0, 0, 0)
    before = digests(engine.database)
    assert _counts(_remind(engine, FRIDAY)) == (0, 0, 1, 0)
    assert digests(engine.database) == before
    assert _counts(_remind(engine, FRIDAY + timedelta(1))) == (0, 0, 1, 0)
    # On Friday the 10th the second part stands alone.
    assert _counts(_remind(engine, date(2026, 7, 10))) == (0, 0, 1, 0)
    builders.import_all(engine.database, off("a-3", date(2026, 7, 20), date(2026, 7, 21)))
    assert _counts(_remind(engine, date(2026, 7, 11))) == (1, 0, 0, 0)
    assert _named(engine) == [["a-1", "a-2"], ["a-3"]]


def test_another_user_of_the_employee_is_not_told_again(engine):
    builders.import_all(engine.database, *_staff(off("a-1", MONDAY, date(2026, 7, 10))))
    assert _counts(_remind(engine, FRIDAY)) == (1, 0, 0, 0)
    builders.import_all(engine.database, builders.user("u-1", "e-1", status="suspended"), builders.user("u-2", "e-1"))
    assert _counts(_remind(engine, FRIDAY)) == (0, 0, 1, 0)


def test_only_planned_closed_whole_days_are_told(engine):
    end = date(2026, 7, 10)
    builders.import_all(
        engine.database,
        *_staff(
            off("open", MONDAY),
            off("half", MONDAY, end, fraction=0.5),
            off("asked", MONDAY, end, approval_required=True),
            off("taken-back", MONDAY, end),
            said("cancelled", "taken-back"),
            off("begun", FRIDAY, end),
        ),
    )
    assert engine.due(run_date=FRIDAY).due == []
    one = _remind(engine, FRIDAY)
    assert (_counts(one), one.counters["skipped_reason"]) == ((0, 0, 0, 0), "nothing is due")


def test_the_smallest_of_several_active_users_is_told(engine):
    builders.import_all(
        engine.database,
        *_staff(
            builders.user("u-0", "e-1", status="invited"),
            builders.user("u-2", "e-1"),
            off("a-1", MONDAY, date(2026, 7, 10)),
        ),
    )
    _remind(engine, FRIDAY)
    assert [user_id for user_id, *_ in rows(engine.database, _SENT, "acme")] == ["u-1"]


def test_without_an_active_user_nobody_is_told_and_the_run_warns(engine):
    builders.import_all(
        engine.database, *_staff(builders.user("u-1", "e-1", status="suspended"), off("a-1", MONDAY, MONDAY))
    )
    one = _remind(engine, FRIDAY)
    assert (one.status, _counts(one)) == ("warning", (0, 1, 0, 0))


def test_removed_people_get_nothing_and_make_nothing_due(engine):
    builders.import_all(engine.database, *_staff(off("a-1", MONDAY, MONDAY), builders.removed("e-1")))
    assert engine.due(run_date=FRIDAY).due == []
    assert _counts(_remind(engine, FRIDAY)) == (0, 0, 0, 0)


def test_parts_of_two_accounts_are_time_off(engine):
    builders.import_all(
        engine.database,
        *_staff(off("a-1", MONDAY, MONDAY), off("a-2", date(2026, 7, 7), date(2026, 7, 8), policy_id="overtime")),
    )
    _remind(engine, FRIDAY)
    ((_, _, data),) = rows(engine.database, _SENT, "acme")
    assert (data["account"], data["working_days"]) == ("time off", 3)


def test_bad_data_is_named_and_stops_nobody_else(engine):
    people = [builders.employee(who) for who in ("e-2", "e-3", "e-4")]
    users = [builders.user(f"u-{who}", who) for who in ("e-2", "e-3", "e-4")]
    builders.import_all(
        engine.database,
        *_staff(
            *people,
            *users,
            builders.employment("e-2/1", terms_id="t-9"),
            builders.employment("e-3/1", terms_id="t-2"),
            builders.terms("t-2", work_time_policy_id="w-9"),
            builders.employment("e-4/1"),
            *(off(f"a-{who}", MONDAY, MONDAY, who) for who in ("e-1", "e-2", "e-3", "e-9")),
            off("a-e-4", MONDAY, MONDAY, "e-4", policy_id="p-9"),
        ),
    )
    one = _remind(engine, FRIDAY)
    assert (one.status, _counts(one)) == ("warning", (1, 0, 0, 4))
    errors = rows(
        engine.database, "SELECT entity, entity_id, error, message FROM batch_jobs.job_run_errors ORDER BY entity_id"
    )
    assert [error[:3] for error in errors] == [
        ("absence", "a-e-4", "undefined_reference"),
        ("absence", "a-e-9", "undefined_reference"),
        ("employee", "e-2", "undefined_reference"),
        ("employee", "e-3", "undefined_reference"),
    ]
    assert errors[0][3] == (
        'absence a-e-4: no reminder of time off: time-off policy "p-9" is not defined in workspace "acme"; '
        "import its time_off_policy.defined first"
    )
    assert 'employee_id "e-9" is not defined' in errors[1][3]
    builders.import_all(engine.database, builders.terms("t-9"))
    (again,) = engine.retry(one.job_run_id, actor="user:anna")
    assert _counts(again) == (1, 0, 0, 3)


def test_the_first_and_the_last_day_of_the_calendar(engine):
    builders.import_all(
        engine.database,
        *_staff(
            builders.employment("e-1/1", date(1, 1, 1)),
            off("a-1", date(1, 1, 5), date(1, 1, 6)),
            off("a-2", date(9999, 12, 30), date.max),
        ),
    )
    assert _counts(_remind(engine, date(1, 1, 4))) == (1, 0, 0, 0)
    assert _counts(_remind(engine, date(9999, 12, 29))) == (1, 0, 0, 0)


_starts = st.dates(MONDAY, MONDAY + timedelta(45))
_absences = st.lists(st.tuples(_starts, st.integers(0, 9), st.sampled_from(["e-1", "e-2"])), max_size=7)
_workspace_ids = st.text(string.ascii_lowercase, min_size=12, max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_workspace_ids, _absences, st.sets(_starts, min_size=1, max_size=5))
def test_late_or_every_night_each_absence_is_told_once(engine, name, spans, nights):
    """Every night is as the rule says, names no absence twice, and a dry run before it counts the same."""
    if rows(engine.database, "SELECT FROM batch_jobs.workspaces WHERE workspace_id = %s", name):
        return
    second = [builders.employee("e-2"), builders.employment("e-2/1"), builders.user("u-2", "e-2")]
    found = [
        Absence(f"a-{number}", who, "holiday", "approved", start, start + timedelta(length), 1, False)
        for number, (start, length, who) in enumerate(spans)
    ]
    events = [off(one.absence_id, one.start_date, one.end_date, one.employee_id) for one in found]
    builders.import_all(engine.database, *_staff(*second, *events, workspace_id=name))
    told: set[str] = set()
    for night in sorted(nights):
        dry = _remind(engine, night, name, parameters={"dry_run": True})
        one = _remind(engine, night, name)
        assert one.counters == dry.counters
        with engine.database.worker([name]) as connection:
            workforce, _ = load_workforces(connection, {name: None})[name]
        due = [
            {part.absence_id for part in block.absences}
            for who in ("e-1", "e-2")
            for block in blocks(workforce, who, [one for one in found if one.employee_id == who], night)
            if is_due(workforce, who, block, night)
        ]
        fresh = [block - told for block in due if block - told]
        assert _counts(one) == (len(fresh), 0, len(due) - len(fresh), 0)
        told |= set().union(*due)
        named = [absence_id for ids in _named(engine, name) for absence_id in ids]
        assert len(named) == len(set(named))
        assert set(named) == told


def test_neither_chunks_nor_the_order_of_workspaces_matter(database, make_database, migrated):
    from batch_jobs.store.database import Database

    def state(opened, order, **choices):
        for number, name in enumerate(("one", "two", "three")):
            staff = [builders.employee("e-2"), builders.employment("e-2/1"), builders.user("u-2", "e-2")]
            absences = [off("a-1", MONDAY, MONDAY), off("a-2", MONDAY + timedelta(number), MONDAY, "e-2")]
            builders.import_all(opened, *_staff(*staff, *absences[: 1 + (number == 0)], workspace_id=name))
        run(engine_of(opened, TimeoffReminder(), **choices), JOB, order, FRIDAY, allow_future=True)
        return [rows(opened, _SENT, name) for name in ("one", "two", "three")]

    with Database(make_database(migrated)) as other:
        whole = state(database, ["one", "two", "three"])
        assert state(other, ["three", "one", "two"], chunk_rows=1) == whole
    assert [len(sent) for sent in whole] == [2, 1, 1]


def test_only_those_in_scope_are_told(engine):
    second = [builders.employee("e-2"), builders.employment("e-2/1"), builders.user("u-2", "e-2")]
    absences = [off("a-1", MONDAY, MONDAY), off("a-2", MONDAY, MONDAY, "e-2")]
    builders.import_all(engine.database, *_staff(*second, *absences), *_staff(*second, *absences, workspace_id="bell"))
    assert _counts(_remind(engine, FRIDAY, parameters={"employee_id": "e-2"})) == (1, 0, 0, 0)
    assert (_named(engine), _named(engine, "bell")) == ([["a-2"]], [])
