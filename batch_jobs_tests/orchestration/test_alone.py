"""One `up` of a home: the second is refused, and one that was killed is in nobody's way."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from batch_jobs.errors import UnavailableError
from batch_jobs.orchestration.alone import alone, check_alone

URL = "http://127.0.0.1:3000"
# As `up` does, it has started something that outlives it.
HOLDS = """
import pathlib, subprocess, sys
from batch_jobs.orchestration.alone import alone
with alone(pathlib.Path(sys.argv[1]), sys.argv[2]):
    left = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL)
    print(left.pid, flush=True)
    left.wait()
"""


def test_the_second_is_told_of_the_first_until_that_is_killed(tmp_path: Path) -> None:
    check_alone(tmp_path / "not there yet")
    first = subprocess.Popen([sys.executable, "-c", HOLDS, tmp_path, URL], stdout=subprocess.PIPE)
    assert first.stdout
    left = psutil.Process(int(first.stdout.readline()))
    try:
        said = f"on the home {tmp_path} \\(process {first.pid}, web UI at {URL}\\)"
        with pytest.raises(UnavailableError, match=said):
            check_alone(tmp_path)
        with pytest.raises(UnavailableError, match=said), alone(tmp_path, URL):
            pass
        first.kill()
        first.communicate()
        assert left.is_running()
        check_alone(tmp_path)
        with alone(tmp_path, "http://127.0.0.1:1"), pytest.raises(UnavailableError, match=r"at http://127.0.0.1:1\)"):
            check_alone(tmp_path)
        check_alone(tmp_path)
    finally:
        left.kill()
