"""The e-mail of a rendered notification: its headers, its two parts, and its bytes."""

from datetime import datetime
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueSingleAddressHeader, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from urllib.parse import quote, urlencode

from batch_jobs.mail.addresses import read_address, read_sender
from batch_jobs.mail.rendering import Rendered
from batch_jobs.mail.shown import one_line
from batch_jobs.store.event_ids import deterministic_event_id

UNSUBSCRIBE_PATH = "/notifications/unsubscribe"
"""Where the application takes the POST of RFC 8058; its query names workspace, user and notification."""

# A line of a header ends at 998 characters, and a URL can not be folded. Ids of a few hundred bytes fit.
_LONGEST_URL = 900


class _WholeHeader(BaseHeader):
    """A header whose value no mail server may find broken up: the default folding encodes long words."""

    max_count = 1
    parse = UnstructuredHeader.parse

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _TextHeader(BaseHeader):
    """A header of words. The default folding puts spaces into long words that are not ASCII."""

    max_count = 1
    parse = UnstructuredHeader.parse

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {_encoded(self, self.name, policy)}{policy.linesep}"


class _AddressHeader(UniqueSingleAddressHeader):
    """A header of one address, whose name is folded as other words are."""

    def fold(self, *, policy: Policy) -> str:
        header_name = str(self.name)  # type: ignore[attr-defined]
        name, address = self.address.display_name, f"<{self.address.addr_spec}>"
        phrase = _encoded(name, header_name, policy)
        if phrase == name:
            return f"{header_name}: {self.address if name else address}{policy.linesep}"
        return f"{header_name}: {phrase}{policy.linesep} {address}{policy.linesep}"


def _encoded(text: str, header_name: str, policy: Policy) -> str:
    """The text as it is, or in encoded words (RFC 2047) where it is not ASCII or looks like one of them."""
    if text.isascii() and "=?" not in text:
        return str(text)
    return Header(text, "utf-8", header_name=header_name).encode(linesep=policy.linesep)


class _Registry(HeaderRegistry):
    """Makes the class of each header once; the library does it anew for every header of every message."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type[BaseHeader]] = {}

    def __getitem__(self, name: str) -> type[BaseHeader]:
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


def _policy() -> Policy:
    registry = _Registry()
    registry.map_to_type("subject", _TextHeader)
    for name in ("from", "to"):
        registry.map_to_type(name, _AddressHeader)  # type: ignore[arg-type]
    for name in ("message-id", "list-unsubscribe"):
        registry.map_to_type(name, _WholeHeader)
    return SMTP.clone(header_factory=registry, cte_type="7bit")


_POLICY = _policy()


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
) -> EmailMessage:
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
    writer = read_sender(sender)
    message = EmailMessage(policy=_POLICY)
    message["From"] = writer
    message["To"] = Address(" ".join(one_line(recipient_name).split()), addr_spec=read_address(recipient_address))
    message["Subject"] = one_line(rendered.subject)
    message["Date"] = sent_at
    message["Message-ID"] = f"<{_name(workspace_id, notification_id, user_id)}@{writer.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    query = urlencode({"workspace": workspace_id, "user": user_id, "notification": notification_id})
    if base_url and len(base_url + query) <= _LONGEST_URL:
        message["List-Unsubscribe"] = f"<{base_url.rstrip('/')}{UNSUBSCRIBE_PATH}?{query}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    # Given, since the library looks through the parts for one that is free: quoted-printable text never has "=_".
    message.set_boundary("=_parts")
    return message


def serialize(message: EmailMessage) -> bytes:
    """The message as SMTP and `.eml` files have it: ASCII, lines that end with CRLF, of at most 998 characters."""
    return message.as_bytes(policy=_POLICY)


def _name(workspace_id: str, notification_id: str, user_id: str) -> str:
    """Tells a person which notification it is, as far as that fits, and a machine which message."""
    unique = deterministic_event_id(workspace_id, "mail", notification_id, user_id).hex
    return f"{quote(notification_id, safe='').replace('.', '%2E')[:100]}.{unique}"
