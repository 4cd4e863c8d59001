"""What of a policy year is left when it expires (domain 3.5)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.rules.accrual.expiry import Credited, Expired, Used, left_to_expire

Y1, Y2 = date(2024, 1, 1), date(2025, 1, 1)
END_1, END_2 = date(2025, 12, 31), date(2026, 12, 31)
FIRST = Credited(date(2024, 12, 31), 2500, "p", Y1, END_1)
SECOND = Credited(date(2025, 12, 31), 2500, "p", Y2, END_2)


def left(credited, used=(), expired=(), *, year_start=Y1, expiry_day=END_1, policy_id="p"):
    return left_to_expire(credited, used, expired, policy_id=policy_id, year_start=year_start, expiry_day=expiry_day)


def test_usage_is_taken_from_what_expires_first():
    forever = Credited(date(2020, 1, 1), 1000)
    assert left([SECOND, forever, FIRST], [Used(date(2025, 7, 1), 2000)]) == 500
    assert left([SECOND, forever, FIRST], [Used(date(2025, 7, 1), 4000)]) == 0


def test_usage_after_the_expiry_day_comes_too_late():
    assert left([FIRST], [Used(END_1, 100), Used(END_1 + timedelta(1), 100)]) == 2400


def test_an_adjustment_down_is_usage():
    assert left([FIRST, Credited(date(2025, 5, 1), -300, "p")]) == 2200
    assert left([FIRST, Credited(date(2026, 1, 1), -300, "p")]) == 2500


def test_of_two_policies_that_expire_on_one_day_the_older_credit_goes_first():
    older = Credited(date(2024, 6, 30), 500, "q", Y1, END_1)
    assert left([FIRST, older], [Used(date(2025, 7, 1), 600)]) == 2400
    assert left([FIRST, older], [Used(date(2025, 7, 1), 200)], policy_id="q") == 300


def test_usage_of_a_later_year_is_not_taken_from_what_has_expired():
    used = [Used(date(2025, 7, 1), 500), Used(date(2026, 7, 1), 1500)]
    gone = Expired(END_1 + timedelta(1), 2000, "p")
    assert left([FIRST, SECOND], used) == 2000
    assert left([FIRST, SECOND], used, [gone], year_start=Y2, expiry_day=END_2) == 1000


def test_what_expired_comes_off_its_year_also_when_its_credits_were_to_expire_later():
    """Twelve months when it was credited, three since: 2024 expired in full on 1 April 2025."""
    first, second = FIRST._replace(expires_on=END_1), SECOND._replace(expires_on=date(2026, 3, 31))
    gone = Expired(date(2025, 4, 1), 2500, "p", Y1)
    used = [Used(date(2025, 7, 1), 2000)]
    assert left([first, second], used, [gone], year_start=Y2, expiry_day=date(2026, 3, 31)) == 500


def test_two_years_that_expire_on_one_day_expire_both():
    second = SECOND._replace(expires_on=END_1)
    gone = Expired(END_1 + timedelta(1), 2500, "p", Y1)
    assert left([FIRST, second], [], [gone], year_start=Y2, expiry_day=END_1 + timedelta(1)) == 2500


def test_usage_entered_too_late_is_taken_from_what_is_still_there():
    """The 700 days of July 2025 came to light after 2025 had expired in full: they come off the next year."""
    gone = Expired(END_1 + timedelta(1), 2500, "p")
    late = [Used(date(2025, 7, 1), 700)]
    assert left([FIRST, SECOND], late, [gone], year_start=Y2, expiry_day=END_2) == 1800


DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
CREDITS = st.builds(
    lambda year, months, amount, policy_id: Credited(
        date(year, months, 28), amount, policy_id, date(year, 1, 1), date(year + {"p": 1, "q": 2}[policy_id], 6, 30)
    ),
    st.integers(2024, 2026),
    st.integers(1, 12),
    st.integers(1, 30),
    st.sampled_from(["p", "q"]),
)
ADJUSTMENTS = st.tuples(DAYS, st.integers(-20, 20).filter(bool)).map(lambda given: Credited(*given))
USAGE = st.lists(st.builds(Used, DAYS, st.integers(0, 40)), max_size=6)


@given(st.lists(CREDITS | ADJUSTMENTS, max_size=12), USAGE, st.randoms())
def test_unit_by_unit_the_same_and_the_balance_keeps_what_expires_never(credited, used, random):
    """A plain second reading: every centiday a coin with its expiry day; what expires was never more than was left."""
    expired: list[Expired] = []
    ends = {date(year + lasts, 6, 30): [] for year in (2024, 2025, 2026) for lasts in (1, 2)}
    for expiry_day, policies in ends.items():
        policies += [("p", date(expiry_day.year - 1, 1, 1)), ("q", date(expiry_day.year - 2, 1, 1))]
    coins = [one for one in credited if one.amount > 0 for _ in range(one.amount)]
    coins.sort(key=lambda one: (one.expires_on or date.max, one.day, one.policy_id or "", one.year_start or date.min))
    for expiry_day, policy_id, year_start in sorted((end, *of) for end, policies in ends.items() for of in policies):
        shuffled = [random.sample(things, len(things)) for things in (credited, used, expired)]
        amount = left_to_expire(*shuffled, policy_id=policy_id, year_start=year_start, expiry_day=expiry_day)
        spent = sum(one.amount for one in used if one.day <= expiry_day)
        spent -= sum(one.amount for one in credited if one.amount < 0 and one.day <= expiry_day)
        unspent = coins[spent:]
        mine = [coin for coin in unspent if (coin.policy_id, coin.year_start) == (policy_id, year_start)]
        assert amount == len(mine)
        for coin in mine:
            coins.remove(coin)
        expired.append(Expired(expiry_day + timedelta(1), amount, policy_id))
    usage = sum(one.amount for one in used if one.day <= date(2028, 6, 30))
    balance = sum(one.amount for one in credited) - usage - sum(one.amount for one in expired)
    # Whatever expires has expired by now; only what never expires, or was overdrawn, is left.
    forever = sum(one.amount for one in credited if one.amount > 0 and one.expires_on is None)
    assert balance <= forever


YEARS = [(policy_id, date(year, 1, 1)) for policy_id in "pq" for year in (2024, 2025, 2026)]
SAID = st.sampled_from([None, *(date(year, 6, 30) for year in (2025, 2026, 2027, 2028))])
DATED = st.builds(
    lambda year, month, amount, said: Credited(date(year[1].year, month, 28), amount, *year, said),
    st.sampled_from(YEARS),
    st.integers(1, 12),
    st.integers(1, 30),
    SAID,
)


@given(
    st.lists(DATED | ADJUSTMENTS, max_size=12),
    USAGE,
    st.lists(st.sampled_from([date(year, 6, 30) for year in (2027, 2028)]), min_size=6, max_size=6),
    st.randoms(),
)
def test_years_expire_on_whatever_day_it_is_whatever_their_credits_said(credited, used, ends, random):
    """Policies change: several years end on one day, credits say another one. All of each year is used or expires."""
    expired: list[Expired] = []
    coins = [one for one in credited if one.amount > 0 for _ in range(one.amount)]
    coins.sort(key=lambda one: (one.expires_on or date.max, one.day, one.policy_id or "", one.year_start or date.min))
    for end, (policy_id, year_start) in sorted(zip(ends, YEARS, strict=True)):
        shuffled = [random.sample(things, len(things)) for things in (credited, used, expired)]
        amount = left_to_expire(*shuffled, policy_id=policy_id, year_start=year_start, expiry_day=end)
        spent = sum(one.amount for one in used if one.day <= end)
        spent -= sum(one.amount for one in credited if one.amount < 0 and one.day <= end)
        mine = [coin for coin in coins[spent:] if (coin.policy_id, coin.year_start) == (policy_id, year_start)]
        assert amount == len(mine)
        for coin in mine:
            # From the end: of equal coins those that were spent come first.
            coins.pop(len(coins) - 1 - coins[::-1].index(coin))
        expired.append(Expired(end + timedelta(1), amount, policy_id, year_start))
    usage = sum(one.amount for one in used) - sum(one.amount for one in credited if one.amount < 0)
    of_years = sum(one.amount for one in credited if one.year_start)
    forever = sum(one.amount for one in credited if one.amount > 0) - of_years
    gone = sum(one.amount for one in expired)
    assert max(0, of_years - usage) <= gone <= of_years
    assert of_years + forever - usage - gone <= forever
