"""Countries and subdivisions are those of the holidays library."""

import pytest
from pydantic import ValidationError

from batch_jobs.store.payloads.calendars import HolidayCalendarDefined


def calendar(country: str | None, subdivision: str | None = None) -> HolidayCalendarDefined:
    return HolidayCalendarDefined(calendar_id="c", name="Calendar", country=country, subdivision=subdivision)


@pytest.mark.parametrize(
    ("country", "subdivision"),
    [(None, None), ("DK", None), ("DNK", None), ("DE", "BY"), ("FR", "Zone A"), ("US", "CA")],
)
def test_takes(country: str | None, subdivision: str | None) -> None:
    assert calendar(country, subdivision).country == country


@pytest.mark.parametrize(
    ("country", "subdivision", "expected"),
    [
        ("XX", None, "ISO 3166"),
        ("dk", None, "ISO 3166"),
        ("Denmark", None, "ISO 3166"),
        ("", None, "ISO 3166"),
        # The library knows the days of the European Central Bank and of the Australian exchange as well.
        ("ECB", None, "ISO 3166"),
        ("ASX", None, "ISO 3166"),
        ("ECB", "BY", "ISO 3166"),
        (None, "BY", "a country beside a subdivision"),
        ("DK", "BY", "no subdivisions"),
        ("DE", "XX", "BW, BY"),
    ],
)
def test_refuses(country: str | None, subdivision: str | None, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        calendar(country, subdivision)
