"""Addresses: which are taken, how foreign domains are written, which are refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.mail.addresses import UnusableAddressError, read_address, read_sender


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.dk", "a@b.dk"),
        ("No-Reply+x_1@Mail.Example.COM", "No-Reply+x_1@Mail.Example.COM"),
        ("a@localhost", "a@localhost"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("a@købmand.dk", "a@xn--kbmand-bya.dk"),
        ("a@MÜLLER.example", "a@xn--mller-kva.example"),
        ("a@xn--mller-kva.example", "a@xn--mller-kva.example"),
    ],
)
def test_taken(text: str, expected: str) -> None:
    assert read_address(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no @"),
        ("acme.example", "it has no @"),
        ("@b.dk", "before the @"),
        ("a..b@c.dk", "before the @"),
        (".a@c.dk", "before the @"),
        ("a,b@c.dk", "before the @"),
        ("a@b@c.dk", "before the @"),
        ('"a b"@c.dk', "before the @"),
        ("x" * 65 + "@c.dk", "64"),
        ("søren@c.dk", "SMTPUTF8, which is not supported"),
        ("a@", "no domain"),
        ("a@b..dk", "no domain"),
        ("a@-b.dk", "no domain"),
        ("a@b_c.dk", "no domain"),
        ("a@[127.0.0.1]", "no domain"),
        ("a@b.dk\r\nRCPT TO:<x>", "no domain"),
        ("a@b.dk\n", "no domain"),
        ("a@straße.de", "ASCII form"),
        ("a@" + ".".join(["x" * 60] * 5), "longer than 254"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(UnusableAddressError) as raised:
        read_address(text)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


@given(st.text())
def test_what_is_taken_is_ascii_without_spaces(text: str) -> None:
    for address in (text, f"{text}@b.dk", f"a@{text}"):
        try:
            found = read_address(address)
        except UnusableAddressError:
            continue
        assert found.isascii()
        assert found.isprintable()
        assert " " not in found


def test_senders() -> None:
    assert read_sender("a@b.dk").addr_spec == "a@b.dk"
    found = read_sender('"Tid, Løn" <no-reply@købmand.dk>')
    assert (found.display_name, found.addr_spec) == ("Tid, Løn", "no-reply@xn--kbmand-bya.dk")
