"""Words as they are searched: without case, accents and punctuation. No database, no index.

Folded in Python, for what is indexed and for what is asked alike: PostgreSQL comes without `unaccent` and ICU here.
`VERSION` must be raised whenever the same text would give other words.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

VERSION = 1

# What parts words wherever it stands, and is in every e-mail address.
_APART = re.compile(r"[\s@.]+")

# Far below what PostgreSQL takes for a word, and longer than anybody types.
LONGEST_WORD = 200

_APOSTROPHES = "'’‘ʼʻʹʾʿ`´′＇"
# What becomes of characters where Unicode does not say it.
_GIVEN = {
    # Letters that it does not take apart, as people type them who do not have them on their keyboard.
    **dict(zip("øđðħıłŧŋĸɓƀƈɗƒɠǥɨƙƚɫɲƞɵƥɍʂƭʈʉʋƴɏƶȥɛɔə", "oddhiltnkbbcdfggikllnnoprsttuvyyzzeoe", strict=True)),
    **{"æ": "ae", "œ": "oe", "þ": "th"},
    # Ukrainian, Arabic and Persian letters that are written for one another.
    **dict(zip("ґىیةک", "гييهك", strict=True)),
    **dict.fromkeys(_APOSTROPHES, "'"),
    **dict.fromkeys("-‐‑‒﹣－", "-"),
    # Tatweel and variation selectors are not seen as characters.
    **dict.fromkeys(["ـ", *map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))], ""),
}
# The spellings of countries that write these letters with two: Müller is Mueller as well.
_TWO_LETTERS = str.maketrans(
    {letter: two for pair in ("ä ae", "ö oe", "ü ue", "ø oe", "å aa") for letter, two in [pair.split()]}
)
# Han, kana and Bopomofo are written without spaces: each character is a word.
_WITHOUT_SPACES = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x312F), (0x31A0, 0x31FF), (0x3400, 0x9FFF))
_WITHOUT_SPACES_ABOVE = ((0xF900, 0xFAFF), (0x1B000, 0x1B2FF), (0x20000, 0x3FFFF))


class _Characters(dict[int, str]):
    """What each character becomes, found out when it is first met: letters and digits, `'`, `-` or a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
        # Some apostrophes decompose into a space.
        self[code] = "'" if character in _APOSTROPHES else "".join(map(_folded, decomposed))
        return self[code]


_CHARACTERS = _Characters()


def fold(text: str) -> list[str]:
    """The words of a text as they are searched, in their order.

    Case, accents and other marks go; letters that do not decompose become plain ones; an apostrophe joins (`O'Brien`
    is `obrien`), everything else that is no letter or digit parts. A character of a script without spaces, and an
    emoji, is a word.
    """
    return [word for piece in pieces(text) for word in _fold_piece(piece)]


# Names and the words of titles come again and again.
@lru_cache(maxsize=50_000)
def _fold_piece(piece: str) -> tuple[str, ...]:
    words = piece.translate(_CHARACTERS).split()
    return tuple(part for word in words for part in _cut(word.replace("'", "").split("-")))


def pieces(text: str) -> list[str]:
    """The text in pieces, whose `spellings` together are those of the whole."""
    return _APART.split(text)


def spellings(text: str) -> Iterator[str]:
    """The words by which a text is found: those of `fold`, and those by which people may know it too.

    `O'Brien` is found by `brien`, `Anne-Marie` by `annemarie`, `Müller` by `mueller`. Words may come more than once.
    """
    for word in text.translate(_CHARACTERS).split():
        yield from _cut(word.replace("-", "'").split("'"))
        yield from _cut(word.replace("'", "").split("-"))
        yield from _cut([word.replace("'", "").replace("-", "")])
    if not text.isascii():
        two_letters = unicodedata.normalize("NFC", text).lower().translate(_TWO_LETTERS)
        if two_letters.translate(_CHARACTERS) != text.translate(_CHARACTERS):
            yield from fold(two_letters)


def _folded(character: str) -> str:
    """One character of a decomposed text."""
    if character in _GIVEN:
        return _GIVEN[character]
    category = unicodedata.category(character)
    if unicodedata.combining(character) or category in ("Cf", "Me"):
        return ""
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category == "So" or _stands_alone(ord(character)):
        return f" {character} "
    if category[0] in "LNM":
        return character
    return " "


def _stands_alone(code: int) -> bool:
    ranges = _WITHOUT_SPACES if code < 0xA000 else _WITHOUT_SPACES_ABOVE
    return any(first <= code <= last for first, last in ranges)


def _cut(words: list[str]) -> Iterator[str]:
    return (word[:LONGEST_WORD] for word in words if word)
