"""One workspace's history, day by day: first the jobs of the night, then what people do."""

from collections.abc import Iterator
from datetime import date, timedelta

from batch_jobs.sample.absence_jobs import AbsenceJobs
from batch_jobs.sample.absences import Absences
from batch_jobs.sample.balances import Balances
from batch_jobs.sample.careers import Careers
from batch_jobs.sample.changes import Changes
from batch_jobs.sample.companies import Company
from batch_jobs.sample.digests import Digests
from batch_jobs.sample.faults import plan_faults
from batch_jobs.sample.hiring import Hiring
from batch_jobs.sample.journal import Event
from batch_jobs.sample.messages import Messages
from batch_jobs.sample.norms import Norms
from batch_jobs.sample.roster import people_the_company
from batch_jobs.sample.settings import Settings
from batch_jobs.sample.statements import Statements
from batch_jobs.sample.time_entries import TimeEntries, define_projects
from batch_jobs.sample.workplace import Workplace, days_between

HISTORY = timedelta(days=365)

_SIGNED_UP = timedelta(days=3)
_SUSPENDED = timedelta(days=40)


def tell(company: Company, *, employees: int, seed: str, until: date) -> Iterator[Event]:
    """A company's events in the order of their time.

    Args:
        company: whose.
        employees: how many people it ever has in that time.
        seed: what all chance comes from.
        until: last day of the history.
    """
    if company.chapter == "suspended":
        until -= _SUSPENDED
    first = until - (_SIGNED_UP if company.chapter == "signed_up" else HISTORY)
    workplace = _open(company, employees, seed, first, until)
    messages = Messages(workplace)
    hiring = Hiring(workplace)
    balances = Balances(workplace)
    absences = Absences(workplace, balances)
    absence_jobs = AbsenceJobs(workplace, absences, balances, messages)
    statements = Statements(workplace, messages)
    digests = Digests(workplace, statements, messages)
    norms = Norms(workplace)
    changes = Changes(workplace)
    Careers(workplace)
    # In the order of domain 6.1.
    of_the_night = (
        *(changes.night, balances.night, absence_jobs.night, statements.night),
        *(digests.night, norms.night, messages.night, hiring.night),
    )
    journal, projects = workplace.journal, list[str]()
    for day in days_between(first, until):
        journal.begin(day)
        if day == first:
            hiring.begin()
            projects += define_projects(workplace, workplace.chance("projects"))
            time_entries = TimeEntries(workplace, projects)
        elif day <= workplace.last_night:
            for job in of_the_night:
                job()
        workplace.agenda.run(day)
        # Accounts and absences are looked after before the hours of the day.
        for part_of_day in (balances.daytime, absences.daytime, statements.daytime, time_entries.daytime):
            part_of_day()
        if day == until and company.chapter == "suspended":
            journal.record(20 * 60, "workspace.suspended", {}, actor="support:billing")
        yield from journal.end()


def _open(company: Company, employees: int, seed: str, first: date, until: date) -> Workplace:
    """The workplace with its people and its planned mistakes, before the first day."""
    settings = Settings(company, first, until + 2 * HISTORY)
    last_night = until - timedelta(days=company.nights_missed)
    workplace = Workplace(company, settings, seed, first, until, last_night)
    people_the_company(workplace, employees)
    plan_faults(workplace)
    return workplace
