"""The entries of forecasts as events come in: by examples, and against the contract read event by event."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.engine.tables import Table
from batch_jobs_tests.accrual_events import credited, expired, forecast
from batch_jobs_tests.projections.catching_up import rows, take_in
from batch_jobs_tests.projections.two_ways import two_ways

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(number) for number in range(6)]


def entries(database, workspace_id="acme"):
    return {
        row["entry_id"]: (row["amount"], row["materialized_at"])
        for row in rows(database, "accrual_forecast", workspace_id)
    }


def entry(day, kind="accrual", who="e-1", policy_id="holiday"):
    return f"{who}:{policy_id}:{kind}:{day}"


def test_a_new_forecast_replaces_what_is_due_from_its_first_day_on(database):
    take_in(database, forecast(DAYS[0], {DAYS[1]: 10, DAYS[2]: 20, DAYS[3]: 30}))
    take_in(database, forecast(DAYS[2], {DAYS[2]: 25, DAYS[4]: 45}))
    assert entries(database) == {entry(DAYS[1]): (10, None), entry(DAYS[2]): (25, None), entry(DAYS[4]): (45, None)}


def test_all_columns(database):
    take_in(database, forecast(DAYS[0], {DAYS[1]: 10}), credited(9, DAYS[1], entry_id=entry(DAYS[1])))
    (row,) = rows(database, "accrual_forecast")
    assert row == {
        "entry_id": entry(DAYS[1]),
        "employee_id": "e-1",
        "policy_id": "holiday",
        "kind": "accrual",
        "due_date": DAYS[1],
        "amount": 10,
        "materialized_at": 2,
        "year_start": FIRST,
    }


def test_what_was_materialised_stays_and_is_not_owed_again(database):
    take_in(database, forecast(DAYS[0], {DAYS[1]: 10, DAYS[2]: 0}))
    take_in(database, credited(10, DAYS[1], entry_id=entry(DAYS[1])), expired(3, DAYS[2], entry(DAYS[2], "expiry")))
    take_in(database, forecast(DAYS[0], {DAYS[1]: 99, DAYS[2]: 0, DAYS[3]: 30}))
    assert entries(database) == {
        entry(DAYS[1]): (10, 2),
        entry(DAYS[2], "expiry"): (0, 3),
        entry(DAYS[3]): (30, None),
    }


def test_a_credit_before_any_forecast_is_never_owed(database):
    take_in(database, credited(10, DAYS[1], entry_id=entry(DAYS[1])))
    take_in(database, forecast(DAYS[0], {DAYS[1]: 10, DAYS[2]: 20}))
    assert entries(database) == {entry(DAYS[2]): (20, None)}


def test_employees_and_policies_do_not_touch_each_other(database):
    """Also where their ids run into each other: employee `a` with policy `b:c`, employee `a:b` with policy `c`."""
    one, other = {"employee_id": "a", "policy_id": "b:c"}, {"employee_id": "a:b", "policy_id": "c"}
    take_in(
        database,
        forecast(DAYS[0], {DAYS[1]: 10}, **one),
        forecast(DAYS[0], {DAYS[1]: 20}, **other),
        credited(20, DAYS[1], employee_id="a:b", entry_id=f"a:b:c:accrual:{DAYS[1]}"),
    )
    found = {(row["employee_id"], row["amount"], row["materialized_at"]) for row in rows(database, "accrual_forecast")}
    assert found == {("a", 10, None), ("a:b", 20, 3)}
    take_in(database, forecast(DAYS[0], {}, **one))
    assert [row["employee_id"] for row in rows(database, "accrual_forecast")] == ["a:b"]


_day = st.sampled_from(DAYS)
_policy = st.sampled_from(["p", "q"])
_events = st.one_of(
    st.builds(
        lambda policy_id, start, due: forecast(
            start, {d: n for d, n in due.items() if d >= start}, policy_id=policy_id
        ),
        _policy,
        _day,
        st.dictionaries(_day, st.integers(0, 9), max_size=5),
    ),
    st.builds(lambda day, policy_id: credited(5, day, entry_id=entry(day, policy_id=policy_id)), _day, _policy),
    st.builds(lambda day, policy_id: expired(5, day, entry(day, "expiry", policy_id=policy_id)), _day, _policy),
    st.builds(credited, st.just(5), _day),
)
_then = st.sampled_from([(), (), ("accrual_forecast",)])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_events, _then), min_size=1, max_size=10))
def test_every_split_gives_what_the_contract_says_event_by_event(database, happened):
    split, whole = two_ways(database, happened, ["accrual_forecast"])
    assert rows(database, "accrual_forecast", split) == rows(database, "accrual_forecast", whole)
    assert entries(database, whole) == _one_by_one([event for event, _ in happened])


def _one_by_one(events):
    held: dict[str, tuple[int, int | None]] = {}
    done: set[str] = set()
    for position, event in enumerate(events, 1):
        payload = event["payload"]
        if event["type"] != "accrual.forecast_computed":
            entry_id = payload.get("entry_id")
            if entry_id in held and entry_id not in done:
                held[entry_id] = held[entry_id][0], position
            done.add(entry_id)
            continue
        first, pair = payload["computed_from"], f"e-1:{payload['policy_id']}:"
        held = {
            entry_id: value
            for entry_id, value in held.items()
            if value[1] or not entry_id.startswith(pair) or entry_id[-10:] < str(first)
        }
        held |= {one["entry_id"]: (one["amount"], None) for one in payload["entries"] if one["entry_id"] not in done}
    return held


def test_its_tables_are_named(database):
    """A rebuild replaces the tables that a projection names, and no others."""
    from batch_jobs.projections.accrual_forecast import AccrualForecast

    named: list[Table] = [AccrualForecast.table, *AccrualForecast.further_tables]
    with database.owner() as connection:
        for table in named:
            cursor = connection.execute(f"SELECT * FROM projections.{table.name}")
            assert {column.name for column in cursor.description} == {*table.key, *table.columns}
