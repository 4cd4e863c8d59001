"""Make the data folder: complete or not at all."""

import shutil
import subprocess
from pathlib import Path

from batch_jobs.errors import UnavailableError
from batch_jobs.store.embedded.account import Account
from batch_jobs.store.embedded.binaries import Binaries, clean_environment
from batch_jobs.store.embedded.configuration import FILE_NAME

SUPERUSER = "postgres"
ROLE = "batch_jobs"
DATABASE = "batch_jobs"

# One statement a line, as the single-user server reads them. The role makes the roles that row-level security is for.
FIRST_STATEMENTS = f"""\
CREATE ROLE {ROLE} LOGIN CREATEROLE
CREATE DATABASE {DATABASE} OWNER {ROLE}
"""


def create_cluster(data: Path, binaries: Binaries, account: Account, *, durable: bool = True) -> None:
    """Make the data folder, with the application's role and database in it.

    It is made under another name and renamed when complete, so that a crash leaves nothing half done.

    Args:
        data: the data folder, not there yet.
        binaries: the programs to use.
        account: the system user that runs the server.
        durable: whether to wait until all is on the disk.

    Raises:
        UnavailableError: a program failed; the text has its last words.
    """
    new = data.with_name(data.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    account.own(new)
    # Locale C sorts alike everywhere and for ever, whatever the system's libraries say next year. Trust is safe:
    # the socket's folder is private. Checksums tell a broken disk from a bug.
    options = ["--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject", "--data-checksums"]
    if not durable:
        options.append("--no-sync")
    _run(binaries.command("initdb", "-D", new, "-U", SUPERUSER, *options), account, new)
    with (new / "postgresql.conf").open("a") as configuration:
        configuration.write(f"\ninclude_if_exists = '{FILE_NAME}'\n")
    settings = ["-c", "exit_on_error=on", "-c", "log_checkpoints=off"]
    _run(binaries.command("postgres", "--single", "-D", new, *settings, "postgres"), account, new, FIRST_STATEMENTS)
    new.rename(data)


def _run(command: list[str | Path], account: Account, folder: Path, typed: str = "") -> None:
    done = subprocess.run(
        command,
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=clean_environment(),
        cwd=folder.parent,
        **account.credentials,
    )
    if done.returncode != 0:
        raise UnavailableError(
            f"making the database in {folder.parent} failed: {Path(command[0]).name} ended with code "
            f"{done.returncode}; its last words:\n{last_lines(done.stdout)}"
        )


def last_lines(text: str, count: int = 8) -> str:
    """The end of a log, indented."""
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-count:]) or "  (none)"


def check_version(data: Path, major: int, binaries: Binaries) -> None:
    """Refuse a data folder that another major version made.

    Raises:
        UnavailableError: the versions differ; the text names both and the remedy.
    """
    found = (data / "PG_VERSION").read_text().strip()
    if found != str(major):
        raise UnavailableError(
            f"the database in {data} was made by PostgreSQL {found}, but {binaries.folder} holds PostgreSQL {major}; "
            f"set BATCH_JOBS_POSTGRES_BIN to the bin folder of PostgreSQL {found} and go on with that, "
            "or export with that and import into a new BATCH_JOBS_HOME"
        )
