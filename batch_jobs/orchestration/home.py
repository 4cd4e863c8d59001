"""The folder that DAGSTER_HOME names, and the `.env` by which native Dagster commands find it."""

import re
from pathlib import Path

from batch_jobs.errors import UnavailableError
from batch_jobs.settings import PROJECT_FOLDER, Settings

CONFIGURATION = "dagster.yaml"
BEGIN = "# batch-jobs: the installation that native dagster commands use; variables that are set win over these lines"
END = "# batch-jobs: end"
BLOCK = re.compile(rf"^{re.escape(BEGIN)}$.*?^{re.escape(END)}$\n?", re.MULTILINE | re.DOTALL)
REMEMBERED = re.compile(r'^BATCH_JOBS_HOME="\$\{BATCH_JOBS_HOME:-(.+)\}"$', re.MULTILINE)
# What can not stand in a default value of a .env file.
UNQUOTABLE = re.compile(r'["\\}\n]')


def prepare_home(settings: Settings, *, clone: Path = PROJECT_FOLDER) -> list[str]:
    """Make the Dagster home of an installation ready, and let native commands run in the clone find it.

    Safe to repeat. A clone remembers one installation, for native commands run where no variable names another: the
    default one when there is one, else the first whose home still exists.

    Args:
        settings: the installation.
        clone: the folder with dagster.yaml, where native commands are run.

    Returns:
        What a person has to know to use native commands, in sentences; usually nothing.

    Raises:
        UnavailableError: a file can not be read or written.
    """
    try:
        settings.dagster_home.mkdir(parents=True, exist_ok=True)
        _write_if_changed(settings.dagster_home / CONFIGURATION, (clone / CONFIGURATION).read_text())
        notes = _remember(settings, clone)
    except OSError as error:
        raise UnavailableError(
            f"the orchestrator home {settings.dagster_home} can not be made ready: {error.filename}: {error.strerror}; "
            "mend its permissions, or choose another folder in BATCH_JOBS_HOME"
        ) from error
    if settings.database_url:
        # Not remembered: it may hold a password, and must not reach another installation of this clone.
        notes.append("native dagster commands need BATCH_JOBS_DATABASE_URL set, as it is now")
    return notes


def remembered_home(clone: Path = PROJECT_FOLDER) -> Path | None:
    """The home that native commands use in this clone where BATCH_JOBS_HOME is not set."""
    environment = clone / ".env"
    found = REMEMBERED.search(environment.read_text()) if environment.exists() else None
    return Path(found[1]) if found else None


def _remember(settings: Settings, clone: Path) -> list[str]:
    needed = f"set BATCH_JOBS_HOME={settings.home} for native dagster commands"
    if UNQUOTABLE.search(str(settings.home)):
        return [f"{needed}: its name can not be written to {clone / '.env'}"]
    known = remembered_home(clone)
    other = known if known != settings.home and known is not None and (known / "dagster").is_dir() else None
    if other and settings.home != clone / ".batch_jobs":
        return [f"{needed}: without it they use the installation in {other}"]
    _write_environment(settings.home, clone / ".env")
    if other:
        return [f"native dagster commands now use this installation; set BATCH_JOBS_HOME={other} for the other one"]
    return []


def _write_environment(home: Path, file: Path) -> None:
    """Replace our lines and keep the others.

    Dagster lets the file win over variables that are set, so each line yields to its variable by itself. DAGSTER_HOME
    always follows BATCH_JOBS_HOME: a mix of two installations would write the runs of one into the logs of the other.
    """
    lines = [
        BEGIN,
        f'BATCH_JOBS_HOME="${{BATCH_JOBS_HOME:-{home}}}"',
        'DAGSTER_HOME="${BATCH_JOBS_HOME}/dagster"',
        END,
        "",
    ]
    others = BLOCK.sub("", file.read_text()) if file.exists() else ""
    if others and not others.endswith("\n"):
        others += "\n"
    _write_if_changed(file, others + "\n".join(lines))


def _write_if_changed(file: Path, text: str) -> None:
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
