"""What the launchpad can start with an op's config, found in the code: the forms, and what reads each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from dagster import Config, JobDefinition

from batch_jobs.engine.engine import Engine
from batch_jobs.jobs import registry
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.op_config import FutureConfig, read_chosen
from batch_jobs.orchestration.run_batch_jobs import RunBatchJobsConfig, plan_of, targets_of
from batch_jobs.orchestration.troubleshooting import WorkspacesConfig, read_wish


@dataclass(frozen=True)
class Form:
    """One op's config.

    Attributes:
        job: the Dagster job.
        op: the name of its op.
        config_class: of the op.
    """

    job: JobDefinition
    op: str
    config_class: type[Config]

    def run_config(self, fields: Any) -> dict[str, Any]:
        """The run config that gives the op these fields."""
        return {"ops": {self.op: {"config": fields}}}

    def opened(self, run_config: Any) -> Any:
        """The op's config from a run config that is valid, made as Dagster makes it when the op begins."""
        given = run_config["ops"][self.op]["config"]
        # Private, like the function that calls it: what is left at its default counts as not given.
        return self.config_class(**self.config_class._get_non_default_public_field_values_cls(given))


@cache
def forms() -> dict[str, Form]:
    """All forms, by the name of the Dagster job."""
    jobs = build_definitions().get_repository_def().get_all_jobs()
    # Dagster's own job over all assets has the forms of the others.
    found = [_forms_of(job) for job in jobs if not job.name.startswith("__")]
    return {form.job.name: form for of_job in found for form in of_job}


def _forms_of(job: JobDefinition) -> list[Form]:
    parts: list[tuple[str, Any]] = [(node.name, node.definition.compute_fn) for node in job.graph.nodes]
    return [Form(job, name, read.get_config_arg().annotation) for name, read in parts if read.has_config_arg()]


def read(form: Form, engine: Engine, config: Any) -> None:
    """Do what the op does before it runs anything: find out what is asked for.

    Raises:
        BadInputError: it can not be done.
    """
    readers: dict[type[Config], Callable[[], object]] = {
        RunBatchJobsConfig: lambda: [
            targets_of(engine, job, parameters, config) for job, parameters in plan_of(engine, config)
        ],
        WorkspacesConfig: lambda: read_wish(engine, registry()[form.job.name], config),
        FutureConfig: lambda: read_chosen(registry()[form.job.name], config),
    }
    next(reader for known, reader in readers.items() if issubclass(form.config_class, known))()
