"""Holiday calendars (domain 3.2), against dates from calendars that do not come from the library."""

import os
import subprocess
import sys
from datetime import date
from fractions import Fraction

import pytest

from batch_jobs.rules.calendars import Holiday, first_defined, holidays_between
from batch_jobs.rules.entities import CustomDay, HolidayCalendar
from batch_jobs.rules.errors import UnknownCalendarError

DENMARK = HolidayCalendar("dk", "Denmark", "DK")
FRANCE = HolidayCalendar("fr", "France", "FR")
UNITED_STATES = HolidayCalendar("us", "United States", "US")


def of_year(calendar, year):
    return {
        day: holiday.name for day, holiday in holidays_between(calendar, date(year, 1, 1), date(year, 12, 31)).items()
    }


def test_danish_easter_and_christmas():
    """Helligdage 2024, borger.dk. Store bededag was abolished from 2024 on (lov nr. 214 af 06/03/2023)."""
    assert of_year(DENMARK, 2024) == {
        date(2024, 1, 1): "New Year's Day",
        date(2024, 3, 28): "Maundy Thursday",
        date(2024, 3, 29): "Good Friday",
        date(2024, 3, 31): "Easter Sunday",
        date(2024, 4, 1): "Easter Monday",
        date(2024, 5, 9): "Ascension Day",
        date(2024, 5, 19): "Pentecost",
        date(2024, 5, 20): "Pentecost Monday",
        date(2024, 12, 25): "Christmas Day",
        date(2024, 12, 26): "Second Day of Christmas",
    }
    assert date(2023, 5, 5) in of_year(DENMARK, 2023)


def test_french_easter_and_christmas():
    """Code du travail, article L3133-1: eleven days. Good Friday and 26 December are holidays in Moselle only."""
    year = of_year(FRANCE, 2024)
    assert len(year) == 11
    assert year[date(2024, 4, 1)] == "Easter Monday"
    assert year[date(2024, 12, 25)] == "Christmas Day"
    moselle = of_year(HolidayCalendar("57", "Moselle", "FR", "57"), 2024)
    assert moselle.keys() - year.keys() == {date(2024, 3, 29), date(2024, 12, 26)}


def test_american_thanksgiving_and_substitutes():
    """5 U.S.C. 6103: the fourth Thursday in November; a Saturday is observed on the Friday before, and by Executive
    Order 11582 a Sunday on the Monday after."""
    assert of_year(UNITED_STATES, 2023)[date(2023, 11, 23)] == "Thanksgiving Day"
    assert of_year(UNITED_STATES, 2024)[date(2024, 11, 28)] == "Thanksgiving Day"
    assert of_year(UNITED_STATES, 2026)[date(2026, 7, 3)] == "Independence Day (observed)"
    assert of_year(UNITED_STATES, 2027)[date(2027, 7, 5)] == "Independence Day (observed)"


def test_a_substitute_may_fall_in_the_year_before():
    """1 January 2022 was a Saturday, observed on Friday 31 December 2021."""
    new_year = holidays_between(UNITED_STATES, date(2021, 12, 28), date(2022, 1, 3))
    assert list(new_year) == [date(2021, 12, 31), date(2022, 1, 1)]


def test_only_public_holidays_count():
    """Many are off on 24 December in Germany and on 5 June in Denmark, by custom or agreement, not by law."""
    assert date(2024, 12, 24) not in of_year(HolidayCalendar("de", "Germany", "DE"), 2024)
    assert date(2024, 6, 5) not in of_year(DENMARK, 2024)


def test_years_are_joined_and_cut_to_the_days_asked_for():
    assert list(holidays_between(DENMARK, date(2023, 12, 26), date(2024, 1, 1))) == [
        date(2023, 12, 26),
        date(2024, 1, 1),
    ]


def test_custom_days():
    calendar = HolidayCalendar.from_payload(
        {
            "calendar_id": "dk",
            "name": "Denmark",
            "country": "DK",
            "custom_days": [
                {"date": "2024-12-24", "name": "Christmas Eve", "fraction": 0.5},
                {"date": "2024-06-05", "name": "Draft"},
                {"date": "2024-06-05", "name": "Constitution Day", "fraction": 0.29},
                {"date": "2024-12-25", "name": "We deliver", "fraction": 0},
                {"date": "2024-12-26", "name": "Day off"},
                {"date": "2024-02-29", "name": "Leap Day"},
            ],
        }
    )
    december = holidays_between(calendar, date(2024, 12, 1), date(2024, 12, 31))
    assert december == {
        date(2024, 12, 24): Holiday("Christmas Eve", Fraction(1, 2)),
        date(2024, 12, 26): Holiday("Day off", Fraction(1)),
    }
    year = holidays_between(calendar, date(2024, 1, 1), date(2024, 12, 31))
    assert year[date(2024, 6, 5)] == Holiday("Constitution Day", Fraction(29, 100))
    assert year[date(2024, 2, 29)].name == "Leap Day"


def test_a_last_custom_day_of_nothing_removes_the_earlier_ones():
    day = date(2024, 6, 5)
    calendar = HolidayCalendar("c", "c", custom_days=(CustomDay(day, "on"), CustomDay(day, "off", Fraction(0))))
    assert holidays_between(calendar, day, day) == {}


def test_without_country_only_custom_days_count():
    own = CustomDay(date(2024, 9, 2), "Founders' Day")
    assert of_year(HolidayCalendar("own", "Own", custom_days=(own,)), 2024) == {own.date: own.name}


@pytest.mark.parametrize(
    ("calendar", "told"),
    [
        (HolidayCalendar("c-1", "?", "XX"), ['holiday calendar "c-1"', '"XX"']),
        (HolidayCalendar("c-1", "?", "HolidayBase"), ['"HolidayBase"']),
        (HolidayCalendar("c-1", "?", "dk"), ['"dk"', '"DK"']),
        (HolidayCalendar("c-1", "?", "FR", "Texas"), ['holiday calendar "c-1"', '"Texas" of "FR"', "57"]),
        (HolidayCalendar("c-1", "?", "DK", "84"), ['"84" of "DK"', "known are: none"]),
    ],
)
def test_an_unknown_country_or_subdivision_is_named(calendar, told):
    with pytest.raises(UnknownCalendarError) as error:
        holidays_between(calendar, date(2024, 1, 1), date(2024, 1, 31))
    for part in told:
        assert part in str(error.value)


NAMES = """
import json
from datetime import date
from batch_jobs.rules.calendars import holidays_between
from batch_jobs.rules.entities import HolidayCalendar

for country in ("DK", "FR", "DE", "GB", "RE", "BS"):
    found = holidays_between(HolidayCalendar("c", "c", country), date(2024, 1, 1), date(2024, 12, 31))
    print(country, json.dumps([holiday.name for holiday in found.values()]))
"""


def test_the_machine_locale_does_not_matter():
    """The library would answer in the language of LANGUAGE, LC_ALL or LANG when it is not told one."""
    answers = {
        subprocess.run(
            [sys.executable, "-c", NAMES],
            env={**os.environ, "LANGUAGE": language, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for language in ("da", "de:fr", "th")
    }
    assert len(answers) == 1
    assert "Second Day of Christmas" in answers.pop()


def test_the_first_calendar_that_exists_counts():
    assert first_defined([None, "gone", "dk", "us"], {"dk", "us"}) == "dk"
    assert first_defined([None, "gone"], {"dk"}) is None
