"""Whether an installation is well: checks that change nothing, each with a remedy. How they are shown is elsewhere."""

from batch_jobs.doctor import announcing, database, machine, mail, work
from batch_jobs.doctor.finding import Finding
from batch_jobs.errors import BatchJobsError
from batch_jobs.installation import database_url
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database

__all__ = ["Finding", "examine"]


def examine(settings: Settings) -> list[Finding]:
    """Check everything that can be checked; what needs a database that is not there is left out.

    The embedded database is started when it does not run.
    """
    return [*_examine_database(settings), *machine.examine(settings), *mail.examine(settings)]


def _examine_database(settings: Settings) -> list[Finding]:
    try:
        with Database(database_url(settings)) as opened:
            findings = database.examine(opened, settings)
            if all(finding.state == "ok" for finding in findings):
                findings += [*work.examine(opened, settings), announcing.examine(opened, settings)]
            return findings
    except BatchJobsError as error:
        return [Finding("database", "problem", str(error))]
