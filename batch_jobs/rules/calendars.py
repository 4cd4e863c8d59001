"""Holiday calendars: which one counts, and which days are holidays in it (domain 3.2)."""

import warnings
from collections.abc import Container, Iterable, Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from batch_jobs.rules.entities import HolidayCalendar
from batch_jobs.rules.errors import UnknownCalendarError


class Holiday(NamedTuple):
    """A holiday. `fraction` is the free part of the day: 1 is a whole day, 1/2 half a day; never 0."""

    name: str
    fraction: Fraction


WHOLE_DAY = Fraction(1)


def first_defined(calendar_ids: Iterable[str | None], defined: Container[str]) -> str | None:
    """The first id that names a calendar, or None (domain 3.2). Ids that name none are passed over.

    Args:
        calendar_ids: in their order of precedence: the employment's, the terms', the org unit's and its ancestors'
            from the nearest up, the workspace's default.
        defined: the ids of the workspace's calendars.
    """
    return next((calendar_id for calendar_id in calendar_ids if calendar_id and calendar_id in defined), None)


def holidays_between(calendar: HolidayCalendar, start: date, end: date) -> dict[date, Holiday]:
    """The holidays from start to end, both included, by date (domain 3.2).

    Public holidays of the calendar's country and subdivision as the `holidays` library has them (1901 to 2100,
    observed substitutes included), overridden by its custom days: the last one listed for a date wins, and one of
    fraction 0 makes the date an ordinary day. Two public holidays on one date share an entry, named `One; Other`.

    Raises:
        UnknownCalendarError: the library does not know the country or the subdivision.
    """
    found: dict[date, Holiday] = {}
    if calendar.country:
        for year in range(start.year, end.year + 1):
            found.update(_public_holidays_of(calendar, calendar.country, year))
    found.update({custom.date: Holiday(custom.name, custom.fraction) for custom in calendar.custom_days})
    return {day: found[day] for day in sorted(found) if start <= day <= end and found[day].fraction > 0}


def _public_holidays_of(calendar: HolidayCalendar, country: str, year: int) -> Mapping[date, Holiday]:
    try:
        return _public_holidays(country, calendar.subdivision or None, year)
    except LookupError as unknown:
        raise UnknownCalendarError(
            f'holiday calendar "{calendar.calendar_id}": {unknown.args[0]}; '
            "correct it with a new holiday_calendar.defined"
        ) from None


@lru_cache(maxsize=4096)
def _public_holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, Holiday]:
    import holidays
    from holidays.registry import EntityLoader

    # The library finds countries as attributes of its module, where "HolidayBase" would be found as well.
    if country not in EntityLoader.get_country_codes():
        raise LookupError(f'country "{country}" is not an ISO 3166 code that the holidays library knows, such as "DK"')
    entity = getattr(holidays, country).get_entity()
    # Without a language it supports, the library asks the machine's locale.
    language = "en_US" if "en_US" in entity.supported_languages else entity.default_language
    try:
        with warnings.catch_warnings():
            # Some old names of subdivisions still work; telling so at every start helps nobody here.
            warnings.simplefilter("ignore", DeprecationWarning)
            days = entity(subdiv=subdivision, years=year, language=language, categories=holidays.PUBLIC, expand=False)
    except NotImplementedError:
        known = ", ".join(entity.subdivisions) or "none"
        raise LookupError(f'subdivision "{subdivision}" of "{country}" is not known; known are: {known}') from None
    return {day: Holiday(name, WHOLE_DAY) for day, name in days.items()}
