"""The pages for operators say what the code does."""

import importlib.util
import re
from types import ModuleType

import pytest

from batch_jobs.jobs import registry
from batch_jobs.settings import PROJECT_FOLDER

DOCS = PROJECT_FOLDER / "docs"


@pytest.fixture(scope="module")
def job_pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("job_pages", DOCS / "job_pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_is_out_of_date(job_pages: ModuleType) -> None:
    for page, text in job_pages.pages().items():
        found = page.read_text() if page.exists() else ""
        assert found == text, f"run: make docs ({page.name} is out of date)"


def test_every_job_has_a_page_with_words_of_its_own() -> None:
    pages = {page.stem for page in (DOCS / "jobs").glob("*.md")}
    assert pages == {*registry(), "README"}
    for name in registry():
        words = (DOCS / "jobs" / f"{name}.md").read_text().split("code: end -->")[1]
        assert [line for line in words.splitlines() if line[:3] == "## "] == [
            "## What it does",
            "## What to do when",
        ], name


def test_a_changed_counter_would_be_noticed(job_pages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    job = registry()["timesheet_statement_generate"]
    monkeypatch.setattr(type(job), "counters", job.counters[:1])
    (page,) = (page for page in job_pages.pages() if page.stem == job.name)
    assert page.read_text() != job_pages.pages()[page]


def test_links_between_pages_lead_somewhere() -> None:
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
