"""What a job sees of a chunk while it decides: rows, run dates, and where its events, counters and errors go."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from batch_jobs.engine.local_time import start_of_day
from batch_jobs.engine.projection import DeadLetter
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database, Transaction
from batch_jobs.store.envelope import EventRecord
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs.store.payloads.base import Payload

ERRORS_KEPT = 1_000
PLAN_ROWS = 100

# The field by which each kind of entity is named.
_REFERENCES = {"employee": "employee_id", "employment_terms": "terms_id"}


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row could not be worked on.

    Attributes:
        row_id: the candidate row.
        entity: what is wrong, such as `employment`.
        entity_id: which one.
        error: the kind of error in one word, such as `undefined_reference`.
        message: what happened, to what, and the remedy.
    """

    row_id: str
    entity: str
    entity_id: str
    error: str
    message: str


@dataclass(slots=True)
class Outcome:
    """What came of a workspace's rows.

    Attributes:
        counters: by name.
        errors: of rows, the first 1,000.
        error_count: all of them.
        rows: how many were worked on.
        due: how many of those were due.
        blamed: how many could not be worked on at all, because of an exception.
        plan: for a dry run the events it would append, or what the job shows instead, the first 100.
        note: what the run's row in the ledger says beside its counters, if anything.
    """

    counters: Counter[str] = field(default_factory=Counter)
    errors: list[RowError] = field(default_factory=list)
    error_count: int = 0
    rows: int = 0
    due: int = 0
    blamed: int = 0
    plan: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None

    def add_error(self, error: RowError) -> None:
        """Count an error, and keep it while there is room."""
        self.error_count += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(error)

    def merge(self, other: "Outcome") -> None:
        """Add what came of more rows."""
        self.counters.update(other.counters)
        self.errors += other.errors[: ERRORS_KEPT - len(self.errors)]
        self.error_count += other.error_count
        self.rows += other.rows
        self.due += other.due
        self.blamed += other.blamed
        self.plan += other.plan[: PLAN_ROWS - len(self.plan)]


@dataclass(frozen=True, slots=True)
class WorkspaceRun:
    """The run of one workspace, as a job may know it.

    Attributes:
        job_run_id: the ledger's id.
        run_date: the day the run is for; "today" in every rule.
        timezone: the workspace's zone (IANA name).
        parameters: an instance of the job's `parameters`.
        note: what its ledger row says when it ends well.
    """

    job_run_id: str
    run_date: date
    timezone: str
    parameters: Any
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Preparation:
    """A chunk before its workspaces are locked.

    Attributes:
        connection: the chunk's transaction.
        runs: the run of each workspace.
        on_load: to be called now and then with how much of the chunk's load is done; ends the work where the run was
            asked to stop.
    """

    connection: Transaction
    runs: Mapping[str, WorkspaceRun]
    on_load: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outside:
    """A chunk before its transaction begins, for work with the world outside of the database.

    Attributes:
        database: for short transactions of the job's own.
        settings: of the installation.
        runs: the run of each workspace.
        on_load: as that of `Preparation`.
    """

    database: Database
    settings: Settings
    runs: Mapping[str, WorkspaceRun]
    on_load: Callable[[int], None]


class Batch:
    """A chunk of rows under work.

    Attributes:
        rows: named tuples with the columns of the job's candidates.
        runs: the run of each workspace.
        employees: the employees that the run was narrowed to, with their workspaces; None for all.
        prepared: what the job's `prepare` gave.
        connection: the chunk's transaction, for more queries within its scope.
        outcomes: what came of each workspace so far.
        events: what will be appended, in order.
    """

    def __init__(
        self,
        rows: Sequence[Any],
        runs: Mapping[str, WorkspaceRun],
        connection: Transaction,
        *,
        job: str,
        counters: Collection[str],
        warning_counters: Collection[str],
        error_counter: str,
        employees: Sequence[tuple[str, str]] | None = None,
        prepared: Any = None,
    ) -> None:
        self.rows = rows
        self.runs = runs
        self.employees = employees
        self.prepared = prepared
        self.connection = connection
        self.outcomes = {workspace_id: Outcome() for workspace_id in runs}
        for row in rows:
            outcome = self.outcomes[row.workspace_id]
            outcome.rows += 1
            outcome.due += bool(row.due)
        self.events: list[EventRecord] = []
        self._job = job
        self._actor = f"job:{job}"
        self._counters = frozenset(counters)
        self._warning_counters = frozenset(warning_counters)
        self._error_counter = error_counter
        self._starts = {workspace_id: start_of_day(run.run_date, run.timezone) for workspace_id, run in runs.items()}

    def append(self, row: Any, payload: Payload, *parts: str, targets: Sequence[str] = (), of_job: bool = True) -> None:
        """Append an event to the row's workspace, by this job, at the start of the run date.

        Args:
            row: the row that it comes from.
            payload: what happened.
            parts: what makes the event's id, after workspace and job (domain 6): the same parts are the same event.
            targets: other employees concerned.
            of_job: whether the job's name is one of the parts; not where an application records the same by the same
                rule.
        """
        workspace_id = row.workspace_id
        self.events.append(
            EventRecord.of(
                payload,
                workspace_id=workspace_id,
                event_id=self.event_id(row, *parts, of_job=of_job),
                occurred_at=self._starts[workspace_id],
                actor=self._actor,
                targets=targets,
            )
        )

    def event_id(self, row: Any, *parts: str, of_job: bool = True) -> UUID:
        """The id that `append` gives to the event of these parts."""
        named = (self._job, *parts) if of_job else parts
        return deterministic_event_id(row.workspace_id, *named)

    def show(self, row: Any, change: dict[str, Any]) -> None:
        """Add a row to what a dry run shows of the row's workspace, while there is room, where it is no event."""
        plan = self.outcomes[row.workspace_id].plan
        if len(plan) < PLAN_ROWS:
            plan.append(change)

    def count(self, row: Any, counter: str, number: int = 1) -> None:
        """Add to a counter of the row's workspace, one that the job declares."""
        if counter not in self._counters:
            raise ValueError(f'{self._job} has no counter "{counter}"; expected one of: {sorted(self._counters)}')
        self.outcomes[row.workspace_id].counters[counter] += number

    def error(
        self, row: Any, *, entity: str, entity_id: str, error: str, message: str, counter: str | None = None
    ) -> None:
        """Report that the row could not be worked on; the others go on.

        Args:
            row: the row.
            entity: what is wrong, such as `employment`.
            entity_id: which one.
            error: the kind of error in one word, such as `undefined_reference`.
            message: what happened, to what, and the remedy.
            counter: that it counts under, one that warns; None for the job's `error_counter`.
        """
        counted = counter or self._error_counter
        if counted not in self._warning_counters:
            raise ValueError(f'{self._job} has no counter "{counted}" that warns; a row error must show in the status')
        outcome = self.outcomes[row.workspace_id]
        outcome.counters[counted] += 1
        outcome.add_error(RowError(row.row_id, entity, entity_id, error, message))

    def dead_letter(self, row: Any, projection: str, letter: DeadLetter) -> None:
        """Report an event of the row's workspace that a projection could not apply."""
        self.error(
            row,
            entity="event",
            entity_id=str(letter.position),
            error="dead_letter",
            message=f"{projection}, event at position {letter.position}: {letter.reason}",
        )

    def undefined(self, row: Any, entity: str, entity_id: str, kind: str, missing_id: str) -> None:
        """Report that an entity names another one that no event has defined.

        Args:
            row: the row that needs it.
            entity: what names it, such as `employment`.
            entity_id: which one.
            kind: what is missing, such as `employment_terms`.
            missing_id: the id that it is named by.
        """
        message = (
            f'{entity} {entity_id}: {_REFERENCES[kind]} "{missing_id}" is not defined in workspace '
            f'"{row.workspace_id}"; import its {kind}.defined first'
        )
        self.error(row, entity=entity, entity_id=entity_id, error="undefined_reference", message=message)
