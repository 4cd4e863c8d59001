"""Payloads of holiday calendars."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from batch_jobs.store.payloads.base import EntityDefined, Part
from batch_jobs.store.payloads.fields import Day, Expect, HolidayFraction, Id, Name, unexpected

_CODE = "an ISO 3166 country code known to the holidays library, such as DK, FR or US"


def _known(country: str, subdivision: str | None = None) -> Any:
    """What the library makes of the two, or None. It also knows names of countries, and codes of stock exchanges and
    central banks, which are no countries.
    """
    from holidays import country_holidays
    from holidays.registry import EntityLoader

    if country not in EntityLoader.get_country_codes():
        return None
    try:
        return country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        return None


def _country(code: str) -> str:
    if _known(code) is None:
        raise unexpected(_CODE)
    return code


Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,3}$"), Expect(_CODE), AfterValidator(_country)]


class CustomDay(Part):
    """A day of the workspace's own: `fraction` 1 is a whole holiday, 0 an ordinary day."""

    date: Day
    name: Name
    fraction: HolidayFraction = 1.0


class HolidayCalendarDefined(EntityDefined):
    """Public holidays of a country or a part of it, with days of the workspace's own."""

    type: ClassVar[str] = "holiday_calendar.defined"
    id_field: ClassVar[str] = "calendar_id"

    calendar_id: Id
    name: Name
    country: Country | None = None
    subdivision: Name | None = None
    custom_days: tuple[CustomDay, ...] = Field(default=(), strict=False)

    @field_validator("subdivision")
    @classmethod
    def _belongs_to_country(cls, subdivision: str | None, info: ValidationInfo) -> str | None:
        if subdivision is None or "country" not in info.data:
            return subdivision
        country = info.data["country"]
        if country is None:
            raise unexpected("a country beside a subdivision")
        if _known(country, subdivision) is None:
            known = ", ".join(_known(country).subdivisions) or "none, the library has no subdivisions there"
            raise unexpected(f"a subdivision of {country}: {known}")
        return subdivision
