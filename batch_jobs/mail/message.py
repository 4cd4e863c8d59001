"""The e-mail of a rendered notification: its headers, its two parts, and its bytes.

Written out by hand from the standard library's encoders: its message classes parse again what is put into them, which
takes three times as long as all the rest of a message, and they fold headers that servers must find in one piece.
"""

import re
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from urllib.parse import quote, urlencode

from batch_jobs.mail.addresses import read_address, read_sender
from batch_jobs.mail.rendering import Rendered
from batch_jobs.mail.shown import one_line
from batch_jobs.store.event_ids import deterministic_event_id

UNSUBSCRIBE_PATH = "/notifications/unsubscribe"
"""Where the application takes the POST of RFC 8058; its query names workspace, user and notification."""

# A line of a header ends at 998 characters, and a URL can not be folded. Ids of a few hundred bytes fit.
_LONGEST_URL = 900
# Quoted-printable text never has "=_".
_BOUNDARY = "=_parts"
_CRLF = "\r\n"
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to go.

    Attributes:
        message_id: the same on every copy.
        sender: address for bounces, in ASCII.
        recipient: address, in ASCII.
        content: as SMTP and `.eml` files have it: ASCII, lines that end with CRLF, of at most 998 characters.
    """

    message_id: str
    sender: str
    recipient: str
    content: bytes


def compose(
    rendered: Rendered,
    *,
    workspace_id: str,
    notification_id: str,
    user_id: str,
    sender: str,
    recipient_name: str,
    recipient_address: str,
    base_url: str | None,
    sent_at: datetime,
) -> Message:
    """The message of one notification to one user.

    Args:
        rendered: what it says.
        workspace_id: of the notification.
        notification_id: with the workspace and the user it makes the `Message-ID`, the same on every copy.
        user_id: whom it is for.
        sender: `Name <address>`, or the address alone.
        recipient_name: anything; it is cleaned.
        recipient_address: as the application knows it. In the message it is in ASCII, as `read_address` makes it.
        base_url: of the application; without it nobody can unsubscribe with one click (RFC 8058).
        sent_at: with its offset.

    Raises:
        UnusableAddressError: of sender or recipient.
    """
    writer, recipient = read_sender(sender), read_address(recipient_address)
    message_id = f"<{_name(workspace_id, notification_id, user_id)}@{writer.domain}>"
    query = urlencode({"workspace": workspace_id, "user": user_id, "notification": notification_id})
    headers = [
        _address("From", writer.display_name, writer.addr_spec),
        _address("To", " ".join(one_line(recipient_name).split()), recipient),
        f"Subject: {_words('Subject', one_line(rendered.subject))}",
        f"Date: {format_datetime(sent_at)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",
    ]
    if base_url and len(base_url + query) <= _LONGEST_URL:
        headers += [
            f"List-Unsubscribe: <{base_url.rstrip('/')}{UNSUBSCRIBE_PATH}?{query}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    headers += ["MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"']
    parts = (
        *(_CRLF.join(headers), _CRLF, _CRLF),
        *_part("plain", rendered.text),
        *_part("html", rendered.html),
        f"--{_BOUNDARY}--\r\n",
    )
    return Message(message_id, writer.addr_spec, recipient, "".join(parts).encode("ascii"))


def _part(subtype: str, text: str) -> tuple[str, str]:
    head = (
        f'--{_BOUNDARY}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    # The last line end belongs to the boundary; the encoder ends its own lines as the first line of the text ends.
    return head, b2a_qp(f"{_LINE_END.sub(_CRLF, text)}{_CRLF}".encode(), istext=True).decode("ascii")


def _address(header_name: str, name: str, address: str) -> str:
    words = _words(header_name, name)
    if words == name:
        return f"{header_name}: {formataddr((name, address)) if name else f'<{address}>'}"
    return f"{header_name}: {words}{_CRLF} <{address}>"


def _words(header_name: str, text: str) -> str:
    """The text as it is, or in encoded words (RFC 2047) where it is not ASCII or looks like one of them."""
    if text.isascii() and "=?" not in text:
        return text
    return Header(text, "utf-8", header_name=header_name).encode(linesep=_CRLF)


def _name(workspace_id: str, notification_id: str, user_id: str) -> str:
    """Tells a person which notification it is, as far as that fits, and a machine which message."""
    unique = deterministic_event_id(workspace_id, "mail", notification_id, user_id).hex
    return f"{quote(notification_id, safe='').replace('.', '%2E')[:100]}.{unique}"
