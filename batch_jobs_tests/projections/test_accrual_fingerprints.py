"""What forecasts depend on, as events come in: always what the rule says, whatever way the events came."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.projections.workforces import load_workforces
from batch_jobs.rules.accrual.forecast import Accruals
from batch_jobs.rules.definitions import ALL_KINDS
from batch_jobs.rules.errors import RuleError
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import time_off_policy
from batch_jobs_tests.accrual_events import DANISH, MONTHLY, YEARLY, carrying, company, forecast
from batch_jobs_tests.projections.catching_up import rows, take_in
from batch_jobs_tests.projections.two_ways import two_ways

HIRED, LEFT = date(2025, 1, 1), date(2026, 3, 31)


def found(database, workspace_id="acme"):
    return {(row["employee_id"], row["policy_id"]): row for row in rows(database, "accrual_fingerprints", workspace_id)}


def test_every_policy_that_ever_accrued_has_a_row(database):
    take_in(
        database,
        *company(MONTHLY, HIRED, LEFT),
        time_off_policy("plain", account_id="days"),
        time_off_policy("care", accrual=YEARLY),
        carrying("holiday", "plain", "undefined"),
        builders.terms("t-2", time_off_policy_ids=["care"]),
        builders.employment("e-1/2", date(2026, 6, 1), terms_id="t-2"),
    )
    until = {policy_id: row["accrues_until"] for (_, policy_id), row in found(database).items()}
    assert until == {"holiday": LEFT, "care": None, "undefined": LEFT}
    problems = {policy_id for (_, policy_id), row in found(database).items() if row["problem"] is not None}
    assert problems == {"undefined"}
    take_in(database, time_off_policy("undefined", account_id="days"))
    assert {policy_id for _, policy_id in found(database)} == {"holiday", "care"}


def test_forecasts_are_noted_beside_the_fingerprint(database):
    take_in(database, *company(MONTHLY, HIRED))
    before = found(database)["e-1", "holiday"]
    take_in(database, forecast(HIRED, {}, fingerprint="f"), forecast(LEFT, {LEFT: 5, HIRED: 3}, fingerprint="g"))
    noted = {"forecast_fingerprint": "g", "computed_from": LEFT, "horizon_end": date(2028, 3, 1)}
    assert found(database) == {("e-1", "holiday"): before | noted | {"last_due_date": LEFT, "position": 9}}
    take_in(database, carrying())
    row = found(database)["e-1", "holiday"]
    assert (row["accrues_until"], row["position"]) == (date.min, 9)
    assert row["fingerprint"] != before["fingerprint"]


def test_a_policy_without_forecast_leaves_no_row_behind(database):
    take_in(database, *company(MONTHLY, HIRED))
    take_in(database, carrying())
    assert found(database) == {}


def test_someone_removed_keeps_the_forecast_only(database):
    take_in(database, *company(MONTHLY, HIRED), forecast(HIRED, {}))
    take_in(database, builders.removed("e-1"))
    row = found(database)["e-1", "holiday"]
    assert (row["fingerprint"], row["problem"], row["position"]) == (None, None, 8)


def test_a_forecast_for_what_is_on_no_terms_or_not_defined(database):
    take_in(database, *company(None, HIRED), forecast(HIRED, {}), forecast(HIRED, {}, policy_id="gone"))
    row = found(database)["e-1", "holiday"]
    assert (row["accrues_until"], row["problem"], len(row["fingerprint"])) == (date.min, None, 64)
    assert found(database)["e-1", "gone"]["problem"].startswith('time-off policy "gone" is not defined')


def test_the_problem_is_told_and_goes_when_mended(database):
    plan = MONTHLY | {"prorate_hours": True}
    take_in(database, *company(plan, HIRED), builders.employment("e-1/0", HIRED, LEFT, terms_id="t-9"))
    take_in(database, builders.employment("e-1/0", date(2020, 1, 1), date(2020, 2, 1), terms_id="t-9"))
    row = found(database)["e-1", "holiday"]
    assert (row["fingerprint"], 'terms_id "t-9" is not defined' in row["problem"]) == (None, True)
    take_in(database, builders.terms("t-9"))
    row = found(database)["e-1", "holiday"]
    assert (len(row["fingerprint"]), row["problem"]) == (64, None)


_day = st.sampled_from([HIRED + timedelta(number) for number in (0, 40, 200, 400)])
_since = st.none() | _day
_who = st.sampled_from(["e-1", "e-2"])
_plan = st.sampled_from([None, MONTHLY | {"prorate_hours": True}, YEARLY, DANISH])
_events = st.one_of(
    st.builds(builders.employee, _who, since=_since),
    st.builds(builders.removed, _who),
    st.builds(
        lambda name, who, start, end, since, terms_id: builders.employment(
            name, start, end, since=since, employee_id=who, terms_id=terms_id
        ),
        st.sampled_from(["e-1/1", "e-2/1"]),
        _who,
        _day,
        st.none() | _day,
        _since,
        st.sampled_from(["t-1", "t-9"]),
    ),
    st.builds(
        lambda policies, since, work: carrying(*policies, since=since, work_time_policy_id=work),
        st.lists(st.sampled_from(["p", "q"]), unique=True),
        _since,
        st.sampled_from([None, "w"]),
    ),
    st.builds(
        lambda since, minutes: builders.policy("w", since=since, norm=[[minutes] * 7]), _since, st.integers(1, 2)
    ),
    st.builds(
        lambda name, plan, since, lasting: time_off_policy(name, accrual=plan, since=since, **lasting),
        st.sampled_from("pq"),
        _plan,
        _since,
        st.sampled_from([{}, {"expiration": {"months_after_year_end": 36}}]),
    ),
    st.builds(
        lambda who, name, start: forecast(start, {}, employee_id=who, policy_id=name), _who, st.sampled_from("pq"), _day
    ),
)
_then = st.sampled_from([(), (), ("accrual_fingerprints",), ("definitions",)])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_events, _then), min_size=4, max_size=14))
def test_every_split_gives_what_the_rule_says(database, happened):
    happened = [
        (time_off_policy("p", accrual=MONTHLY | {"prorate_hours": True}), ()),
        (carrying("p"), ()),
        (builders.employee("e-1"), ()),
        (builders.employment("e-1/1", HIRED), ()),
        *happened,
    ]
    split, whole = two_ways(database, happened, ["accrual_fingerprints"])
    assert _renamed(found(database, split), split) == _renamed(found(database, whole), whole)
    kinds = ALL_KINDS
    with database.worker([whole]) as connection:
        workforce, removed = load_workforces(connection, {whole: None}, kinds)[whole]
    accruals, expected = Accruals(workforce), {}
    for who in {"e-1", "e-2"} - removed:
        for policy_id, until in accruals.forecast_until(who).items():
            try:
                expected[who, policy_id] = until, accruals.fingerprint(who, policy_id)
            except RuleError:
                expected[who, policy_id] = until, None
            if who not in workforce.definitions.employees:
                expected[who, policy_id] = until, None
    on_terms = {
        key: (row["accrues_until"], row["fingerprint"])
        for key, row in found(database, whole).items()
        if key in expected or row["position"] is None
    }
    assert on_terms == expected


def _renamed(rows_of, workspace_id):
    """The rows with the workspace's id taken out of the texts of problems."""
    return {
        key: row | {"problem": row["problem"] and row["problem"].replace(workspace_id, "")}
        for key, row in rows_of.items()
    }
