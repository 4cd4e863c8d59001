"""Dates, numbers and plurals in the reader's language, as the filters that templates use."""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babel import Locale

LANGUAGES = ("en", "da", "fr")
# French writes the first of a month as an ordinal, which CLDR's patterns do not have.
_FIRST_OF_MONTH = re.compile(r"(?<!\d)1(?= [^\W\d]|–)")


@lru_cache(maxsize=256)
def reading_locale(tag: str | None) -> "Locale":
    """The locale that a message is written in: that of the tag, such as `da` or `en-GB`, or English."""
    from babel import Locale, UnknownLocaleError

    parts = (tag or "en").replace("_", "-").split("-")
    language = parts[0].lower()
    if language not in LANGUAGES:
        return Locale("en")
    try:
        return Locale.parse("_".join([language, *parts[1:]]))
    except (UnknownLocaleError, ValueError):
        return Locale(language)


def filters() -> dict[str, Callable[..., Any]]:
    """The filters of templates, by name. They read the variable `locale`."""
    from jinja2 import pass_context

    return {name: pass_context(function) for name, function in _FILTERS.items()}


# A night's messages speak of the same few days.
@lru_cache(maxsize=4096)
def period(locale: "Locale", start: str, end: str) -> str:
    """A range of days, short: `1–30 Nov 2026`."""
    from babel.dates import format_interval

    text: str = format_interval(date.fromisoformat(start), date.fromisoformat(end), "yMMMd", locale=locale)
    return _ordinal(locale, text)


def _day(context: Any, text: str) -> str:
    """A day in full, weekday included."""
    return _formatted(context["locale"], text, "full")


def _long_day(context: Any, text: str) -> str:
    """A day without its weekday."""
    return _formatted(context["locale"], text, "long")


def _until(context: Any, start: str, end: str) -> str:
    return period(context["locale"], start, end)


def _number(context: Any, count: int) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(count, locale=context["locale"]))


def _plural(context: Any, count: int, one: str, other: str) -> str:
    """The one of the two words that goes with the count in this language."""
    return one if context["locale"].plural_form(count) == "one" else other


@lru_cache(maxsize=4096)
def _formatted(locale: "Locale", text: str, length: Any) -> str:
    from babel.dates import format_date

    return _ordinal(locale, format_date(date.fromisoformat(text), length, locale=locale))


def _ordinal(locale: "Locale", text: str) -> str:
    return _FIRST_OF_MONTH.sub("1er", text) if locale.language == "fr" else text


_FILTERS: dict[str, Callable[..., Any]] = {
    "day": _day,
    "long_day": _long_day,
    "until": _until,
    "number": _number,
    "plural": _plural,
}
