"""The machine: orchestrator home and storage, disk space, the port of the web UI."""

import shutil
import socket
from pathlib import Path
from typing import NamedTuple

from batch_jobs.doctor.finding import Finding, judged
from batch_jobs.settings import PROJECT_FOLDER, Settings

PORT = 3000
SCARCE_BYTES = 1_000_000_000
# `python -m` one of these, or the executable of that name.
WEB_SERVERS = frozenset({"dagster_webserver", "dagster-webserver", "batch_jobs.orchestration.web"})


class Owner(NamedTuple):
    """Who listens on a port.

    Attributes:
        name: the process and its command line, as far as this user may see them.
        is_web_ui: whether it is a web server of the orchestrator, with a login or without.
    """

    name: str
    is_web_ui: bool


def examine(settings: Settings) -> list[Finding]:
    """Check what surrounds the database."""
    return [
        _orchestrator_home(settings),
        _disk(settings),
        port_finding("127.0.0.1", PORT),
    ]


def port_finding(host: str, port: int) -> Finding:
    """Whether the web UI can have a port, or has it, or who has it."""
    owner = port_owner(host, port)
    if owner is None:
        return Finding("port", "ok", f"{port} is free for the web UI")
    if owner.is_web_ui:
        return Finding("port", "ok", f"{port} serves the web UI ({owner.name})")
    remedy = f"end it, or use: batch-jobs up --port {port + 1}"
    return Finding("port", "problem", f"{port} is used by {owner.name}", remedy)


def port_owner(host: str, port: int) -> Owner | None:
    """Who listens on a port, as far as this user may see, or None where it is free.

    Raises:
        OSError: the address is not one of this machine's, or the port may not be used.
    """
    import errno

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return _listener(port)
    return None


def _listener(port: int) -> Owner:
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
                words = psutil.Process(connection.pid).cmdline()
                is_web_ui = any(Path(word).name in WEB_SERVERS for word in words[:3])
                return Owner(f"process {connection.pid}: {' '.join(words)[:120]}", is_web_ui)
    except psutil.Error:
        pass
    return Owner("another process", False)


def _orchestrator_home(settings: Settings) -> Finding:
    file = settings.dagster_home / "dagster.yaml"
    if not file.exists():
        text = f"{file} is not there"
    elif file.read_text() != (PROJECT_FOLDER / "dagster.yaml").read_text():
        text = f"{file} is not that of this code"
    else:
        return Finding("orchestrator home", "ok", str(settings.dagster_home))
    return Finding("orchestrator home", "problem", text, "run: batch-jobs init")


def _disk(settings: Settings) -> Finding:
    place = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    return judged(
        "disk",
        free >= SCARCE_BYTES,
        f"{free / 1e9:,.1f} GB free in {place}",
        "make room, or choose another folder in BATCH_JOBS_HOME",
    )
