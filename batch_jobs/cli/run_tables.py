"""How job runs are shown to people, and the exit code that a list of them makes."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from batch_jobs.cli.failures import DONE, FAILED, WARNINGS
from batch_jobs.cli.output import print_table, say
from batch_jobs.engine.job_runs import WORST_FIRST, JobRun

# What fits a screen or two; JSON and `runs` give the rest.
MOST_SHOWN = 200
ID_SHOWN = 8
CHANGE_COLUMNS = ("table", "change", "key", "before", "after")


def print_results(runs: Sequence[JobRun]) -> None:
    """What a `run` did, in its order; of very many runs those that went worst."""
    shown: Sequence[JobRun] = runs
    if len(runs) > MOST_SHOWN:
        shown = sorted(runs, key=lambda run: WORST_FIRST.index(run.status))[:MOST_SHOWN]
    print_table(
        ["id", "job", "workspace", "run date", "status", "errors", "result"],
        [
            [run.job_run_id[:ID_SHOWN], run.job, run.workspace_id, run.run_date, run.status, run.errors, _result(run)]
            for run in shown
        ],
        folding=["job", "workspace", "result"],
    )
    if len(shown) < len(runs):
        say(f"... and {len(runs) - len(shown):,} more; --json lists all")
    statuses = Counter(run.status for run in runs)
    say(", ".join(f"{statuses[status]:,} {status}" for status in WORST_FIRST if statuses[status]))
    _print_dry(runs)


def _print_dry(runs: Sequence[JobRun]) -> None:
    """What a dry run means for what was shown; beside real runs, which of them were dry."""
    dry = [run for run in runs if run.plan is not None]
    if not dry:
        return
    jobs = list(dict.fromkeys(run.job for run in dry))
    which = "" if {run.job for run in runs} == set(jobs) else f"{', '.join(jobs)}: "
    rows = "; the rows that a real run would write: batch-jobs runs show ID" if any(run.plan for run in dry) else ""
    say(f"{which}a dry run: nothing was changed{rows}")
    if len({run.workspace_id for run in dry}) < len(dry):
        say("each job and day was tried by itself: it did not see what those before it would write")


def print_history(runs: Iterable[JobRun]) -> None:
    """Job runs as the ledger lists them."""
    print_table(
        ["id", "started at", "job", "workspace", "run date", "status", "duration", "errors"],
        [
            [
                run.job_run_id[:ID_SHOWN],
                f"{run.started_at:%Y-%m-%d %H:%M}" if run.started_at else "-",
                run.job,
                run.workspace_id,
                run.run_date,
                run.status,
                _seconds(run),
                run.errors,
            ]
            for run in runs
        ],
        folding=["job", "workspace"],
    )
    say("times are in UTC")


def print_details(run: JobRun, row_errors: Sequence[Mapping[str, Any]]) -> None:
    """One job run with all that is known of it."""
    columns = run.as_json() | {"duration": _seconds(run)}
    for name in ("params", "counters", "plan"):
        columns.pop(name, None)
    facts = [*columns.items()]
    facts += [(f"parameter {name}", value) for name, value in run.params.items()]
    facts += [(f"counter {name}", value) for name, value in run.counters.items()]
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        say(f"{name:<{width}}  {'-' if value is None else _instant(value)}")
    if row_errors:
        say(f"\nrow errors ({len(row_errors):,} of {run.errors:,})")
        print_table(
            ["entity", "id", "error", "message"],
            [[error["entity"], error["entity_id"], error["error"], error["message"]] for error in row_errors],
            folding=["id", "error", "message"],
        )
    if run.plan:
        say(f"\nrows that a real run would write (the first {len(run.plan):,})")
        print_plan(run.plan)


def print_plan(rows: Sequence[Mapping[str, Any]]) -> None:
    """What a dry run shows: events that it would append, rows that it would change, or what else its job shows."""
    events = [row for row in rows if "payload" in row]
    changes = [row for row in rows if "payload" not in row and "table" in row]
    others = [row for row in rows if "payload" not in row and "table" not in row]
    if events:
        shown = [[row["type"], row["employee_id"], _text(row["payload"])] for row in events]
        print_table(["type", "employee", "payload"], shown, folding=["payload"])
    if changes:
        _print_rows(changes, CHANGE_COLUMNS)
    if others:
        _print_rows(others, list(dict.fromkeys(name for row in others for name in row)))


def _print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Rows by their own keys, without the columns in which none of them has a value."""
    shown = [name for name in columns if any(row.get(name) is not None for row in rows)]
    folding = [name for name in shown if name not in ("table", "change")]
    print_table(shown, [[_text(row.get(name)) for name in shown] for row in rows], folding=folding)


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def outcome_code(runs: Iterable[JobRun]) -> int:
    """The exit code of job runs: the worst of theirs (domain 8)."""
    statuses = {run.status for run in runs}
    if statuses & {"failed", "stopped"}:
        return FAILED
    return WARNINGS if "warning" in statuses else DONE


def _result(run: JobRun) -> str:
    counted = ", ".join(f"{name} {value}" for name, value in run.counters.items() if value)
    return "; ".join(text for text in (run.message, counted) if text)


def _seconds(run: JobRun) -> str:
    seconds = run.duration_seconds
    return "-" if seconds is None else f"{seconds:.1f} s"


def _instant(value: object) -> object:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else value
