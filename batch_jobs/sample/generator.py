"""The sample's front: many workspaces, one after the other, from a seed."""

from collections.abc import Collection, Iterator
from datetime import date

from batch_jobs.errors import BadInputError
from batch_jobs.sample.companies import company
from batch_jobs.sample.journal import Event
from batch_jobs.sample.story import tell

_YEARS = (1970, 2090)


def generate(
    *, workspaces: int, employees: int, seed: int, until: date, without: Collection[str] = ()
) -> Iterator[Event]:
    """Made-up workspaces with a year of history, as the events of an import file (domain 2).

    The same arguments give the same events, and workspace n has the same ones however many there are.

    Args:
        workspaces: how many; each is complete before the next begins, its events in the order of their time.
        employees: how many people each has in that year, those who left and those to come included.
        seed: another number gives other people and other days.
        until: last day of the history; the jobs ran on its morning. What is due on it or on the day after is a
            night's work: give yesterday, and today's run has something to do.
        without: ids of workspaces to leave out.

    Raises:
        BadInputError: a number is too small, or the day is one for which no holidays are known.
    """
    for name, number in (("workspaces", workspaces), ("employees", employees)):
        if number < 1:
            raise BadInputError(f"{name} is {number}; expected 1 or more")
    if not _YEARS[0] <= until.year <= _YEARS[1]:
        raise BadInputError(f"until is {until}; expected a day of the years {_YEARS[0]} to {_YEARS[1]}")
    return (
        event
        for told in map(company, range(workspaces))
        if told.workspace_id not in without
        for event in tell(told, employees=employees, seed=str(seed), until=until)
    )
