"""The contract by which a job is one file: parameters, need-check, work, counters. How jobs run is elsewhere."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from batch_jobs.engine.batch import Batch, Outside, Preparation
from batch_jobs.engine.job_runs import Target, storable
from batch_jobs.store.database import Transaction


class Parameters(BaseModel):
    """What can be chosen for a run of any job. A job with more to choose derives from it or from a class below."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: bool = Field(
        default=False,
        description="Do all the work, undo it, and report the same counters and up to 100 of the rows that a real run "
        "would write. Nothing is changed.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_storable(cls, value: object) -> object:
        if isinstance(value, str) and value != storable(value):
            raise ValueError("expected text without NUL and halves of characters")
        return value

    @property
    def narrows(self) -> bool:
        """Whether the run covers only a part of the workspace, so that it does not make the job done there."""
        return False


class EmployeeParameters(Parameters):
    """Parameters of a job whose rows belong to employees."""

    employee_id: str | None = Field(
        default=None,
        description="Only this employee. The job then does not count as done for the workspace and run date.",
    )
    org_unit_id: str | None = Field(
        default=None,
        description="Only the employees whose employment on the run date belongs to this org unit or one below it. "
        "The job then does not count as done for the workspace and run date.",
    )

    @property
    def narrows(self) -> bool:
        """See `Parameters.narrows`."""
        return self.employee_id is not None or self.org_unit_id is not None


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that a run reports.

    Attributes:
        name: its key among the run's counters.
        description: what it counts, for people.
        warns: whether a run with more than zero of it ends as a warning (marked ! in the catalogue).
    """

    name: str
    description: str
    warns: bool = False


class Job(ABC):
    """What one job is. The engine gives it all the rest: due-ness, chunks, ledger, dry run, retries, isolation.

    `candidates` is one SQL query over all workspaces of the relation `scope (workspace_id text, run_date date)`, which
    the engine puts before it, for one run date, `%(run_date)s`. It returns the rows that there may be work on:

    - `workspace_id`, `row_id`: text, unique together; work on a row is undone, retried and reported by them;
    - `due`: boolean, whether the row makes its workspace due. Rows that are only worth an error or a glance are not;
    - `employee_id`, when `parameters` are `EmployeeParameters`;
    - whatever else `decide` wants to know.

    The need-check counts the due rows for each workspace, as a role that reads everything and writes nothing; the work
    gets all of them, a chunk at a time, as a role that sees the chunk's workspaces only.

    Attributes:
        name: its name everywhere, in the field's words.
        description: what it is for, in a sentence for operators.
        parameters: what can be chosen for a run.
        counters: what a run reports; a row error counts under `error_counter`, unless it names another one that warns.
        after: jobs that must be done first for the same workspace and run date.
        start_time: local time of the workspace from which it may run.
        catch_up_days: how many missed run dates back the scheduler makes good, 0 for none.
        candidates: the query.
        divisible: whether rows can be worked on apart from each other, each slice a transaction; if not, a workspace
            is done as a whole or not at all.
        scheduled: parameters that the schedule sets, where they differ from what a person gets by default.
        workspace_statuses: where it may run.
        by_hand_only: whether it is for troubleshooting: never due, without schedule and partitions, and a run of it
            moves no as-of date.
        chunk_load: for a job on whole workspaces, whose candidates are one row a workspace with a column `load`, how
            much work that is; so much of it goes into one transaction. None for a job on rows.
        unit: what is counted while it runs.
        continuous: whether a sensor watches it, not a schedule: due whenever rows are, at any time of the day, however
            often it has run; after failures it is tried again for ever.
        waiting_since: of a continuous job a query with its `arguments`: the workspaces in which it is due, and since
            when, `workspace_id` and a timestamptz.
        catches_up: whether projections are brought up to date before its need-check and its work; not where what is
            behind is the work, or may be what can not be caught up.
        side_by_side: whether chunks are worked on several at a time.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    parameters: ClassVar[type[Parameters]] = EmployeeParameters
    counters: ClassVar[tuple[Counter, ...]]
    error_counter: ClassVar[str] = "errors"
    after: ClassVar[tuple[str, ...]] = ()
    start_time: ClassVar[time] = time(1)
    catch_up_days: ClassVar[int] = 0
    candidates: ClassVar[str]
    divisible: ClassVar[bool] = True
    scheduled: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    workspace_statuses: ClassVar[frozenset[str]] = frozenset({"active"})
    by_hand_only: ClassVar[bool] = False
    chunk_load: ClassVar[int | None] = None
    unit: ClassVar[str] = "rows"
    continuous: ClassVar[bool] = False
    waiting_since: ClassVar[str | None] = None
    catches_up: ClassVar[bool] = True
    side_by_side: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        """Make sure that a row error shows in the status of its run."""
        super().__init_subclass__(**options)
        if "counters" in cls.__dict__ and not any(
            counter.name == cls.error_counter and counter.warns for counter in cls.counters
        ):
            raise TypeError(f'{cls.__name__}: error_counter "{cls.error_counter}" is none of its counters that warn')

    def arguments(self, run_date: date, parameters: Any) -> Mapping[str, Any]:
        """Values for the named placeholders of `candidates` beside `run_date`, which it has anyway.

        Args:
            run_date: the day that is asked about.
            parameters: of the run, an instance of the job's `parameters`; what the scheduler would pass otherwise.
        """
        return {}

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """Why nothing was due, for workspaces where the job was asked for by hand: their `skipped_reason`."""
        return {workspace_id: "nothing is due" for workspace_id, _ in targets}

    def reach_out(self, outside: Outside) -> None:  # noqa: B027 (most jobs have nothing to do outside)
        """Work with the world outside of the database (mail servers), in short transactions of the job's own, before
        the chunk's transaction begins. Not for dry runs.

        It may be done again for the same chunk, when the transaction after it fails: what it did must be in the
        database, where `decide` finds and counts it.
        """

    def prepare(self, preparation: Preparation) -> Any:
        """Work in the chunk's transaction that needs no lock yet, before the chunk's workspaces are locked.

        Returns:
            What `decide` finds as `batch.prepared`.
        """
        return None

    @abstractmethod
    def decide(self, batch: Batch) -> None:
        """Work on the rows of the batch: append events, count, report row errors.

        Must not depend on their order, nor on which rows come in one batch. It holds the workspaces' locks, and the
        database ends its transaction when nothing is heard of it for 45 s: what takes that long needs smaller chunks.
        """

    @property
    def warning_counters(self) -> frozenset[str]:
        """The names of the counters that make a run a warning."""
        return frozenset(counter.name for counter in self.counters if counter.warns)
