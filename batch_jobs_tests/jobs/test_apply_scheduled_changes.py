"""What scheduled changes make of people and settings: by examples, and whatever the nights and the imports."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.jobs.apply_scheduled_changes import ApplyScheduledChanges
from batch_jobs.store.database import Database
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES, DefinedEntity
from batch_jobs_tests import builders
from batch_jobs_tests.builders import Event
from batch_jobs_tests.engine.company import digests, engine_of, rows, run

JOB = ApplyScheduledChanges.name
DAY = date(2026, 11, 20)
ZERO = {counter.name: 0 for counter in ApplyScheduledChanges.counters}
numbers = itertools.count(1)


def change(change_id: str, entity: str, entity_id: str, effective_date: date = DAY, **values: Any) -> Event:
    return builders.event(
        "change.scheduled",
        {
            "change_id": change_id,
            "entity": entity,
            "entity_id": entity_id,
            "effective_date": effective_date,
            "values": values,
        },
    )


def company(*more: Event) -> list[Event]:
    people = [*map(builders.employee, ("e-1", "e-2")), builders.employment("e-1/1"), builders.employment("e-2/1")]
    return [builders.workspace(), builders.terms(), builders.terms("t-2"), builders.unit("ou-1"), *people, *more]


@pytest.fixture
def engine(database: Database) -> Engine:
    return engine_of(database, ApplyScheduledChanges())


def apply(engine: Engine, day: date = DAY, workspace_id: str = "acme", **wishes: Any) -> JobRun:
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def versions(engine: Engine, kind: str, entity_id: str, workspace_id: str = "acme") -> dict[str, dict[str, Any]]:
    found = rows(
        engine.database,
        'SELECT valid_from::text, "values" FROM projections.definitions '
        "WHERE workspace_id = %s AND kind = %s AND entity_id = %s ORDER BY 1",
        workspace_id,
        kind,
        entity_id,
    )
    return dict(found)


def errors(engine: Engine, one: JobRun) -> list[tuple[str, ...]]:
    return rows(
        engine.database,
        "SELECT row_id, entity, entity_id, error, message FROM batch_jobs.job_run_errors WHERE job_run_id = %s "
        "ORDER BY row_id",
        one.job_run_id,
    )


def test_a_change_is_the_version_in_force_with_fields_overwritten(engine: Engine) -> None:
    builders.import_all(
        engine.database,
        *company(builders.employment("e-1/1", job_title="Smith", org_unit_id="ou-1")),
        change("c-1", "employment", "e-1/1", terms_id="t-2", job_title=None),
    )
    one = apply(engine)
    assert (one.status, one.counters) == ("completed", ZERO | {"employees_applied": 1})
    found = versions(engine, "employment", "e-1/1")
    assert list(found) == ["0001-01-01", "2026-11-20"]
    assert found["0001-01-01"]["terms_id"] == "t-1"
    assert found["2026-11-20"] == {
        "employment_id": "e-1/1",
        "employee_id": "e-1",
        "start_date": "2025-01-01",
        "terms_id": "t-2",
        "org_unit_id": "ou-1",
        "effective_date": "2026-11-20",
    }
    written = rows(
        engine.database,
        "SELECT type, event_id, employee_id, occurred_at::text FROM batch_jobs.events WHERE actor = %s "
        "ORDER BY position",
        f"job:{JOB}",
    )
    assert written == [
        (
            "employment.defined",
            deterministic_event_id("acme", JOB, "c-1", "defined"),
            "e-1",
            "2026-11-20 00:00:00+00",
        ),
        ("change.applied", deterministic_event_id("acme", JOB, "c-1", "applied"), None, "2026-11-20 00:00:00+00"),
    ]


def test_three_changes_of_one_entity_in_one_night_build_on_each_other(engine: Engine) -> None:
    builders.import_all(
        engine.database,
        *company(),
        change("c-1", "employee", "e-1", DAY, name="Eva"),
        change("c-2", "employee", "e-1", DAY - timedelta(days=5), email="ada@acme.example", name="Ada"),
        change("c-3", "employee", "e-1", DAY, preferred_name="E"),
    )
    assert apply(engine).counters["employees_applied"] == 3
    found = versions(engine, "employee", "e-1")
    assert found["2026-11-15"] == {
        "employee_id": "e-1",
        "name": "Ada",
        "email": "ada@acme.example",
        "effective_date": "2026-11-15",
    }
    assert found["2026-11-20"] == {
        "employee_id": "e-1",
        "name": "Eva",
        "preferred_name": "E",
        "email": "ada@acme.example",
        "effective_date": "2026-11-20",
    }


def test_a_later_version_stays_as_it_is(engine: Engine) -> None:
    later = builders.unit("ou-1", name="Later", since=DAY + timedelta(days=10))
    builders.import_all(engine.database, *company(later), change("c-1", "org_unit", "ou-1", head_id="e-1"))
    assert apply(engine).counters["org_units_applied"] == 1
    found = versions(engine, "org_unit", "ou-1")
    assert found["2026-11-20"]["head_id"] == "e-1"
    assert (found["2026-11-30"]["name"], found["2026-11-30"].get("head_id")) == ("Later", None)


def test_what_is_not_due_cancelled_or_replaced_does_not_happen(engine: Engine) -> None:
    builders.import_all(
        engine.database,
        *company(),
        change("c-1", "employee", "e-1", DAY + timedelta(days=1), name="Tomorrow"),
        change("c-2", "employee", "e-1", name="Cancelled"),
        builders.event("change.cancelled", {"change_id": "c-2"}),
        change("c-3", "employee", "e-2", name="Replaced"),
        change("c-3", "employee", "e-2", name="Eva"),
    )
    assert [(item.state, item.rows) for item in engine.due(run_date=DAY).items] == [("due", 1)]
    assert apply(engine).counters["employees_applied"] == 1
    assert list(versions(engine, "employee", "e-1")) == ["0001-01-01"]
    assert versions(engine, "employee", "e-2")["2026-11-20"]["name"] == "Eva"
    idle = apply(engine)
    assert idle.counters["skipped_reason"] == "no scheduled change has its effective date by then"


def test_what_an_earlier_change_made_counts_for_later_ones(engine: Engine) -> None:
    """The second change is valid only on what the first one made."""
    builders.import_all(
        engine.database,
        *company(),
        change("c-2", "employment_terms", "t-1", DAY, name=None),
        change("c-1", "employment_terms", "t-1", DAY, approval_period="weekly"),
        change("c-3", "employment_terms", "t-1", DAY, norm=builders.OFFICE_HOURS * 2),
    )
    one = apply(engine)
    assert one.counters == ZERO | {"employment_terms_applied": 2, "employment_terms_failed": 1}
    in_force = versions(engine, "employment_terms", "t-1")["2026-11-20"]
    assert (in_force["name"], in_force["approval_period"], len(in_force["norm"])) == ("t-1", "weekly", 2)


@pytest.mark.parametrize(
    ("bad", "counter", "kind", "message"),
    [
        (
            change("c-1", "employment", "e-1/1", terms_id="t-9"),
            "employees_failed",
            "undefined_reference",
            'change "c-1": employment e-1/1: terms_id "t-9" is not defined in workspace "acme"; '
            "import its employment_terms.defined first",
        ),
        (
            change("c-1", "employment", "e-9/1", terms_id="t-2"),
            "employees_failed",
            "invalid_change",
            'change "c-1": employment "e-9/1" is not defined; import its employment.defined first',
        ),
        (
            change("c-1", "employment_terms", "t-1", time_off_policy_ids=["p-1"]),
            "employment_terms_failed",
            "undefined_reference",
            'change "c-1": employment_terms t-1: time_off_policy_ids "p-1" is not defined in workspace "acme"; '
            "import its time_off_policy.defined first",
        ),
        (
            change("c-1", "employment_terms", "t-1", norm=[[2000, 0, 0, 0, 0, 0, 0]]),
            "employment_terms_failed",
            "invalid_change",
            'change "c-1": employment_terms.defined: payload.norm[0][0] is 2000; '
            "expected a whole number of minutes, 0 to 1440",
        ),
        (
            change("c-1", "employment", "e-1/1", terms_id=5, org_unit_id=[7], manager_id={"id": "e-2"}),
            "employees_failed",
            "invalid_change",
            None,
        ),
        (change("c-1", "employee", "e-1", shoe_size=44), "employees_failed", "invalid_change", None),
        (change("c-1", "employee", "e-1", employee_id="e-2"), "employees_failed", "invalid_change", None),
        (change("c-1", "work_time_policy", "w-1", name="X"), "work_time_policies_failed", "invalid_change", None),
        (change("c-1", "time_off_policy", "p-1", name="X"), "timeoff_policies_failed", "invalid_change", None),
        (change("c-1", "allowance_policy", "p-1", name="X"), "allowance_policies_failed", "invalid_change", None),
        (change("c-1", "org_unit", "ou-1", parent_id="ou-9"), "org_units_failed", "undefined_reference", None),
    ],
)
def test_what_can_not_be_applied_stays_scheduled_and_stops_nothing(
    engine: Engine, bad: Event, counter: str, kind: str, message: str | None
) -> None:
    good = [change("c-0", "employee", "e-2", name="Before"), change("c-2", "employee", "e-2", email="e@acme.example")]
    builders.import_all(engine.database, *company(), good[0], bad, good[1])
    one = apply(engine)
    assert (one.status, one.counters) == ("warning", ZERO | {"employees_applied": 2, counter: 1})
    ((row_id, entity, _, error, said),) = errors(engine, one)
    assert (row_id, entity, error) == ("c-1", bad["payload"]["entity"], kind)
    assert said.startswith('change "c-1": ')
    if message:
        assert said == message
    # Due again the next night, until somebody mends or cancels it.
    assert [item.rows for item in engine.due(run_date=DAY + timedelta(days=1)).due] == [1]
    builders.import_all(engine.database, builders.event("change.cancelled", {"change_id": "c-1"}))
    assert engine.due(run_date=DAY + timedelta(days=1)).due == []


def test_the_log_tells_where_a_fault_of_the_code_came_from(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(DefinedEntity):
        @property
        def id_field(self) -> str:  # type: ignore[override]
            raise ZeroDivisionError("at postgresql://ann:s3cret@db.example/time")

    changes = [change(f"c-{number}", "employee", f"e-{number}", name="X") for number in (1, 2)]
    builders.import_all(engine.database, *company(*changes))
    monkeypatch.setitem(DEFINED_ENTITIES, "employee.defined", Faulty(*DEFINED_ENTITIES["employee.defined"]))
    one = apply(engine)
    assert [(row[0], row[3], row[4]) for row in errors(engine, one)] == [
        (name, "ZeroDivisionError", f'change "{name}" can not be applied: at postgresql://ann:***@db.example/time')
        for name in ("c-1", "c-2")
    ]
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith('change "c-1" of acme can not be applied')
    assert "in id_field" in said
    assert "s3cret" not in said


def test_a_mended_change_is_applied_under_its_own_date(engine: Engine) -> None:
    builders.import_all(engine.database, *company(), change("c-1", "employment", "e-1/1", terms_id="t-9"))
    first = apply(engine)
    builders.import_all(engine.database, builders.terms("t-9"))
    (second,) = engine.retry(first.job_run_id, actor="user:anna")
    assert (second.status, second.counters["employees_applied"]) == ("completed", 1)
    assert versions(engine, "employment", "e-1/1")["2026-11-20"]["terms_id"] == "t-9"


def test_a_removed_employee_is_not_defined(engine: Engine) -> None:
    builders.import_all(
        engine.database,
        *company(builders.removed("e-2")),
        change("c-1", "employee", "e-2", name="Ghost"),
        change("c-2", "org_unit", "ou-1", head_id="e-2"),
    )
    assert apply(engine).counters == ZERO | {"employees_failed": 1, "org_units_failed": 1}


def test_a_circle_of_org_units_is_taken_as_an_import_takes_it(engine: Engine) -> None:
    member = builders.employment("e-1/1", org_unit_id="ou-1")
    builders.import_all(
        engine.database,
        *company(builders.unit("ou-2", "ou-1"), member),
        change("c-1", "org_unit", "ou-1", parent_id="ou-2"),
    )
    assert apply(engine).counters["org_units_applied"] == 1
    ((path,),) = rows(engine.database, "SELECT org_path FROM projections.employee_directory WHERE employee_id = 'e-1'")
    assert sorted(path) == ["ou-1", "ou-2"]


def test_a_change_of_the_approval_period_cuts_the_employment_periods(engine: Engine) -> None:
    builders.import_all(engine.database, *company(), change("c-1", "employment_terms", "t-1", approval_period="weekly"))
    apply(engine)
    found = rows(
        engine.database,
        "SELECT valid_to::text, approval_period FROM projections.employment_periods WHERE employee_id = 'e-1' "
        "ORDER BY valid_from",
    )
    assert found == [("2026-11-19", "monthly"), (None, "weekly")]


def test_an_applied_change_scheduled_again_does_not_happen_twice(engine: Engine) -> None:
    builders.import_all(engine.database, *company(), change("c-1", "employee", "e-1", name="Eva"))
    apply(engine)
    builders.import_all(engine.database, change("c-1", "employee", "e-1", name="Ida"))
    assert engine.due(run_date=DAY).due == []
    assert versions(engine, "employee", "e-1")["2026-11-20"]["name"] == "Eva"


def test_a_dry_run_tells_and_changes_nothing(engine: Engine) -> None:
    builders.import_all(
        engine.database,
        *company(),
        change("c-1", "employee", "e-1", name="Eva"),
        change("c-2", "employee", "e-9", name="Ghost"),
    )
    engine.catch_up()
    before = digests(engine.database)
    dry = apply(engine, parameters={"dry_run": True})
    assert digests(engine.database) == before
    assert [row["type"] for row in dry.plan or ()] == ["employee.defined", "change.applied"]
    assert apply(engine).counters == dry.counters


def test_other_workspaces_keep_their_changes(engine: Engine) -> None:
    for name in ("acme", "zeta"):
        builders.import_all(
            engine.database, *builders.of(name, *company(), change("c-1", "employee", "e-1", name="Eva"))
        )
    engine.catch_up()
    apply(engine)
    assert list(versions(engine, "employee", "e-1", "zeta")) == ["0001-01-01"]
    assert [item.workspace_id for item in engine.due(run_date=DAY).due] == ["zeta"]


@pytest.fixture(scope="module")
def shared_engine(shared: Database) -> Engine:
    """The engine on a database for all examples; each has workspaces of its own."""
    return engine_of(shared, ApplyScheduledChanges())


wishes = st.one_of(
    st.tuples(st.just("employee"), st.sampled_from(["e-1", "e-9"]), st.fixed_dictionaries({"name": st.text("ab")})),
    st.tuples(
        st.just("employment"),
        st.just("e-1/1"),
        st.fixed_dictionaries(
            {"terms_id": st.sampled_from(["t-1", "t-2", "t-9"])}, optional={"job_title": st.sampled_from([None, "S"])}
        ),
    ),
    st.tuples(
        st.just("org_unit"), st.just("ou-1"), st.fixed_dictionaries({"head_id": st.sampled_from(["e-2", None, "e-8"])})
    ),
)
plans = st.lists(st.tuples(wishes, st.integers(-3, 12)), min_size=1, max_size=6)
_OUTCOME = (
    'SELECT kind, entity_id, valid_from, "values" FROM projections.definitions WHERE workspace_id = %s ORDER BY 1, 2, 3'
)
_STATES = "SELECT change_id, state FROM projections.scheduled_changes WHERE workspace_id = %s ORDER BY 1"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans, st.randoms(use_true_random=False))
def test_nights_one_by_one_and_all_at_once_end_the_same(shared_engine: Engine, plan: list[Any], random: Any) -> None:
    """Also when the definitions come in another order, and when each night is run twice."""
    number = next(numbers)
    nightly, once = f"nightly-{number}", f"once-{number}"
    changes = [
        change(f"c-{place}", entity, entity_id, DAY + timedelta(days=days), **values)
        for place, ((entity, entity_id, values), days) in enumerate(plan)
    ]
    shuffled = company()[1:]
    random.shuffle(shuffled)
    builders.import_all(shared_engine.database, *builders.of(nightly, *company(), *changes))
    builders.import_all(shared_engine.database, *builders.of(once, company()[0], *shuffled, *changes))
    last = DAY + timedelta(days=12)
    apply(shared_engine, last, once)
    for days in range(13):
        apply(shared_engine, DAY + timedelta(days=days), nightly)
    found = [rows(shared_engine.database, sql, once) for sql in (_OUTCOME, _STATES)]
    assert [rows(shared_engine.database, sql, nightly) for sql in (_OUTCOME, _STATES)] == found
    before = digests(shared_engine.database)
    apply(shared_engine, last, once)
    assert digests(shared_engine.database) == before
