"""Metrics of an installation, measured anew whenever they are asked for. No label names a workspace: there are many.

Nor is one named `job`: Prometheus calls so what it asks, and would rename ours.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from batch_jobs.announcing.troubles import TRIED_IN_VAIN, standing_troubles
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.overdue import Overdue, find_overdue
from batch_jobs.store.database import Transaction

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import GaugeMetricFamily

# A server in trouble is not to be asked again and again by those who watch it.
TIMEOUT = "20s"

_RUNS = """
    SELECT job, status, count(*) FROM batch_jobs.job_runs
    WHERE ended_at > %(now)s::timestamptz - interval '24 hours' OR status IN ('pending', 'started')
    GROUP BY job, status ORDER BY job, status
"""
# Every attempt that fails puts off the next one, so the age is that of the message. None is meant for later.
_OUTBOX = f"""
    SELECT count(*), coalesce(extract(epoch FROM %(now)s::timestamptz - min(o.recorded_at)), 0)::float8,
        coalesce(extract(epoch FROM
            %(now)s::timestamptz - min(o.recorded_at) FILTER (WHERE {TRIED_IN_VAIN})), 0)::float8
    FROM batch_jobs.outbox o JOIN batch_jobs.workspaces w ON w.workspace_id = o.workspace_id AND w.status = 'active'
    WHERE o.state = 'waiting'
"""
# Of each projection: the events that it lacks, all workspaces together, and the age of the oldest of them.
_LAG = """
    SELECT p.projection, coalesce(sum(w.head - coalesce(c.position, 0)), 0)::bigint,
        coalesce(extract(epoch FROM %(now)s::timestamptz - min(e.recorded_at)), 0)::float8
    FROM unnest(%(projections)s::text[]) AS p(projection)
    LEFT JOIN (
        batch_jobs.workspaces w CROSS JOIN unnest(%(projections)s::text[]) AS q(projection)
        LEFT JOIN batch_jobs.checkpoints c ON c.workspace_id = w.workspace_id AND c.projection = q.projection
        JOIN batch_jobs.events e ON e.workspace_id = w.workspace_id AND e.position = coalesce(c.position, 0) + 1
    ) ON q.projection = p.projection AND w.head > coalesce(c.position, 0)
    GROUP BY p.projection ORDER BY p.projection
"""
_DEAD_LETTERS = """
    SELECT p.projection, count(d.position) FROM unnest(%(projections)s::text[]) AS p(projection)
    LEFT JOIN batch_jobs.dead_letters d USING (projection) GROUP BY p.projection ORDER BY p.projection
"""
_DAEMON = "SELECT extract(epoch FROM max(timestamp) AT TIME ZONE 'UTC')::float8 FROM dagster.daemon_heartbeats"


class Metrics:
    """A collector of prometheus_client.

    Args:
        engine: whose installation is measured; nothing in it is changed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list["GaugeMetricFamily"]:
        """None beforehand: to register a collector is no reason to measure."""
        return []

    def collect(self) -> Iterator["GaugeMetricFamily"]:
        """Measure."""
        now = self._engine.clock()
        with self._engine.database.reader() as connection:
            _limit(connection)
            yield from self._of_database(connection, now)
            yield from self._of_troubles(connection, now)
            yield from self._of_overdue(find_overdue(connection, self._engine.scheduled_jobs, now=now), now)
        with self._engine.database.owner() as connection:
            _limit(connection)
            yield from _of_daemon(connection)

    def _of_database(self, connection: Transaction, now: datetime) -> Iterator["GaugeMetricFamily"]:
        values = {"now": now, "projections": sorted(self._engine.projections)}
        runs = _gauge("job_runs", "Job runs under way, or ended in the last 24 hours.", "batch_job", "status")
        for job, status, number in connection.execute(_RUNS, values):
            runs.add_metric([job, status], number)
        yield runs
        row = connection.execute(_OUTBOX, values).fetchone() or (0, 0, 0)
        yield _single("outbox_waiting_messages", "E-mails of active workspaces that are still to be sent.", row[0])
        yield _single("outbox_oldest_waiting_seconds", "How long ago the oldest of them was recorded.", row[1])
        text = "How long ago the oldest was recorded that was tried in vain, while no newer one was taken either."
        yield _single("outbox_stuck_seconds", text, row[2])
        events = _gauge("projection_lag_events", "Events that the projection lacks, in all workspaces.", "projection")
        seconds = _gauge("projection_lag_seconds", "How long ago the oldest of them was recorded.", "projection")
        for projection, lacking, age in connection.execute(_LAG, values):
            events.add_metric([projection], lacking)
            seconds.add_metric([projection], age)
        yield events
        yield seconds
        letters = _gauge("dead_letters", "Events that the projection could not apply.", "projection")
        for projection, number in connection.execute(_DEAD_LETTERS, values):
            letters.add_metric([projection], number)
        yield letters

    def _of_troubles(self, connection: Transaction, now: datetime) -> Iterator["GaugeMetricFamily"]:
        troubles = _gauge(
            "troubled_workspaces",
            "Workspaces in which the newest run that was started by itself failed or warned, and is not mended.",
            "batch_job",
            "status",
        )
        where: dict[tuple[str, str], set[str]] = {
            (job, status): set() for job in sorted(self._engine.scheduled_jobs) for status in ("failed", "warning")
        }
        for seen in standing_troubles(connection, self._engine.scheduled_jobs, now=now):
            where.setdefault((seen.cause.job, seen.cause.status), set()).update(seen.workspaces)
        for labels, workspaces in where.items():
            troubles.add_metric(labels, len(workspaces))
        yield troubles

    def _of_overdue(self, overdue: list[Overdue], now: datetime) -> Iterator["GaugeMetricFamily"]:
        numbers = Counter(one.job for one in overdue)
        workspaces = _gauge("overdue_workspaces", "Workspaces due for more than an hour without a run.", "batch_job")
        oldest = _gauge("oldest_overdue_seconds", "How long the first of them has been due.", "batch_job")
        for job in sorted(self._engine.scheduled_jobs):
            since = min((one.since for one in overdue if one.job == job), default=now)
            workspaces.add_metric([job], numbers[job])
            oldest.add_metric([job], (now - since).total_seconds())
        yield workspaces
        yield oldest


def registry_of(engine: Engine) -> "CollectorRegistry":
    """A registry with the metrics of this installation alone."""
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    registry.register(Metrics(engine))
    return registry


def exposition(engine: Engine) -> str:
    """All metrics in the text format of Prometheus."""
    from prometheus_client import generate_latest

    return generate_latest(registry_of(engine)).decode()


def write(engine: Engine, file: Path) -> None:
    """Write the metrics for the textfile collector of node_exporter, which never sees half of a file."""
    from prometheus_client import write_to_textfile

    write_to_textfile(str(file), registry_of(engine))


def _limit(connection: Transaction) -> None:
    connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT}'")


def _of_daemon(connection: Transaction) -> Iterator["GaugeMetricFamily"]:
    """The orchestrator's storage is read without it: it takes seconds to load."""
    if connection.execute("SELECT to_regclass('dagster.daemon_heartbeats')").fetchone() != (None,):
        beat = (connection.execute(_DAEMON).fetchone() or (None,))[0]
        # A demo alone makes the tables: whoever never started a scheduler does not miss it.
        if beat is not None:
            text = "When the scheduler last gave a sign of life, in Unix time."
            yield _single("scheduler_last_beat_timestamp_seconds", text, beat)


def _gauge(name: str, text: str, *labels: str) -> "GaugeMetricFamily":
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"batch_jobs_{name}", text, labels=labels)


def _single(name: str, text: str, value: float) -> "GaugeMetricFamily":
    found = _gauge(name, text)
    found.add_metric([], value)
    return found
