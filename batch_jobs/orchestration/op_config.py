"""The Config classes that the launchpad shows, derived from the jobs' parameters."""

from functools import cache
from typing import Any

from dagster import Config
from pydantic import Field, create_model, model_validator

from batch_jobs.engine.contract import Job, Parameters
from batch_jobs.engine.requests import read_parameters


class LaunchConfig(Config):
    """What an operator fills in. A field that is left empty in YAML is null, which Dagster lets pass: its default."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value is not None}


class FutureConfig(LaunchConfig):
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
    Bounds are left to `read_chosen`: Dagster would show pydantic's words and a traceback, and not end the run's tags.
    """
    fields: dict[str, Any] = {
        name: (
            info.annotation,
            Field(default="" if info.default is None else info.default, description=info.description),
        )
        for name, info in job.parameters.model_fields.items()
    }
    name = "".join(word.capitalize() for word in job.name.split("_")) + "Config"
    return create_model(name, __base__=FutureConfig, **fields)


def read_chosen(job: Job, config: FutureConfig) -> tuple[Parameters, bool]:
    """The job's parameters as they were chosen, and whether future run dates are allowed.

    Raises:
        BadInputError: a value does not fit; the text names it and what is expected.
    """
    chosen = config.model_dump(exclude_unset=True, include=set(job.parameters.model_fields))
    given = {name: value for name, value in chosen.items() if value != ""}
    return read_parameters(job, given), config.allow_future
