"""The benchmarks run from end to end, small, and report what they promise. Never how fast: that is theirs to tell."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from batch_jobs import projections
from batch_jobs.jobs import registry
from batch_jobs.settings import PROJECT_FOLDER
from benchmarks.figures import Figure, write_json
from benchmarks.rebuilding import PLAIN

UNITS = {
    "import_events_per_s": "events/s",
    "import_peak_mb": "MB",
    "night_s": "s",
    "night_ms_per_workspace": "ms",
    "ledger_ms_per_workspace": "ms",
    "first_catch_up_events_per_s": "events/s",
    "rebuild_all_events_per_s": "events/s",
    **{f"rebuild_{name}_events_per_s": "events/s" for name in projections.registry()},
    "search_documents_per_s": "documents/s",
    "search_p99_ms": "ms",
    "search_one_workspace_p99_ms": "ms",
    "mail_messages_per_s": "messages/s",
    "mail_messages_per_s_four": "messages/s",
    "need_check_s": "s",
    "need_check_all_due_s": "s",
    "due_report_s": "s",
    "sync_report_s": "s",
    "night_all_jobs_s": "s",
    "night_last_of_month_s": "s",
    "night_first_of_month_s": "s",
    **{f"{name}_s": "s" for name, job in registry().items() if not job.by_hand_only and not job.continuous},
}
WITH_TARGET = {
    "rebuild_all_events_per_s",
    *(f"rebuild_{name}_events_per_s" for name in PLAIN),
    "search_documents_per_s",
    "search_p99_ms",
    "search_one_workspace_p99_ms",
    "mail_messages_per_s",
    "mail_messages_per_s_four",
    "import_events_per_s",
    "night_ms_per_workspace",
    "ledger_ms_per_workspace",
    "need_check_s",
    "need_check_all_due_s",
    "sync_report_s",
    "night_all_jobs_s",
    "night_last_of_month_s",
    "night_first_of_month_s",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, list[str]]:
    """A small run: what it wrote, what it printed, and the folders it left behind."""
    output = tmp_path_factory.mktemp("benchmarks") / "latest.json"
    # Short, since the path of a socket must be; and of its own, to see what is left there.
    with tempfile.TemporaryDirectory(prefix="bj-") as place:
        Path(place).chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", "--output", str(output)],
            cwd=PROJECT_FOLDER,
            env=dict(os.environ) | {"BENCH_SCALE": "0.02", "TMPDIR": place},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        left = [name for name in os.listdir(place) if name.startswith("batch-jobs-bench-")]
    return json.loads(output.read_text()), done.stdout, left


def test_every_figure_has_its_unit_and_what_it_is_held_against(ran: tuple[dict[str, Any], str, list[str]]) -> None:
    figures, _, _ = ran
    assert {name: figure["unit"] for name, figure in figures.items()} == UNITS
    for figure in figures.values():
        assert set(figure) == {"value", "unit", "limit", "ratio", "target", "met"}
        assert figure["value"] > 0
        assert figure["limit"] > 0
    assert {name for name, figure in figures.items() if figure["target"] is not None} == WITH_TARGET


def test_the_table_shows_every_figure(ran: tuple[dict[str, Any], str, list[str]]) -> None:
    figures, printed, _ = ran
    assert [name for name in figures if name not in printed] == []


def test_nothing_is_left_behind(ran: tuple[dict[str, Any], str, list[str]]) -> None:
    assert ran[2] == []


def test_ratio_tells_how_many_times_as_good_as_the_limit(tmp_path: Path) -> None:
    less = Figure(work="a", value=2.0, unit="ms", limit=1000.0, beside="b", target=2.0)
    more = Figure(work="a", value=30.0, unit="events/s", limit=60.0, beside="b", target=31.0, more_is_better=True)
    informing = Figure(work="a", value=2.0, unit="s", limit=1.0, beside="b")
    write_json({"less": less, "more": more, "informing": informing}, tmp_path / "figures.json")
    written = json.loads((tmp_path / "figures.json").read_text())
    assert {name: (figure["ratio"], figure["met"]) for name, figure in written.items()} == {
        "less": (500.0, True),
        "more": (0.5, False),
        "informing": (0.5, None),
    }
