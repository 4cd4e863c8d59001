"""Starting mail servers for tests, and reading what they received."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch_jobs.settings import Smtp


@dataclass(frozen=True)
class MailServer:
    """A running server.

    Attributes:
        file: what it received.
        port: where it listens on loopback.
    """

    file: Path
    port: int

    @property
    def received(self) -> list[dict[str, Any]]:
        """Each message that it took over: `message_id`, `recipient`, and whether its answer was sent."""
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def smtp(self, **choices: Any) -> Smtp:
        """How to speak to it: in the clear, unless it is chosen otherwise."""
        return Smtp(**{"host": "127.0.0.1", "port": self.port, "security": "none", "timeout": 5, **choices})


@contextmanager
def mail_server(file: Path, *arguments: str) -> Iterator[MailServer]:
    """Run a server; see `smtp_process` for its arguments."""
    command = [sys.executable, "-m", "batch_jobs_tests.mail.smtp_process", str(file), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield MailServer(file, int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()
