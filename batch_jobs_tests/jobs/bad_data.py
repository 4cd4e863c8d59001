"""The bad data that an HR system really has, in one workspace: what a night must survive."""

from datetime import date

from batch_jobs_tests import builders as make
from batch_jobs_tests.absence_events import account, activity, away, decided, requested, time_off_policy

TODAY = date(2026, 11, 23)
YEARLY = {"plugin": "yearly", "annual": 500, "timing": "year_start", "year_start_month": 12}
DANISH = {"plugin": "danish_vacation"}

SETTINGS = [
    make.workspace(timezone="Europe/Copenhagen", default_holiday_calendar_id="nowhere"),
    make.calendar("denmark", country="DK"),
    # Units that are each other's parent, one under itself, one under a unit that is nowhere, headed by nobody.
    make.unit("ou-1", "ou-2", head_id="e-1"),
    make.unit("ou-2", "ou-1"),
    make.unit("ou-3", "ou-3"),
    make.unit("ou-4", "nowhere", head_id="nobody"),
    make.terms(time_off_policy_ids=["bare", "nowhere", "dangling"]),
    make.terms("t-week", approval_period="weekly", time_off_policy_ids=["fine"], holiday_calendar_id="nowhere"),
    make.terms("t-no-policy", work_time_policy_id="nowhere"),
    account("days"),
    activity("off"),
    time_off_policy("bare", accrual=YEARLY),
    time_off_policy("dangling", account_id="nowhere", activity_id="nowhere", accrual=DANISH),
    time_off_policy("fine", account_id="days", activity_id="off", accrual=DANISH),
]

PEOPLE = [
    *(make.employee(f"e-{number}") for number in range(1, 8)),
    make.employment("e-1/1", org_unit_id="ou-1", manager_id="e-1"),
    make.employment("e-2/1", org_unit_id="ou-2", terms_id="t-week"),
    # Overlapping, in the wrong century, on terms that are nowhere, under nobody, under a policy that is nowhere.
    make.employment("e-3/1", org_unit_id="ou-3"),
    make.employment("e-3/2", date(2026, 3, 1), terms_id="t-week", manager_id="e-1"),
    make.employment("e-4/1", date(1026, 11, 1)),
    make.employment("e-5/1", date(2026, 1, 1), terms_id="t-nowhere"),
    make.employment("e-6/1", org_unit_id="ou-4", manager_id="nobody"),
    make.employment("e-7/1", terms_id="t-no-policy"),
    make.employment("ghost/1"),
    make.user("u-2", "e-2"),
    make.user("u-3", "e-3", status="suspended"),
]

_TIME_OFF = [
    ("e-1", "bare", date(2026, 11, 20)),
    ("e-1", "nowhere", TODAY),
    ("e-2", "dangling", TODAY),
    ("e-2", "fine", date(2026, 11, 30)),
    ("e-5", "fine", date(2026, 11, 20)),
    ("ghost", "fine", date(2026, 11, 20)),
    ("e-4", "fine", date(1026, 11, 20)),
]
ABSENCES = [
    event
    for number, (who, policy_id, start) in enumerate(_TIME_OFF)
    for event in (
        requested(f"closed-{number}", start, start, employee_id=who, policy_id=policy_id),
        decided("approved", f"closed-{number}", employee_id=who),
        away(f"open-{number}", start, employee_id=who, policy_id=policy_id),
    )
]

CHANGES = [
    make.event(
        "change.scheduled",
        {
            "change_id": f"c-{entity}",
            "entity": entity,
            "entity_id": entity_id,
            "effective_date": TODAY,
            "values": values,
        },
    )
    for entity, entity_id, values in (
        ("employment", "e-6/1", {"terms_id": "nowhere"}),
        ("org_unit", "nowhere", {"name": "?"}),
        ("employment_terms", "t-1", {"norm": "none"}),
    )
]

BAD = [
    *SETTINGS,
    *PEOPLE,
    *ABSENCES,
    *CHANGES,
    make.event(
        "account.credited",
        {"employee_id": "e-1", "account_id": "nowhere", "date": TODAY, "amount": -500, "source": "adjustment"},
    ),
    make.time_entered("te-1", "nobody"),
]
