"""The rules of domain 3.0 to 3.3 once more, read off the contract for one single day: slow, without caches."""

from datetime import date
from math import floor

from batch_jobs.rules.calendars import holidays_between
from batch_jobs.rules.entities import HolidayCalendar
from batch_jobs.rules.fractions import exact
from batch_jobs_tests.rules.people import Row


class DayByDay:
    """Answers about one day from the payloads in force on it."""

    def __init__(self, rows: list[Row], default_calendar: str | None, day: date) -> None:
        self.day, self.default_calendar = day, default_calendar
        self.payloads: dict[str, dict[str, dict]] = {}
        for kind, entity_id in {(kind, entity_id) for kind, entity_id, _, _ in rows}:
            standing: list[tuple[date, dict]] = []
            for row_kind, row_id, since, payload in rows:
                if (row_kind, row_id) == (kind, entity_id):
                    standing = [*standing, (since, payload)] if since else [(date.min, payload)]
            begun = [start for start, _ in standing if start <= day] or [min(start for start, _ in standing)]
            in_force = [payload for start, payload in standing if start == max(begun)][-1]
            self.payloads.setdefault(kind, {})[entity_id] = in_force

    def of(self, kind: str, entity_id: str | None) -> dict | None:
        return self.payloads.get(kind, {}).get(entity_id or "")

    def employments(self, employee_id: str) -> list[dict]:
        return [found for found in self.payloads.get("employment", {}).values() if found["employee_id"] == employee_id]

    def covers(self, found: dict) -> bool:
        today = self.day.isoformat()
        return found["start_date"] <= today and (found["end_date"] is None or today <= found["end_date"])

    def current(self, employee_id: str) -> dict | None:
        covering = sorted(filter(self.covers, self.employments(employee_id)), key=lambda found: found["employment_id"])
        return max(covering[::-1], key=lambda found: found["start_date"], default=None)

    def status(self, employee_id: str) -> str:
        if self.current(employee_id):
            return "active"
        later = [found for found in self.employments(employee_id) if found["start_date"] > self.day.isoformat()]
        return "pending" if later else "ended"

    def units(self, unit_id: str | None) -> list[dict]:
        found: list[dict] = []
        while (unit := self.of("org_unit", unit_id)) and unit not in found:
            found.append(unit)
            unit_id = unit["parent_id"]
        return found

    def path(self, unit_id: str | None) -> tuple[str, ...]:
        return tuple(unit["org_unit_id"] for unit in self.units(unit_id)[::-1])

    def manager(self, employee_id: str) -> str | None:
        current = self.current(employee_id)
        if not current:
            return None
        heads = [unit.get("head_id") for unit in self.units(current.get("org_unit_id"))]
        return next((who for who in [current.get("manager_id"), *heads] if who and who != employee_id), None)

    def calendar_id(self, found: dict) -> str | None:
        named = [found, self.of("employment_terms", found["terms_id"]) or {}, *self.units(found.get("org_unit_id"))]
        ids = [one.get("holiday_calendar_id") for one in named] + [self.default_calendar]
        return next((one for one in ids if self.of("holiday_calendar", one)), None)

    def approval_period(self, found: dict) -> str | None:
        return (self.of("employment_terms", found["terms_id"]) or {}).get("approval_period")

    def expected_minutes(self, employee_id: str) -> int | None:
        """None where a reference is not defined."""
        current = self.current(employee_id)
        if not current:
            return 0
        terms = self.of("employment_terms", current["terms_id"])
        if not terms or (
            terms.get("work_time_policy_id") and not self.of("work_time_policy", terms["work_time_policy_id"])
        ):
            return None
        policy = self.of("work_time_policy", terms.get("work_time_policy_id")) or {}
        norm = policy.get("norm") or terms["norm"]
        minutes = norm[(self.day - date(2024, 1, 1)).days // 7 % len(norm)][self.day.weekday()]
        calendar = self.of("holiday_calendar", self.calendar_id(current))
        free = exact(0)
        if calendar:
            holidays = holidays_between(HolidayCalendar.from_payload(calendar), self.day, self.day)
            free = holidays[self.day].fraction if holidays else free
        return floor(minutes * (1 - free))
