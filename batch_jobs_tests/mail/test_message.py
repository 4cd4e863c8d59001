"""The e-mail of a notification: valid MIME whatever the words, headers that nobody can add to, the same Message-ID."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.mail.addresses import UnusableAddressError
from batch_jobs.mail.kinds import DATA
from batch_jobs.mail.message import Message, compose
from batch_jobs.mail.rendering import Rendered, render
from batch_jobs.mail.shown import one_line
from batch_jobs.mail.wording import LANGUAGES
from batch_jobs_tests.mail.notifications import REALISTIC

WORDS = Rendered("Æbler på vej", "Hej\n", "<p>Hej</p>\n")
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post",
    "MIME-Version", "Content-Type",
}  # fmt: skip
SENT_AT = datetime(2026, 11, 30, 7, 5, tzinfo=UTC)


def composed(rendered: Rendered = WORDS, **fields: Any) -> Message:
    given = {
        "workspace_id": "acme",
        "notification_id": "0d9e6ab0-7a51-5b6e-9d0e-2f6a4c8b9e10",
        "user_id": "u-1",
        "sender": "Tid & Løn <no-reply@time.example.com>",
        "recipient_name": "Søren Østergård",
        "recipient_address": "so@acme.example",
        "base_url": "https://time.example.com/",
        "sent_at": SENT_AT,
    }
    return compose(rendered, **(given | fields))


def sent(message: Message) -> Any:
    """What the other side reads, when it goes by the rules."""
    content = message.content
    assert content.isascii()
    lines = content.split(b"\r\n")
    assert all(b"\n" not in line and b"\r" not in line and len(line) <= 998 for line in lines)
    found = message_from_bytes(content, policy=policy.default)
    assert not found.defects
    assert all(not value.defects for value in found.values())
    return found


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_message_is_read_back_as_it_was(kind: str, locale: str) -> None:
    rendered = render(kind, locale, REALISTIC[kind], base_url="https://time.example.com")
    found = sent(composed(rendered))
    assert found.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    read = [found.get_body((kind,)).get_content().replace("\r\n", "\n").rstrip("\n") for kind in ("plain", "html")]
    assert read == [rendered.text.rstrip("\n"), rendered.html.rstrip("\n")]
    assert found["Subject"] == rendered.subject


def test_headers() -> None:
    found = sent(composed())
    assert set(found.keys()) == HEADERS
    assert found["From"].addresses[0].display_name == "Tid & Løn"
    assert found["From"].addresses[0].addr_spec == "no-reply@time.example.com"
    assert found["To"].addresses[0].display_name == "Søren Østergård"
    assert parsedate_to_datetime(found["Date"]) == SENT_AT
    assert found["Auto-Submitted"] == "auto-generated"


def test_one_click_unsubscribing() -> None:
    found = sent(composed(user_id="ü&1>,<x"))
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["List-Unsubscribe"] == (
        "<https://time.example.com/notifications/unsubscribe?workspace=acme&user=%C3%BC%261%3E%2C%3Cx"
        "&notification=0d9e6ab0-7a51-5b6e-9d0e-2f6a4c8b9e10>"
    )
    # In one piece: a URL that is folded or encoded is lost on most servers.
    assert b"\r\nList-Unsubscribe: <https://" in composed(user_id="u" * 100).content
    without = sent(composed(base_url=None))
    assert set(without.keys()) == HEADERS - {"List-Unsubscribe", "List-Unsubscribe-Post"}


@pytest.mark.parametrize("odd", ["n-1", "Ærø 7.", "a@b>", ".", "x" * 100, "ø" * 100])
def test_copies_have_the_same_message_id_and_others_another(odd: str) -> None:
    first = sent(composed(notification_id=odd, user_id=odd))["Message-ID"]
    again = composed(Rendered("x", "y\n", "z\n"), notification_id=odd, user_id=odd, sent_at=datetime.now(UTC))
    assert sent(again)["Message-ID"] == first
    assert first.startswith("<")
    assert first.endswith("@time.example.com>")
    others = [{"workspace_id": "bell"}, {"notification_id": "other"}, {"user_id": "u-2"}]
    ids = {sent(composed(**({"notification_id": odd, "user_id": odd} | other)))["Message-ID"] for other in others}
    assert len(ids | {first}) == 4


def test_ids_too_long_for_a_header_leave_unsubscribing_out() -> None:
    found = sent(composed(notification_id="ø" * 100, user_id="ø" * 100))
    assert set(found.keys()) == HEADERS - {"List-Unsubscribe", "List-Unsubscribe-Post"}


@given(name=st.text(max_size=300), subject=st.text(max_size=300))
def test_names_and_subjects_are_read_back_and_add_no_header(name: str, subject: str) -> None:
    message = composed(Rendered(subject, "Hej\n", "<p>Hej</p>\n"), recipient_name=name)
    found = sent(message)
    assert set(found.keys()) == HEADERS
    assert found["Subject"] == one_line(subject)
    # Python's newer parser puts a space between neighbouring encoded words of a name, against RFC 2047.
    phrase, address = parseaddr(message_from_bytes(message.content)["To"].replace("\r\n", ""))
    assert str(make_header(decode_header(phrase))) == " ".join(one_line(name).split())
    assert address == "so@acme.example"


@pytest.mark.parametrize("name", ["Bo\r\nBcc: all@acme.example", "Bo\nBcc: x", "Bo\u2028Bcc: x", "Bo\x00\x0b\x85X: y"])
def test_a_line_break_in_a_name_or_subject_makes_no_header(name: str) -> None:
    found = sent(composed(Rendered(name, "Hej\n", "<p></p>\n"), recipient_name=name))
    assert set(found.keys()) == HEADERS
    assert found["To"].addresses[0].display_name == found["Subject"] == one_line(name)


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r\n") | st.sampled_from("\n.= \t"), max_size=400))
def test_texts_are_read_back(text: str) -> None:
    found = sent(composed(Rendered("Hej", text, "<p></p>\n")))
    assert found.get_body(("plain",)).get_payload(decode=True).decode() == text.replace("\n", "\r\n")


def test_direction_marks_are_left_out_of_names() -> None:
    assert sent(composed(recipient_name="Bo \u202egro.live"))["To"].addresses[0].display_name == "Bo gro.live"


@pytest.mark.parametrize("field", ["recipient_address", "sender"])
@pytest.mark.parametrize("address", ["", "a@b\r\nBcc: c@d.dk", "a@b.dk\nX: y", "<a@b.dk", "a b@c.dk", "søren@b.dk"])
def test_a_bad_address_is_refused(field: str, address: str) -> None:
    with pytest.raises(UnusableAddressError, match="can not be used"):
        composed(**{field: address})
