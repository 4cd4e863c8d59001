"""Absences as the jobs of the night record them: consumption, registration, reminders (domain 6.1)."""

from datetime import date, timedelta
from math import floor
from typing import Any

from batch_jobs.mail.kinds import TIMEOFF_REMINDER, TimeOffReminderData
from batch_jobs.rules.absence_days import chunks, day_to_register
from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.fractions import round_half_up
from batch_jobs.rules.timeoff_reminders import TIME_OFF
from batch_jobs.sample.absences import Absences, Leave, registration
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
        self._reminded: set[Leave] = set()

    def night(self) -> None:
        """All three jobs for the run date today."""
        today, closed = self._workplace.today, self._absences.closed
        for leave in [leave for leave in closed if leave.standing.start_date <= today]:
            for chunk in chunks(leave.standing, today, leave.person.approval):
                self._consume(leave, chunk)
            if leave.standing.unconsumed() is None:
                del closed[leave]
        for leave in self._absences.ongoing:
            if day := day_to_register(leave.standing, today):
                self._register(leave, day)
        for leave in closed:
            if today < leave.standing.start_date <= today + _REMINDER_WINDOW and leave not in self._reminded:
                self._remind(leave, today)

    def _consume(self, leave: Leave, chunk: Period) -> None:
        person, policy, fraction = leave.person, leave.policy, leave.standing.fraction
        account_id = policy.get("account_id")
        unit = self._workplace.settings.accounts[account_id]["unit"] if account_id else None
        days: list[dict[str, Any]] = []
        for day in person.working_days(chunk.start, chunk.end):
            minutes = floor(person.minutes(day) * fraction)
            amount = {"days": round_half_up(100 * fraction), "hours": minutes, None: 0}[unit]
            days.append({"date": day.isoformat(), "minutes": minutes, "amount": amount})
            leave.taken.append((day, amount))
            if account_id:
                self._balances.use(person, account_id, day, amount)
        payload: dict[str, Any] = {
            "absence_id": leave.standing.absence_id,
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
        leave.move("time_off.consumed", payload)
        parts = (_CONSUME, leave.standing.absence_id, chunk.start.isoformat())
        self._workplace.journal.record_job(_CONSUME, "time_off.consumed", payload, *parts)

    def _register(self, leave: Leave, day: date) -> None:
        minutes, activity_id = leave.person.minutes(day), leave.policy.get("activity_id")
        if minutes and activity_id:
            payload = registration(leave, day, minutes)
            parts = (leave.person.employee_id, activity_id, day.isoformat())
            self._workplace.journal.record_job(_REGISTER, "absence.registered", payload, *parts)

    def _remind(self, leave: Leave, today: date) -> None:
        person, start = leave.person, leave.standing.start_date
        end = leave.standing.end_date or start
        if not leave.standing.full_days or person.working_days(today + _ONE_DAY, start - _ONE_DAY):
            return
        account = self._workplace.settings.accounts.get(leave.policy.get("account_id", ""))
        data = TimeOffReminderData(
            employee_name=person.called,
            absence_ids=[leave.standing.absence_id],
            start_date=start.isoformat(),
            end_date=end.isoformat(),
            working_days=len(person.working_days(start, end)),
            account=account["name"] if account else TIME_OFF,
        )
        if self._messages.send(_REMIND, person, TIMEOFF_REMINDER, data, leave.standing.absence_id):
            self._reminded.add(leave)
