"""The real `batch-jobs` executable, on an installation of a test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

EXECUTABLE = Path(sys.executable).with_name("batch-jobs")


class CommandLine:
    """Runs commands on one installation.

    Args:
        home: its BATCH_JOBS_HOME.
        database_url: its database; None for the embedded one.
    """

    def __init__(self, home: Path, database_url: str | None = None, **variables: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BATCH_JOBS_", "DAGSTER_"))}
        self.home = home
        self.environment = {**kept, "BATCH_JOBS_HOME": str(home), "COLUMNS": "100", **variables}
        if database_url:
            self.environment["BATCH_JOBS_DATABASE_URL"] = database_url

    def __call__(self, *arguments: str | Path, stdin: bytes = b"", **options: Any) -> "Ended":
        """Run a command to its end."""
        done = subprocess.run(
            [EXECUTABLE, *arguments], input=stdin, capture_output=True, env=self.environment, check=False, **options
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command; the caller ends it."""
        return subprocess.Popen(
            [EXECUTABLE, *arguments],
            env=self.environment,
            **({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        )

    def json(self, *arguments: str | Path) -> Any:
        """What a command prints with --json, when it ends well."""
        ended = self(*arguments, "--json")
        assert ended.code == 0, ended
        return json.loads(ended.out)


class Ended:
    """How a command ended: exit code, stdout, stderr."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    def refuses(self, *parts: str) -> bool:
        """Whether the command was refused in one clear text that holds these parts; for the use in an assert."""
        assert self.code == 2, self
        assert "Traceback" not in self.err, self
        assert self.out == "", self
        for part in parts:
            assert part in self.err, f"{part!r} is not in: {self}"
        return True
