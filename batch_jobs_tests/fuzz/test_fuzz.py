"""A few inputs of each kind, and all that once went wrong. `make fuzz` tries ten thousand."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from batch_jobs_tests.fuzz import inputs
from batch_jobs_tests.fuzz.corpus import COMMAND_LINES, IMPORT_FILES, JOB_PARAMETERS, RUN_CONFIGS
from batch_jobs_tests.fuzz.place import chosen, place_of
from batch_jobs_tests.fuzz.trials import Place, try_command, try_import, try_parameters, try_run_config
from batch_jobs_tests.postgres import EMBEDDED, Servers


@pytest.fixture(scope="module")
def place(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_of(servers.of(EMBEDDED).make_database(), tmp_path_factory.mktemp("fuzz")) as found:
        yield found


@chosen(30)
@given(content=inputs.import_files)
def test_import_files(place: Place, content: bytes) -> None:
    try_import(place, content)


@chosen(200)
@given(given=inputs.job_parameters)
def test_job_parameters(given: tuple[str, dict[str, Any]]) -> None:
    try_parameters(*given)


@chosen(40)
@given(text=inputs.run_configs())
def test_run_configs(text: str) -> None:
    try_run_config(text)


@chosen(25)
@given(arguments=inputs.command_lines())
def test_command_lines(place: Place, arguments: list[str]) -> None:
    try_command(place, arguments)


@pytest.mark.parametrize("content", IMPORT_FILES)
def test_import_files_that_went_wrong(place: Place, content: bytes) -> None:
    try_import(place, content)


@pytest.mark.parametrize(("job", "given"), JOB_PARAMETERS)
def test_job_parameters_that_went_wrong(job: str, given: dict[str, Any]) -> None:
    try_parameters(job, given)


@pytest.mark.parametrize("text", RUN_CONFIGS)
def test_run_configs_that_went_wrong(text: str) -> None:
    try_run_config(text)


@pytest.mark.parametrize("arguments", COMMAND_LINES)
def test_command_lines_that_went_wrong(place: Place, arguments: list[str]) -> None:
    try_command(place, arguments)
