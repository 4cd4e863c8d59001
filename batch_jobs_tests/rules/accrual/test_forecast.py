"""What employees are credited, with worked examples from law and contracts, and against a plain second reading."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batch_jobs.rules.accrual.coverage import Covered
from batch_jobs.rules.accrual.forecast import Accruals
from batch_jobs.rules.accrual.plans import credits_of_year
from batch_jobs.rules.accrual.policy_years import year_end
from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.policies import YearlyPlan
from batch_jobs.rules.versions import Versions
from batch_jobs_tests.rules.people import employment, terms, time_off_policy, workforce

MONTHLY = {"plugin": "monthly", "annual": 2500}
YEARLY = {"plugin": "yearly", "annual": 500}
DANISH = {"plugin": "danish_vacation"}
DAYS = st.dates(date(2025, 10, 1), date(2027, 3, 31))


def on_terms(*policy_ids, **fields):
    return terms("t-1", time_off_policy_ids=list(policy_ids), **fields)


def accruals(accrual, start=date(2020, 1, 1), end=None, *more, norm=None, **fields):
    carried = on_terms("p", **({"norm": norm} if norm else {}))
    policy = time_off_policy("p", account_id="days", accrual=accrual, **fields)
    return Accruals(workforce(employment("e/1", start, end), carried, policy, *more))


def lines(of, run_date, kind="accrual", last=None):
    found = of.forecast("e", "p", run_date)
    return {
        str(entry.due_date): entry.amount
        for entry in found.entries
        if entry.kind == kind and (last is None or entry.due_date <= last)
    }


def test_a_danish_employee_from_10_march():
    """Ferieloven (LBK 152 of 20/02/2024), section 5: 2.08 days a month of employment, 0.07 a day of a part of a month,
    25 days in a whole year. 22 days of March are 1.54 days; 11 x 2.08 + 2.12 are the 25 of the first whole year.
    Section 4: the year runs from 1 September to 31 August and is spent by 31 December after it."""
    of = accruals(DANISH, date(2026, 3, 10))
    found = of.forecast("e", "p", date(2026, 3, 10))
    assert [(str(entry.due_date), entry.amount) for entry in found.entries[:6]] == [
        ("2026-03-31", 154),
        ("2026-04-30", 208),
        ("2026-05-31", 208),
        ("2026-06-30", 208),
        ("2026-07-31", 208),
        ("2026-08-31", 208),
    ]
    whole = [entry.amount for entry in found.entries if entry.year_start == date(2026, 9, 1) and entry.amount]
    assert (whole, sum(whole)) == ([208] * 11 + [212], 2500)
    assert lines(of, date(2026, 3, 10), "expiry") == {"2027-01-01": 0, "2028-01-01": 0}
    assert of.expires_on("p", date(2025, 9, 1)) == date(2026, 12, 31)
    assert found.entries[0].entry_id == "e:p:accrual:2026-03-31"


@pytest.mark.parametrize("accrual", [MONTHLY, MONTHLY | {"year_start_month": 7}, YEARLY, DANISH])
@pytest.mark.parametrize("months", [0, 11, 1200])
def test_a_forecast_ends_with_the_calendar(accrual, months):
    of = accruals(accrual, date.min, expiration={"months_after_year_end": months})
    assert of.forecast("e", "p", date(1, 1, 2)).entries
    for run_date in (date(9000, 1, 1), date(9895, 1, 1), date(9997, 6, 1)):
        assert of.forecast("e", "p", run_date).entries
    for year in range(9996, 10_000):
        assert of.forecast("e", "p", date(year, 12, 31)).horizon_end <= date.max


def test_part_of_a_danish_month_never_earns_more_than_the_month():
    """29 of 31 days are 2.03 days; 30 of 31 would be 2.10 and are 2.08."""
    assert lines(accruals(DANISH, date(2026, 3, 3)), date(2026, 3, 3))["2026-03-31"] == 203
    assert lines(accruals(DANISH, date(2026, 3, 2)), date(2026, 3, 2))["2026-03-31"] == 208


def test_2500_centidays_are_11_times_208_and_212():
    amounts = lines(accruals(MONTHLY), date(2026, 1, 1), last=date(2026, 12, 31))
    assert list(amounts.values()) == [208] * 11 + [212]


def test_2500_centidays_by_difference_to_target():
    """A twelfth is 208 1/3: the target is 208.33, 416.67, 625 and so on, each month credits what its rounding adds."""
    of = accruals(MONTHLY | {"rounding": "difference_to_target"})
    amounts = lines(of, date(2026, 1, 1), last=date(2026, 12, 31))
    assert list(amounts.values()) == [208, 209, 208] * 4


def test_a_part_timer_at_22_hours_of_37():
    """25 days at 22 of 37 hours a week (the Danish full-time week of collective agreements): 2500 x 22/37 = 1486.49;
    a month is 123.87. The mean of a two-week norm counts: 20 and 24 hours are 22."""
    of = accruals(MONTHLY | {"prorate_hours": True}, norm=[[240] * 5 + [0, 0], [288] * 5 + [0, 0]])
    amounts = list(lines(of, date(2026, 1, 1), last=date(2026, 12, 31)).values())
    assert (amounts, sum(amounts)) == ([123] * 11 + [133], 1486)
    overtime = accruals(MONTHLY | {"prorate_hours": True}, norm=[[600] * 5 + [0, 0]])
    assert sum(lines(overtime, date(2026, 1, 1), last=date(2026, 12, 31)).values()) == 2500


def test_hired_on_a_leap_day():
    """One day of the 29 of February 2028: 2500/12/29 = 7.18; 307 of the year's 366 days for a yearly plan."""
    of = accruals(MONTHLY | {"prorate_employment": True}, date(2028, 2, 29))
    assert lines(of, date(2028, 1, 1), last=date(2028, 3, 31)) == {"2028-02-29": 7, "2028-03-31": 208}
    yearly = accruals(YEARLY | {"prorate_employment": True}, date(2028, 2, 29))
    assert lines(yearly, date(2028, 1, 1), last=date(2028, 12, 31)) == {"2028-12-31": 419}
    assert floor(Fraction(500 * 307, 366) + Fraction(1, 2)) == 419


def test_entries_expire_after_the_months_that_the_policy_gives():
    of = accruals(YEARLY | {"year_start_month": 9}, expiration={"months_after_year_end": 6})
    assert lines(of, date(2026, 1, 1), "expiry") == {"2026-03-01": 0, "2027-03-01": 0}
    assert lines(of, date(2026, 3, 2), "expiry") == {"2027-03-01": 0, "2028-03-01": 0}
    assert of.expires_on("p", date(2025, 9, 1)) == date(2026, 2, 28) + timedelta(365)
    assert lines(accruals(YEARLY), date(2026, 1, 1), "expiry") == {}


def test_the_year_of_someone_who_has_left_expires_still():
    of = accruals(YEARLY, date(2020, 1, 1), date(2025, 6, 30), expiration={"months_after_year_end": 12})
    assert lines(of, date(2026, 2, 1)) == {}
    assert lines(of, date(2026, 2, 1), "expiry") == {"2027-01-01": 0}


def test_a_yearly_plan_at_the_start_of_the_year_asks_for_the_covered_day_nearest_to_it():
    plan = YEARLY | {"timing": "year_start", "prorate_hours": True}
    half = terms("t-1", norm=[[222] * 5 + [0, 0]], time_off_policy_ids=["p"])
    full = terms("t-1", since=date(2026, 8, 1), time_off_policy_ids=["p"])
    home = workforce(employment("e/1", date(2026, 4, 1)), half, full, time_off_policy("p", accrual=plan))
    assert lines(Accruals(home), date(2026, 1, 1), last=date(2027, 1, 1)) == {"2026-01-01": 250, "2027-01-01": 500}


def test_a_change_of_terms_leaves_the_months_before_it_alone():
    part_time = on_terms("p", since=date(2026, 3, 10), norm=[[222] * 5 + [0, 0]])
    before = accruals(MONTHLY | {"prorate_hours": True})
    after = Accruals(
        workforce(
            employment("e/1", date(2020, 1, 1)),
            on_terms("p"),
            part_time,
            time_off_policy("p", accrual=MONTHLY | {"prorate_hours": True}),
        )
    )
    first, then = (lines(of, date(2026, 1, 1), last=date(2026, 12, 31)) for of in (before, after))
    assert [first["2026-02-28"], then["2026-02-28"], first["2026-03-31"], then["2026-03-31"]] == [208, 208, 208, 104]
    assert sum(then.values()) == floor(Fraction(2500, 12) * (2 + 10 * Fraction(1, 2)) + Fraction(1, 2))


def test_a_new_version_of_the_policy_leaves_what_was_due_before_it_alone():
    of = accruals(MONTHLY, date(2020, 1, 1), None, time_off_policy("p", since=date(2026, 7, 1), accrual=YEARLY))
    found = lines(of, date(2026, 1, 1), last=date(2027, 12, 31))
    assert found == {**dict.fromkeys(list(found)[:6], 208), "2026-12-31": 500, "2027-12-31": 500}


AT_START = YEARLY | {"timing": "year_start"}


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        (YEARLY, AT_START, ["2025-12-31", "2026-12-31", "2027-01-01"]),
        (AT_START, YEARLY, ["2026-01-01", "2027-12-31"]),
    ],
)
def test_a_year_in_which_a_yearly_plan_changes_its_timing_is_credited_once(before, after, due):
    of = accruals(before, date(2020, 1, 1), None, time_off_policy("p", since=date(2026, 7, 1), accrual=after))
    assert list(lines(of, date(2025, 12, 31))) == due


@given(
    st.lists(st.tuples(DAYS, st.sampled_from(["year_start", "year_end"])), max_size=4),
    st.sampled_from(["year_start", "year_end"]),
    st.integers(1, 12),
)
@settings(deadline=None)
def test_a_yearly_plan_credits_each_policy_year_once_however_its_timing_changes(changes, timing, month):
    plan = YearlyPlan(annual=500, year_start_month=month)
    plans = Versions(
        [(date.min, replace(plan, timing=timing)), *((day, replace(plan, timing=then)) for day, then in changes)]
    )
    of = Covered((Period(date(2020, 1, 1), date.max),))
    for year in range(2023, 2030):
        start = date(year, month, 1)
        credits = credits_of_year(YearlyPlan, start, plans, of, lambda day: Fraction(2220))
        assert [(credit.due_date in (start, year_end(start)), credit.amount) for credit in credits] == [(True, 500)]


def test_without_the_policy_on_the_terms_nothing_is_earned():
    home = workforce(
        employment("e/1", date(2020, 1, 1)),
        on_terms("p"),
        on_terms("q", since=date(2026, 5, 1)),
        time_off_policy("p", accrual=MONTHLY),
        time_off_policy("q"),
    )
    of = Accruals(home)
    assert list(lines(of, date(2026, 3, 15))) == ["2026-03-31", "2026-04-30"]
    assert of.forecast("e", "p", date(2026, 5, 1)).entries == ()
    assert (of.policies("e", date(2026, 4, 30)), of.policies("e", date(2026, 5, 1))) == (["p"], [])
    assert of.forecast("nobody", "p", date(2026, 1, 1)).entries == ()


def test_who_has_accruing_policies():
    home = workforce(
        employment("e/1", date(2026, 1, 1), date(2026, 3, 31)),
        on_terms("p", "undefined", "plain"),
        time_off_policy("p", accrual=MONTHLY),
        time_off_policy("plain"),
    )
    of = Accruals(home)
    assert [of.policies("e", date(2026, 3, 31)), of.policies("e", date(2025, 1, 1))] == [["p"], ["p"]]
    assert of.policies("e", date(2026, 4, 1)) == []


def test_what_is_not_defined_is_named():
    home = workforce(employment("e/1", date(2026, 1, 1)), on_terms("p"))
    with pytest.raises(UndefinedReferenceError, match='time-off policy "p" is not defined in workspace "acme"'):
        Accruals(home).forecast("e", "p", date(2026, 1, 1))


def test_two_years_that_expire_on_one_day_have_entries_of_their_own():
    """The policy gave twelve months, then none: 2024 and 2025 both end with 2025."""
    of = accruals(
        YEARLY,
        date(2020, 1, 1),
        None,
        time_off_policy("p", since=date(2025, 1, 1), accrual=YEARLY, expiration={"months_after_year_end": 0}),
        expiration={"months_after_year_end": 12},
    )
    found = [entry for entry in of.forecast("e", "p", date(2025, 6, 1)).entries if entry.kind == "expiry"]
    assert [(str(entry.due_date), entry.year_start.year) for entry in found] == [
        ("2026-01-01", 2024),
        ("2026-01-02", 2025),
        ("2027-01-01", 2026),
    ]


@pytest.mark.parametrize(
    ("before", "after", "months", "expiries"),
    [
        (MONTHLY, YEARLY, 3, ["2027-04-01", "2028-04-01"]),
        (DANISH, MONTHLY | {"year_start_month": 9}, 6, ["2027-03-01", "2028-03-01"]),
        (MONTHLY | {"year_start_month": 9}, DANISH, 2, ["2027-01-01", "2028-01-01"]),
        # What never expires is not to go with the rest.
        (DANISH, MONTHLY | {"year_start_month": 9}, None, []),
    ],
)
def test_a_year_in_which_the_plan_changes_expires_once(before, after, months, expiries):
    expiration = {} if months is None else {"expiration": {"months_after_year_end": months}}
    policy = time_off_policy("p", since=date(2026, 7, 1), accrual=after, **expiration)
    of = accruals(before, date(2026, 1, 1), None, policy, **expiration)
    assert list(lines(of, date(2026, 5, 1), "expiry")) == expiries


def versions_of_a_policy():
    plan = st.sampled_from([None, MONTHLY, MONTHLY | {"year_start_month": 9}, YEARLY, AT_START, DANISH])
    months = st.sampled_from([None, 0, 3, 12])
    return st.lists(st.tuples(DAYS, plan, months), min_size=1, max_size=4)


@given(versions_of_a_policy())
@settings(deadline=None)
def test_each_year_with_a_credit_expires_once_on_the_day_after_the_one_that_its_credits_name(versions):
    policies = [
        time_off_policy(
            "p", since=since, accrual=plan, expiration=None if months is None else {"months_after_year_end": months}
        )
        for since, plan, months in versions
    ]
    of = Accruals(workforce(employment("e/1", date(2025, 1, 1)), on_terms("p"), *policies))
    found = of.forecast("e", "p", date(2025, 1, 1)).entries
    later = of.forecast("e", "p", date(2027, 1, 2)).entries
    expiries = [(entry.year_start, entry.due_date) for entry in [*found, *later] if entry.kind == "expiry"]
    assert len(expiries) == len({year_start for year_start, _ in expiries}) == len({due for _, due in expiries})
    expected = {
        entry.year_start: expires_on + timedelta(1)
        for entry in found
        if entry.kind == "accrual" and (expires_on := of.expires_on("p", entry.year_start))
    }
    for year_start, due in expected.items():
        # A day later for each other year that ends on the same day.
        assert due <= dict(expiries)[year_start] <= due + timedelta(len(expiries))


# A plain second reading of domain 3.5, for one plan, one day at a time.


def second_reading(plan, is_covered, minutes_on, start):
    """The entries of the policy year that begins on the day, as `{due: amount}`."""
    days = [start + timedelta(number) for number in range((start.replace(year=start.year + 1) - start).days)]
    by_month: dict[tuple[int, int], list[date]] = {}
    for day in days:
        by_month.setdefault((day.year, day.month), []).append(day)

    def factor(day):
        return min(Fraction(1), Fraction(minutes_on(day), 2220)) if plan.get("prorate_hours") else Fraction(1)

    found: dict[date, int] = {}
    if plan["plugin"] == "yearly":
        there = [day for day in days if is_covered(day)]
        if there:
            due = days[0] if plan["timing"] == "year_start" else days[-1]
            nearest = min(there, key=lambda day: abs((day - due).days))
            share = Fraction(len(there), len(days)) if plan["prorate_employment"] else 1
            found[due] = floor(plan["annual"] * share * factor(nearest) + Fraction(1, 2))
        return found
    sum_of_shares, whole = Fraction(0), 0
    for index, of_month in enumerate(by_month.values()):
        there = [day for day in of_month if is_covered(day)]
        whole += len(there) == len(of_month)
        if not there:
            continue
        if plan["plugin"] == "danish_vacation":
            amount = 208 if len(there) == len(of_month) else min(208, 7 * len(there))
            found[of_month[-1]] = 212 if index == 11 and whole == 12 else amount
            continue
        share = Fraction(len(there), len(of_month)) if plan["prorate_employment"] else 1
        sum_of_shares += share * factor(there[-1])
        target = Fraction(plan["annual"], 12) * sum_of_shares
        amount = floor(target + Fraction(1, 2)) - sum(found.values())
        if plan["rounding"] == "difference_on_last" and index < 11:
            amount = floor(Fraction(plan["annual"], 12) * share * factor(there[-1]))
        found[of_month[-1]] = amount
    return found


PLANS = st.one_of(
    st.fixed_dictionaries(
        {
            "plugin": st.just("monthly"),
            "annual": st.integers(0, 12000),
            "rounding": st.sampled_from(["difference_to_target", "difference_on_last"]),
            "prorate_employment": st.booleans(),
            "prorate_hours": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {
            "plugin": st.just("yearly"),
            "annual": st.integers(0, 12000),
            "timing": st.sampled_from(["year_start", "year_end"]),
            "prorate_employment": st.booleans(),
            "prorate_hours": st.booleans(),
        }
    ),
    st.just({"plugin": "danish_vacation"}),
)
SPANS = st.lists(st.tuples(DAYS, st.none() | DAYS), min_size=1, max_size=3)


@given(PLANS, st.integers(1, 12), SPANS, DAYS, st.sampled_from([0, 66, 222, 300]))
@example({"plugin": "danish_vacation"}, 9, [(date(2025, 10, 1), None)], date(2026, 1, 1), 66)
@settings(deadline=None, max_examples=60)
def test_the_contract_read_day_by_day_gives_the_same(plan, month, spans, run_date, daily):
    part_time = [[daily] * 5 + [0, 0]]
    rows = [
        employment(f"e/{number}", start, end, terms_id="t-2" if number == 1 else "t-1")
        for number, (start, end) in enumerate(spans)
    ]
    given_plan = plan if plan["plugin"] == "danish_vacation" else plan | {"year_start_month": month}
    changed = date(2026, 6, 17)
    home = workforce(
        *rows,
        terms("t-1", time_off_policy_ids=["p"]),
        terms("t-1", since=changed, time_off_policy_ids=["p"], norm=part_time),
        terms("t-2", norm=part_time),
        time_off_policy("p", accrual=given_plan, expiration={"months_after_year_end": 3}),
    )

    def is_covered(day):
        carrying = [span for number, span in enumerate(spans) if number != 1]
        return any(start <= day and (end is None or day <= end) for start, end in carrying)

    def minutes_on(day):
        covering = [
            (start, number) for number, (start, end) in enumerate(spans) if start <= day and (end is None or day <= end)
        ]
        full_time = max(covering)[1] != 1 and day < changed
        return 2220 if full_time else daily * 5

    of, horizon = Accruals(home), run_date + timedelta(730)
    forecast = of.forecast("e", "p", run_date)
    expected: dict[tuple[str, date], tuple[int, date]] = {}
    danish = plan["plugin"] == "danish_vacation"
    for year in range(2024, 2030):
        begin = 9 if danish else month
        start = date(year, begin, 1)
        credits = second_reading(plan, is_covered, minutes_on, start)
        for due, amount in credits.items():
            expected["accrual", due] = amount, start
        if credits:
            # The year ends with the day before the same month; 3 months later, or with the calendar year.
            months = year * 12 + begin - 1 + 12 + 3
            due = date(year + 2, 1, 1) if danish else date(months // 12, months % 12 + 1, 1)
            expected["expiry", due] = 0, start
    assert {(entry.kind, entry.due_date): (entry.amount, entry.year_start) for entry in forecast.entries} == {
        key: value for key, value in expected.items() if run_date <= key[1] <= horizon
    }
    assert all(entry.amount >= 0 for entry in forecast.entries)
    assert [entry.due_date for entry in forecast.entries] == sorted(entry.due_date for entry in forecast.entries)
    assert {entry.entry_id for entry in forecast.entries} == {
        f"e:p:{entry.kind}:{entry.due_date}" for entry in forecast.entries
    }


# Whoever starts in March 2027 has no whole year from February on before the forecast ends.
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.sampled_from([37, 111, 222, 444]),
    st.dates(date(2025, 10, 1), date(2027, 2, 28)),
)
@settings(deadline=None)
def test_a_year_by_difference_to_target_sums_to_the_rounded_target(annual, month, daily, start):
    plan = MONTHLY | {"annual": annual, "year_start_month": month, "rounding": "difference_to_target"}
    of = accruals(plan | {"prorate_hours": True}, start, norm=[[daily] * 5 + [0, 0]])
    forecast = of.forecast("e", "p", date(2027, 1, 1))
    by_year: dict[date, list[int]] = {}
    for entry in forecast.entries:
        by_year.setdefault(entry.year_start, []).append(entry.amount)
    whole = [sum(amounts) for year, amounts in by_year.items() if len(amounts) == 12]
    assert whole
    assert set(whole) == {floor(Fraction(annual * daily * 5, 2220) + Fraction(1, 2))}


@given(PLANS, SPANS, DAYS, st.integers(0, 400))
@settings(deadline=None)
def test_the_run_date_moves_the_window_and_nothing_else(plan, spans, run_date, later):
    home = workforce(
        *[employment(f"e/{number}", start, end) for number, (start, end) in enumerate(spans)],
        on_terms("p"),
        time_off_policy("p", accrual=plan, expiration={"months_after_year_end": 14}),
    )
    of = Accruals(home)
    first, then = of.forecast("e", "p", run_date), of.forecast("e", "p", run_date + timedelta(later))
    assert first.fingerprint == then.fingerprint
    shared = [entry for entry in first.entries if entry.due_date >= then.computed_from]
    assert shared == [entry for entry in then.entries if entry.due_date <= first.horizon_end]


@given(
    SPANS, st.lists(st.tuples(DAYS, st.booleans()), max_size=2), st.lists(st.tuples(DAYS, st.booleans()), max_size=2)
)
@example([(date(2026, 1, 1), None)], [], [])
@settings(deadline=None)
def test_the_last_run_date_on_which_a_policy_accrues(spans, carried, planned):
    """Whoever knows that day needs no rule to tell whether an employee has the policy on a run date."""
    of = Accruals(
        workforce(
            *[employment(f"e/{number}", start, end) for number, (start, end) in enumerate(spans)],
            on_terms("p", "plain", "undefined"),
            *[on_terms(*["p"] * carries, since=since) for since, carries in carried],
            time_off_policy("p", accrual=MONTHLY),
            *[time_off_policy("p", since=since, accrual=MONTHLY if plan else None) for since, plan in planned],
            time_off_policy("plain"),
        )
    )
    until = of.accrue_until("e")
    assert set(until) <= {"p"}
    first = date(2025, 9, 1)
    for day in (first + timedelta(number) for number in range(600)):
        accrues = [policy_id for policy_id, last in until.items() if last is None or last >= day]
        assert accrues == of.policies("e", day)


@given(SPANS, st.sampled_from([None, 0, 11, 12, 13, 24, 37, 120]), st.sampled_from([MONTHLY, AT_START, DANISH]))
@settings(deadline=None)
def test_a_forecast_after_the_last_day_on_which_it_is_asked_for_holds_all_that_is_to_expire(spans, months, plan):
    expiration = {} if months is None else {"expiration": {"months_after_year_end": months}}
    of = Accruals(
        workforce(
            *[employment(f"e/{number}", start, end) for number, (start, end) in enumerate(spans)],
            on_terms("p"),
            time_off_policy("p", accrual=plan, **expiration),
        )
    )
    accrues, asked = of.accrue_until("e").get("p"), of.forecast_until("e").get("p")
    if accrues is None or asked is None:
        assert accrues == asked
        return
    assert asked >= accrues
    # Who asked last when they left needs no more where a year is all that credits last.
    assert (months is not None and months > 12) or asked == accrues
    due = lines(of, asked + timedelta(1), "expiry")
    for years in range(1, 13):
        due_later = lines(of, asked + timedelta(1 + 365 * years), "expiry")
        assert due_later.keys() <= due.keys()
