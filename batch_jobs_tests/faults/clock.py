"""A wall clock for all processes of a night, which the harness moves while they run.

`libfaketime` would do, but the one that Debian has breaks `time.sleep` of Python when monotonic clocks are left alone;
and they have to be, as what waits must go on waiting. So a preloaded library of a page, `clock.c`, is compiled here.
"""

import mmap
import os
import shutil
import struct
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
COMPILER = "cc"


def can_be_moved() -> bool:
    """Whether there is what the clock needs: a C compiler, and a system that preloads."""
    return shutil.which(COMPILER) is not None and Path("/proc/self").exists()


class MovableClock:
    """The wall clock of a night.

    Args:
        folder: gets the library and the file of the offset; others must be able to read it.
        start: what the clock shows now.
    """

    def __init__(self, folder: Path, start: datetime) -> None:
        library, file = folder / "clock.so", folder / "clock"
        subprocess.run([COMPILER, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        library.chmod(0o755)
        file.write_bytes(bytes(8))
        file.chmod(0o644)
        with file.open("r+b") as opened:
            self._ahead = mmap.mmap(opened.fileno(), 8)
        self.variables = {"LD_PRELOAD": str(library), "FAULTS_CLOCK": str(file)}
        self._passed_over = 0.0
        self._began = time.monotonic()
        self._offset = timedelta()
        self.jump(start - datetime.now(UTC))

    def now(self) -> datetime:
        """What the processes see."""
        return datetime.now(UTC) + self._offset

    def jump(self, by: timedelta) -> None:
        """Put the clock forward or back, as a fault does."""
        self._offset += by
        self._ahead[:] = struct.pack("q", self._offset // timedelta(microseconds=1) * 1_000)

    def pass_over(self, by: timedelta) -> None:
        """Let time go by at once, in which nothing happens."""
        self._passed_over += by.total_seconds()
        self.jump(by)

    def lived(self) -> float:
        """Seconds of the night so far: those waited for and those passed over, whatever the clock showed."""
        return time.monotonic() - self._began + self._passed_over

    def preloaded(self) -> dict[str, str]:
        """The environment for a process that lives by this clock."""
        return {**os.environ, **self.variables}
