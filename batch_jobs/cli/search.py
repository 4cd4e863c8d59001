"""`search`: what the search indexes find in a workspace."""

from typing import Annotated

import typer

from batch_jobs.cli.arguments import AsJson
from batch_jobs.cli.output import note, print_json, print_table, say
from batch_jobs.installation import open_engine
from batch_jobs.search.querying import MOST_FOUND, Found, find_index, query
from batch_jobs.store.workspaces import check_known


def search(
    index: Annotated[str, typer.Argument(metavar="INDEX", help="employees, projects or activities.")],
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS", help="All of them must be found, the last one as the beginning of a word."),
    ],
    workspace: Annotated[str, typer.Option("--workspace", metavar="ID", help="Where to search.")],
    limit: Annotated[int, typer.Option("--limit", help=f"How many at the most, up to {MOST_FOUND:,}.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Search employees, projects or activities of a workspace: best match first, equal ones by name.

    Case and accents do not matter: soren finds Søren. What the event log has is found, so the index is brought up to
    date first when it is behind.
    """
    find_index(index)
    with open_engine(progress=note) as engine:
        check_known(engine.database, workspace)
        engine.catch_up(workspaces=[workspace], names=[index])
        with engine.database.worker([workspace]) as connection:
            found = query(connection, index, " ".join(words), limit=limit)
    if as_json:
        print_json([{"entity_id": one.entity_id, "title": one.title, **one.shown, "rank": one.rank} for one in found])
    elif found:
        _print(found)
    else:
        say(f'nothing found for "{" ".join(words)}" among the {index} of {workspace}')


def _print(found: list[Found]) -> None:
    fields = list(found[0].shown)
    rows = []
    for one in found:
        texts = (one.shown[field] for field in fields)
        cells = (" / ".join(text) if isinstance(text, list) else text for text in texts)
        rows.append([one.entity_id, one.title, *cells])
    headings = [field.replace("_", " ") for field in fields]
    print_table(["id", "name", *headings], rows, folding=["name", *headings])
