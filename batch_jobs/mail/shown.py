"""Text of anybody's making, as one line that can not change the message around it."""

import re

LONGEST = 200
_CUT = "…"
# Controls and line ends of any kind; then what turns the direction of the text after it; then halves of characters.
_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_TURNS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_HALVES = re.compile(r"[\ud800-\udfff]")


def one_line(text: str) -> str:
    """The text on one line of at most 200 characters: names and titles in messages.

    Line breaks, other control characters and runs of plain spaces become one space; marks that turn the direction of
    what follows are left out.
    """
    found = _BREAKS.sub(" ", _HALVES.sub("\ufffd", _TURNS.sub("", text))).strip(" ")
    return found if len(found) <= LONGEST else found[: LONGEST - len(_CUT)].rstrip() + _CUT
