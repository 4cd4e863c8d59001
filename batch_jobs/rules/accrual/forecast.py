"""The forecast of what an employee will be credited and what will expire under a policy (domain 3.5, 6.1)."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from batch_jobs.rules.accrual.coverage import Covered, Hours, covered, hours, weekly_minutes
from batch_jobs.rules.accrual.expiry import expiry_day
from batch_jobs.rules.accrual.fingerprint import fingerprint, policy_inputs
from batch_jobs.rules.accrual.plans import Plans, credits_of_year, first_month
from batch_jobs.rules.accrual.policy_years import end_of_month, year_end, year_start
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.policies import AccrualPlan, TimeOffPolicy
from batch_jobs.rules.versions import ONE_DAY, Versions
from batch_jobs.rules.workforce import Workforce

HORIZON = timedelta(days=730)

EntryKind = Literal["accrual", "expiry"]
_Line = tuple[EntryKind, date, int, date]


class ForecastEntry(NamedTuple):
    """One of the `entries` of `accrual.forecast_computed`; `amount` in the account's unit, 0 for an expiry."""

    entry_id: str
    kind: EntryKind
    due_date: date
    amount: int
    year_start: date


class Forecast(NamedTuple):
    """Entries due from `computed_from` to `horizon_end`, both included, by due date; those of one day credit first."""

    computed_from: date
    horizon_end: date
    fingerprint: str
    entries: tuple[ForecastEntry, ...]


class Accruals:
    """Forecasts for one workspace. Employees with equal covered days and hours share the computation.

    Args:
        workforce: with the kinds of `POLICY_KINDS` among its definitions.
    """

    def __init__(self, workforce: Workforce) -> None:
        self._workforce = workforce
        self._inputs: dict[str, str] = {}
        self._expiry_days: dict[tuple[str, date], date | None] = {}
        self._lines: dict[tuple[str, date, Covered, Hours | None], tuple[_Line, ...]] = {}

    def policies(self, employee_id: str, run_date: date) -> list[str]:
        """The accruing policies on the terms of an employment that covers the run date or starts later, by id.

        A policy accrues when it has a plan on the run date or later. One that is not defined is left out.
        """
        named: set[str] = set()
        for span in self._workforce.coverage(employee_id):
            terms = self._workforce.definitions.terms.get(span.employment.terms_id)
            if terms is not None and (span.end is None or span.end >= run_date):
                for _, _, in_force in terms.between(max(span.start, run_date), span.end):
                    named.update(in_force.time_off_policy_ids)
        defined = self._workforce.definitions.time_off_policies
        return sorted(
            policy_id
            for policy_id in named & defined.keys()
            if any(version.accrual for _, _, version in defined[policy_id].between(run_date, None))
        )

    def accrue_until(self, employee_id: str) -> dict[str, date | None]:
        """Every policy that accrues on terms of theirs on some day, with the last run date for which `policies` has it.

        None: there is no last one.
        """
        found: dict[str, date | None] = {}
        for policy_id, last_named in self._named_until(employee_id).items():
            last_planned = self._last_planned(policy_id)
            if last_planned is not None:
                until = min(last_named, last_planned)
                found[policy_id] = None if until == date.max else until
        return found

    def forecast_until(self, employee_id: str) -> dict[str, date | None]:
        """As `accrue_until`, but later where what was earned by then may expire after a forecast made next day ends.

        Such a policy is to be forecast up to that day, and once more after it: then its last expiry is within sight.
        One that is not defined, so that nobody knows whether it accrues, is among them as long as their terms name it.
        """
        found = {
            policy_id: until and self._last_short_sight(policy_id, until)
            for policy_id, until in self.accrue_until(employee_id).items()
        }
        for policy_id, last_named in self._named_until(employee_id).items():
            if policy_id not in self._workforce.definitions.time_off_policies:
                found[policy_id] = None if last_named == date.max else last_named
        return found

    def fingerprint(self, employee_id: str, policy_id: str) -> str:
        """The fingerprint over all inputs of the forecast, whatever the run date. Raises as `forecast`."""
        policy = self._policy(policy_id)
        if policy_id not in self._inputs:
            self._inputs[policy_id] = policy_inputs(policy)
        of = covered(self._workforce, employee_id, policy_id)
        return fingerprint(self._inputs[policy_id], of, self._hours(employee_id, policy, date.min, date.max))

    def forecast(self, employee_id: str, policy_id: str, run_date: date) -> Forecast:
        """The entries due from the run date to 730 days after it, with amounts computed over whole policy years.

        An employee whose terms do not carry the policy has none, and a fingerprint all the same.

        Raises:
            UndefinedReferenceError: the policy, or with `prorate_hours` terms or work-time policy, are not defined.
        """
        horizon_end = run_date + min(HORIZON, date.max - run_date)
        policy = self._policy(policy_id)
        first, last = _days_that_matter(policy, run_date, horizon_end)
        of = covered(self._workforce, employee_id, policy_id).within(first, last)
        worked = self._hours(employee_id, policy, first, last)
        key = (policy_id, run_date, of, worked)
        if key not in self._lines:
            self._lines[key] = _lines(policy, of, worked, run_date, horizon_end)
        owner = f"{employee_id}:{policy_id}"
        entries = tuple(
            ForecastEntry(f"{owner}:{kind}:{due_date}", kind, due_date, amount, start)
            for kind, due_date, amount, start in self._lines[key]
        )
        return Forecast(run_date, horizon_end, self.fingerprint(employee_id, policy_id), entries)

    def expires_on(self, policy_id: str, year_start: date) -> date | None:
        """The expiry day of what is credited for a policy year; None: never.

        Raises:
            UndefinedReferenceError: the policy is not defined.
        """
        key = (policy_id, year_start)
        if key not in self._expiry_days:
            self._expiry_days[key] = expiry_day(self._policy(policy_id), year_start)
        return self._expiry_days[key]

    def _policy(self, policy_id: str) -> Versions[TimeOffPolicy]:
        definitions = self._workforce.definitions
        if policy_id not in definitions.time_off_policies:
            raise UndefinedReferenceError(
                f'time-off policy "{policy_id}" is not defined in workspace "{definitions.workspace_id}"; '
                "import its time_off_policy.defined first"
            )
        return definitions.time_off_policies[policy_id]

    def _named_until(self, employee_id: str) -> dict[str, date]:
        """The last day on which terms of theirs name each policy, by id."""
        found: dict[str, date] = {}
        for span in self._workforce.coverage(employee_id):
            terms = self._workforce.definitions.terms.get(span.employment.terms_id)
            for _, last, in_force in terms.between(span.start, span.end) if terms else ():
                for policy_id in in_force.time_off_policy_ids:
                    found[policy_id] = max(last or date.max, found.get(policy_id, date.min))
        return dict(sorted(found.items()))

    def _last_planned(self, policy_id: str) -> date | None:
        """The last day on which the policy has a plan; None when there is none."""
        versions = self._workforce.definitions.time_off_policies.get(policy_id)
        planned = [last or date.max for _, last, version in versions or () if version.accrual]
        return max(planned, default=None)

    def _last_short_sight(self, policy_id: str, until: date) -> date:
        policy = self._policy(policy_id)
        # A policy year ends eleven months after the one that holds the day, at the latest.
        months = 11 + max(version.expires_after_months or 0 for version in policy.values())
        if until.year + months // 12 + 1 >= date.max.year:
            return until
        last_due_date = end_of_month(until, months) + ONE_DAY
        return last_due_date - HORIZON - ONE_DAY if last_due_date - until > HORIZON else until

    def _hours(self, employee_id: str, policy: Versions[TimeOffPolicy], first: date, last: date) -> Hours | None:
        if any(getattr(version.accrual, "prorate_hours", False) for version in policy.values()):
            return hours(self._workforce, employee_id, first, last)
        return None


def _days_that_matter(policy: Versions[TimeOffPolicy], first: date, last: date) -> tuple[date, date]:
    """The days on which entries due from first to last can depend: from the oldest policy year that expires then."""
    months = max((version.expires_after_months or 0 for version in policy.values()), default=0)
    # A Danish year expires four months after its end, a year itself may have begun twelve months before.
    oldest = max(first.year - months // 12 - 3, date.min.year + 1)
    return date(oldest, 1, 1), date(min(last.year + 1, date.max.year), 12, 31)


def _lines(
    policy: Versions[TimeOffPolicy], of: Covered, worked: Hours | None, first: date, last: date
) -> tuple[_Line, ...]:
    if not of.stretches:
        return ()
    plans: Plans = policy.map(lambda version: version.accrual)
    found: list[_Line] = []
    credited: set[date] = set()
    for kind, begin in _calendars(plans):
        for start in _year_starts(begin, of, last):
            credits = credits_of_year(kind, start, plans, of, weekly_minutes(worked or ()))
            found += [("accrual", due, amount, start) for due, amount in credits if first <= due <= last]
            credited.update([start] if credits else [])
    expiries: set[date] = set()
    # Two plans can share a year, when the policy changes within it: it expires once.
    for start in sorted(credited):
        expires_on = expiry_day(policy, start)
        if expires_on is not None and expires_on < date.max:
            due = expires_on + ONE_DAY
            # Two years can expire on one day when the policy's expiration changed; an entry's id names its day.
            while due in expiries:
                due += ONE_DAY
            expiries.add(due)
            if first <= due <= last:
                found.append(("expiry", due, 0, start))
    return tuple(sorted(found, key=lambda line: (line[1], line[0])))


def _calendars(plans: Plans) -> set[tuple[type[AccrualPlan], int]]:
    """The kinds of plans that the policy ever has, with the months in which their policy years begin."""
    return {(type(plan), first_month(plan)) for plan in plans.values() if plan is not None}


def _year_starts(begin: int, of: Covered, last: date) -> Iterator[date]:
    """The first days of the policy years from the first covered day on, as long as the calendar has their end."""
    start = year_start(of.stretches[0].start, begin)
    while start <= last and start.year < date.max.year:
        yield start
        start = year_end(start) + ONE_DAY
