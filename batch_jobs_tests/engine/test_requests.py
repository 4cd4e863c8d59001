"""Runs by hand: what is refused, what a dry run, a replay and a retry do, and what `employee_id` and units reach."""

from datetime import date, timedelta

import pytest
from pydantic import model_validator

from batch_jobs.engine.admission import admit_days
from batch_jobs.engine.requests import RunRequest, read_parameters
from batch_jobs.errors import BadInputError
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import DAY, LEDGER, digests, engine_of, found, marked, rows, run
from batch_jobs_tests.engine.marking import Choices, Marking

TOMORROW = DAY + timedelta(days=1)


def _refusing(*names):
    def refuse(batch, row):
        if row.employee_id in names:
            batch.error(row, entity="employee", entity_id=row.employee_id, error="bad", message="as the test wants")

    return refuse


def test_a_second_night_changes_nothing(database):
    found(database, ["acme", "beta"])
    engine = engine_of(database, Marking())
    run(engine, "marking", ["acme", "beta"])
    before = digests(database)
    again = run(engine, "marking", ["acme", "beta"])
    assert digests(database) == before
    assert [(one.status, one.attempt, one.counters) for one in again] == [
        ("completed", 2, {"marked": 0, "errors": 0, "skipped_reason": "nothing is due"})
    ] * 2


def test_digests_see_a_changed_row(database):
    found(database, ["acme"])
    engine_of(database).catch_up()
    before = digests(database)
    with database.owner() as connection:
        connection.execute("UPDATE projections.employee_directory SET name = 'x' WHERE employee_id = 'e-2'")
    changed = digests(database)
    assert [name for name in before if before[name] != changed[name]] == ["projections.employee_directory"]


@pytest.mark.parametrize("chunk_rows", [4, 10_000])
def test_a_dry_run_is_a_real_run_undone(database, chunk_rows):
    found(database, ["acme"], employees=2)
    found(database, ["beta"], employees=130)
    engine = engine_of(database, Marking(_refusing("e-2")), chunk_rows=chunk_rows)
    engine.catch_up()
    before = digests(database)
    dry = run(engine, "marking", ["acme", "beta"], parameters={"dry_run": True})
    assert digests(database) == before
    assert [len(one.plan) for one in dry] == [1, 100]
    real = run(engine, "marking", ["acme", "beta"])
    assert [(one.status, one.counters, one.errors) for one in dry] == [
        (one.status, one.counters, one.errors) for one in real
    ]
    assert real[0].plan is None
    assert "plan" not in real[0].as_json()
    planned = {(row["event_id"], row["type"], str(row["payload"])) for one in dry for row in one.plan}
    written = rows(database, "SELECT event_id::text, type, payload FROM batch_jobs.events WHERE actor = 'job:marking'")
    assert planned <= {(event_id, event_type, str(payload)) for event_id, event_type, payload in written}


def test_future_run_dates_are_refused_unless_they_are_meant(database):
    found(database, ["acme"])
    engine = engine_of(database, Marking())
    with pytest.raises(BadInputError, match=f'{TOMORROW} is after today, {DAY}, in workspace "acme".*--allow-future'):
        run(engine, "marking", ["acme"], TOMORROW)
    assert rows(database, "SELECT FROM batch_jobs.job_runs") == []
    asked = [("acme", DAY), ("acme", TOMORROW), ("nobody", DAY)]
    found_refused = engine.refused(Marking(), asked, future=False)
    assert list(found_refused) == asked[1:]
    assert f"{TOMORROW} is after today" in found_refused["acme", TOMORROW]
    assert list(engine.refused(Marking(), asked, future=True)) == asked[2:]
    assert run(engine, "marking", ["acme"], TOMORROW, parameters={"dry_run": True})[0].status == "completed"
    (real,) = run(engine, "marking", ["acme"], TOMORROW, allow_future=True)
    assert real.status == "completed"
    assert engine.replay(real.job_run_id, actor="user:anna")[0].run_date == TOMORROW


def test_workspaces_that_do_not_run_are_refused_by_name(database):
    found(database, ["acme", "beta"])
    builders.import_all(database, *builders.of("beta", builders.event("workspace.suspended")))
    builders.import_all(database, *builders.of("vague", builders.terms()))
    engine = engine_of(database, Marking())
    for name, text in [
        ("beta", 'workspace "beta" is suspended'),
        ("vague", 'workspace "vague" has no workspace.created event'),
        ("acmee", '"acmee"'),
    ]:
        with pytest.raises(BadInputError, match=text):
            run(engine, "marking", ["acme", name])
    builders.import_all(database, *builders.of("beta", builders.event("workspace.deleted")))
    with pytest.raises(BadInputError, match='workspace "beta" is deleted'):
        run(engine, "marking", ["beta"])
    assert marked(database) == set()


class Bounded(Choices):
    @model_validator(mode="after")
    def _check(self):
        if self.times > 9:
            raise ValueError("times must be at most 9")
        return self


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"dry": True}, 'marking has no parameter "dry"; expected one of: dry_run'),
        ({"times": "many"}, 'marking: parameter times is "many"; input should be a valid integer'),
        ({"dry_run": "perhaps"}, 'parameter dry_run is "perhaps"; input should be a valid boolean'),
        ({"times": "10"}, "marking: value error, times must be at most 9"),
    ],
)
def test_parameters_that_do_not_fit_are_named(values, text):
    job = Marking()
    job.parameters = Bounded
    with pytest.raises(BadInputError) as refused:
        read_parameters(job, values)
    assert text in str(refused.value)
    assert read_parameters(job, {"times": "3", "dry_run": "true"}) == Bounded(times=3, dry_run=True)


def test_an_unknown_job_is_named_with_what_comes_close(database):
    with pytest.raises(BadInputError, match='job "markin" is not known; expected one of: marking'):
        run(engine_of(database, Marking()), "markin", ["acme"])


def test_an_employee_is_all_that_is_touched(database):
    found(database, ["acme", "beta"])
    builders.import_all(database, builders.employee("e-9"))
    engine = engine_of(database, Marking())
    acme, beta = run(engine, "marking", ["acme", "beta"], parameters={"employee_id": "e-9"})
    assert marked(database) == {("acme", "e-9")}
    assert acme.counters == {"marked": 1, "errors": 0}
    assert beta.counters["skipped_reason"] == 'nothing is due for employee "e-9"'
    with pytest.raises(BadInputError, match='employee "e-7" is not defined in workspace acme; check the id'):
        run(engine, "marking", ["acme"], parameters={"employee_id": "e-7"})


def test_a_unit_is_those_who_belong_to_it_on_each_run_date(database):
    yesterday = DAY - timedelta(days=1)
    found(database, ["acme"], employees=4)
    builders.import_all(
        database,
        builders.unit("north"),
        builders.unit("oslo", "north"),
        builders.employment("e-1/1", org_unit_id="north"),
        builders.employment("e-2/1", org_unit_id="oslo"),
        # Moves into the unit on the second of the two run dates.
        builders.employment("e-3/1", org_unit_id="oslo", since=DAY),
        builders.employment("e-4/1", end=date(2026, 1, 1), org_unit_id="oslo"),
    )
    engine = engine_of(database, Marking())
    runs = engine.run(
        RunRequest(job="marking", targets=[("acme", DAY), ("acme", yesterday)], parameters={"org_unit_id": "north"})
    )
    assert [(one.run_date, one.counters["marked"]) for one in runs] == [(yesterday, 2), (DAY, 3)]
    with pytest.raises(BadInputError, match='org unit "south" is not defined'):
        run(engine, "marking", ["acme"], parameters={"org_unit_id": "south"})


def test_replay_repeats_job_workspace_run_date_and_parameters(database):
    found(database, ["acme"])
    engine = engine_of(database, Marking())
    (first,) = run(
        engine, "marking", ["acme"], DAY - timedelta(days=3), parameters={"employee_id": "e-2", "times": "2"}
    )
    (again,) = engine.replay(first.job_run_id[:8], actor="user:anna")
    assert (again.job, again.workspace_id, again.run_date, again.params) == (
        first.job,
        first.workspace_id,
        first.run_date,
        {"employee_id": "e-2", "times": 2},
    )
    assert (again.trigger, again.actor, again.replay_of, again.attempt) == ("replay", "user:anna", first.job_run_id, 2)


def test_retry_does_the_failed_rows_alone(database):
    found(database, ["acme"], employees=6)
    job = Marking(_refusing("e-2", "e-5"))
    engine = engine_of(database, job)
    (first,) = run(engine, "marking", ["acme"])
    builders.import_all(database, builders.employee("e-9"))
    job.on_row = _refusing("e-5")
    (second,) = engine.retry(first.job_run_id, actor="user:anna")
    assert (second.status, second.counters, second.trigger) == ("warning", {"marked": 1, "errors": 1}, "retry")
    assert ("acme", "e-9") not in marked(database)
    job.on_row = _refusing()
    (third,) = engine.retry(second.job_run_id, actor="user:anna")
    assert (third.status, third.counters["marked"]) == ("completed", 1)
    assert marked(database) == {("acme", f"e-{number}") for number in range(1, 7)}
    with pytest.raises(BadInputError, match="is completed and has no failed rows to retry"):
        engine.retry(third.job_run_id, actor="user:anna")


def test_retry_of_a_failed_run_does_all_of_it(database):
    found(database, ["acme"])
    job = Marking()
    job.divisible = False
    job.on_row = lambda _batch, _row: 1 / 0
    engine = engine_of(database, job)
    (first,) = run(engine, "marking", ["acme"])
    assert (first.status, first.message) == ("failed", "ZeroDivisionError: division by zero")
    job.on_row = lambda _batch, _row: None
    (second,) = engine.retry(first.job_run_id, actor="user:anna")
    assert (second.status, second.counters["marked"]) == ("completed", 3)


def test_a_retry_that_failed_is_retried_for_its_rows_alone(database):
    found(database, ["acme"])
    job = Marking(_refusing("e-2"))
    job.divisible = False
    engine = engine_of(database, job)
    (first,) = run(engine, "marking", ["acme"])
    builders.import_all(database, builders.employee("e-9"))
    job.on_row = lambda _batch, _row: 1 / 0
    (second,) = engine.retry(first.job_run_id, actor="user:anna")
    assert second.status == "failed"
    job.on_row = lambda _batch, _row: None
    (third,) = engine.retry(second.job_run_id, actor="user:anna")
    assert (third.status, third.counters["marked"], third.replay_of) == ("completed", 1, first.job_run_id)


def test_job_runs_are_found_by_the_beginning_of_their_id(database):
    names = [f"w-{number:02}" for number in range(20)]
    found(database, names, employees=0)
    engine = engine_of(database, Marking())
    ids = [one.job_run_id for one in run(engine, "marking", names)]
    assert engine.find(ids[0][:12].upper()).job_run_id == ids[0]
    # Of 20 ids two begin with the same of 16 digits.
    digit = next(first for first in "0123456789abcdef" if sum(one.startswith(first) for one in ids) > 1)
    with pytest.raises(BadInputError, match="several job runs begin with"):
        engine.find(digit)
    unused = next(f"{number:03x}" for number in range(4096) if not any(one.startswith(f"{number:03x}") for one in ids))
    for text in (unused, ids[0] + "0", "----"):
        with pytest.raises(BadInputError, match="there is no job run"):
            engine.find(text)
    for text in ("", "not an id", "' OR true"):
        with pytest.raises(BadInputError, match="is no job run id"):
            engine.find(text)


def test_every_column_of_the_ledger_is_filled(database):
    found(database, ["acme"])
    (one,) = run(
        engine_of(database, Marking()),
        "marking",
        ["acme"],
        trigger="backfill",
        actor="user:anna",
        dagster_run_id="d-1",
        parameters={"times": 3},
    )
    told = one.as_json()
    assert list(told) == [
        "job_run_id",
        "job",
        "workspace_id",
        "run_date",
        "attempt",
        "status",
        "trigger",
        "actor",
        "params",
        "counters",
        "errors",
        "message",
        "queued_at",
        "started_at",
        "ended_at",
        "dagster_run_id",
        "replay_of",
    ]
    assert (told["trigger"], told["actor"], told["dagster_run_id"], told["params"]) == (
        "backfill",
        "user:anna",
        "d-1",
        {"times": 3},
    )
    assert told["queued_at"] <= told["started_at"] <= told["ended_at"]
    assert one.duration_seconds >= 0
    assert "batch_jobs.job_runs" in LEDGER


def test_a_day_that_begins_before_the_calendar_is_refused() -> None:
    with pytest.raises(BadInputError, match="run date 0001-01-01: expected 0001-01-02 or a later day"):
        admit_days([date(1, 1, 1)])
    admit_days([date(1, 1, 2), date.max])
