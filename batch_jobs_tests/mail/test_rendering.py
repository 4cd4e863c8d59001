"""What messages say: every kind in every language, dates, plurals, names, and data that is not what it should be."""

from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.mail.contents import UnreadableNotificationError
from batch_jobs.mail.kinds import DATA, MANAGER_DIGEST, STATEMENT_DEADLINE, STATEMENT_OVERDUE, TIMEOFF_REMINDER
from batch_jobs.mail.rendering import MOST_ITEMS, PATHS, Rendered, render
from batch_jobs.mail.wording import LANGUAGES
from batch_jobs_tests.mail.notifications import REALISTIC, digest, statement, time_off

BASE = "https://time.example.com"
ALL = pytest.mark.parametrize(("kind", "locale"), [(kind, locale) for kind in DATA for locale in LANGUAGES])


class Page(HTMLParser):
    """Elements, links and visible text of HTML; fails when an element is not closed."""

    EMPTY = ("meta", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.elements: list[str] = []
        self.language = self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.language = dict(attrs).get("lang") or self.language
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open and self.open[-1] != "style" else ""


def written(kind: str, locale: str | None = "en", data: Any = None, base_url: str | None = BASE) -> Rendered:
    return render(kind, locale, REALISTIC[kind] if data is None else data, base_url=base_url)


@ALL
def test_every_kind_is_written_in_every_language(kind: str, locale: str) -> None:
    found = written(kind, locale)
    page = Page(found.html)
    assert page.language == locale
    assert page.links == [BASE + PATHS[kind]]
    assert found.text.count(BASE) == 1
    assert "\n" not in found.subject
    assert found.subject in page.text
    name = REALISTIC[kind].get("employee_name") or REALISTIC[kind]["manager_name"]
    for text in (found.text, page.text):
        assert name in text
        assert "{" not in text
        assert "None" not in text
    if locale != "en":
        assert found.subject != written(kind, "en").subject
        assert written(kind, "en").text.splitlines()[-1] != found.text.splitlines()[-1]


@ALL
def test_without_a_base_url_there_is_no_link(kind: str, locale: str) -> None:
    found = written(kind, locale, base_url=None)
    assert Page(found.html).links == []
    assert "http" not in found.text
    assert "  \n" not in found.text
    assert "\n\n\n" not in found.text


@pytest.mark.parametrize("kind", DATA)
def test_french_spaces_do_not_break(kind: str) -> None:
    folder = files("batch_jobs.mail") / "templates" / "fr"
    words = (folder / f"{kind}.j2").read_text()
    said = "".join(part.split("}}")[-1].split("%}")[-1] for part in words.replace("{%", "{{").split("{{"))
    for sign in ":;?!»":
        assert f" {sign}" not in said
    assert "'" not in said


def test_dates_are_written_as_people_write_them() -> None:
    data = statement(deadline="2026-06-01", period_start="2026-05-01", period_end="2026-05-31")
    said = {
        locale: written(STATEMENT_DEADLINE, locale, data).text.replace("\n", " ") for locale in (*LANGUAGES, "en-GB")
    }
    assert "May 1 – 31, 2026" in said["en"].replace("\u2009", " ")
    assert "Monday, June 1, 2026" in said["en"]
    assert "Monday, 1 June 2026" in said["en-GB"]
    assert "1.–31. maj 2026" in said["da"]
    assert "mandag den 1. juni 2026" in said["da"]
    assert "du 1er mai 2026 au 31 mai 2026" in said["fr"]
    assert "lundi 1er juin 2026" in said["fr"]
    eleventh = written(STATEMENT_DEADLINE, "fr", statement(deadline="2026-06-11")).text
    assert "11 juin 2026" in eleventh


@pytest.mark.parametrize(
    ("locale", "count", "words"),
    [
        ("en", 0, "0 working days"),
        ("en", 1, "1 working day"),
        ("en", 2, "2 working days"),
        ("da", 1, "1 arbejdsdag"),
        ("da", 2, "2 arbejdsdage"),
        ("fr", 0, "0 jour ouvré"),
        ("fr", 1, "1 jour ouvré"),
        ("fr", 2, "2 jours ouvrés"),
        ("da", 1234, "1.234 arbejdsdage"),
    ],
)
def test_plurals(locale: str, count: int, words: str) -> None:
    assert f"{words}." in written(TIMEOFF_REMINDER, locale, time_off(working_days=count)).html


@pytest.mark.parametrize(
    ("awaiting", "missing", "locale", "subject"),
    [
        (1, 0, "en", "1 timesheet to approve"),
        (2, 0, "da", "2 timesedler til godkendelse"),
        (0, 1, "en", "1 timesheet not submitted"),
        (0, 1, "fr", "1 feuille de temps non soumise"),
        (0, 2, "fr", "2 feuilles de temps non soumises"),
        (2, 3, "en", "2 timesheets to approve, 3 not submitted"),
        (1, 1, "fr", "1 feuille de temps à valider, 1 non soumise"),
        (1, 3, "da", "1 timeseddel til godkendelse, 3 mangler"),
    ],
)
def test_the_subject_of_a_digest_counts(awaiting: int, missing: int, locale: str, subject: str) -> None:
    found = written(MANAGER_DIGEST, locale, digest(awaiting=awaiting, missing=missing))
    assert found.subject == subject
    assert found.text.count("Awaited") == awaiting
    assert found.text.count("Missed") == missing


def test_a_long_digest_names_the_first_and_counts_the_others() -> None:
    found = written(MANAGER_DIGEST, "en", digest(awaiting=MOST_ITEMS, missing=MOST_ITEMS + 10))
    for text in (found.text, Page(found.html).text):
        assert text.count("Missed ") == MOST_ITEMS
        assert text.count("Awaited ") == MOST_ITEMS
        assert text.count("and 10 more") == 1
    assert "60 timesheets not submitted" in found.text


def test_one_day_off_is_no_range_and_an_account_is_named_only_when_there_is_one() -> None:
    found = written(TIMEOFF_REMINDER, "en", time_off(end_date="2026-12-01", account="time off"))
    assert found.subject == "Your time off is on Tuesday, December 1, 2026"
    assert "ends" not in found.text
    assert "Account" not in found.text
    assert "Konto        Vacation" in written(TIMEOFF_REMINDER, "da").text


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        (None, "en"), ("", "en"), ("de", "en"), ("tlh", "en"), ("../da", "en"), ("da-DK", "da"), ("da_DK", "da"),
        ("DA", "da"), ("fr-XX", "fr"), ("fr-CA", "fr"), ("da\r\nX: y", "en"),
    ],
)  # fmt: skip
def test_an_unknown_locale_falls_back(locale: str | None, language: str) -> None:
    assert written(STATEMENT_DEADLINE, locale).text.startswith({"en": "Hi", "da": "Hej", "fr": "Bonjour"}[language])


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("party", {}, 'kind "party" has no message; expected one of manager_digest'),
        ("../layout", {}, "has no message"),
        (STATEMENT_DEADLINE, None, "its data"),
        (STATEMENT_DEADLINE, [], "its data"),
        (STATEMENT_DEADLINE, {}, "field employee_name: Field required"),
        (STATEMENT_OVERDUE, statement(deadline="2026-02-30"), "field deadline is '2026-02-30'"),
        (STATEMENT_OVERDUE, statement(deadline="tomorrow"), "field deadline is 'tomorrow'"),
        (STATEMENT_OVERDUE, statement(employee_name=None), "field employee_name is None"),
        (TIMEOFF_REMINDER, time_off(working_days=-1), "field working_days is -1"),
        (MANAGER_DIGEST, digest(awaiting=1) | {"missing": [{}]}, "field missing.0.statement_id"),
    ],
)
def test_data_that_can_not_be_read(kind: str, data: Any, said: str) -> None:
    with pytest.raises(UnreadableNotificationError, match=r"notification") as raised:
        render(kind, "en", data, base_url=BASE)
    assert said in str(raised.value)


def test_a_field_that_no_template_knows_is_left_out() -> None:
    assert written(STATEMENT_OVERDUE, "en", statement(secret="x")) == written(STATEMENT_OVERDUE)


@given(name=st.text(), kind=st.sampled_from(sorted(DATA)), locale=st.sampled_from(LANGUAGES))
def test_no_name_changes_the_shape_of_a_message(name: str, kind: str, locale: str) -> None:
    plain = REALISTIC[kind]
    with_name = {**plain, **{field: name for field in ("employee_name", "manager_name", "account") if field in plain}}
    expected, found = written(kind, locale, plain), written(kind, locale, with_name)
    assert Page(found.html).elements == Page(expected.html).elements
    assert Page(found.html).links == Page(expected.html).links
    assert found.subject == expected.subject
    assert max(map(len, found.text.splitlines())) < 400


def test_a_name_is_text_in_html() -> None:
    hostile = "<script>alert(1)</script>&\"'\r\nBcc: x"
    found = written(STATEMENT_OVERDUE, "en", statement(employee_name=hostile))
    assert "script" not in Page(found.html).elements
    assert "<script>alert(1)</script>&\"' Bcc: x" in Page(found.html).text
    assert "<script>alert(1)</script>&\"' Bcc: x" in found.text
