"""When the scheduler finds a job due, waiting or to be skipped (domain 7)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from batch_jobs.engine.due import RETRY_DELAYS, DueQuestion
from batch_jobs.engine.requests import RunRequest
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import DAY, NOON, Clock, engine_of, found, rows, run
from batch_jobs_tests.engine.marking import Marking, named

A_SECOND = timedelta(seconds=1)


def _states(report):
    return {(item.workspace_id, item.run_date): (item.state, item.reason) for item in report.items}


def _fail(_batch):
    raise RuntimeError("as the test wants")


def _broken(**attributes):
    job = named("broken", divisible=False, **attributes)
    job.on_batch = _fail
    return job


def _ended_at(database, instant):
    """Move what has just ended to an instant of the test's clock."""
    with database.owner() as connection:
        connection.execute(
            "UPDATE batch_jobs.job_runs SET ended_at = %s WHERE ended_at > %s",
            [instant, datetime(2020, 1, 1, tzinfo=UTC)],
        )


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Auckland", date(2026, 11, 24)),
        ("Pacific/Auckland", date(2026, 9, 27)),
        ("Pacific/Auckland", date(2026, 4, 5)),
        ("Pacific/Honolulu", date(2026, 11, 23)),
        ("Africa/Cairo", date(2026, 4, 24)),
        ("America/Santiago", date(2026, 9, 6)),
    ],
)
def test_a_workspace_is_due_from_the_start_time_of_its_own_day(database, zone, day):
    found(database, ["acme"], timezone=zone)
    clock = Clock()
    engine = engine_of(database, Marking(), clock=clock)
    midnight = datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    start = datetime.combine(day, time(1), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    clock.now = midnight - A_SECOND
    assert _states(engine.due()) == {("acme", day - timedelta(days=1)): ("due", "")}
    clock.now = start - A_SECOND
    if start > midnight:
        assert _states(engine.due()) == {("acme", day): ("skipped", "before 01:00 local time")}
    clock.now = start
    assert _states(engine.due()) == {("acme", day): ("due", "")}


def test_auckland_and_honolulu_have_different_todays(database):
    found(database, ["auckland"], timezone="Pacific/Auckland")
    found(database, ["honolulu"], timezone="Pacific/Honolulu")
    engine = engine_of(database, Marking(), clock=Clock(datetime(2026, 11, 23, 11, 30, tzinfo=UTC)))
    assert _states(engine.due()) == {
        ("auckland", date(2026, 11, 24)): ("skipped", "before 01:00 local time"),
        ("honolulu", date(2026, 11, 23)): ("due", ""),
    }
    assert engine.due().summary() == "1 due, 0 waiting, 1 skipped; 1 before 01:00 local time"


def test_a_failed_run_is_due_again_after_1_5_and_25_minutes_and_then_no_more(database):
    found(database, ["acme"])
    clock = Clock()
    engine = engine_of(database, _broken(), clock=clock)
    for attempt, delay in enumerate((timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25)), 1):
        (failed,) = run(engine, "broken", ["acme"], only_due=True)
        assert (failed.status, failed.attempt) == ("failed", attempt)
        _ended_at(database, clock.now)
        clock.now += delay - A_SECOND
        assert _states(engine.due())["acme", DAY] == ("waiting", "to be tried again after a failure")
        assert run(engine, "broken", ["acme"], only_due=True) == []
        clock.now += A_SECOND
        (item,) = engine.due().due
        assert item.failures == attempt
    run(engine, "broken", ["acme"], only_due=True)
    _ended_at(database, clock.now)
    clock.now += timedelta(hours=5)
    assert _states(engine.due())["acme", DAY] == ("skipped", "failed, with no more attempts")
    clock.now += timedelta(days=1)
    assert [item.run_date for item in engine.due().due] == [DAY + timedelta(days=1)]
    assert len(RETRY_DELAYS) == 3


def test_a_failure_of_a_time_that_is_still_to_come_holds_nothing_back(database):
    found(database, ["acme"])
    clock = Clock()
    engine = engine_of(database, _broken(), clock=clock)
    run(engine, "broken", ["acme"])
    # Two machines differ a little; an hour is a clock that was put back.
    _ended_at(database, clock.now + timedelta(seconds=30))
    assert _states(engine.due())["acme", DAY] == ("waiting", "to be tried again after a failure")
    _ended_at(database, clock.now + timedelta(hours=1))
    assert _states(engine.due())["acme", DAY] == ("due", "")


def test_done_active_and_partial_runs(database):
    found(database, ["acme"])
    engine = engine_of(database, Marking())
    run(engine, "marking", ["acme"], parameters={"employee_id": "e-1"})
    run(engine, "marking", ["acme"], parameters={"dry_run": True})
    (item,) = engine.due().due
    assert item.rows == 2
    run(engine, "marking", ["acme"])
    builders.import_all(database, builders.employee("e-9"))
    assert _states(engine.due())["acme", DAY] == ("skipped", "done already")
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.job_runs "
            "(job, workspace_id, run_date, attempt, trigger, actor, dry_run, partial, worker_id) "
            "VALUES ('marking', 'acme', %s, 9, 'manual', 'test', false, false, gen_random_uuid())",
            [DAY],
        )
    # Its worker is not known, so it counts as lost at the next look.
    assert _states(engine.due())["acme", DAY] == ("skipped", "done already")
    assert rows(database, "SELECT status, message FROM batch_jobs.job_runs WHERE attempt = 9") == [
        ("failed", "worker lost")
    ]


def test_suspended_and_deleted_workspaces_are_left_out(database):
    found(database, ["acme", "beta", "zeta"])
    builders.import_all(
        database,
        *builders.of("acme", builders.event("workspace.suspended")),
        *builders.of("zeta", builders.event("workspace.deleted")),
    )
    engine = engine_of(database, Marking())
    assert [item.workspace_id for item in engine.due().items] == ["beta"]
    runs = run(engine, "marking", ["acme", "beta", "zeta"], only_due=True)
    assert [one.workspace_id for one in runs] == ["beta"]


def test_jobs_wait_for_those_before_them_directly_and_through_others(database):
    found(database, ["acme", "beta"])
    clock = Clock()
    chain = [_broken(), named("second", after=("broken",)), named("third", after=("second",))]
    engine = engine_of(database, *chain, clock=clock)

    def third(workspace_id="acme"):
        return next(
            (item.state, item.reason) for item in engine.due(["third"]).items if item.workspace_id == workspace_id
        )

    assert third() == ("waiting", "after second")
    run(engine, "second", ["acme"])
    assert third() == ("waiting", "after broken")
    assert third("beta") == ("waiting", "after second")
    for _ in range(4):
        run(engine, "broken", ["acme"])
        _ended_at(database, clock.now)
        if len(rows(database, "SELECT FROM batch_jobs.job_runs WHERE job = 'broken'")) < 4:
            assert third() == ("waiting", "after broken")
    # It failed for good: what comes after goes on without it.
    assert third() == ("due", "")
    # By hand nothing is held back.
    assert run(engine, "third", ["beta"])[0].status == "completed"


def test_a_start_time_of_its_own_and_nothing_due(database):
    found(database, ["acme"])
    found(database, ["empty"], employees=0)
    engine = engine_of(database, named("late", start_time=time(12, 1)), Marking())
    assert _states(engine.due(["late"])) == {
        ("acme", DAY): ("skipped", "before 12:01 local time"),
        ("empty", DAY): ("skipped", "before 12:01 local time"),
    }
    assert _states(engine.due(["late"], run_date=DAY))["acme", DAY] == ("due", "")
    assert _states(engine.due(["marking"]))["empty", DAY] == ("skipped", "with nothing due")


def _known_since(database, day):
    with database.owner() as connection:
        connection.execute(
            "UPDATE batch_jobs.workspaces SET recorded_at = %s", [datetime(day.year, day.month, day.day, tzinfo=UTC)]
        )


_ALWAYS = """
    SELECT s.workspace_id, d.entity_id AS row_id, d.entity_id AS employee_id, s.run_date, true AS due
    FROM scope s JOIN projections.definitions d ON d.workspace_id = s.workspace_id AND d.kind = 'employee'
"""


def test_missed_dates_are_caught_up_oldest_first_and_only_once(database):
    found(database, ["acme", "beta"])
    _known_since(database, DAY - timedelta(days=3))
    clock = Clock()
    engine = engine_of(database, named("daily", catch_up_days=14), clock=clock)
    report = engine.schedule("daily")
    assert [(item.run_date - DAY).days for item in report.due if item.workspace_id == "acme"] == [-3, -2, -1, 0]
    assert [item.run_date for item in engine.due(["daily"]).due] == [DAY, DAY]
    runs = engine.run(_request("daily", report.due))
    assert [(one.workspace_id, one.run_date) for one in runs] == [
        (item.workspace_id, item.run_date) for item in report.due
    ]
    assert engine.schedule("daily").due == []
    # What is done is not looked at again, not even when somebody new would need it.
    builders.import_all(database, builders.employee("e-9"))
    clock.now += timedelta(days=1)
    assert [item.run_date for item in engine.schedule("daily").due] == [DAY + timedelta(days=1)] * 2
    cursors = rows(database, "SELECT DISTINCT checked_date FROM batch_jobs.schedule_cursors")
    assert cursors == [(DAY,)]


def test_missed_dates_go_back_no_further_than_the_job_says(database):
    found(database, ["acme"])
    _known_since(database, DAY - timedelta(days=40))
    engine = engine_of(database, named("daily", catch_up_days=14))
    report = engine.schedule("daily")
    assert [(item.run_date - DAY).days for item in report.due] == list(range(-14, 1))


def test_a_later_run_date_waits_while_an_earlier_one_is_tried_again(database):
    found(database, ["acme"])
    _known_since(database, DAY - timedelta(days=2))
    job = named("daily", catch_up_days=14, divisible=False)
    engine = engine_of(database, job)
    job.on_batch = _fail
    run(engine, "daily", ["acme"], DAY - timedelta(days=2))
    _ended_at(database, NOON)
    job.on_batch = lambda _batch: None
    assert [(item.state, item.reason) for item in engine.schedule("daily").items] == [
        ("waiting", "to be tried again after a failure"),
        ("waiting", "after an earlier run date"),
        ("waiting", "after an earlier run date"),
    ]
    assert rows(database, "SELECT FROM batch_jobs.schedule_cursors") == []


def test_missed_dates_wait_for_todays_run_of_a_job_that_does_not_catch_up(database):
    """Nobody runs that one for a day that has passed: what it could not do then would hold everything back for good."""
    found(database, ["acme", "beta"])
    _known_since(database, DAY - timedelta(days=2))
    clock = Clock()
    # As long as a change can not be applied there is always something due for every day.
    changes = named("changes", candidates=_ALWAYS)
    engine = engine_of(database, changes, named("daily", after=("changes",), catch_up_days=14), clock=clock)
    days = [DAY - timedelta(days=2), DAY - timedelta(days=1), DAY]

    def due(workspace_id):
        return [item.run_date for item in engine.schedule("daily").due if item.workspace_id == workspace_id]

    assert due("acme") == due("beta") == []
    run(engine, "changes", ["acme"])
    assert (due("acme"), due("beta")) == (days, [])
    # So does the run itself, which asks once more.
    runs = engine.run(_request("daily", [item for item in engine.schedule("daily").due if item.run_date < DAY]))
    assert [one.run_date for one in runs] == days[:2]
    # A run of such a day that somebody has started is waited for.
    run(engine, "changes", ["beta"])
    seen = []
    changes.on_batch = lambda _batch: seen.append(due("beta"))
    run(engine, "changes", ["beta"], days[1])
    assert (seen, due("beta")) == ([[days[0]]], days)


def test_before_todays_run_may_begin_missed_dates_wait_for_it(database):
    found(database, ["acme"])
    _known_since(database, DAY - timedelta(days=1))
    clock = Clock()
    late = named("late", candidates=_ALWAYS, start_time=time(12, 30))
    engine = engine_of(database, late, named("daily", after=("late",), catch_up_days=14), clock=clock)
    run(engine, "late", ["acme"])
    assert engine.schedule("daily").of("waiting")[0].reason == "after late"
    clock.now += timedelta(minutes=30)
    assert [item.run_date for item in engine.schedule("daily").due] == [DAY - timedelta(days=1), DAY]


def test_missed_dates_of_many_workspaces_take_few_statements(database):
    """One need-check a job and date, whatever the number of workspaces."""
    names = [f"w-{number:03}" for number in range(60)]
    found(database, names, employees=1)
    _known_since(database, DAY - timedelta(days=3))
    jobs = {
        job.name: job for job in (named("first", catch_up_days=3), named("next", after=("first",), catch_up_days=3))
    }
    engine_of(database).catch_up()
    with database.reader() as connection:
        question = DueQuestion(_Counting(connection), jobs, now=NOON)
        report = question.ask(["next"], missed=True)
        assert len(report.of("waiting")) == 60 * 4
        assert question._connection.statements < 25


class _Counting:
    """A connection that counts its statements."""

    def __init__(self, connection):
        self._connection = connection
        self.statements = 0

    def execute(self, *given):
        self.statements += 1
        return self._connection.execute(*given)


def _request(job, items):
    return RunRequest(
        job=job, targets=[(item.workspace_id, item.run_date) for item in items], trigger="schedule", only_due=True
    )
