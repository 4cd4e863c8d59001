"""A few inputs of each kind, and all that once went wrong. `make fuzz` tries ten thousand."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, seed

from batch_jobs.jobs import registry
from batch_jobs_tests.builders import employee, lines
from batch_jobs_tests.fuzz.command_lines import ALL_COMMANDS, REFUSED, command_lines, refused_command_lines
from batch_jobs_tests.fuzz.corpus import COMMAND_LINES, IMPORT_FILES, JOB_PARAMETERS, OP_CONFIGS, RUN_CONFIGS
from batch_jobs_tests.fuzz.inputs import import_files, job_parameters
from batch_jobs_tests.fuzz.launchpad import forms
from batch_jobs_tests.fuzz.place import Place, chosen, place_of
from batch_jobs_tests.fuzz.run_configs import run_configs
from batch_jobs_tests.fuzz.trials import try_command, try_import, try_parameters, try_refused_command, try_run_config
from batch_jobs_tests.postgres import EMBEDDED, Servers


@pytest.fixture(scope="module")
def place(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_of(servers.of(EMBEDDED).make_database(), tmp_path_factory.mktemp("fuzz")) as found:
        yield found


@chosen(30)
@given(content=import_files)
def test_import_files(place: Place, content: bytes) -> None:
    try_import(place, content)


@chosen(200)
@given(given=job_parameters)
def test_job_parameters(given: tuple[str, dict[str, Any]]) -> None:
    try_parameters(*given)


@chosen(40)
@given(given=run_configs())
def test_run_configs(place: Place, given: tuple[str, str]) -> None:
    try_run_config(place, *given)


@chosen(25)
@given(arguments=command_lines())
def test_command_lines(place: Place, arguments: list[str]) -> None:
    try_command(place, arguments)


@chosen(25)
@given(arguments=refused_command_lines())
def test_command_lines_to_be_refused(place: Place, arguments: list[str]) -> None:
    try_refused_command(place, arguments)


@pytest.mark.parametrize("content", IMPORT_FILES)
def test_import_files_that_went_wrong(place: Place, content: bytes) -> None:
    try_import(place, content)


@pytest.mark.parametrize(("job", "given"), JOB_PARAMETERS)
def test_job_parameters_that_went_wrong(job: str, given: dict[str, Any]) -> None:
    try_parameters(job, given)


@pytest.mark.parametrize(("job", "given"), OP_CONFIGS)
def test_op_configs_that_went_wrong(place: Place, job: str, given: str) -> None:
    assert try_run_config(place, job, f"ops: {{{forms()[job].op}: {{config: {given}}}}}")


@pytest.mark.parametrize("text", RUN_CONFIGS)
def test_run_configs_that_went_wrong(place: Place, text: str) -> None:
    try_run_config(place, "run_batch_jobs", text)


@pytest.mark.parametrize("arguments", COMMAND_LINES)
def test_command_lines_that_went_wrong(place: Place, arguments: list[str]) -> None:
    try_command(place, arguments)


@pytest.mark.parametrize("path", [path for path, _ in ALL_COMMANDS], ids=" ".join)
def test_all_command_lines_to_be_refused(place: Place, path: Sequence[str]) -> None:
    of_it = [line for line in REFUSED if tuple(line[: len(path)]) == path]
    assert of_it
    for line in of_it:
        try_refused_command(place, line)


@pytest.mark.parametrize("job", [*forms()])
def test_a_right_run_config_is_read(place: Place, job: str) -> None:
    assert try_run_config(place, job, f"ops: {{{forms()[job].op}: {{config: {{}}}}}}")


def test_all_jobs_with_a_form_are_found() -> None:
    jobs = {"run_batch_jobs", *registry()}
    assert set(forms()) == jobs


def test_a_fair_share_of_the_run_configs_is_read(place: Place) -> None:
    taken: list[bool] = []

    # Else it would fail once in a while.
    @seed(1)
    @chosen(60)
    @given(given=run_configs())
    def search(given: tuple[str, str]) -> None:
        taken.append(try_run_config(place, *given))

    search()
    assert 0.3 < sum(taken) / len(taken) < 0.95


def test_an_import_is_held_against_its_lines(place: Place) -> None:
    right = lines(employee("e-7"), employee("e-8"))
    assert try_import(place, b"".join(right))
    assert try_import(place, b"".join([*right, right[0], b"\n", *lines(employee("e-9"))]))
