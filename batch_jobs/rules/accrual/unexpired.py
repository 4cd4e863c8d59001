"""Expiry entries of policy years that earned something before the definitions changed for all days (domain 3.5)."""

from collections.abc import Collection
from datetime import date

from batch_jobs.rules.accrual.forecast import Accruals, Forecast, ForecastEntry
from batch_jobs.rules.versions import ONE_DAY


def with_unexpired(
    forecast: Forecast,
    accruals: Accruals,
    employee_id: str,
    policy_id: str,
    *,
    unexpired: Collection[date],
    materialized: Collection[str],
) -> Forecast:
    """The forecast in which each of these policy years expires, on its first day where their own is past.

    Of itself it knows only the years that earn something by the definitions of now, and of what they let expire only
    what is still ahead.

    Args:
        forecast: the employee's, under the policy.
        accruals: what it comes from.
        employee_id: whose.
        policy_id: which policy's.
        unexpired: the first days of policy years with entries that stay, of which none lets them expire.
        materialized: ids that are not to be used again.
    """
    years = set(unexpired) - {entry.year_start for entry in forecast.entries if entry.kind == "expiry"}
    if not years:
        return forecast
    entries = list(forecast.entries)
    taken = {entry.entry_id for entry in entries}
    for expires_on, start in sorted((accruals.expires_on(policy_id, year) or date.max, year) for year in years):
        due = max(expires_on, forecast.computed_from - ONE_DAY)
        while due < forecast.horizon_end:
            due += ONE_DAY
            entry_id = f"{employee_id}:{policy_id}:expiry:{due}"
            # An entry's id names its day, so that no two years expire on one.
            if entry_id not in taken and entry_id not in materialized:
                taken.add(entry_id)
                entries.append(ForecastEntry(entry_id, "expiry", due, 0, start))
                break
    return forecast._replace(entries=tuple(sorted(entries, key=lambda entry: (entry.due_date, entry.kind))))
