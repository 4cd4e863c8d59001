"""Installations for nights: one is made and filled, each night gets a copy of it, on a small disk of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from batch_jobs.settings import PROJECT_FOLDER, Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.embedded.cluster import SUPERUSER
from batch_jobs_tests.faults.clock import MovableClock

# A Monday, on which every job has work, and a time at which it is that day from Honolulu to Copenhagen.
START = datetime(2026, 11, 23, 18, tzinfo=UTC)
# What is there by then has been there for a while.
MADE = START - timedelta(hours=1)
DISK_MEGABYTES = 1_000
# A code server takes time that is passed over for silence of its client, and ends. Faults of an hour and more still
# make it do so.
_PASSING = {"DAGSTER_GRPC_PROXY_HEARTBEAT_TTL_SECONDS": "600"}


@dataclass(frozen=True)
class Place:
    """An installation.

    Attributes:
        folder: with everything of it.
        clock: that its processes live by.
        settings: of the installation.
        choices: variables beside those of the home.
        is_small_disk: whether the home is on a disk of its own that can be filled.
    """

    folder: Path
    clock: MovableClock
    settings: Settings
    choices: Mapping[str, str]
    is_small_disk: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its processes."""
        named = {"BATCH_JOBS_HOME": str(self.settings.home), "DAGSTER_HOME": str(self.settings.dagster_home)}
        return {**self.clock.preloaded(), **named, **_PASSING, "PYTHONUNBUFFERED": "1", **self.choices}

    @property
    def superuser_url(self) -> str:
        """For what PostgreSQL lets nobody else do."""
        return EmbeddedServer(self.settings).url_of("batch_jobs", SUPERUSER)

    def command(self, *arguments: str, **options: object) -> "subprocess.Popen[str]":
        """Start a command of the command line; stdout and stderr come together."""
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [Path(sys.executable).with_name("batch-jobs"), *arguments],
            cwd=PROJECT_FOLDER,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, *arguments: str) -> str:
        """Run a command to its good end. Returns what it said."""
        process = self.command(*arguments)
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
        return said


def make_base(
    folder: Path, *, workspaces: int, employees: int, begin: Callable[["Place"], None] = lambda _: None
) -> Path:
    """Make and fill an installation.

    Args:
        folder: where to.
        workspaces: of the sample.
        employees: of each.
        begin: what is to be done to it beside that.

    Returns:
        Its home, at rest.
    """
    folder.chmod(0o755)
    settings = Settings(home=folder / "base")
    place = Place(folder, MovableClock(folder, MADE), settings, {})
    place.run("init")
    place.run("sample", "--workspaces", str(workspaces), "--employees", str(employees))
    begin(place)
    EmbeddedServer(settings).stop()
    return settings.home


@contextmanager
def copy_of(base: Path, folder: Path, **choices: str) -> Iterator[Place]:
    """A copy of an installation, up for the length of a `with` block. Its clock begins at `START`.

    Args:
        base: its home, at rest.
        folder: where to, not there yet.
        choices: further variables.
    """
    folder.mkdir(mode=0o755)
    disk = folder / "disk"
    disk.mkdir(mode=0o755)
    is_small_disk = _mount(disk)
    settings = Settings(home=disk / "home", worker_lost_after=30)
    try:
        for part in ("postgres", "dagster"):
            source, to = base / part, settings.home / part
            shutil.copytree(source, to, symlinks=True)
            owner = source.stat()
            for found in (to, *to.rglob("*")):
                os.lchown(found, owner.st_uid, owner.st_gid)
        settings.home.chmod(0o755)
        place = Place(folder, MovableClock(folder, START), settings, choices, is_small_disk)
        place.run("db-url")
        yield place
    finally:
        EmbeddedServer(settings).stop()
        if is_small_disk:
            subprocess.run(["umount", "--lazy", disk], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _mount(disk: Path) -> bool:
    if os.geteuid() != 0:
        return False
    options = f"size={DISK_MEGABYTES}m,mode=755"
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=False).returncode == 0
