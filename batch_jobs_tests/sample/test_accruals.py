"""The sample's accrual entries, worked by hand from domain 3.5."""

from datetime import date

from batch_jobs.sample.accruals import entries_between
from batch_jobs.sample.ledger import Ledger

LONG_AGO = date(2010, 1, 1)
DANISH = {"accrual": {"plugin": "danish_vacation"}}


def _amounts(policy: dict, start: date, end: date | None, first: date, last: date) -> list[int]:
    return [entry.amount for entry in entries_between(policy, start, end, first, last) if entry.kind == "accrual"]


def test_eleven_months_and_the_difference_on_the_last():
    policy = {"accrual": {"plugin": "monthly", "annual": 2500}}
    assert _amounts(policy, LONG_AGO, None, date(2026, 1, 1), date(2026, 12, 31)) == [208] * 11 + [212]


def test_difference_to_target_spreads_the_rest():
    policy = {"accrual": {"plugin": "monthly", "annual": 2500, "rounding": "difference_to_target"}}
    amounts = _amounts(policy, LONG_AGO, None, date(2026, 1, 1), date(2026, 12, 31))
    # Rounded targets: 208 417 625 833 1042 1250 1458 1667 1875 2083 2292 2500.
    assert amounts == [208, 209, 208, 208, 209, 208, 208, 209, 208, 208, 209, 208]


def test_danish_year_of_someone_who_was_there_all_the_time_and_of_one_who_came_in_february():
    year = (date(2025, 9, 1), date(2026, 8, 31))
    assert _amounts(DANISH, LONG_AGO, None, *year) == [208] * 11 + [212]
    # 19 to 28 February are 10 days, 7 each.
    assert _amounts(DANISH, date(2026, 2, 19), None, *year) == [70] + [208] * 6
    # A month with all of its days but one is partly covered, and still at the most.
    assert _amounts(DANISH, date(2025, 9, 2), date(2025, 9, 30), *year) == [203]


def test_danish_days_expire_at_the_end_of_the_calendar_year_after():
    entries = entries_between(DANISH, LONG_AGO, None, date(2026, 12, 1), date(2027, 1, 2))
    assert [(entry.kind, entry.due_date, entry.year_start) for entry in entries] == [
        ("accrual", date(2026, 12, 31), date(2026, 9, 1)),
        ("expiry", date(2027, 1, 1), date(2025, 9, 1)),
    ]
    assert entries[0].expires_on == date(2027, 12, 31)


def test_german_year_in_part_and_its_end_in_march():
    policy = {
        "accrual": {"plugin": "yearly", "annual": 3000, "timing": "year_start", "prorate_employment": True},
        "expiration": {"months_after_year_end": 3},
    }
    entries = entries_between(policy, date(2026, 7, 1), None, date(2026, 1, 1), date(2027, 4, 30))
    # 184 of 365 days: 3000 x 184 / 365 = 1512.3.
    assert [(entry.kind, entry.due_date, entry.amount) for entry in entries] == [
        ("accrual", date(2026, 1, 1), 1512),
        ("accrual", date(2027, 1, 1), 3000),
        ("expiry", date(2027, 4, 1), 0),
    ]


def test_nothing_without_a_plan_and_nothing_for_years_without_work():
    year = (date(2026, 1, 1), date(2026, 12, 31))
    assert entries_between({}, LONG_AGO, None, *year) == []
    assert entries_between(DANISH, date(2030, 1, 1), None, *year) == []


def test_what_expires_is_what_usage_has_left():
    ledger = Ledger()
    first_year, second_year = date(2024, 1, 1), date(2025, 1, 1)
    ledger.credit(date(2024, 1, 1), 3000, first_year, date(2025, 3, 31))
    ledger.credit(date(2025, 1, 1), 3000, second_year, date(2026, 3, 31))
    ledger.use(date(2024, 7, 1), 2000)
    ledger.use(date(2025, 2, 1), 300)
    ledger.use(date(2025, 2, 1), -100)
    ledger.use(date(2025, 4, 1), 500)
    assert ledger.expire(first_year) == 800
    # 2,700 used in all: 2,200 went to the first year, of whose 3,000 only those were left to take.
    assert ledger.expire(second_year) == 2500
    assert ledger.expire(date(2020, 1, 1)) == 0


def test_usage_takes_first_what_expires_first_though_it_came_last():
    ledger = Ledger()
    ledger.credit(date(2025, 1, 1), 1000, date(2025, 1, 1), date(2026, 12, 31))
    ledger.credit(date(2025, 2, 1), 500, date(2024, 9, 1), date(2025, 12, 31))
    ledger.use(date(2025, 3, 1), 400)
    assert ledger.expire(date(2024, 9, 1)) == 100
    assert ledger.expire(date(2025, 1, 1)) == 1000
