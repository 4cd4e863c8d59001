"""Keeping a few programs running side by side: started, logged, started again when they die, ended together."""

import contextlib
import logging
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path

import psutil

from batch_jobs.errors import UnavailableError

LOG_BYTES = 10_000_000
LOG_FILES = 3
LAST_LINES = 15
# A program that dies again this soon after its start is not mended by the next start either.
SETTLED_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 1.0
MOST_QUICK_DEATHS = 5
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Service:
    """A program to keep running.

    Attributes:
        name: a short one.
        command: the program and its arguments.
        needs: files, such as sockets of others, that must be there before it starts.
    """

    name: str
    command: Sequence[str]
    needs: Sequence[Path] = ()


class _Running:
    """One service, its process and its log.

    Args:
        service: what to run.
        environment: its variables.
        folder: its working folder.
        log: where its output goes, in addition to `show`.
        show: told each line of it.
    """

    def __init__(
        self,
        service: Service,
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        show: Callable[[str], None],
    ) -> None:
        self.service = service
        self.log = log
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self.quick_deaths = 0
        self._environment = dict(environment)
        self._folder = folder
        self._show = show
        self._handler = RotatingFileHandler(log, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._started_at = 0.0
        self._start_at: float | None = 0.0

    def start(self) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which ends all in order.
        self._process = subprocess.Popen(
            self.service.command,
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._started_at = time.monotonic()
        self._start_at = None
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def look(self) -> None:
        """Start the program when its time has come, or again when it has died."""
        if self._start_at is not None:
            if time.monotonic() >= self._start_at and all(file.exists() for file in self.service.needs):
                self.start()
            return
        assert self._process is not None
        code = self._process.poll()
        if code is None:
            return
        self.signal(signal.SIGKILL)  # What it leaves behind would be in the way of its successor.
        lived = time.monotonic() - self._started_at
        self.quick_deaths = 1 if lived >= SETTLED_SECONDS else self.quick_deaths + 1
        pause = FIRST_PAUSE_SECONDS * 2 ** (self.quick_deaths - 1)
        self._start_at = time.monotonic() + pause
        self._tell(f"ended with exit code {code} after {lived:.0f} s; starts again in {pause:.0f} s")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and all that it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def is_gone(self) -> bool:
        """Whether nothing of it runs."""
        return self._process is None or (self._process.poll() is not None and not _is_alive(self._process.pid))

    def close(self) -> None:
        if self._reader is not None:
            self._reader.join(timeout=5)
        with contextlib.suppress(OSError):
            self._handler.close()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            text = _COLOURS.sub("", line.rstrip("\n"))
            self.last_lines.append(text)
            # A full disk it gets over by itself.
            self._handler.emit(logging.LogRecord("", logging.INFO, "", 0, text, None, None))
            self._tell(text)

    def _tell(self, line: str) -> None:
        # What can not be shown is left out: a program whose output nobody reads any more stands still.
        with contextlib.suppress(OSError):
            self._show(line)


class Supervisor:
    """Keeps services running.

    Args:
        services: in the order of their start; they are ended in the opposite order.
        environment: the variables of all.
        folder: their working folder.
        logs: folder of their logs, one `<name>.log` each.
        show: told the name of a service and a line of its output.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        environment: Mapping[str, str],
        folder: Path,
        logs: Path,
        show: Callable[[str, str], None],
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._running = [
            _Running(
                service,
                environment=environment,
                folder=folder,
                log=logs / f"{service.name}.log",
                show=partial(show, service.name),
            )
            for service in services
        ]

    def look(self) -> None:
        """Start what does not run; call it every second or so.

        Raises:
            UnavailableError: a service dies again and again; the text has its last words.
        """
        for running in self._running:
            running.look()
            if running.quick_deaths >= MOST_QUICK_DEATHS:
                said = "\n".join(running.last_lines)
                raise UnavailableError(
                    f"{running.service.name} has ended {running.quick_deaths} times in a row; its last lines (all are "
                    f"in {running.log}):\n{said}"
                )

    def restart(self, name: str) -> None:
        """Kill a service; it is started again at one of the next looks."""
        for running in self._running:
            if running.service.name == name:
                running.signal(signal.SIGKILL)

    def stop(self, *, grace: float, hurry: Callable[[], bool] = lambda: False) -> None:
        """End all services and what they have started.

        Args:
            grace: seconds that they get to end by themselves.
            hurry: whether to wait no longer.
        """
        for running in reversed(self._running):
            running.signal(signal.SIGTERM)
        patient_until = time.monotonic() + grace
        while not all(running.is_gone() for running in self._running):
            if hurry() or time.monotonic() >= patient_until:
                for running in self._running:
                    running.signal(signal.SIGKILL)
            time.sleep(0.1)
        for running in self._running:
            running.close()


def _is_alive(group: int) -> bool:
    """Whether any process of a group runs. Zombies do not: where nobody reaps orphans they stay for ever."""
    for process in psutil.pids():
        try:
            if os.getpgid(process) == group and psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
                return True
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return False
