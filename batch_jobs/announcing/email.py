"""Telling somebody by e-mail, over the mail server that all messages take."""

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from batch_jobs.mail.addresses import read_address, read_sender
from batch_jobs.mail.message import Message
from batch_jobs.mail.shown import one_line
from batch_jobs.mail.transport import Letter, Transport


def compose(message: Mapping[str, Any], *, sender: str, recipient: str, at: datetime) -> Message:
    """The e-mail of a message; those about one cause are a thread.

    Args:
        message: in JSON values.
        sender: `Name <address>`, or the address alone.
        recipient: an address.
        at: when it is sent.

    Raises:
        UnusableAddressError: of sender or recipient.
    """
    writer, address = read_sender(sender), read_address(recipient)
    message_id = f"<{message['id']}@{writer.domain}>"
    first = f"<{message['cause_id']}.1@{writer.domain}>"
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["From"] = str(writer)
    mail["To"] = address
    mail["Subject"] = one_line(f"[batch_jobs] {message['title']}")
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    if message_id != first:
        mail["In-Reply-To"] = mail["References"] = first
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{message['text']}\n\nTold by {message['host']}\n", cte="quoted-printable")
    return Message(message_id, writer.addr_spec, address, mail.as_bytes())


def send(transport: Transport, mail: Message) -> tuple[bool, str]:
    """Hand it over. Returns whether it was taken, and the server's words."""
    (delivery,) = transport.carry([Letter(("announcements", mail.recipient, mail.message_id), mail)])
    return delivery.fate == "sent", f"{delivery.fate}: {delivery.reply}" if delivery.fate != "sent" else delivery.reply
