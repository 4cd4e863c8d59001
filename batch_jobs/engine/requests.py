"""What can be asked of the engine, and what is refused before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from batch_jobs.engine.contract import Job, Parameters
from batch_jobs.engine.job_runs import Target, Trigger
from batch_jobs.errors import BadInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A wish to run one job.

    Attributes:
        job: its name.
        targets: workspaces and run dates, each once.
        parameters: values for the job's parameters, by name.
        trigger: how it came about.
        actor: who or what asks, such as `user:anna` or `schedule:timesheet_statement_generate`.
        only_due: leave out, without a row in the ledger, what is not due (domain 7); else everything asked for is run.
        refuse_active: refuse all when a run for one of the keys is active; else that key is left out.
        allow_future: run dates after a workspace's own today are meant.
        dagster_run_id: the Dagster run that does it.
        replay_of: the job run that is repeated.
        row_ids: only these rows, for the one workspace of a retry.
    """

    job: str
    targets: Sequence[Target]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    trigger: Trigger = "manual"
    actor: str = "system"
    only_due: bool = False
    refuse_active: bool = True
    allow_future: bool = False
    dagster_run_id: str | None = None
    replay_of: str | None = None
    row_ids: Sequence[str] | None = None


def find_job(jobs: Mapping[str, Job], name: str) -> Job:
    """The job of a name.

    Raises:
        BadInputError: there is none; the text names those that come close.
    """
    if name not in jobs:
        close = get_close_matches(name, jobs, n=3) or sorted(jobs)
        raise BadInputError(f'job "{name}" is not known; expected one of: {", ".join(close)}')
    return jobs[name]


def read_parameters(job: Job, values: Mapping[str, Any]) -> Parameters:
    """The job's parameters from values by name; text is read as what the parameter is (`true`, `12`, a date).

    Raises:
        BadInputError: an unknown parameter, or a value that does not fit; the text names both and what is expected.
    """
    known = job.parameters.model_fields
    for name in values:
        if name not in known:
            close = get_close_matches(name, known, n=3) or sorted(known)
            raise BadInputError(f'{job.name} has no parameter "{name}"; expected one of: {", ".join(close)}')
    try:
        return job.parameters.model_validate(dict(values))
    except ValidationError as error:
        raise BadInputError(_described(job, error)) from None


def _described(job: Job, error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    expected = f"{problem['msg'][0].lower()}{problem['msg'][1:]}"
    if not problem["loc"]:
        # What concerns several parameters names them itself.
        return f"{job.name}: {expected}"
    name = str(problem["loc"][0])
    description = job.parameters.model_fields[name].description
    return f'{job.name}: parameter {name} is "{problem["input"]}"; {expected} ({description})'
