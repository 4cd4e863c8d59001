"""The managers' e-mail about timesheets, sent on the last nights (domain 6.1)."""

from collections import defaultdict
from datetime import timedelta

from batch_jobs.mail.kinds import MANAGER_DIGEST, DigestItem, ManagerDigestData
from batch_jobs.sample.messages import Messages
from batch_jobs.sample.people import Person
from batch_jobs.sample.statements import Statements
from batch_jobs.sample.workplace import Workplace

_DIGEST = "timesheet_statement_manager_digest"
# The company turned the digest on last week: a year of them would crowd out everything else.
_SINCE = timedelta(days=7)


class Digests:
    """`timesheet_statement_manager_digest` of one workspace."""

    def __init__(self, workplace: Workplace, statements: Statements, messages: Messages) -> None:
        self._workplace = workplace
        self._statements = statements
        self._messages = messages

    def night(self) -> None:
        """One message to each manager who has something to sign or to ask for."""
        today = self._workplace.today
        if today <= self._workplace.until - _SINCE:
            return
        awaiting: defaultdict[Person, list[DigestItem]] = defaultdict(list)
        missing: defaultdict[Person, list[DigestItem]] = defaultdict(list)
        for statement in self._statements.open:
            item = DigestItem(
                statement_id=statement.statement_id,
                employee_id=statement.person.employee_id,
                employee_name=statement.person.called,
                period_start=statement.start.isoformat(),
                period_end=statement.end.isoformat(),
            )
            if statement.state == "submitted":
                for signer in statement.waiting_for:
                    awaiting[signer].append(item)
            elif statement.chief:
                missing[statement.chief].append(item)
        for manager in dict.fromkeys((*awaiting, *missing)):
            data = ManagerDigestData(manager_name=manager.called, awaiting=awaiting[manager], missing=missing[manager])
            parts = (manager.employee_id, today.isoformat())
            self._messages.send(_DIGEST, manager, MANAGER_DIGEST, data, *parts, channels=("email",))
