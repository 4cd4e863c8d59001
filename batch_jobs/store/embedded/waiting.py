"""Telling people what is waited for."""

from batch_jobs.store.embedded.account import Tell
from batch_jobs.store.embedded.locks import Waiting

FIRST_SECONDS = 1.0
NEXT_SECONDS = 5.0


def telling(progress: Tell | None, text: str) -> Waiting:
    """Report a wait after its first second and then every five."""
    due = FIRST_SECONDS

    def waiting(seconds: float) -> None:
        nonlocal due
        if progress is not None and seconds >= due:
            progress(f"{text} ({seconds:.0f} s)")
            due = seconds + NEXT_SECONDS

    return waiting
