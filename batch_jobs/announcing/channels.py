"""Who is told: the webhook and the addresses that the settings name."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from batch_jobs.announcing import email, webhook
from batch_jobs.errors import BadInputError
from batch_jobs.mail.addresses import UnusableAddressError, read_address, read_sender
from batch_jobs.mail.transport import Transport, transport_of
from batch_jobs.settings import Settings

Send: TypeAlias = Callable[[Mapping[str, Any]], tuple[bool, str]]
"""Sends a message, in JSON values. Gives whether it was taken, and what was answered."""

WEBHOOK = "webhook"
NOBODY = (
    "nobody is told: set BATCH_JOBS_ANNOUNCE_WEBHOOK_URL or BATCH_JOBS_ANNOUNCE_EMAIL (docs/monitoring.md), where this "
    "runs"
)


def channel_names(settings: Settings) -> list[str]:
    """The channels by name; an address is its own.

    Raises:
        BadInputError: an address can not be used; the text names it.
    """
    announcing = settings.announcing
    try:
        if announcing.emails:
            read_sender(settings.mail_from)
        addresses = [read_address(one) for one in announcing.emails]
    except UnusableAddressError as error:
        raise BadInputError(f"BATCH_JOBS_ANNOUNCE_EMAIL, or its sender BATCH_JOBS_MAIL_FROM: {error}") from None
    return [WEBHOOK] * (announcing.webhook_url is not None) + addresses


@contextlib.contextmanager
def open_channels(settings: Settings, clock: Callable[[], datetime]) -> Iterator[dict[str, Send]]:
    """The channels by name, for the length of a `with` block."""
    names = channel_names(settings)
    transport = transport_of(settings)
    try:
        yield {
            name: partial(webhook.post, settings.announcing.webhook_url or "")
            if name == WEBHOOK
            else partial(_send_email, settings, transport, name, clock)
            for name in names
        }
    finally:
        transport.close()


def _send_email(
    settings: Settings, transport: Transport, recipient: str, clock: Callable[[], datetime], message: Mapping[str, Any]
) -> tuple[bool, str]:
    mail = email.compose(message, sender=settings.mail_from, recipient=recipient, at=clock())
    return email.send(transport, mail)
