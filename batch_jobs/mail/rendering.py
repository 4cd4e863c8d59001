"""What a notification says in an e-mail: its words in the reader's language, laid out as plain text and as HTML."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from batch_jobs.mail import kinds
from batch_jobs.mail.contents import read_data
from batch_jobs.mail.wording import filters, period, reading_locale
from batch_jobs.rules.timeoff_reminders import TIME_OFF

if TYPE_CHECKING:
    from babel import Locale
    from jinja2 import Environment

TEXT_WIDTH = 72
# Not the spaces that do not break, which French has before some punctuation.
_GAPS = re.compile(r"[ \n]+")
MOST_ITEMS = 50
"""So many statements a digest names in each of its lists; of the others it gives the number."""

PATHS = {
    kinds.STATEMENT_DEADLINE: "/timesheets",
    kinds.STATEMENT_OVERDUE: "/timesheets",
    kinds.TIMEOFF_REMINDER: "/time-off",
    kinds.MANAGER_DIGEST: "/approvals",
}
"""Where the application shows what a message is about, below its base URL."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one message says. `subject` is one line; `text` and `html` say the same."""

    subject: str
    text: str
    html: str


def render(kind: str, locale: str | None, data: object, *, base_url: str | None) -> Rendered:
    """The message of a notification.

    Args:
        kind: one of `mail.kinds`.
        locale: the reader's, such as `da` or `da-DK`; English where there are no words in its language.
        data: of the notification, in the fields of its kind.
        base_url: of the application, for the link; without it the message has none.

    Raises:
        UnreadableNotificationError: the kind is not known, or the data is not what it has.
    """
    fields = read_data(kind, data)
    written_in = reading_locale(locale)
    environment = _environment()
    words = _words(environment, f"{written_in.language}/{kind}.j2", {**fields, "locale": written_in})
    subject = _line(words.subject)
    page = {
        "language": str(written_in).replace("_", "-"),
        "subject": subject,
        "preheader": _line(words.preheader),
        "paragraphs": [_line(paragraph) for paragraph in words.body.strip().split("\n\n")],
        "facts": _facts(getattr(words, "facts", "")),
        "lists": _lists(words, fields, written_in) if kind == kinds.MANAGER_DIGEST else [],
        "action": _line(words.action),
        "link": base_url.rstrip("/") + PATHS[kind] if base_url else None,
        "footer": _footer(written_in),
    }
    text = environment.get_template("layout.txt.j2").render(page)
    return Rendered(subject, text.strip() + "\n", environment.get_template("layout.html.j2").render(page))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    # Words are plain text in files of their own; what lays them out as HTML escapes all of them.
    environment = Environment(
        loader=PackageLoader("batch_jobs.mail", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters |= filters()
    environment.filters["wrapped"] = _wrapped
    environment.globals["TIME_OFF"] = TIME_OFF
    return environment


@cache
def _footer(locale: "Locale") -> str:
    return _line(_words(_environment(), f"{locale.language}/footer.j2", {"locale": locale}).footer)


def _words(environment: "Environment", name: str, variables: Mapping[str, Any]) -> Any:
    return environment.get_template(name).make_module(dict(variables))


def _line(text: str) -> str:
    return _GAPS.sub(" ", text).strip(" ")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, TEXT_WIDTH, break_long_words=False, break_on_hyphens=False)


def _facts(text: str) -> list[tuple[str, str]]:
    """Label and value of each line, which `|` parts."""
    parted = (line.partition("|") for line in text.splitlines() if line.strip())
    return [(label.strip(), value.strip()) for label, _, value in parted]


def _lists(words: Any, fields: Mapping[str, Any], locale: "Locale") -> list[dict[str, Any]]:
    """The lists of a digest that hold anything: heading, the first items, and words for the rest."""
    named: Sequence[tuple[str, Any]] = [("awaiting", words.awaiting_heading), ("missing", words.missing_heading)]
    found = []
    for name, heading in named:
        items, left = fields[name][:MOST_ITEMS], len(fields[name]) - MOST_ITEMS
        shown = [(one["employee_name"], period(locale, one["period_start"], one["period_end"])) for one in items]
        more = _line(words.and_more(left)) if left > 0 else None
        found += [{"heading": _line(heading), "items": shown, "more": more}] if items else []
    return found
