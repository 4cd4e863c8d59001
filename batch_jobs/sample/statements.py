"""Timesheet statements: started and chased by jobs, handed in, signed and reopened by people (domain 3.7, 6.1)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from batch_jobs.mail.kinds import STATEMENT_DEADLINE, STATEMENT_OVERDUE, StatementReminderData
from batch_jobs.rules.approval_periods import period
from batch_jobs.rules.statements import StatementState
from batch_jobs.sample.messages import Messages
from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace, weekday_from

_GENERATE, _REMIND = "timesheet_statement_generate", "timesheet_statement_reminder"
_ONE_DAY = timedelta(days=1)
_OVERDUE_SEARCH = (14, 60, 366)
_LATE, _SECOND_SIGNATURE, _REOPENED, _REOPENED_LATER = 0.25, 0.05, 0.01, 0.003


@dataclass(slots=True, eq=False)
class Statement:
    """One statement as it stands. `chief` is in the targets of its latest reminder."""

    statement_id: str
    person: Person
    start: date
    end: date
    state: StatementState = "pending"
    waiting_for: tuple[Person, ...] = ()
    chief: Person | None = None
    planned: bool = False
    seen_turn: int = -1
    deadline: date = date.max
    overdue_on: date = date.max


class Statements:
    """Every statement of one workspace, from the period's start to the last signature.

    Attributes:
        chased: pending and ready ones, which the reminder looks at.
        open: ready, overdue and submitted ones, which someone has still to act on.
    """

    def __init__(self, workplace: Workplace, messages: Messages) -> None:
        self._workplace = workplace
        self._messages = messages
        self._chance = workplace.chance("statements")
        # A company that winds down leaves nothing behind.
        self._tidy = workplace.company.chapter == "wound_down"
        self._started_to: dict[Person, date] = {}
        self.chased: dict[Statement, None] = {}
        self.open: dict[Statement, None] = {}

    def night(self) -> None:
        """`timesheet_statement_generate`, then `timesheet_statement_reminder`, for the run date today."""
        today = self._workplace.today
        for person in self._workplace.people:
            if person.approval != "none" and self._started_to.get(person, date.min) < today and person.employed(today):
                self._start(person, today)
        for statement in list(self.chased):
            self._chase(statement, today)

    def daytime(self) -> None:
        """On the last day but one, someone finds a mistake in a statement that was handed in."""
        workplace = self._workplace
        if workplace.today == workplace.until - _ONE_DAY and workplace.company.chapter == "ordinary":
            submitted = [statement for statement in self.open if statement.state == "submitted"]
            if submitted:
                self._reopen(submitted[-1], again=False)

    def _start(self, person: Person, today: date) -> None:
        bounds = period(person.approval, today)
        if bounds is None:
            return
        self._started_to[person] = bounds.end
        start, end = bounds.start.isoformat(), bounds.end.isoformat()
        statement = Statement(f"{person.employee_id}:{start}:{end}", person, bounds.start, bounds.end)
        payload = {
            "statement_id": statement.statement_id,
            "employee_id": person.employee_id,
            "terms_id": person.terms_id,
            "period_start": start,
            "period_end": end,
        }
        parts = (_GENERATE, person.employee_id, start, end)
        self._workplace.journal.record_job(_GENERATE, "statement.period_started", payload, *parts)
        self.chased[statement] = None

    def _chase(self, statement: Statement, today: date) -> None:
        person = statement.person
        if statement.seen_turn != person.turn:
            statement.seen_turn = person.turn
            statement.deadline = max(person.available_days(statement.start, statement.end), default=statement.end)
            statement.overdue_on = date.min
        kind = None
        if statement.state == "pending" and today >= statement.deadline:
            kind = STATEMENT_DEADLINE
            self._remind(statement, "ready")
        if statement.state == "ready" and today > statement.end and today >= self._overdue_on(statement):
            kind = STATEMENT_OVERDUE
            self._remind(statement, "overdue")
            del self.chased[statement]
        if kind:
            data = StatementReminderData(
                employee_name=person.called,
                statement_id=statement.statement_id,
                period_start=statement.start.isoformat(),
                period_end=statement.end.isoformat(),
                deadline=statement.deadline.isoformat(),
            )
            self._messages.send(_REMIND, person, kind, data, statement.statement_id)

    def _overdue_on(self, statement: Statement) -> date:
        """The first available day after the period, found once and again when the person's days change."""
        if statement.overdue_on == date.min:
            after = statement.end + _ONE_DAY
            statement.overdue_on = after
            for days in _OVERDUE_SEARCH:
                found = statement.person.available_days(after, statement.end + timedelta(days=days))
                if found:
                    statement.overdue_on = found[0]
                    break
        return statement.overdue_on

    def _remind(self, statement: Statement, state: StatementState) -> None:
        person = statement.person
        statement.state, statement.chief = state, person.chief()
        targets = (statement.chief.employee_id,) if statement.chief else ()
        payload = {"statement_id": statement.statement_id, "employee_id": person.employee_id}
        parts = (_REMIND, statement.statement_id, state)
        self._workplace.journal.record_job(_REMIND, f"statement.{state}", payload, *parts, targets=targets)
        self.open[statement] = None
        if not statement.planned:
            statement.planned = True
            self._plan_submission(statement)

    def _plan_submission(self, statement: Statement) -> None:
        """When they will hand it in: on the last working day, or some days late, or never."""
        workplace, person = self._workplace, statement.person
        last_day = max(person.working_days(statement.start, statement.end), default=statement.end)
        on = max(workplace.today, last_day)
        late = self._chance.random()
        if late > person.punctual and not self._tidy:
            if self._chance.random() < _LATE and not person.end:
                return
            on = weekday_from(on + timedelta(days=self._chance.choice((1, 2, 3, 4, 8))))
        workplace.agenda.add(on, self._submit, statement)

    def _submit(self, statement: Statement, patience: int = 20) -> None:
        workplace, person = self._workplace, statement.person
        if statement.state not in ("ready", "overdue", "reopened"):
            return
        today = workplace.today
        if patience and (person.sick or person.away.get(today) == 1):
            # They do it when they are back.
            again = weekday_from(today + _ONE_DAY)
            workplace.agenda.add(again, self._submit, statement, patience - 1)
            return
        chief = person.chief()
        signers: tuple[Person, ...] = (chief,) if chief else ()
        above = chief.chief() if chief else None
        if chief and above and self._chance.random() < _SECOND_SIGNATURE:
            signers = (chief, above)
        payload: dict[str, Any] = {
            "statement_id": statement.statement_id,
            "employee_id": person.employee_id,
            "approvers": [signer.employee_id for signer in signers],
        }
        if statement.state == "reopened":
            payload["note"] = "OK"
        # After the day's hours are entered.
        minute = 1060 + person.number % 45
        workplace.journal.record(minute, "statement.submitted", payload, actor=workplace.actor(person))
        statement.state, statement.waiting_for = ("submitted" if signers else "approved"), signers
        self.chased.pop(statement, None)
        self.open.pop(statement, None)
        if signers:
            self.open[statement] = None
        for order, signer in enumerate(signers):
            days = self._chance.choice((0, 1, 1, 2, 3, 5)) + order
            when = weekday_from(today + timedelta(days=days))
            # Whoever leaves signs on their last day what is there.
            when = max(today, min(when, signer.leaves_on or when))
            workplace.agenda.add(when, self._sign, statement, signer)

    def _sign(self, statement: Statement, signer: Person) -> None:
        workplace, today = self._workplace, self._workplace.today
        if statement.state != "submitted" or signer not in statement.waiting_for:
            return
        if not signer.employed(today) and not self._tidy:
            return
        if signer.sick or signer.away.get(today) == 1:
            later = weekday_from(today + _ONE_DAY)
            workplace.agenda.add(later, self._sign, statement, signer)
            return
        if self._chance.random() < _REOPENED and self._reopen(statement):
            return
        payload = {
            "statement_id": statement.statement_id,
            "employee_id": statement.person.employee_id,
            "by": signer.employee_id,
        }
        minute = 1110 + signer.number % 60
        workplace.journal.record(minute, "statement.approved", payload, actor=workplace.actor(signer))
        statement.waiting_for = tuple(other for other in statement.waiting_for if other is not signer)
        if statement.waiting_for:
            return
        statement.state = "approved"
        del self.open[statement]
        if self._chance.random() < _REOPENED_LATER and not statement.person.end:
            later = weekday_from(workplace.today + timedelta(days=4))
            workplace.agenda.add(later, self._reopen, statement)

    def _reopen(self, statement: Statement, *, again: bool = True) -> bool:
        """Give a statement back; False when nobody can. With `again` it is handed in once more on the next day."""
        workplace, person, today = self._workplace, statement.person, self._workplace.today
        chief = person.chief()
        if statement.state not in ("submitted", "approved") or chief is None or not person.employed(today):
            return False
        if self._tidy:
            return False
        notes = workplace.company.country.reopenings
        payload = {
            "statement_id": statement.statement_id,
            "employee_id": person.employee_id,
            "by": chief.employee_id,
            "note": notes[person.number % len(notes)],
        }
        minute = 1170 + chief.number % 20
        workplace.journal.record(minute, "statement.reopened", payload, actor=workplace.actor(chief))
        statement.state, statement.waiting_for = "reopened", ()
        self.open.pop(statement, None)
        if again:
            next_day = weekday_from(today + _ONE_DAY)
            workplace.agenda.add(next_day, self._submit, statement)
        return True
