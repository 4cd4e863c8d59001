"""E-mail addresses as SMTP servers of any age take them, and what is wrong with the others."""

import re
import unicodedata
from email.headerregistry import Address
from functools import lru_cache

from batch_jobs.errors import BadInputError
from batch_jobs.mail.shown import one_line

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_SENDER = re.compile(r'"?(?P<name>[^<>"\x00-\x1f]*)"? *<(?P<address>[^<>]+)>|(?P<alone>[^<>\s]+)')
_LONGEST_LOCAL = 64
_LONGEST = 254


class UnusableAddressError(BadInputError):
    """Nothing can be sent to or from an address; the text names it and says why."""


def read_address(text: str) -> str:
    """The address for the SMTP dialogue and for headers, in ASCII.

    A domain in other letters is written in its ASCII form (`xn--…`). A local part in other letters needs SMTPUTF8,
    which is not spoken: many servers on the way do not either.

    Raises:
        UnusableAddressError: it is not one plain address.
    """
    local, at, domain = text.rpartition("@")
    if not at:
        raise _unusable(text, "it has no @")
    if not local.isascii():
        raise _unusable(text, "letters outside ASCII before the @ need SMTPUTF8, which is not supported")
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL:
        raise _unusable(text, f"expected up to {_LONGEST_LOCAL} letters, digits and signs before the @, without spaces")
    found = f"{local}@{_ascii_domain(text, domain)}"
    if len(found) > _LONGEST:
        raise _unusable(text, f"it is longer than {_LONGEST} characters")
    return found


@lru_cache(maxsize=16)
def read_sender(text: str) -> Address:
    """The sender `Name <address>`, or the address alone.

    Raises:
        UnusableAddressError: it is not one plain address, with or without a name.
    """
    found = _SENDER.fullmatch(text)
    if not found:
        raise _unusable(text, "expected an address, or a name and an address, as in Time <no-reply@example.com>")
    return Address(
        " ".join(one_line(found["name"] or "").split()), addr_spec=read_address(found["address"] or found["alone"])
    )


def _ascii_domain(text: str, domain: str) -> str:
    try:
        encoded = domain.encode("idna").decode()
        read_back = encoded.encode().decode("idna")
    except UnicodeError:
        raise _unusable(text, f'"{one_line(domain)}" is no domain') from None
    # Newer rules keep letters such as ß that this encoding replaces: the message would go to somebody else's domain.
    if not domain.isascii() and read_back != unicodedata.normalize("NFC", domain).lower():
        raise _unusable(text, f'write the domain in its ASCII form (xn--…), "{one_line(domain)}" has more than one')
    if not all(_LABEL.fullmatch(label) for label in encoded.split(".")):
        raise _unusable(text, f'"{one_line(domain)}" is no domain')
    return encoded


def _unusable(text: str, reason: str) -> UnusableAddressError:
    return UnusableAddressError(f'e-mail address "{one_line(text)}" can not be used: {reason}; correct it')
