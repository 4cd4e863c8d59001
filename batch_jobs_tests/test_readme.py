"""The commands of the README, run as written, by a shell in the clone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from batch_jobs.settings import PROJECT_FOLDER, Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.payloads.catalog import REGISTRY

README = (PROJECT_FOLDER / "README.md").read_text()
# The environment that the tests run in stands for the clone's own, which may have another name here.
ACTIVATE = "source .venv/bin/activate"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_shell_blocks_work_one_after_another(tmp_path: Path) -> None:
    script = "\n".join(blocks("sh"))
    assert ACTIVATE in script
    assert "batch-jobs run" in script
    # Not the test's own folder: the path of a socket must be short.
    settings = Settings(home=tmp_path / "home")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("BATCH_JOBS_", "DAGSTER_"))},
        "BATCH_JOBS_HOME": str(settings.home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace(ACTIVATE, "")],
            cwd=PROJECT_FOLDER,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert "nordlys-design" in done.stdout
        assert "timesheet_statement_generate" in done.stdout
    finally:
        EmbeddedServer(settings).stop()


@pytest.mark.parametrize("target", re.findall(r"\]\(((?!http)[^)#]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (PROJECT_FOLDER / target).exists()


def test_make_targets_exist() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert named
    targets = set(re.findall(r"^([a-z]+):", (PROJECT_FOLDER / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets


def test_the_event_shown_is_valid() -> None:
    from batch_jobs.store.envelope import event_reader

    (shown,) = blocks("json")
    event = event_reader().read(" ".join(shown.split("\n")).encode())
    assert event.type in REGISTRY.types
