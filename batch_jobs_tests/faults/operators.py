"""Commands that people give while a night goes on, and whether they ended as they may."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from batch_jobs.cli.failures import BAD_INPUT, DONE, FAILED, WARNINGS
from batch_jobs_tests.faults.place import Place

# A command that hangs is told of after so many seconds.
PATIENCE = 60.0
_REFUSALS = (" already: job run ", "took the same runs at the same moment")


@dataclass(frozen=True)
class Operator:
    """Somebody who waits for a command.

    Attributes:
        arguments: of the command.
        process: it.
        began: second of the night.
        fault: the number of the fault that this belongs to.
    """

    arguments: Sequence[str]
    process: "subprocess.Popen[str]"
    began: float
    fault: int

    @property
    def has_ended(self) -> bool:
        """Whether the command is through."""
        return self.process.poll() is not None

    def complaint(self, *, disturbed: bool) -> str | None:
        """What is wrong with how it ended, in words; None where nothing is. Waits for its end.

        Args:
            disturbed: whether another fault happened at about the same time, by which it may have failed.
        """
        said, code = outcome(self.process, PATIENCE)
        command = " ".join(self.arguments)
        if code is None:
            return f"`{command}` did not end within {PATIENCE:.0f} s:\n{said}"
        if "Traceback" in said:
            return f"`{command}` ended with a traceback:\n{said}"
        if code in (DONE, WARNINGS) or (code == BAD_INPUT and any(refusal in said for refusal in _REFUSALS)):
            return None
        if disturbed and code in (FAILED, BAD_INPUT):
            return None
        return f"`{command}` ended with exit code {code}:\n{said}"


def start(place: Place, arguments: Sequence[str], fault: int) -> Operator:
    """Give a command."""
    return Operator(arguments, place.command(*arguments), place.clock.lived(), fault)


def outcome(process: "subprocess.Popen[str]", seconds: float) -> tuple[str, int | None]:
    """What a command said, and its exit code; None when it had to be killed as it did not end in time."""
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        return said, None
    return said, process.returncode
