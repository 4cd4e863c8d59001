"""Who may sign in to the web UI."""

from collections import Counter

from batch_jobs.access.roles import ROLES
from batch_jobs.access.users import list_users
from batch_jobs.doctor.finding import Finding
from batch_jobs.store.database import Transaction


def examine(connection: Transaction) -> Finding:
    """Tell how many users there are in each role; none is no problem where `up` runs without a login."""
    numbers = Counter(user.role for user in list_users(connection))
    found = ", ".join(f"{numbers[role]} {role}" for role in reversed(ROLES) if numbers[role])
    text = found or "nobody; `batch-jobs up --auth` needs a first one: batch-jobs users add NAME --role admin"
    return Finding("users of the web UI", "ok", text)
