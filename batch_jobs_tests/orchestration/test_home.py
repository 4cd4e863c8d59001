"""The Dagster home and the `.env`: who is remembered, what wins, what of the user's own stays."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batch_jobs.errors import UnavailableError
from batch_jobs.orchestration.home import prepare_home, remembered_home
from batch_jobs.settings import Settings

# What every native command does first.
SHOW = "from dagster._cli.utils import _inject_local_env_file as inject; import logging, os\n"
SHOW += "with inject(logging.getLogger()): print(os.environ['BATCH_JOBS_HOME'], os.environ['DAGSTER_HOME'], sep='\\n')"


def seen_by_native_commands(clone: Path, **variables: str) -> list[Path]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BATCH_JOBS", "DAGSTER"))}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=clone, env=environment | variables, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in done.stdout.splitlines()]


def home(tmp_path: Path, name: str) -> Settings:
    return Settings(home=tmp_path / name)


def test_native_commands_find_the_home(clone: Path, tmp_path: Path) -> None:
    settings = home(tmp_path, "my home æ#1")
    assert prepare_home(settings, clone=clone) == []
    assert remembered_home(clone) == settings.home
    assert seen_by_native_commands(clone) == [settings.home, settings.dagster_home]


def test_the_committed_file_is_copied_and_refreshed(clone: Path, tmp_path: Path) -> None:
    settings = home(tmp_path, "one")
    prepare_home(settings, clone=clone)
    copy = settings.dagster_home / "dagster.yaml"
    assert copy.read_text() == (clone / "dagster.yaml").read_text()
    copy.write_text("telemetry: {enabled: true}\n")
    prepare_home(settings, clone=clone)
    assert copy.read_text() == (clone / "dagster.yaml").read_text()


def test_lines_of_the_user_stay(clone: Path, tmp_path: Path) -> None:
    (clone / ".env").write_text("SMTP_HOST=mail.example.com")
    prepare_home(home(tmp_path, "one"), clone=clone)
    with (clone / ".env").open("a") as file:
        file.write("MORE=1\n")
    prepare_home(home(tmp_path, "one"), clone=clone)
    text = (clone / ".env").read_text()
    assert text.startswith("SMTP_HOST=mail.example.com\n")
    assert "MORE=1\n" in text
    assert text.count("DAGSTER_HOME=") == 1


def test_a_second_installation_does_not_take_over(clone: Path, tmp_path: Path) -> None:
    one, two = home(tmp_path, "one"), home(tmp_path, "two")
    prepare_home(one, clone=clone)
    assert prepare_home(two, clone=clone) == [
        f"set BATCH_JOBS_HOME={two.home} for native dagster commands: "
        f"without it they use the installation in {one.home}"
    ]
    assert seen_by_native_commands(clone) == [one.home, one.dagster_home]
    assert seen_by_native_commands(clone, BATCH_JOBS_HOME=str(two.home)) == [two.home, two.dagster_home]


def test_an_installation_that_is_gone_is_forgotten(clone: Path, tmp_path: Path) -> None:
    one, two = home(tmp_path, "one"), home(tmp_path, "two")
    prepare_home(one, clone=clone)
    shutil.rmtree(one.home)
    assert prepare_home(two, clone=clone) == []
    assert remembered_home(clone) == two.home


def test_the_default_installation_comes_first_and_says_so(clone: Path, tmp_path: Path) -> None:
    one, default = home(tmp_path, "one"), Settings(home=clone / ".batch_jobs")
    prepare_home(one, clone=clone)
    assert prepare_home(default, clone=clone) == [
        f"native dagster commands now use this installation; set BATCH_JOBS_HOME={one.home} for the other one"
    ]
    assert seen_by_native_commands(clone) == [default.home, default.dagster_home]


def test_a_database_of_ones_own_is_written_to_no_file(clone: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "one", database_url="postgresql://someone:geheim@db.example.com/hr")
    assert "BATCH_JOBS_DATABASE_URL" in prepare_home(settings, clone=clone)[0]
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"geheim" not in file.read_bytes()


def test_a_home_that_can_not_be_made_is_named(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="BATCH_JOBS_HOME"):
        prepare_home(Settings(home=tmp_path / "file"), clone=clone)


def test_a_home_that_a_dotenv_file_can_not_name_is_said(clone: Path, tmp_path: Path) -> None:
    assert "can not be written" in prepare_home(home(tmp_path, 'a"b}'), clone=clone)[0]
    assert not (clone / ".env").exists()
