"""The page about the architecture, held against the imports of the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from batch_jobs.settings import PROJECT_FOLDER

PAGE = (PROJECT_FOLDER / "docs" / "architecture.md").read_text()
CODE = PROJECT_FOLDER / "batch_jobs"
# Below all floors.
SHARED = {"settings": 0, "errors": 0}


def floors() -> dict[str, int]:
    """The floor of each folder and file of the code, as the page draws the house."""
    found: dict[str, int] = {}
    floor = 0
    for number, names in re.findall(r"^ ([1-5 ])  (\w.*?)(?:  |$)", PAGE.split("```")[1], re.MULTILINE):
        floor = int(number) if number != " " else floor
        found |= {name.removesuffix("/").removesuffix(".py"): floor for name in names.split(", ")}
    return found


def imported(file: Path) -> Iterator[str]:
    """The folders and files of the code that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("batch_jobs."))


def test_the_house_has_all_of_the_code() -> None:
    assert {path.stem for path in CODE.iterdir() if path.stem[0] != "_"} == {*floors(), *SHARED}


def test_imports_go_down_or_stay_on_their_floor() -> None:
    of = floors() | SHARED
    assert max(of.values()) == 5
    up = [
        f"{file.relative_to(CODE)} imports {name}"
        for file in CODE.rglob("*.py")
        for name in imported(file)
        if of[name] > of.get(file.relative_to(CODE).parts[0].removesuffix(".py"), 5)
    ]
    assert up == []


def test_files_with_private_parts_of_dagster_are_named() -> None:
    files = [file.relative_to(CODE).as_posix() for file in CODE.rglob("*.py") if "dagster._" in file.read_text()]
    assert len(files) > 10
    assert [file for file in files if f"`{file}`" not in PAGE and not file.startswith("orchestration/web/")] == []


def test_every_setting_is_documented() -> None:
    pages = "".join(
        page.read_text() for page in [PROJECT_FOLDER / "README.md", *(PROJECT_FOLDER / "docs").glob("*.md")]
    )
    settings = set(re.findall(r"BATCH_JOBS_[A-Z_]*[A-Z]", (CODE / "settings.py").read_text()))
    assert len(settings) > 20
    assert sorted(name for name in settings if not re.search(rf"{name}\b", pages)) == []
