"""Names of people and companies as ids and mail addresses spell them. Knows letters, no names."""

import re
import unicodedata

_LETTERS = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "œ": "oe", "ł": "l", "đ": "d"}
)


def slug(text: str, separator: str = "-") -> str:
    """The text in ASCII letters and digits, its words joined; empty when it has none, as in `李雷`."""
    spelled_out = unicodedata.normalize("NFC", text).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", spelled_out).encode("ascii", "ignore").decode()
    return separator.join(re.findall(r"[a-z0-9]+", plain.replace("'", "")))
