"""Inputs that once ended in a traceback, a hang, a wrong exit code, an endless text or a partly written state.

And some of which one would expect it.
"""

from typing import Any

IMPORT_FILES: list[bytes] = [b"[" * 100_000, b'{"workspace_id": "\\ud800"}', b"\xef\xbb\xbf{}"]
JOB_PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    # The text named all of it.
    ("absence_registration", {"a" * 10_000: None}),
]
# The Dagster job, and what its op is given.
OP_CONFIGS: list[tuple[str, str]] = [
    ("run_batch_jobs", "{jobs: ['']}"),
    ("run_batch_jobs", "{jobs: [sync_projections], run_date: 2026-02-30}"),
    # Null is nothing to refuse for Dagster where a field has a default, and made it fall over within parameters.
    ("run_batch_jobs", "{jobs: [sync_projections], workspaces: , run_date: , parameters: }"),
    ("run_batch_jobs", "{jobs: [sync_projections], parameters: {dry_run: }}"),
    ("rebuild_search_indexes", "{workspaces: , dry_run: }"),
    # What the form can not check was refused by pydantic, with a traceback.
    ("purge_expired_data", "{notifications_days: 0}"),
    ("accrual_forecast", '{employee_id: "a\\0b"}'),
    ("rebuild_employee_projections", '{org_unit_id: "\\ud800", workspaces: ["\\ud800", "\\0"], run_date: "\\0"}'),
    ("run_batch_jobs", "{jobs: [accrual_forecast], run_date: 0001-01-01, force: true}"),
    ("run_batch_jobs", "{jobs: [accrual_forecast], run_date: 9999-12-31, workspaces: [acme]}"),
]
RUN_CONFIGS: list[str] = ["[", "~", "ops: ", "ops: {run_jobs: {config: }}", "ops: {unknown: {config: {}}}"]
COMMAND_LINES: list[list[str]] = [
    ["due", "a" * 10_000],
    ["runs", "show", "\udcff"],
    # It ended when it had written the file, over its name.
    ["export", "--workspace", "acme", "\udced"],
]
