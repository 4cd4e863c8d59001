"""Absences as the jobs of the night record them: consumption, registration, reminders (domain 6.1)."""

from datetime import date, timedelta
from math import floor
from typing import Any

from batch_jobs.rules.approval_periods import Period, period, periods_between
from batch_jobs.rules.fractions import exact, round_half_up
from batch_jobs.sample.absences import Absence, Absences
from batch_jobs.sample.balances import Balances
from batch_jobs.sample.messages import Messages
from batch_jobs.sample.workplace import Workplace

_CONSUME, _REGISTER, _REMIND = "timeoff_consumption", "absence_registration", "timeoff_reminder"
_ONE_DAY = timedelta(days=1)
_REMINDER_WINDOW = timedelta(days=14)


class AbsenceJobs:
    """`timeoff_consumption`, `absence_registration` and `timeoff_reminder` of one workspace."""

    def __init__(self, workplace: Workplace, absences: Absences, balances: Balances, messages: Messages) -> None:
        self._workplace = workplace
        self._absences = absences
        self._balances = balances
        self._messages = messages
        self._reminded: set[Absence] = set()

    def night(self) -> None:
        """All three jobs for the run date today."""
        today = self._workplace.today
        for absence in [absence for absence in self._absences.closed if absence.start <= today]:
            self._consume(absence, today)
        for absence in self._absences.ongoing:
            if absence.start < today - _ONE_DAY:
                self._register(absence, today - _ONE_DAY)
        for absence in self._absences.closed:
            if today < absence.start <= today + _REMINDER_WINDOW and absence not in self._reminded:
                self._remind(absence, today)

    def _consume(self, absence: Absence, today: date) -> None:
        person, end = absence.person, absence.end or absence.start
        first = absence.consumed_to + _ONE_DAY if absence.consumed_to else absence.start
        current = period(person.approval, today)
        if current is None:
            chunks = [Period(first, end)]
        else:
            last = min(end, current.end)
            chunks = [
                Period(max(first, chunk.start), min(last, chunk.end))
                for chunk in periods_between(person.approval, first, last)
            ]
        for chunk in chunks:
            self._consume_chunk(absence, chunk)
            absence.consumed_to = chunk.end
        if absence.consumed_to == end:
            del self._absences.closed[absence]

    def _consume_chunk(self, absence: Absence, chunk: Period) -> None:
        person, policy = absence.person, absence.policy
        account_id = policy.get("account_id")
        unit = self._workplace.settings.accounts[account_id]["unit"] if account_id else None
        fraction = exact(absence.fraction)
        days: list[dict[str, Any]] = []
        for day in person.working_days(chunk.start, chunk.end):
            minutes = floor(person.minutes(day) * fraction)
            amount = {"days": round_half_up(100 * fraction), "hours": minutes, None: 0}[unit]
            days.append({"date": day.isoformat(), "minutes": minutes, "amount": amount})
            absence.consumed.append((day, amount))
            if account_id:
                self._balances.use(person, account_id, day, amount)
        payload: dict[str, Any] = {
            "absence_id": absence.absence_id,
            "employee_id": person.employee_id,
            "policy_id": policy["policy_id"],
        }
        payload |= {field: policy[field] for field in ("account_id", "activity_id") if field in policy}
        payload |= {
            "from_date": chunk.start.isoformat(),
            "to_date": chunk.end.isoformat(),
            "days": days,
            "amount": sum(day["amount"] for day in days),
        }
        parts = (_CONSUME, absence.absence_id, chunk.start.isoformat())
        self._workplace.journal.record_job(_CONSUME, "time_off.consumed", payload, *parts)

    def _register(self, absence: Absence, day: date) -> None:
        person, activity_id = absence.person, absence.policy.get("activity_id")
        minutes = person.minutes(day)
        if not activity_id or not minutes:
            return
        payload = {
            "absence_id": absence.absence_id,
            "employee_id": person.employee_id,
            "activity_id": activity_id,
            "date": day.isoformat(),
            "minutes": minutes,
        }
        parts = (person.employee_id, activity_id, day.isoformat())
        self._workplace.journal.record_job(_REGISTER, "absence.registered", payload, *parts)

    def _remind(self, absence: Absence, today: date) -> None:
        person, end = absence.person, absence.end or absence.start
        if absence.fraction < 1 or person.working_days(today + _ONE_DAY, absence.start - _ONE_DAY):
            return
        account = self._workplace.settings.accounts.get(absence.policy.get("account_id", ""))
        data = {
            "absence_ids": [absence.absence_id],
            "start_date": absence.start.isoformat(),
            "end_date": end.isoformat(),
            "working_days": len(person.working_days(absence.start, end)),
            "account": account["name"] if account else "time off",
        }
        if self._messages.send(_REMIND, person, "timeoff_reminder", data, absence.absence_id):
            self._reminded.add(absence)
