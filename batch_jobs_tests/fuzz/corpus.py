"""Inputs that once ended in a traceback, a hang, a wrong exit code, an endless text or a partly written state.

And some of which one would expect it.
"""

from typing import Any

IMPORT_FILES: list[bytes] = [b"[" * 100_000, b'{"workspace_id": "\\ud800"}', b"\xef\xbb\xbf{}"]
JOB_PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    # The text named all of it.
    ("absence_registration", {"a" * 10_000: None}),
]
RUN_CONFIGS: list[str] = ["ops: {run_batch_jobs: {config: {jobs: [''], run_date: 2026-02-30}}}", "[", "~"]
COMMAND_LINES: list[list[str]] = [
    ["due", "a" * 10_000],
    ["runs", "show", "\udcff"],
]
