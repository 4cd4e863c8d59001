"""The last two nights of an installation, run at noon of their days: `python -m batch_jobs_tests.browser.nights`."""

from datetime import UTC, datetime, timedelta

import time_machine

from batch_jobs.installation import open_engine
from batch_jobs.orchestration.night import run_night
from batch_jobs.settings import read_settings

NIGHTS = 2


def main() -> None:
    """Run them, the older one first."""
    settings, now = read_settings(), datetime.now(UTC)
    for back in range(NIGHTS, 0, -1):
        noon = (now - timedelta(days=back)).replace(hour=12)
        # The history that Dagster keeps, and plots over time, is of these days too.
        with time_machine.travel(noon), open_engine(settings, clock=lambda noon=noon: noon) as engine:
            run_night(settings, engine)


if __name__ == "__main__":
    main()
