"""The sample's companies: usable ids, known places, and names that spell."""

import re
from datetime import date
from zoneinfo import available_timezones

import pytest

from batch_jobs.rules.calendars import holidays_between
from batch_jobs.rules.entities import HolidayCalendar
from batch_jobs.sample.companies import company
from batch_jobs.sample.settings import Settings
from batch_jobs.sample.spelling import slug
from batch_jobs.store.payloads.fields import WORKSPACE_ID_PATTERN
from batch_jobs_tests.sample.histories import histories

UNTIL = date(2026, 11, 22)


def test_ids_are_partition_keys_and_unique():
    ids = [company(number).workspace_id for number in range(2000)]
    assert all(re.fullmatch(WORKSPACE_ID_PATTERN, one) for one in ids)
    assert len(set(ids)) == len(ids)


def test_places_are_known():
    companies = [company(number) for number in range(25)]
    assert (
        {"Europe/Copenhagen", "Europe/Paris", "Europe/Berlin", "Pacific/Honolulu"}
        <= {one.timezone for one in companies}
        <= available_timezones()
    )
    for one in companies:
        for subdivision in filter(None, (one.subdivision, one.second_site)):
            calendar = HolidayCalendar("c", "c", one.country_code, subdivision)
            assert holidays_between(calendar, date(2026, 1, 1), date(2026, 12, 31))


def test_all_approval_periods_and_chapters_occur():
    companies = [company(number) for number in range(25)]
    assert {one.approval for one in companies} == {"none", "weekly", "biweekly", "monthly"}
    assert {one.chapter for one in companies} == {"ordinary", "signed_up", "wound_down", "suspended"}


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Søren Kierkegård", "soeren.kierkegaard"),
        ("Łukasz Müller", "lukasz.mueller"),
        ("Zoë O'Brien", "zoe.obrien"),
        ("Jürgen Großmann", "juergen.grossmann"),
        ("李雷", ""),
    ],
)
def test_mailboxes(text: str, spelled: str):
    assert slug(text, ".") == spelled


def test_mail_goes_nowhere_and_everyone_has_a_box_of_their_own():
    for history in histories(UNTIL).values():
        boxes = [payload["email"] for payload in history.of("employee.defined")]
        assert all(box.endswith(".example") for box in boxes)
        assert len(set(boxes)) == len({payload["employee_id"] for payload in history.of("employee.defined")})


def test_the_french_work_on_whit_monday():
    calendar = next(iter(histories(UNTIL)["atelier-lumiere"].of("holiday_calendar.defined")))
    days = {custom["date"]: custom["fraction"] for custom in calendar["custom_days"]}
    assert days["2026-05-25"] == 0
    read = holidays_between(HolidayCalendar.from_payload(calendar), date(2026, 5, 20), date(2026, 5, 30))
    assert date(2026, 5, 25) not in read


def test_the_longest_name_has_a_company_day_too():
    longest = max(map(company, range(2000)), key=lambda one: len(one.workspace_id))
    definitions = Settings(longest, date(2025, 11, 22), UNTIL).definitions()
    calendars = [payload for kind, payload in definitions if kind == "holiday_calendar"]
    assert all(payload["custom_days"] for payload in calendars)
