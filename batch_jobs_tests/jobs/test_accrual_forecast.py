"""Who gets a forecast and what is in it: worked examples from law and contracts, and when it is due again."""

from datetime import date, timedelta

import pytest

from batch_jobs.jobs.accrual_forecast import AccrualForecast
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import account, time_off_policy
from batch_jobs_tests.accrual_events import DANISH, MONTHLY, YEARLY, carrying, company, credited
from batch_jobs_tests.engine.company import digests, engine_of, rows, run

JOB = AccrualForecast.name
DAY = date(2026, 3, 10)


class Alone(AccrualForecast):
    """The job without the one before it."""

    after = ()


@pytest.fixture
def engine(database):
    return engine_of(database, Alone())


def compute(engine, day=DAY, **wishes):
    (one,) = run(engine, JOB, ["acme"], day, allow_future=True, **wishes)
    return one


def counters(processed=0, computed=0, skipped=0, errors=0):
    return {"processed": processed, "computed": computed, "skipped": skipped, "errors": errors}


def due(engine, day):
    return {(one.workspace_id, one.rows) for one in engine.due(run_date=day).due}


def entries(engine, kind="accrual", who="e-1"):
    found = rows(
        engine.database,
        "SELECT due_date::text, amount FROM projections.accrual_forecast WHERE kind = %s AND employee_id = %s "
        "ORDER BY due_date",
        kind,
        who,
    )
    return dict(found)


def test_a_danish_employee_from_10_march(engine):
    """Ferieloven (LBK 152 of 20/02/2024), section 5: 2.08 days a month of employment, 0.07 a day of a part of one, 25
    days in a whole year; sections 4 and 21: what was earned from September to August is spent by 31 December after it.
    """
    builders.import_all(engine.database, *company(DANISH, date(2026, 3, 10)))
    assert compute(engine).counters == counters(1, 1)
    accruals = list(entries(engine).items())
    assert accruals[:2] == [("2026-03-31", 154), ("2026-04-30", 208)]
    first_whole_year = [amount for day, amount in accruals if "2026-09" <= day < "2027-09"]
    assert (first_whole_year, sum(first_whole_year)) == ([208] * 11 + [212], 2500)
    assert entries(engine, "expiry") == {"2027-01-01": 0, "2028-01-01": 0}


def test_the_event_says_it_all(engine):
    builders.import_all(engine.database, *company(YEARLY, date(2025, 1, 1), expiration={"months_after_year_end": 3}))
    compute(engine)
    ((event_id, actor, about, payload, position),) = rows(
        engine.database,
        "SELECT event_id, actor, employee_id, payload, position FROM batch_jobs.events "
        "WHERE type = 'accrual.forecast_computed'",
    )
    fingerprint = payload.pop("fingerprint")
    assert event_id == deterministic_event_id("acme", JOB, "e-1", "holiday", "2026-03-10", fingerprint, "0")
    assert (actor, about) == (f"job:{JOB}", "e-1")
    assert [
        (entry["entry_id"], entry["kind"], entry["due_date"], entry["amount"], entry["year_start"])
        for entry in payload.pop("entries")
    ] == [
        ("e-1:holiday:expiry:2026-04-01", "expiry", "2026-04-01", 0, "2025-01-01"),
        ("e-1:holiday:accrual:2026-12-31", "accrual", "2026-12-31", 500, "2026-01-01"),
        ("e-1:holiday:expiry:2027-04-01", "expiry", "2027-04-01", 0, "2026-01-01"),
        ("e-1:holiday:accrual:2027-12-31", "accrual", "2027-12-31", 500, "2027-01-01"),
    ]
    assert payload == {
        "employee_id": "e-1",
        "policy_id": "holiday",
        "computed_from": "2026-03-10",
        "horizon_end": "2028-03-09",
    }
    builders.import_all(engine.database, carrying("holiday", since=date(2026, 6, 1), name="New"))
    assert due(engine, DAY + timedelta(1)) == set()
    builders.import_all(engine.database, builders.employment("e-1/1", date(2025, 2, 1)))
    compute(engine, DAY)
    (again,) = rows(
        engine.database,
        "SELECT event_id, payload ->> 'fingerprint' FROM batch_jobs.events "
        "WHERE type = 'accrual.forecast_computed' AND position > %s",
        position,
    )
    parts = ("acme", JOB, "e-1", "holiday", "2026-03-10", again[1], str(position))
    assert again[0] == deterministic_event_id(*parts)


def test_a_part_timer_at_22_hours_of_37(engine):
    """25 days at 22 of the 37 hours of the Danish full-time week: 2500 x 22/37 = 1486.49, a month 123.87."""
    plan = MONTHLY | {"prorate_hours": True}
    events = company(plan, date(2020, 1, 1))
    part_time = carrying("holiday", norm=[[264] * 5 + [0, 0]])
    builders.import_all(engine.database, *events, part_time)
    compute(engine, date(2026, 1, 1))
    first = [amount for day, amount in entries(engine).items() if day < "2027"]
    assert (first, sum(first)) == ([123] * 11 + [133], 1486)


def test_yearly_at_the_start_and_at_the_end_of_the_year(engine):
    start = YEARLY | {"timing": "year_start", "year_start_month": 4}
    builders.import_all(
        engine.database,
        *company(YEARLY, date(2026, 3, 1)),
        time_off_policy("care", accrual=start, account_id="days"),
        carrying("holiday", "care"),
    )
    assert compute(engine).counters == counters(2, 2)
    assert list(entries(engine)) == ["2026-04-01", "2026-12-31", "2027-04-01", "2027-12-31"]


def test_hired_on_29_february(engine):
    """One of the 29 days of February 2028: 2500/12/29 is 7.18."""
    plan = MONTHLY | {"prorate_employment": True}
    builders.import_all(engine.database, *company(plan, date(2028, 2, 29)))
    compute(engine, date(2028, 2, 29))
    assert list(entries(engine).items())[:2] == [("2028-02-29", 7), ("2028-03-31", 208)]


def test_it_is_due_again_when_less_than_365_days_are_left(engine):
    builders.import_all(engine.database, *company(MONTHLY, date(2025, 1, 1)))
    compute(engine)
    last = DAY + timedelta(365)
    assert due(engine, last) == set()
    assert due(engine, last + timedelta(1)) == {("acme", 1)}
    compute(engine, last)
    before = digests(engine.database)
    assert compute(engine, last).counters == counters() | {"skipped_reason": "every forecast is up to date"}
    assert digests(engine.database) == before


@pytest.mark.parametrize(
    "change",
    [
        carrying("holiday", norm=[[222] * 5 + [0, 0]]),
        builders.policy("w", norm=[[60] * 7]),
        builders.employment("e-1/1", date(2025, 1, 2)),
        builders.employment("e-1/2", date(2026, 6, 1)),
        time_off_policy("holiday", accrual=MONTHLY | {"annual": 2600, "prorate_hours": True}, account_id="days"),
        time_off_policy("holiday", since=date(2026, 9, 1), accrual=YEARLY, account_id="days"),
    ],
    ids=["norm", "work-time policy", "retroactive start", "second employment", "plan", "plan from a day on"],
)
def test_whatever_changes_the_result_makes_it_due(engine, change):
    plan = MONTHLY | {"prorate_hours": True}
    on_policy = carrying("holiday", work_time_policy_id="w" if change["type"].startswith("work") else None)
    builders.import_all(
        engine.database, *company(plan, date(2025, 1, 1)), on_policy, builders.policy("w", norm=[[444] * 7])
    )
    compute(engine)
    builders.import_all(engine.database, change)
    again = change["payload"].get("employment_id") != "e-1/2"
    assert compute(engine).counters["computed"] == again
    assert due(engine, DAY + timedelta(1)) == set()


def test_a_retroactive_change_of_terms_replaces_what_is_still_to_come(engine):
    """Half time from 1 February on comes to light on 10 March: January is credited, February owed as it was."""
    plan = MONTHLY | {"prorate_hours": True}
    builders.import_all(engine.database, *company(plan, date(2025, 1, 1)))
    compute(engine, date(2026, 1, 1))
    january = credited(208, date(2026, 1, 31), entry_id="e-1:holiday:accrual:2026-01-31")
    half = carrying("holiday", since=date(2026, 2, 1), norm=[[222] * 5 + [0, 0]])
    builders.import_all(engine.database, january, half)
    compute(engine)
    assert list(entries(engine).values())[:4] == [208, 208, 104, 104]
    owed = rows(
        engine.database,
        "SELECT due_date::text, materialized_at FROM projections.accrual_forecast ORDER BY 1 LIMIT 3",
    )
    assert [day for day, at in owed if at is None] == ["2026-02-28", "2026-03-31"]


def test_a_policy_that_leaves_the_terms_gets_one_last_forecast_without_entries(engine):
    builders.import_all(engine.database, *company(MONTHLY, date(2025, 1, 1)))
    compute(engine, date(2026, 1, 1))
    builders.import_all(engine.database, carrying())
    assert due(engine, DAY) == {("acme", 1)}
    assert compute(engine).counters == counters(1, 1)
    # January and February were earned before, and are still owed.
    assert list(entries(engine)) == ["2026-01-31", "2026-02-28"]
    for later in (DAY + timedelta(1), DAY + timedelta(700)):
        assert due(engine, later) == set()
    (last,) = rows(engine.database, "SELECT payload -> 'entries' FROM batch_jobs.events ORDER BY position DESC LIMIT 1")
    assert last == ([],)
    assert compute(engine).counters["skipped_reason"] == "no employment terms with an accruing time-off policy"


def test_who_has_left_is_computed_once_more_so_that_what_they_have_left_expires(engine):
    """A contract until 30 June 2026, forecast until June 2027: the holiday year that ends then expires in January."""
    builders.import_all(engine.database, *company(DANISH, date(2025, 1, 1), date(2026, 10, 31)))
    compute(engine, date(2025, 11, 1))
    assert list(entries(engine, "expiry")) == ["2026-01-01", "2027-01-01"]
    assert due(engine, date(2026, 10, 31)) == set()
    assert due(engine, date(2026, 11, 1)) == {("acme", 1)}
    compute(engine, date(2026, 11, 1))
    assert list(entries(engine, "expiry")) == ["2026-01-01", "2027-01-01", "2028-01-01"]
    assert due(engine, date(2026, 11, 2)) == set()
    assert due(engine, date(2027, 12, 1)) == set()


def computed_in(engine, first, years):
    """The days on which a forecast was due and computed, of one in 30 over the years."""
    found = []
    for number in range(0, 365 * years, 30):
        day = first + timedelta(number)
        if due(engine, day):
            compute(engine, day)
            found.append(day)
    return found


def test_what_expires_more_than_two_years_after_they_left_is_seen_later(engine):
    """Left in June 2026 with credits of two years, which last for 24 months after theirs."""
    lasting = {"expiration": {"months_after_year_end": 24}}
    builders.import_all(engine.database, *company(MONTHLY, date(2025, 1, 1), date(2026, 6, 30), **lasting))
    compute(engine, date(2026, 7, 1))
    assert list(entries(engine, "expiry")) == ["2028-01-01"]
    assert len(computed_in(engine, date(2026, 7, 2), 3)) <= 2
    assert list(entries(engine, "expiry")) == ["2028-01-01", "2029-01-01"]


@pytest.mark.parametrize(
    ("months", "expected"), [(None, {}), (3, {"2027-04-01": 0}), (12, {"2028-01-01": 0}), (50, {"2031-03-01": 0})]
)
def test_a_contract_that_was_to_end_is_looked_at_until_its_expiry_is_within_sight(engine, months, expected):
    """When it ends nothing of the first forecast is to come, and what expires was too far ahead for that."""
    lasting = {} if months is None else {"expiration": {"months_after_year_end": months}}
    builders.import_all(engine.database, *company(MONTHLY, date(2026, 1, 1), date(2026, 6, 30), **lasting))
    computed = computed_in(engine, date(2025, 12, 1), 6)
    assert entries(engine, "expiry") == expected
    # Once before the end, once after it, and about once a year while more is to be seen.
    assert len(computed) <= 2 + (months or 0) // 12


def test_someone_removed_gets_nothing_new(engine):
    builders.import_all(engine.database, *company(MONTHLY, date(2025, 1, 1)))
    compute(engine)
    builders.import_all(engine.database, builders.removed("e-1"), carrying())
    assert due(engine, DAY + timedelta(1)) == set()
    assert compute(engine, parameters={"force_recompute": True}).counters["processed"] == 0
    builders.import_all(engine.database, builders.employee("e-1"))
    assert due(engine, DAY + timedelta(1)) == {("acme", 1)}


def test_force_computes_everyone_in_scope_again(engine):
    builders.import_all(
        engine.database,
        *company(MONTHLY, date(2025, 1, 1)),
        builders.employee("e-2"),
        builders.employment("e-2/1", date(2025, 1, 1)),
    )
    compute(engine)
    again = compute(engine, parameters={"force_recompute": True})
    assert again.counters == counters(2, 2)
    one = compute(engine, parameters={"force_recompute": True, "employee_id": "e-2"})
    assert one.counters == counters(1, 1)
    events = rows(engine.database, "SELECT event_id FROM batch_jobs.events WHERE type = 'accrual.forecast_computed'")
    assert len(events) == len(set(events)) == 5


def test_what_is_materialised_already_is_left_out_of_a_new_forecast(engine):
    """January was credited before its day, and by hand; another employee's credit of that day is theirs alone."""
    builders.import_all(
        engine.database,
        *company(MONTHLY, date(2025, 1, 1)),
        builders.employee("e-2"),
        builders.employment("e-2/1", date(2025, 1, 1)),
    )
    compute(engine, date(2026, 1, 1))
    paid = [
        credited(208, date(2026, month, 28), entry_id=f"e-1:holiday:accrual:2026-{month:02}-{day}")
        for month, day in ((1, 31), (3, 31))
    ]
    builders.import_all(engine.database, *paid)
    again = compute(engine, date(2026, 1, 31), parameters={"force_recompute": True})
    assert again.counters == counters(2, 2)
    found = rows(
        engine.database,
        "SELECT employee_id, jsonb_path_query_array(payload, '$.entries[0 to 2].due_date') FROM batch_jobs.events "
        "WHERE type = 'accrual.forecast_computed' AND payload ->> 'computed_from' = '2026-01-31' ORDER BY 1",
    )
    assert found == [
        ("e-1", ["2026-02-28", "2026-04-30", "2026-05-31"]),
        ("e-2", ["2026-01-31", "2026-02-28", "2026-03-31"]),
    ]
    standing = rows(
        engine.database,
        "SELECT due_date::text FROM projections.accrual_forecast "
        "WHERE employee_id = 'e-1' AND materialized_at IS NOT NULL ORDER BY 1",
    )
    assert standing == [("2026-01-31",), ("2026-03-31",)]


def test_undefined_references_are_row_errors(engine):
    """Terms of another employment are missing, so that nobody knows its hours; and an employee is."""
    plan = MONTHLY | {"prorate_hours": True}
    builders.import_all(
        engine.database,
        *company(plan, date(2025, 1, 1)),
        builders.employee("e-2"),
        builders.employment("e-2/1", date(2025, 1, 1)),
        builders.employment("e-2/2", date(2020, 1, 1), date(2024, 12, 31), terms_id="t-9"),
        builders.employment("e-3/1", date(2025, 1, 1)),
    )
    one = compute(engine)
    assert (one.status, one.counters) == ("warning", counters(3, 1, 0, 2))
    errors = rows(engine.database, "SELECT error, message FROM batch_jobs.job_run_errors ORDER BY 2")
    assert errors == [
        (
            "undefined_reference",
            'employee e-2, time-off policy "holiday": employment "e-2/2": terms_id "t-9" is not defined '
            'in workspace "acme"; import its employment_terms.defined first',
        ),
        (
            "undefined_reference",
            'employee e-3, time-off policy "holiday": employee "e-3" is not defined in workspace "acme"; '
            "import its employee.defined first",
        ),
    ]
    # Errors alone make nothing due.
    assert due(engine, DAY + timedelta(1)) == set()
    builders.import_all(engine.database, builders.terms("t-9"), builders.employee("e-3"))
    assert compute(engine).counters == counters(2, 2)


def test_a_policy_that_the_terms_misspell_is_named_when_others_are_computed(engine):
    builders.import_all(engine.database, *company(MONTHLY, date(2025, 1, 1)), carrying("holiday", "vacaton"))
    one = compute(engine)
    assert (one.status, one.counters) == ("warning", counters(2, 1, 0, 1))
    assert rows(engine.database, "SELECT error, message FROM batch_jobs.job_run_errors") == [
        (
            "undefined_reference",
            'employee e-1, time-off policy "vacaton": time-off policy "vacaton" is not defined in workspace "acme"; '
            "import its time_off_policy.defined first",
        )
    ]
    assert due(engine, DAY + timedelta(1)) == set()
    builders.import_all(engine.database, time_off_policy("vacaton", accrual=YEARLY, account_id="days"))
    assert due(engine, DAY + timedelta(1)) == {("acme", 1)}


def test_a_dry_run_counts_the_same_and_changes_nothing(engine):
    builders.import_all(engine.database, *company(MONTHLY, date(2025, 1, 1)))
    engine.catch_up(workspaces=["acme"])
    before = digests(engine.database)
    dry = compute(engine, parameters={"dry_run": True})
    assert digests(engine.database) == before
    assert dry.counters == compute(engine).counters == counters(1, 1)


def test_chunks_of_any_size_give_the_same_forecasts(database):
    def forecasts(workspace_id, chunk_rows):
        engine = engine_of(database, Alone(), chunk_rows=chunk_rows)
        people = [f"e-{number}" for number in range(2, 9)]
        events = [
            *company(MONTHLY, date(2025, 1, 1)),
            account("hours", "hours"),
            time_off_policy("care", accrual=YEARLY, account_id="hours"),
            carrying("holiday", "care"),
            *map(builders.employee, people),
            *(builders.employment(f"{who}/1", date(2025, 1, 1)) for who in people),
        ]
        builders.import_all(database, *builders.of(workspace_id, *events))
        (one,) = run(engine, JOB, [workspace_id], DAY)
        assert one.counters == counters(16, 16)
        return rows(
            database,
            "SELECT entry_id, amount, year_start FROM projections.accrual_forecast WHERE workspace_id = %s ORDER BY 1",
            workspace_id,
        )

    assert forecasts("small", 3) == forecasts("large", 1000)
