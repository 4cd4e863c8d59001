"""A time zone in which it is about noon, for tests whose jobs must be free to start whenever the tests run."""

from datetime import UTC, datetime

_HOURS = 12 - datetime.now(UTC).hour
# POSIX counts these zones to the west.
NOON_ZONE = f"Etc/GMT{-_HOURS:+d}" if _HOURS else "UTC"
"""Its date is that of UTC."""
