"""What a workspace defines before its first person: calendars, accounts, policies, activities, terms."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from batch_jobs.rules.entities import ApprovalKind, EmploymentTerms, HolidayCalendar, WorkTimePolicy
from batch_jobs.rules.norms import norm_in_force
from batch_jobs.rules.work_schedules import WorkSchedule
from batch_jobs.sample.companies import Company
from batch_jobs.sample.countries.country import Contract, Payload
from batch_jobs.sample.spelling import slug

MAIN_CALENDAR = "main"
SECOND_CALENDAR = "second-site"


class Settings:
    """The definitions of one company.

    Args:
        company: whose.
        first: first day of the history.
        last: last day that anyone will ask about.

    Attributes:
        terms: payloads by id, as are `policies`, `accounts` and `work_time_policies`.
        work: ids of the work activities, the main one first.
        general_work: id of the activity above them.
    """

    def __init__(self, company: Company, first: date, last: date) -> None:
        country = company.country
        self._company = company
        self._years = range(first.year, last.year + 1)
        self.accounts = {account["account_id"]: account for account in country.accounts}
        self.policies = {policy["policy_id"]: policy for policy in country.time_off_policies}
        self.work_time_policies = {policy["policy_id"]: policy for policy in country.work_time_policies}
        self.terms = {
            contract.terms_id: self._terms(contract) for contract in (*country.contracts, country.top_contract)
        }
        self.general_work = slug(country.general_work)
        self.work = [f"{self.general_work}-{slug(name)}" for name in company.trade.work]
        calendars = [self._calendar(MAIN_CALENDAR, company.subdivision)]
        if company.second_site:
            calendars.append(self._calendar(SECOND_CALENDAR, company.second_site))
        self._calendars: Mapping[str, dict[str, Any]] = {calendar["calendar_id"]: calendar for calendar in calendars}
        self._schedules: dict[tuple[str, str], WorkSchedule] = {}

    def approval(self, terms_id: str) -> ApprovalKind:
        """The approval period of the terms; `none` where they are not defined."""
        terms = self.terms.get(terms_id)
        return terms["approval_period"] if terms else "none"

    def schedule(self, terms_id: str, calendar_id: str | None) -> WorkSchedule | None:
        """What the terms ask for under a calendar; None where they are not defined."""
        terms = self.terms.get(terms_id)
        if terms is None:
            return None
        key = (terms_id, calendar_id or MAIN_CALENDAR)
        if key not in self._schedules:
            policy = self.work_time_policies.get(terms.get("work_time_policy_id", ""))
            norm = norm_in_force(
                EmploymentTerms.from_payload(terms), WorkTimePolicy.from_payload(policy) if policy else None
            )
            self._schedules[key] = WorkSchedule(norm, HolidayCalendar.from_payload(self._calendars[key[1]]))
        return self._schedules[key]

    def definitions(self) -> Iterator[tuple[str, Payload]]:
        """Kind and payload of each definition, in the order in which someone would enter them."""
        country = self._company.country
        yield from (("holiday_calendar", calendar) for calendar in self._calendars.values())
        yield from (("time_account", account) for account in country.accounts)
        yield "activity", {"activity_id": self.general_work, "name": country.general_work, "kind": "work"}
        for activity_id, name in zip(self.work, self._company.trade.work, strict=True):
            yield (
                "activity",
                {"activity_id": activity_id, "name": name, "kind": "work", "parent_id": self.general_work},
            )
        yield from (("activity", activity) for activity in country.activities)
        yield from (("time_off_policy", policy) for policy in country.time_off_policies)
        yield from (("allowance_policy", policy) for policy in country.allowance_policies)
        yield from (("work_time_policy", policy) for policy in country.work_time_policies)
        yield from (("employment_terms", terms) for terms in self.terms.values())

    def _terms(self, contract: Contract) -> dict[str, Any]:
        country = self._company.country
        terms: dict[str, Any] = {
            "terms_id": contract.terms_id,
            "name": contract.name,
            "approval_period": contract.approval or self._company.approval,
            "norm": [list(week) for week in contract.norm],
            "time_off_policy_ids": list(self.policies),
            "allowance_policy_ids": [policy["policy_id"] for policy in country.allowance_policies],
        }
        if contract.work_time_policy_id:
            terms["work_time_policy_id"] = contract.work_time_policy_id
        return terms

    def _calendar(self, calendar_id: str, subdivision: str | None) -> dict[str, Any]:
        country = self._company.country
        calendar: dict[str, Any] = {
            "calendar_id": calendar_id,
            "name": " ".join(filter(None, (country.calendar_name, subdivision))),
            "country": country.code,
        }
        if subdivision:
            calendar["subdivision"] = subdivision
        calendar["custom_days"] = [
            day for year in self._years for day in (*country.custom_days(year), self._company_day(year))
        ]
        return calendar

    def _company_day(self, year: int) -> Payload:
        """A Friday in May or June, not the same for all."""
        about = date(year, 5, min(31, 3 + len(self._company.workspace_id)))
        friday = about + timedelta(days=(4 - about.weekday()) % 7)
        return {"date": friday.isoformat(), "name": self._company.country.company_day, "fraction": 1.0}
