"""SQL in every text that can be given to a job or a command stays text. The texts are found in the code."""

import contextlib
import typing
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import psycopg
import pytest

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.history import list_runs
from batch_jobs.engine.requests import RunRequest
from batch_jobs.errors import BadInputError
from batch_jobs.installation import make_engine
from batch_jobs.jobs import registry
from batch_jobs.orchestration.op_config import op_config
from batch_jobs.search import registry as indexes
from batch_jobs.search.querying import query
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import employee, import_all, unit
from batch_jobs_tests.engine.company import digest
from batch_jobs_tests.fuzz.command_lines import COMMANDS, line_of
from batch_jobs_tests.fuzz.place import Place, place_of
from batch_jobs_tests.fuzz.trials import try_command
from batch_jobs_tests.postgres import EMBEDDED, Servers

# Each ends another kind of text. What is smuggled in would leave a table, or break the statement.
_TRACE = "RESET ROLE; CREATE TABLE batch_jobs.smuggled (); COMMIT; --"
SMUGGLED = (
    f"x'; {_TRACE}",
    f"x'); {_TRACE}",
    f'x"; {_TRACE}',
    f"x$$; {_TRACE}",
    f"\\'; {_TRACE}",
    f"*/ {_TRACE}",
    "' OR 'x' = 'x",
    "'||(SELECT max(workspace_id) FROM batch_jobs.workspaces)||'",
    "%(workspace_id)s %s %% %",
    "{0} {name} {} {",
    "globex\x00acme",
    ":x $1 ?",
)


@pytest.fixture(scope="module")
def place(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_of(servers.of(EMBEDDED).make_database(), tmp_path_factory.mktemp("sql")) as found:
        yield found


@pytest.fixture(scope="module")
def engine(place: Place) -> Engine:
    return make_engine(place.database, Settings(home=place.folder))


def is_text(annotation: Any) -> bool:
    """Whether a text of any kind can be given for it."""
    if get_origin(annotation) in (Literal, typing.Literal):
        return True
    return annotation is str or any(is_text(part) for part in get_args(annotation))


def texts_of_jobs() -> list[tuple[str, str]]:
    return [
        (name, field)
        for name, job in registry().items()
        for field, info in job.parameters.model_fields.items()
        if is_text(info.annotation)
    ]


def texts_of_commands() -> list[tuple[tuple[str, ...], str]]:
    return [
        (path, parameter.name)
        for path, command in COMMANDS
        for parameter in command.params
        if parameter.name and not getattr(parameter, "is_flag", False)
    ]


def others(database: Database) -> str:
    """What globex has, but for when it was looked at."""
    with database.worker(["globex"]) as connection:
        tables = connection.execute(
            "SELECT p.polrelid::regclass::text FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid "
            "WHERE polname = 'in_scope' AND NOT relispartition AND relpersistence <> 't' "
            "AND has_table_privilege(c.oid, 'SELECT') AND relname NOT IN ('job_runs', 'workspaces', 'checkpoints') "
            "ORDER BY 1"
        ).fetchall()
        names = [name for (name,) in tables]
        rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names}
        # Else nothing would be compared, and be the same.
        filled = {name for name, number in rows.items() if number != (0,)}
        assert filled >= {"batch_jobs.events", "projections.employee_directory"}, filled
        return "".join(digest(connection, name) for name in names)


def nothing_was_smuggled(database: Database) -> None:
    with database.owner() as connection:
        assert connection.execute("SELECT to_regclass('batch_jobs.smuggled')").fetchone() == (None,)
        broken = connection.execute(
            "SELECT job, message FROM batch_jobs.job_runs "
            "WHERE message ~ '(Syntax|Undefined|Data|Programming)[A-Za-z]*:' "
            "UNION ALL SELECT error, message FROM batch_jobs.job_run_errors WHERE message ~ 'syntax|psycopg'"
        ).fetchall()
    assert broken == []


def test_the_texts_are_found() -> None:
    found = texts_of_jobs()
    assert {field for _, field in found} >= {"employee_id", "org_unit_id", "projection", "index"}
    # What the launchpad takes beyond that is a yes or no.
    assert all(
        set(op_config(type(job)).model_fields) - set(job.parameters.model_fields) == {"allow_future"}
        for job in registry().values()
    )
    names = {name for _, name in texts_of_commands()}
    assert names >= {"workspace", "date_", "job", "jobs", "job_run_id", "status", "words", "index", "kind"}


@pytest.mark.parametrize(("job", "field"), texts_of_jobs())
def test_parameters_of_jobs(place: Place, engine: Engine, job: str, field: str) -> None:
    before, day = others(place.database), engine.own_today(["acme"])["acme"]
    for text in SMUGGLED:
        request = RunRequest(job=job, targets=[("acme", day)], parameters={field: text}, actor=text.replace("\0", ""))
        # An id that nobody has, and what is no choice, is refused.
        with contextlib.suppress(BadInputError):
            (done,) = engine.run(request)
            assert done.status in ("completed", "warning"), done.message
    nothing_was_smuggled(place.database)
    assert others(place.database) == before


@pytest.mark.parametrize(("path", "name"), texts_of_commands())
def test_texts_of_commands(place: Place, path: tuple[str, ...], name: str) -> None:
    before = others(place.database)
    command = dict(COMMANDS)[path]
    for text in SMUGGLED[:3] + SMUGGLED[6:10]:
        try_command(place, line_of(path, command, {name: text}))
    nothing_was_smuggled(place.database)
    assert others(place.database) == before


def test_texts_within(place: Place, engine: Engine) -> None:
    for text in SMUGGLED:
        for refused in (
            lambda text=text: engine.find(text),
            lambda text=text: engine.own_today([text]),
            lambda text=text: engine.due([text]),
        ):
            with contextlib.suppress(BadInputError):
                assert not refused()
        if "\0" in text:
            continue
        with place.database.reader() as connection:
            assert list_runs(connection, job=text, workspace_id=text, limit=5) == []
        for index in indexes():
            with place.database.worker(["acme"]) as connection:
                # Some hold no word.
                with contextlib.suppress(BadInputError):
                    assert query(connection, index, text) is not None
                with pytest.raises(psycopg.errors.InvalidParameterValue):
                    connection.execute("SELECT * FROM search.find(%s, %s)", [text, ["x"]])
    nothing_was_smuggled(place.database)


def test_ids_and_names_of_an_application(place: Place, engine: Engine) -> None:
    """What is imported is worked on by every job, and stays as it was written."""
    before = others(place.database)
    # An id has no | and no control characters.
    named = [text for text in SMUGGLED if not {"\0", "|"} & set(text)]
    import_all(
        place.database, *(employee(text, name=text) for text in named), *(unit(text, name=text) for text in named)
    )
    day = engine.own_today(["acme"])["acme"]
    for job in registry().values():
        (done,) = engine.run(RunRequest(job=job.name, targets=[("acme", day)]))
        assert done.status in ("completed", "warning"), (job.name, done.message)
    with place.database.worker(["acme"]) as connection:
        rows = connection.execute("SELECT employee_id, name FROM projections.employee_directory").fetchall()
        found = {one.entity_id for text in named[:3] for one in query(connection, "employees", text)}
    assert {(text, text) for text in named} <= set(rows)
    assert set(named[:3]) <= found
    nothing_was_smuggled(place.database)
    assert others(place.database) == before
