"""A real streaming replica of a database server, in a folder of its own, for the length of a `with` block."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.embedded.account import server_account
from batch_jobs.store.embedded.binaries import clean_environment, find_binaries
from batch_jobs.store.embedded.cluster import DATABASE, SUPERUSER
from batch_jobs_tests.postgres import FAST

STREAMING = {"wal_level": "replica", "max_wal_senders": "4", "wal_receiver_status_interval": "1s"}


class Pair(NamedTuple):
    """URLs: of the primary for the application and for the superuser, and of the replica for the superuser."""

    application: str
    primary: str
    replica: str


@contextmanager
def streaming_pair() -> Iterator[Pair]:
    """A server and its replica, both up, and in step."""
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-tests-"))
    server = EmbeddedServer(
        Settings(home=home / "primary", postgres_idle_seconds=60), configuration={**FAST, **STREAMING}
    )
    try:
        server.ensure_running()
        account, binaries = server_account(home), find_binaries(None)
        data = home / "replica"
        data.mkdir(mode=0o700)
        account.own(data)
        account.reach(data, lambda _: None)

        def do(program: str, *arguments: str | Path) -> None:
            subprocess.run(
                binaries.command(program, *arguments),
                check=True,
                stdout=subprocess.DEVNULL,
                env=clean_environment(),
                cwd=data,
                **account.credentials,
            )

        primary = server.url_of(DATABASE, SUPERUSER)
        do("pg_basebackup", "--dbname", primary, "--pgdata", data, "--write-recovery-conf", "--checkpoint", "fast")
        do("pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", f"-c unix_socket_directories='{data}'", "start")
        try:
            yield Pair(server.url, primary, f"postgresql://{SUPERUSER}@/{DATABASE}?host={data}")
        finally:
            do("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        server.stop()
        shutil.rmtree(home)
