"""The faults: each a function that makes one happen to a night, and says to what; None where it can not happen now.

Those that can never happen to this night raise `Impossible`.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from uuid import NAMESPACE_URL, uuid5

import psutil

from batch_jobs_tests.faults import processes
from batch_jobs_tests.faults.night import Night

Injection = Callable[[Night, Random], str | None]

DISK_SECONDS = 10.0
SHIFT_SECONDS = 6.0
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> %s"
)
# First those with a run under way.
_ACTIVE = """
    SELECT w.workspace_id, EXISTS (
        SELECT FROM batch_jobs.job_runs r WHERE r.workspace_id = w.workspace_id AND r.status IN ('pending', 'started')
    )
    FROM batch_jobs.workspaces w WHERE w.status = 'active' ORDER BY 1
"""
_DUE_JOBS = ("timesheet_statement_generate", "publish_timesheet_norms", "accrual_forecast", "timeoff_consumption")


class Impossible(Exception):  # noqa: N818
    """A fault can not happen to this night; the text says why."""


def kill_worker(night: Night, chance: Random) -> str | None:
    """SIGKILL to the process of a run."""
    return _kill(processes.runs(night.up), chance)


def kill_code_server(night: Night, chance: Random) -> str | None:
    """SIGKILL to the code server, or to the process in it that holds the code."""
    return _kill(processes.code_servers(night.up), chance)


def kill_daemon(night: Night, chance: Random) -> str | None:
    """SIGKILL to the daemon."""
    return _kill(processes.daemons(night.up), chance)


def restart_database(night: Night, chance: Random) -> str | None:
    """An immediate shutdown of PostgreSQL (SIGQUIT), and a start by somebody who needs it."""
    del chance
    server = processes.postmaster(night.place.settings.home / "postgres")
    if server is None:
        return None
    server.send_signal(signal.SIGQUIT)
    server.wait(30)
    night.operate("db-url")
    return f"process {server.pid}"


def crash_database(night: Night, chance: Random) -> str | None:
    """SIGKILL to one process of PostgreSQL: all others are ended and the log is replayed."""
    server = processes.postmaster(night.place.settings.home / "postgres")
    return _kill(server.children() if server else [], chance)


def cut_connections(night: Night, chance: Random) -> str | None:
    """All connections are ended."""
    del chance
    own = night.looks.execute("SELECT pg_backend_pid()")
    cut = night.looks.execute(_CUT, [own[0][0]]) if own else None
    return f"{cut[0][0]} connections" if cut else None


def clock_forward_an_hour(night: Night, chance: Random) -> str | None:
    """The clock goes an hour forward, and back after some seconds."""
    return _shift(night, chance, HOUR)


def clock_back_an_hour(night: Night, chance: Random) -> str | None:
    """The clock goes an hour back, and forward after some seconds."""
    return _shift(night, chance, -HOUR)


def clock_forward_a_day(night: Night, chance: Random) -> str | None:
    """The clock goes a day forward, and back after some seconds."""
    return _shift(night, chance, DAY)


def clock_back_a_day(night: Night, chance: Random) -> str | None:
    """The clock goes a day back, and forward after some seconds."""
    return _shift(night, chance, -DAY)


def two_operators(night: Night, chance: Random) -> str | None:
    """Two people start the same job for what is due, at once, beside the scheduler."""
    job = chance.choice(_DUE_JOBS)
    for _ in range(2):
        night.operate("run", job)
    return job


def suspend_workspace(night: Night, chance: Random) -> str | None:
    """A workspace, one with a run under way where there is any, is suspended by an imported event."""
    return _end_workspace(night, chance, "workspace.suspended")


def delete_workspace(night: Night, chance: Random) -> str | None:
    """A workspace, one with a run under way where there is any, is deleted by an imported event."""
    return _end_workspace(night, chance, "workspace.deleted")


def fill_disk(night: Night, chance: Random) -> str | None:
    """The disk of the home is full for ten seconds."""
    del chance
    if not night.place.is_small_disk:
        raise Impossible("the home is on no disk of its own, which takes root")
    filler = night.place.settings.home / "filler"

    def fill() -> None:
        until = time.monotonic() + DISK_SECONDS
        with filler.open("wb", buffering=0) as file:
            while time.monotonic() < until:
                try:
                    file.write(bytes(1 << 20))
                except OSError:
                    # The last bytes too, and what is given back meanwhile.
                    _fill_up(file.fileno())
                    time.sleep(0.05)
        filler.unlink()

    _aside(night, fill)
    return "the home"


def stall_mail_server(night: Night, chance: Random) -> str | None:
    """The mail server takes the next messages and answers nothing, until some seconds after the first of them."""
    del chance
    (night.place.folder / "stall").touch()
    return "from its next message on"


INJECTIONS: Mapping[str, Injection] = {
    injection.__name__: injection
    for injection in (
        kill_worker,
        kill_code_server,
        kill_daemon,
        restart_database,
        crash_database,
        cut_connections,
        clock_forward_an_hour,
        clock_back_an_hour,
        clock_forward_a_day,
        clock_back_a_day,
        two_operators,
        suspend_workspace,
        delete_workspace,
        fill_disk,
        stall_mail_server,
    )
}


def _kill(found: list[psutil.Process], chance: Random) -> str | None:
    if not found:
        return None
    process = chance.choice(sorted(found, key=lambda one: one.pid))
    process.kill()
    return f"process {process.pid}"


def _shift(night: Night, chance: Random, by: timedelta) -> str | None:
    del chance
    night.place.clock.jump(by)

    def back() -> None:
        time.sleep(SHIFT_SECONDS)
        night.place.clock.jump(-by)

    _aside(night, back)
    return f"by {by}"


def _end_workspace(night: Night, chance: Random, event_type: str) -> str | None:
    known = night.looks.execute(_ACTIVE)
    if not known:
        return None
    busy = [name for name, is_busy in known if is_busy]
    name = chance.choice(busy or [name for name, _ in known])
    event = {
        "workspace_id": name,
        "event_id": str(uuid5(NAMESPACE_URL, f"{name}/{event_type}")),
        "type": event_type,
        "version": 1,
        "occurred_at": night.place.clock.now().isoformat(),
        "actor": "user:support",
        "payload": {},
    }
    file = night.place.folder / f"{event_type}-{name}.jsonl"
    file.write_text(json.dumps(event) + "\n")
    night.left_out.add(name)
    night.importer.add(file)
    return name


def _aside(night: Night, action: Callable[[], None]) -> None:
    thread = threading.Thread(target=action, daemon=True)
    night.asides.append(thread)
    thread.start()


def _fill_up(file: int) -> None:
    try:
        while os.write(file, bytes(512)):
            pass
    except OSError:
        return
