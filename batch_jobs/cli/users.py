"""`users`: who may sign in to the web UI, and as what."""

import getpass
import sys
from typing import Annotated

import typer

from batch_jobs.access import users
from batch_jobs.access.roles import ROLES, read_role
from batch_jobs.cli.arguments import AsJson
from batch_jobs.cli.output import note, print_json, print_table, say
from batch_jobs.errors import BadInputError
from batch_jobs.installation import open_database

app = typer.Typer(
    help="Who may sign in to the web UI (`batch-jobs up --auth`), and as what.\n\n"
    "A viewer sees everything and changes nothing. An operator also launches, stops and re-runs. An admin may do "
    "everything, such as switching schedules and sensors off and on.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the user signs in with.")]
RoleOption = Annotated[str, typer.Option("--role", help=f"One of: {', '.join(ROLES)}.")]


@app.command("add")
def add(name: Name, role: RoleOption) -> None:
    """Let somebody sign in. The password is asked for, or read from standard input (its first line)."""
    chosen = read_role(role)
    with open_database(progress=note) as database:
        users.add_user(database, name, chosen, _read_password(name))
    say(f"{name} may sign in as {chosen}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List who may sign in."""
    with open_database(progress=note) as database, database.owner() as connection:
        found = users.list_users(connection)
    if as_json:
        print_json([user.as_json() for user in found])
    elif found:
        rows = [
            [user.name, user.role, f"{user.added_at:%Y-%m-%d}", user.signed_in_at and f"{user.signed_in_at:%F %R}"]
            for user in found
        ]
        print_table(["name", "role", "since", "last signed in (UTC)"], rows)
    else:
        say("nobody may sign in yet; make the first user: batch-jobs users add NAME --role admin")


@app.command("set-role")
def set_role(name: Name, role: RoleOption) -> None:
    """Give somebody another role. They have to sign in again."""
    chosen = read_role(role)
    with open_database(progress=note) as database:
        users.set_role(database, name, chosen)
    say(f"{name} is {chosen} now, and has to sign in again")


@app.command("set-password")
def set_password(name: Name) -> None:
    """Give somebody another password, asked for or read from standard input. They have to sign in again."""
    with open_database(progress=note) as database:
        users.set_password(database, name, _read_password(name))
    say(f"{name} has a new password, and has to sign in again")


@app.command("remove")
def remove(name: Name) -> None:
    """Let somebody sign in no more, and sign them out. The ledger keeps their name at what they did."""
    with open_database(progress=note) as database:
        users.remove_user(database, name)
    say(f"{name} may not sign in any more")


def _read_password(name: str) -> str:
    """Never from the command line, which other users of the machine see.

    Raises:
        BadInputError: the two answers differ, or there is none.
    """
    # A closed stdin is none.
    if sys.stdin is None or not sys.stdin.isatty():
        found = sys.stdin.readline().rstrip("\r\n") if sys.stdin else ""
        if not found:
            raise BadInputError("standard input has no password; expected it in the first line")
        return found
    try:
        password = getpass.getpass(f"Password of {name}: ")
        again = getpass.getpass("Again: ")
    except EOFError:
        raise BadInputError("no password was given; nothing was changed") from None
    if again != password:
        raise BadInputError("the two passwords differ; nothing was changed")
    return password
