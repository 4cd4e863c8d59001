"""Time accounts: opening balances, forecasts, what is credited when due, what expires, overtime paid in time."""

from collections import defaultdict
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from batch_jobs.sample.accruals import YEARS_BACK, Entry, entries_between
from batch_jobs.sample.countries.country import Payload
from batch_jobs.sample.ledger import Ledger
from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace

HORIZON = timedelta(days=730)

_FORECAST, _MATERIALIZE = "accrual_forecast", "accrual_materialize"


class Balances:
    """Keeps everyone's accounts as `accrual_forecast` and `accrual_materialize` would (domain 6.1)."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._chance = workplace.chance("balances")
        self._policies = [policy for policy in workplace.settings.policies.values() if "accrual" in policy]
        self._ledgers: defaultdict[tuple[Person, str], Ledger] = defaultdict(Ledger)
        self._opened: set[Person] = set()
        self._forecast_for: dict[Person, tuple[date, date | None, bool]] = {}
        self._positions: dict[tuple[Person, str], int] = {}
        self._owed: dict[tuple[Person, str], list[Entry]] = {}
        self._due: defaultdict[date, dict[tuple[Person, str], Payload]] = defaultdict(dict)
        self._computed: dict[tuple[object, ...], list[Entry]] = {}

    def use(self, person: Person, account_id: str, day: date, amount: int) -> None:
        """Note that an absence took an amount from an account, or gave it back when negative."""
        self._ledgers[person, account_id].use(day, amount)

    def night(self) -> None:
        """Forecast for those whose employment changed, then credit and expire what is due."""
        today = self._workplace.today
        for person in self._workplace.people:
            if person.known and person.schedules:
                ended = person.end is not None and person.end < today
                inputs = (person.start, person.end, ended)
                if self._forecast_for.get(person) != inputs:
                    self._forecast_for[person] = inputs
                    for policy in self._policies:
                        self._forecast(person, policy, ended)
        for (person, policy_id), policy in self._due.pop(today, {}).items():
            owed = self._owed[person, policy_id]
            while owed and owed[0].due_date <= today:
                self._materialize(person, policy, owed.pop(0))

    def daytime(self) -> None:
        """Enter opening balances of those who are new; at the start of a month, pay overtime in time."""
        today = self._workplace.today
        for person in self._workplace.people:
            if person.known and person.schedules and person not in self._opened:
                self._opened.add(person)
                for policy in self._policies:
                    self._open(person, policy)
        if today.day == 3:
            self._pay_overtime()

    def _open(self, person: Person, policy: Payload) -> None:
        """What they earned before the first forecast, less what they have taken."""
        today = self._workplace.today
        past = self._entries(person, policy, today - HORIZON, today)
        years = sorted({entry.year_start for entry in past if entry.kind == "accrual"})
        days = self._unit(policy) == "days"
        for year_start in years[-2:] if "expiration" in policy else years[-1:]:
            of_year = [entry for entry in past if entry.year_start == year_start and entry.kind == "accrual"]
            expires_on = of_year[0].expires_on
            if expires_on and expires_on < today:
                continue
            left = 1.0
            if person.start < self._workplace.first:
                # The older the year, the more of it has been taken.
                left = max(0.0, 1 - (today - year_start).days / 365 * self._chance.uniform(0.6, 1.0))
            step = 50 if days else 60
            amount = int(sum(entry.amount for entry in of_year) * left) // step * step
            if amount:
                credit = {"year_start": year_start.isoformat()}
                if expires_on:
                    credit["expires_on"] = expires_on.isoformat()
                self._adjust(
                    12 * 60 + 30, person, policy["account_id"], amount, policy_id=policy["policy_id"], **credit
                )
                self._ledgers[person, policy["account_id"]].credit(today, amount, year_start, expires_on)

    def _forecast(self, person: Person, policy: Payload, ended: bool) -> None:
        workplace, policy_id, key = self._workplace, policy["policy_id"], (person, policy["policy_id"])
        today, horizon_end = workplace.today, workplace.today + HORIZON
        entries = [] if ended else self._entries(person, policy, today, horizon_end)
        if not entries and not self._owed.get(key):
            return
        self._owed[key] = list(entries)
        for due_date in {entry.due_date for entry in entries}:
            self._due[due_date][key] = policy
        inputs = f"{policy['accrual']}|{policy.get('expiration')}|{person.start}|{person.end}|{ended}"
        fingerprint = sha256(inputs.encode()).hexdigest()[:32]
        payload = {
            "employee_id": person.employee_id,
            "policy_id": policy_id,
            "computed_from": today.isoformat(),
            "horizon_end": horizon_end.isoformat(),
            "fingerprint": fingerprint,
            "entries": [
                {
                    "entry_id": _entry_id(person, policy_id, entry),
                    "kind": entry.kind,
                    "due_date": entry.due_date.isoformat(),
                    "amount": entry.amount,
                    "year_start": entry.year_start.isoformat(),
                }
                for entry in entries
            ],
        }
        replaced = str(self._positions.get(key, 0))
        parts = (_FORECAST, person.employee_id, policy_id, today.isoformat(), fingerprint, replaced)
        position = workplace.journal.record_job(_FORECAST, "accrual.forecast_computed", payload, *parts)
        self._positions[key] = position

    def _materialize(self, person: Person, policy: Payload, entry: Entry) -> None:
        journal, account_id, policy_id = self._workplace.journal, policy["account_id"], policy["policy_id"]
        ledger = self._ledgers[person, account_id]
        entry_id = _entry_id(person, policy_id, entry)
        payload: dict[str, Any] = {
            "employee_id": person.employee_id,
            "account_id": account_id,
            "date": entry.due_date.isoformat(),
        }
        if entry.kind == "expiry":
            payload |= {"amount": ledger.expire(entry.year_start), "entry_id": entry_id, "policy_id": policy_id}
            journal.record_job(_MATERIALIZE, "account.expired", payload, _MATERIALIZE, entry_id)
            return
        payload |= {"amount": entry.amount, "source": "accrual", "policy_id": policy_id, "entry_id": entry_id}
        if entry.expires_on:
            payload["expires_on"] = entry.expires_on.isoformat()
        payload["year_start"] = entry.year_start.isoformat()
        journal.record_job(_MATERIALIZE, "account.credited", payload, _MATERIALIZE, entry_id)
        ledger.credit(entry.due_date, entry.amount, entry.year_start, entry.expires_on)

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

    def _entries(self, person: Person, policy: Payload, first: date, last: date) -> list[Entry]:
        # Those here for years have the same entries, whenever they began.
        start = max(person.start, date(first.year - YEARS_BACK, 1, 1))
        key = (policy["policy_id"], start, person.end, first, last)
        if key not in self._computed:
            self._computed[key] = entries_between(policy, start, person.end, first, last)
        return self._computed[key]

    def _unit(self, policy: Payload) -> str:
        return str(self._workplace.settings.accounts[policy["account_id"]]["unit"])


def _entry_id(person: Person, policy_id: str, entry: Entry) -> str:
    return f"{person.employee_id}:{policy_id}:{entry.kind}:{entry.due_date.isoformat()}"
