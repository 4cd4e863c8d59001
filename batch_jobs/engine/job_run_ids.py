"""Which job run a person means by an id, or by the beginning of one."""

from uuid import UUID

from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Transaction


def find_id(connection: Transaction, text: str) -> str:
    """The id of the one job run that begins so.

    Raises:
        BadInputError: there is none, or several begin so.
    """
    prefix = text.strip().lower()
    if not prefix or not set(prefix) <= set("0123456789abcdef-"):
        raise BadInputError(f'"{text}" is no job run id; `batch-jobs runs` lists them')
    rows = connection.execute(
        "SELECT job_run_id::text FROM batch_jobs.job_runs WHERE job_run_id BETWEEN %s AND %s LIMIT 3",
        _range(prefix),
    ).fetchall()
    found = [row[0] for row in rows if row[0].startswith(prefix)]
    if len(found) > 1:
        raise BadInputError(f'several job runs begin with "{text}": {", ".join(found)}; give more of the id')
    if not found:
        raise BadInputError(f'there is no job run "{text}"; `batch-jobs runs` lists them')
    return str(found[0])


def _range(prefix: str) -> list[str]:
    digits = prefix.replace("-", "")[:32]
    return [str(UUID(digits.ljust(32, fill))) for fill in "0f"]
