"""Passwords are kept as hashes that tell nothing, and errors do not repeat them."""

import pytest

from batch_jobs.access.passwords import LONGEST, SHORTEST, hash_password, is_password
from batch_jobs.errors import BadInputError

GOOD = "træls regnvejr i marts"


def test_a_password_fits_its_hash_alone() -> None:
    stored = hash_password(GOOD)
    assert is_password(GOOD, stored)
    assert not is_password(GOOD + " ", stored)
    assert not is_password(GOOD, None)
    assert not is_password(GOOD, "not a hash")


def test_what_is_stored_is_salted_argon2_and_does_not_hold_the_password() -> None:
    first, second = hash_password(GOOD), hash_password(GOOD)
    assert first != second
    assert first.startswith("$argon2id$")
    assert "regnvejr" not in first


@pytest.mark.parametrize("password", ["", "x" * (SHORTEST - 1), "x" * (LONGEST + 1)])
def test_what_is_too_short_or_too_long_is_refused_without_repeating_it(password: str) -> None:
    with pytest.raises(BadInputError, match=f"expected {SHORTEST} to") as refused:
        hash_password(password)
    assert "xx" not in str(refused.value)
    assert not is_password(password, hash_password(GOOD))


def test_any_characters_will_do() -> None:
    odd = 'a\0b"c\n\N{SNOWMAN} \t$$ \udc80'
    assert is_password(odd, hash_password(odd))


def test_keyboards_compose_letters_in_two_ways() -> None:
    assert is_password("re\N{LATIN SMALL LETTER E WITH ACUTE}gnvejr i marts", hash_password("ree\u0301gnvejr i marts"))
