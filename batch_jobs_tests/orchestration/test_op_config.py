"""The form of the launchpad says what the job's parameters say."""

from typing import Literal

import pytest
from dagster import op
from pydantic import Field

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, EmployeeParameters, Job
from batch_jobs.errors import BadInputError
from batch_jobs.orchestration.op_config import op_config, read_chosen


class Forecast(EmployeeParameters):
    """Parameters with a choice and a bound."""

    dry_run: bool = Field(default=True, description="Safe by default.")
    rounding: Literal["up", "down"] = Field(default="up", description="Which way.")
    days: int = Field(default=90, ge=1, description="Days, 1 or more.")


class ForecastJob(Job):
    """A job that does nothing."""

    name = "forecast_of_tests"
    description = "For tests."
    parameters = Forecast
    counters = (Counter("errors", "rows", warns=True),)
    candidates = ""

    def decide(self, batch: Batch) -> None:
        """Nothing."""


def test_every_field_has_its_default_and_description() -> None:
    fields = op_config(ForecastJob).model_fields
    assert set(fields) == {"allow_future", *Forecast.model_fields}
    for name, info in Forecast.model_fields.items():
        default = "" if info.default is None else info.default
        assert (fields[name].default, fields[name].description) == (default, info.description)
    assert op_config(ForecastJob).__name__ == "ForecastOfTestsConfig"


def test_a_choice_stays_a_choice_in_the_form() -> None:
    config_class = op_config(ForecastJob)

    @op
    def form(config: config_class) -> None:  # type: ignore[valid-type]
        pass

    shape = form.config_schema.config_type.fields  # type: ignore[union-attr]
    assert {value.config_value for value in shape["rounding"].config_type.enum_values} == {"up", "down"}
    assert shape["days"].description == "Days, 1 or more."


@pytest.mark.parametrize(("field", "value"), [("days", 0), ("employee_id", "e\0")])
def test_what_does_not_fit_is_refused_in_words_when_the_run_begins(field: str, value: object) -> None:
    with pytest.raises(BadInputError, match=f"forecast_of_tests: parameter {field} is "):
        read_chosen(ForecastJob(), op_config(ForecastJob)(**{field: value}))


def test_a_field_that_is_left_empty_is_not_chosen() -> None:
    scaffolded = op_config(ForecastJob)(employee_id="", org_unit_id="ou-1", dry_run=True)
    chosen, _ = read_chosen(ForecastJob(), scaffolded)
    assert chosen.model_dump(exclude_unset=True) == {"org_unit_id": "ou-1", "dry_run": True}
    assert read_chosen(ForecastJob(), op_config(ForecastJob)(employee_id=None))[0].narrows is False


def test_null_is_the_default() -> None:
    config = op_config(ForecastJob)(dry_run=None, days=None, rounding=None, allow_future=None)
    assert config.model_dump(exclude_unset=True) == {}
    assert (config.dry_run, config.allow_future) == (True, False)


def test_what_was_chosen_reaches_the_job_and_nothing_else() -> None:
    job = ForecastJob()
    chosen, allow_future = read_chosen(job, op_config(ForecastJob)(rounding="down", allow_future=True))
    assert chosen.model_dump(exclude_unset=True) == {"rounding": "down"}
    assert chosen.dry_run
    assert allow_future
    assert read_chosen(job, op_config(ForecastJob)())[1] is False
