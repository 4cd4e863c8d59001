"""Time accounts: opening balances, forecasts, what is credited when due, what expires, overtime paid in time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from batch_jobs.rules.accrual.expiry import Credited, Expired, Used, left_to_expire
from batch_jobs.rules.accrual.forecast import HORIZON, Accruals, Forecast, ForecastEntry
from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace

_FORECAST, _MATERIALIZE = "accrual_forecast", "accrual_materialize"


@dataclass(slots=True)
class _Account:
    """What went in and out of one person's account."""

    credited: list[Credited] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    expired: list[Expired] = field(default_factory=list)


class Balances:
    """Keeps everyone's accounts as `accrual_forecast` and `accrual_materialize` would (domain 6.1)."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._chance = workplace.chance("balances")
        self._policies = workplace.settings.policies
        self._accounts: defaultdict[tuple[Person, str], _Account] = defaultdict(_Account)
        self._opened: set[Person] = set()
        self._forecast_for: dict[Person, tuple[object, ...]] = {}
        self._expiry: dict[tuple[str, date], date | None] = {}
        self._positions: dict[tuple[Person, str], int] = {}
        self._owed: dict[tuple[Person, str], list[ForecastEntry]] = {}
        self._due: defaultdict[date, dict[tuple[Person, str], None]] = defaultdict(dict)

    def use(self, person: Person, account_id: str, day: date, amount: int) -> None:
        """Note that an absence took an amount from an account, or gave it back when negative."""
        self._accounts[person, account_id].used.append(Used(day, amount))

    def night(self) -> None:
        """Forecast for those whose employment changed, then credit and expire what is due."""
        today = self._workplace.today
        changed = []
        for person in self._workplace.people:
            inputs = (person.start, person.end, person.terms_id)
            if person.known and person.schedules and self._forecast_for.get(person) != inputs:
                self._forecast_for[person] = inputs
                changed.append(person)
        if changed:
            accruals = Accruals(self._workplace.workforce(changed))
            for person in changed:
                for policy_id in accruals.policies(person.employee_id, today):
                    self._forecast(person, policy_id, accruals.forecast(person.employee_id, policy_id, today))
        if self._workplace.company.chapter == "wound_down":
            self._close_accounts()
        for person, policy_id in self._due.pop(today, {}):
            owed = self._owed[person, policy_id]
            while owed and owed[0].due_date <= today:
                self._materialize(person, policy_id, owed.pop(0))

    def daytime(self) -> None:
        """Enter opening balances of those who are new; early in a month, pay overtime in time."""
        today = self._workplace.today
        new = [
            person
            for person in self._workplace.people
            if person.known and person.schedules and person not in self._opened
        ]
        if new:
            self._opened.update(new)
            accruals = Accruals(self._workplace.workforce(new))
            for person in new:
                for policy_id in accruals.policies(person.employee_id, today):
                    self._open(person, policy_id, accruals)
        if today.day == 3:
            self._pay_overtime()

    def _open(self, person: Person, policy_id: str, accruals: Accruals) -> None:
        """What they earned before the first forecast, less what they have taken."""
        today, policy = self._workplace.today, self._policies[policy_id]
        past: defaultdict[date, list[ForecastEntry]] = defaultdict(list)
        for entry in accruals.forecast(person.employee_id, policy_id, today - HORIZON).entries:
            if entry.kind == "accrual" and entry.due_date <= today:
                past[entry.year_start].append(entry)
        account_id = policy["account_id"]
        step = 50 if self._workplace.settings.accounts[account_id]["unit"] == "days" else 60
        for year_start, entries in list(past.items())[-2:]:
            expires_on = accruals.expires_on(policy_id, year_start)
            if expires_on and expires_on < today:
                continue
            left = 1.0
            if person.start < self._workplace.first:
                # The older the year, the more of it has been taken.
                left = max(0.0, 1 - (today - year_start).days / 365 * self._chance.uniform(0.6, 1.0))
            amount = int(sum(entry.amount for entry in entries) * left) // step * step
            if amount:
                more = {"policy_id": policy_id, "year_start": year_start.isoformat()}
                if expires_on:
                    more["expires_on"] = expires_on.isoformat()
                self._adjust(12 * 60 + 30, person, account_id, amount, **more)
                credit = Credited(today, amount, policy_id, year_start, expires_on)
                self._accounts[person, account_id].credited.append(credit)

    def _forecast(self, person: Person, policy_id: str, forecast: Forecast) -> None:
        self._owed[person, policy_id] = list(forecast.entries)
        for due_date in {entry.due_date for entry in forecast.entries}:
            self._due[due_date][person, policy_id] = None
        self._record(person, policy_id, forecast, forecast.entries)

    def _record(self, person: Person, policy_id: str, forecast: Forecast, entries: Sequence[ForecastEntry]) -> None:
        computed_from = forecast.computed_from.isoformat()
        payload = {
            "employee_id": person.employee_id,
            "policy_id": policy_id,
            "computed_from": computed_from,
            "horizon_end": forecast.horizon_end.isoformat(),
            "fingerprint": forecast.fingerprint,
            "entries": [
                {
                    "entry_id": entry.entry_id,
                    "kind": entry.kind,
                    "due_date": entry.due_date.isoformat(),
                    "amount": entry.amount,
                    "year_start": entry.year_start.isoformat(),
                }
                for entry in entries
            ],
        }
        replaced = str(self._positions.get((person, policy_id), 0))
        parts = (_FORECAST, person.employee_id, policy_id, computed_from, forecast.fingerprint, replaced)
        position = self._workplace.journal.record_job(_FORECAST, "accrual.forecast_computed", payload, *parts)
        self._positions[person, policy_id] = position

    def _close_accounts(self) -> None:
        """Nothing is forecast any more for those who have left."""
        today = self._workplace.today
        owed = [key for key, entries in self._owed.items() if entries and key[0].end and key[0].end < today]
        if not owed:
            return
        accruals = Accruals(self._workplace.workforce(dict.fromkeys(person for person, _ in owed)))
        for person, policy_id in owed:
            self._owed[person, policy_id] = []
            self._record(person, policy_id, accruals.forecast(person.employee_id, policy_id, today), ())

    def _materialize(self, person: Person, policy_id: str, entry: ForecastEntry) -> None:
        journal, account_id = self._workplace.journal, self._policies[policy_id]["account_id"]
        account = self._accounts[person, account_id]
        payload: dict[str, Any] = {
            "employee_id": person.employee_id,
            "account_id": account_id,
            "date": entry.due_date.isoformat(),
        }
        about = {"policy_id": policy_id, "entry_id": entry.entry_id}
        if entry.kind == "expiry":
            amount = left_to_expire(
                *(account.credited, account.used, account.expired),
                policy_id=policy_id,
                year_start=entry.year_start,
                expiry_day=entry.due_date - timedelta(days=1),
            )
            account.expired.append(Expired(entry.due_date, amount, policy_id))
            payload |= {"amount": amount, **about}
            journal.record_job(_MATERIALIZE, "account.expired", payload, _MATERIALIZE, entry.entry_id)
            return
        expires_on = self._expires_on(policy_id, entry)
        account.credited.append(Credited(entry.due_date, entry.amount, policy_id, entry.year_start, expires_on))
        payload |= {"amount": entry.amount, "source": "accrual", **about}
        if expires_on:
            payload["expires_on"] = expires_on.isoformat()
        payload["year_start"] = entry.year_start.isoformat()
        journal.record_job(_MATERIALIZE, "account.credited", payload, _MATERIALIZE, entry.entry_id)

    def _expires_on(self, policy_id: str, entry: ForecastEntry) -> date | None:
        key = (policy_id, entry.year_start)
        if key not in self._expiry:
            accruals = Accruals(self._workplace.workforce([]))
            self._expiry[key] = accruals.expires_on(policy_id, entry.year_start)
        return self._expiry[key]

    def _pay_overtime(self) -> None:
        country = self._workplace.company.country
        lieu = self._workplace.settings.policies[country.leave.lieu]["account_id"]
        on_call = country.allowance_policies[0]["account_id"]
        for person in self._workplace.staff():
            if person.style == "long":
                self._adjust(13 * 60, person, lieu, 30 * self._chance.randrange(2, 12))
            if person.number % 9 == 4:
                self._adjust(13 * 60 + 10, person, on_call, 60 * self._chance.randrange(1, 9))
            if self._chance.random() < 0.004:
                # Somebody had counted twice.
                self._adjust(13 * 60 + 20, person, lieu, -30)

    def _adjust(self, minute: int, person: Person, account_id: str, amount: int, **more: str) -> None:
        payload = {
            "employee_id": person.employee_id,
            "account_id": account_id,
            "date": self._workplace.today.isoformat(),
            "amount": amount,
            "source": "adjustment",
            **more,
        }
        self._workplace.journal.record(
            minute + person.number % 10, "account.credited", payload, actor=self._workplace.actor()
        )
