"""Mistakes in a company's data that make a job warn: plans them into the people. None is a mistake of the file."""

from datetime import timedelta

from batch_jobs.sample.workplace import Workplace


def plan_faults(workplace: Workplace) -> None:
    """Give the company the faults about people that it is to have."""
    people, until = workplace.people, workplace.until
    heads = {unit.head for unit in workplace.units}
    if "undefined_terms" in workplace.company.faults:
        temporary = [person for person in people[3:-3] if person not in heads][-1:]
        for person in temporary:
            # Hired as a temp in a hurry: nobody has entered the terms yet.
            person.terms_id = "temp"
            person.start, person.hired_on = until - timedelta(days=20), until - timedelta(days=24)
            person.leaves_on = None
    if "manager_left" in workplace.company.faults:
        led = [person.unit.head for person in people if person not in heads and person.start < workplace.first]
        for head in [head for head in reversed(led) if head and head.number > 1][:1]:
            # The team still reports to someone who is gone.
            head.leaves_on = until - timedelta(days=45)
            head.notice_on = until - timedelta(days=75)
