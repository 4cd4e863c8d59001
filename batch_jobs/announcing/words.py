"""What is said of a cause: one message, as JSON for machines and as text for people."""

import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from batch_jobs.announcing.cause import MANY, NO_MAIL, Cause, Seen
from batch_jobs.announcing.telling import Step
from batch_jobs.engine.job_runs import WORKER_LOST

NAMED = 5
_LONGEST_ERROR = 500
_OVERDUE_REMEDY = "see that `batch-jobs up` runs, with no schedule or sensor switched off"
_LOST_REMEDY = (
    "see whether a machine was restarted or short of memory; what was lost is tried again by itself, four times in all"
)
_FAILED_REMEDY = "mend what the error names; `batch-jobs runs retry ID` does what is left, the next night does it too"
_WARNING_REMEDY = "mend what the error names; `batch-jobs runs retry ID` does the rows that failed"
_NO_MAIL_REMEDY = "see whether `batch-jobs doctor` gets into the mail server; what waits is tried again for 24 hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One message.

    Attributes:
        id: the same on every copy of it.
        cause_id: the same on all messages of one cause to one channel.
        kind: `opened`, `grown`, `reminder` or `closed`.
        job: its name; empty for `overdue`.
        status: `failed`, `warning` or `overdue`.
        reason: what the workspaces have in common.
        title: in a line.
        workspaces: how many; of `closed` at the most.
        names: of some of them.
        since: when it began, ISO 8601.
        error: the first error text.
        remedy: what to do.
        command: shows more.
        host: of the machine that tells it.
    """

    id: str
    cause_id: str
    kind: Step
    job: str
    status: str
    reason: str
    title: str
    workspaces: int
    names: tuple[str, ...]
    since: str
    error: str
    remedy: str
    command: str
    host: str

    @property
    def text(self) -> str:
        """For people, in a few lines."""
        named = ", ".join(self.names) + (" …" if self.workspaces > len(self.names) else "")
        lines = [
            self.title,
            named and f"Workspaces: {named}",
            f"Since: {datetime.fromisoformat(self.since):%Y-%m-%d %H:%M} UTC",
            self.error and f"{'It was' if self.kind == 'closed' else 'First error'}: {self.error}",
            self.remedy and f"Remedy: {self.remedy}",
            f"Look: {self.command}",
        ]
        return "\n".join(line for line in lines if line)

    def as_json(self) -> dict[str, Any]:
        """As JSON values, with the text."""
        return {"text": self.text} | asdict(self) | {"names": list(self.names)}


def announcement(cause_id: str, number: int, step: Step, seen: Seen) -> Announcement:
    """The message about a cause that stands.

    Args:
        cause_id: of the cause.
        number: how many messages there were about it, this one included.
        step: what has become of it.
        seen: how it stands.
    """
    cause, again = seen.cause, {"grown": "Still growing: ", "reminder": "Still: "}.get(step, "")
    remedy = {
        "failed": _LOST_REMEDY if cause.reason.startswith(WORKER_LOST) else _FAILED_REMEDY,
        "warning": _NO_MAIL_REMEDY if cause.reason == NO_MAIL else _WARNING_REMEDY,
        "overdue": _OVERDUE_REMEDY,
    }[cause.status]
    jobs = ", ".join(f"{job} in {_workspaces(number)}" for job, number in seen.jobs)
    return Announcement(
        id=f"{cause_id}.{number}",
        cause_id=cause_id,
        kind=step,
        job=cause.job,
        status=cause.status,
        reason=cause.reason,
        title=f"{again}{_subject(cause)} in {_workspaces(len(seen.workspaces))}",
        workspaces=len(seen.workspaces),
        names=seen.workspaces[:NAMED],
        since=seen.since.isoformat(),
        error=_shortened(jobs or seen.error),
        remedy=remedy.replace("ID", seen.job_run_id[:8]) if seen.job_run_id else remedy,
        command=_command(cause),
        host=socket.gethostname(),
    )


def closing(cause_id: str, number: int, cause: Cause, *, since: datetime, most: int) -> Announcement:
    """The last message about a cause, which is mended.

    Args:
        cause_id: of the cause.
        number: how many messages there were about it, this one included.
        cause: which.
        since: when it began.
        most: in how many workspaces it was at the most.
    """
    return Announcement(
        id=f"{cause_id}.{number}",
        cause_id=cause_id,
        kind="closed",
        job=cause.job,
        status=cause.status,
        reason=cause.reason,
        title=f"Mended: {_subject(cause)} in {_workspaces(most)} at the most",
        workspaces=most,
        names=(),
        since=since.isoformat(),
        error="" if cause.status == "overdue" else cause.reason,
        remedy="",
        command=_command(cause),
        host=socket.gethostname(),
    )


def _subject(cause: Cause) -> str:
    if cause.status == "overdue":
        return "Jobs have been due for more than an hour without a run"
    if cause.reason == NO_MAIL:
        return "No e-mail was taken by the mail server for more than half an hour"
    what = "failed" if cause.status == "failed" else "ended with warnings"
    return f"{cause.job} {what}" + (f", with {MANY}," if cause.reason == MANY else "")


def _command(cause: Cause) -> str:
    if cause.status == "overdue":
        return "batch-jobs due; batch-jobs doctor"
    if cause.reason == NO_MAIL:
        return "batch-jobs doctor"
    return f"batch-jobs runs --job {cause.job} --status {cause.status}"


def _workspaces(number: int) -> str:
    return f"{number:,} workspace{'' if number == 1 else 's'}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_ERROR else f"{line[:_LONGEST_ERROR]} …"
