"""A workspace's own calendar and clock: its today, and when its days and its jobs begin. Pure."""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo


def today(now: datetime, timezone: str) -> date:
    """The date in a zone (IANA name) at an instant."""
    return now.astimezone(_zone(timezone)).date()


def start_instant(day: date, at: time, timezone: str) -> datetime:
    """When a local time of a day comes, in UTC.

    Where clocks skip it, it comes as if they had not; where they show it twice, the first time counts.
    """
    return datetime.combine(day, at, tzinfo=_zone(timezone)).astimezone(UTC)


def start_of_day(day: date, timezone: str) -> datetime:
    """The instant at which a day begins in a zone, in UTC; where clocks skip midnight, that of the change."""
    return start_instant(day, time.min, timezone)


@cache
def _zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)
