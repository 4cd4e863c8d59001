"""Finding the processes of a night: the code server, the daemon, the runs, the database."""

from collections.abc import Iterator
from pathlib import Path

import psutil


def _descendants(pid: int) -> Iterator[tuple[psutil.Process, str]]:
    try:
        found = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for process in found:
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process, " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue


def daemons(up: int) -> list[psutil.Process]:
    """The daemon, below the process `up`."""
    return [process for process, command in _descendants(up) if "hasty_daemon" in command]


def code_servers(up: int) -> list[psutil.Process]:
    """The code server: the process that stays, and the one that holds the code."""
    return [
        process
        for process, command in _descendants(up)
        if "spawn_main" not in command and ("code-server" in command or "api grpc" in command)
    ]


def runs(up: int) -> list[psutil.Process]:
    """The processes of runs: the workers."""
    return [process for process, command in _descendants(up) if "spawn_main" in command]


def postmaster(data: Path) -> psutil.Process | None:
    """The first process of the database of a data folder."""
    try:
        return psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None
