"""What is told of a database that can not be reached."""

import pytest

from batch_jobs.errors import UnavailableError
from batch_jobs.store.database import Database


@pytest.mark.parametrize(
    "url",
    ["postgresql://x:secret@[/z", "postgresql://x:se@secret@127.0.0.1:1/z", "postgresql://x:secret@127.0.0.1:1/z"],
)
def test_no_password_is_told_of_a_database_that_is_not_there(url: str) -> None:
    with Database(url) as database, pytest.raises(UnavailableError) as refusal:
        database.check_reachable()
    assert "secret" not in str(refusal.value)
    assert "BATCH_JOBS_DATABASE_URL" in str(refusal.value)
