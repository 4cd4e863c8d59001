"""The Config classes that the launchpad shows, derived from the jobs' parameters."""

from functools import cache
from typing import Any

from dagster import Config
from pydantic import Field, create_model

from batch_jobs.engine.contract import Job, Parameters


class FutureConfig(Config):
    """What an operator can allow beyond a job's own parameters."""

    allow_future: bool = Field(
        default=False,
        description="Allow run dates after a workspace's own today. What is written for a future day has to be undone "
        "by hand.",
    )


@cache
def op_config(job: type[Job]) -> type[FutureConfig]:
    """The Config of a job: its parameters with their defaults, choices and descriptions, and `allow_future`.

    The form shows a field with its default only where it has one: an empty text stands for what is None by default.
    """
    fields: dict[str, Any] = {
        name: (info.annotation, Field(default="", description=info.description) if info.default is None else info)
        for name, info in job.parameters.model_fields.items()
    }
    name = "".join(word.capitalize() for word in job.name.split("_")) + "Config"
    return create_model(name, __base__=FutureConfig, **fields)


def read_chosen(job: Job, config: FutureConfig) -> tuple[Parameters, bool]:
    """The job's parameters as they were chosen, and whether future run dates are allowed."""
    chosen = config.model_dump(exclude_unset=True, include=set(job.parameters.model_fields))
    return job.parameters(**{name: value for name, value in chosen.items() if value != ""}), config.allow_future
