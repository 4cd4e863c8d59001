"""Passwords: what is accepted, and how they are kept (Argon2id). A password never stands in an error."""

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from batch_jobs.errors import BadInputError

SHORTEST = 12
LONGEST = 1_000
# Each computation takes 64 MiB of memory, so that guessing is dear; those who knock must not make us pay for it.
_AT_ONCE = BoundedSemaphore(2)
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """What is stored of a password: its hash with parameters and salt.

    Raises:
        BadInputError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInputError(
            f"the password is too {'short' if len(password) < SHORTEST else 'long'}; expected {SHORTEST} to {LONGEST:,}"
            " characters of any kind, such as a few words that do not belong together"
        )
    with _AT_ONCE:
        return _hasher.hash(_bytes(password))


def is_password(password: str, stored: str | None) -> bool:
    """Whether a password is the one that was stored.

    Args:
        password: as somebody gave it.
        stored: its hash, or None where there is no such user. That takes the same time, so that it tells nothing.
    """
    if len(password) > LONGEST:
        return False
    with _AT_ONCE:
        try:
            return _hasher.verify(stored or _nobodys(), _bytes(password)) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    # Keyboards write é as one character or as two.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password")
