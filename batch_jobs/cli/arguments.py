"""Values of the command line that several commands read, and how they are read from text."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

import typer

from batch_jobs.engine.admission import read_day
from batch_jobs.errors import BadInputError

MOST_DAYS = 400

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]


def read_dates(text: str | None) -> list[date | None]:
    """The run dates that `--date D` or `--date A..B` names, in order; `[None]`, each workspace's own today, for none.

    Raises:
        BadInputError: an end is no date, the second is before the first, or the days between are too many.
    """
    if text is None:
        return [None]
    first, dots, last = text.partition("..")
    start = read_day(first)
    end = read_day(last) if dots else start
    if end < start:
        raise BadInputError(f'date "{text}" ends before it begins; expected the earlier day first: {end}..{start}')
    days = (end - start).days + 1
    if days > MOST_DAYS:
        raise BadInputError(f'date "{text}" spans {days} days; expected {MOST_DAYS} at the most: run it in parts')
    return [start + timedelta(days=number) for number in range(days)]


def read_parameters(given: Sequence[str]) -> dict[str, str]:
    """The parameters that `--param name=value` gives.

    Raises:
        BadInputError: a text without `=`, or a name twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadInputError(f'--param "{text}": expected name=value, such as employee_id=e-12')
        if name in found:
            raise BadInputError(f'--param {name} is given twice, as "{found[name]}" and as "{value}"; give it once')
        found[name] = value
    return found
