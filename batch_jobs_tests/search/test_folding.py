"""Folding by itself: examples of each rule, and what holds for every text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.search.folding import LONGEST_WORD, fold, pieces, spellings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Søren ÅGREN", ["soren", "agren"]),
        ("İstanbul ISPARTA ılıca", ["istanbul", "isparta", "ilica"]),
        ("Straße ẞ", ["strasse", "ss"]),
        ("Łódź Đorđe Þóra Æbelø Œuf", ["lodz", "dorde", "thora", "aebelo", "oeuf"]),
        ("O'Brien O’Brien OʼBrien", ["obrien"] * 3),
        ("ŉ x", ["n", "x"]),
        ("Anne-Marie Jean‐Luc", ["anne", "marie", "jean", "luc"]),
        ("se.holm+hr@acme.example", ["se", "holm", "hr", "acme", "example"]),
        ("李雷 Ltd", ["李", "雷", "ltd"]),
        ("ｶﾀ カタ", ["カ", "タ", "カ", "タ"]),
        ("٠٠٧ 007 ００７", ["007", "007", "007"]),
        ("½ x²", ["1", "2", "x2"]),
        ("\u202bab\u200bc\u00ad d\ufe0f", ["abc", "d"]),
        ("👍🏽", ["👍"]),
        ("R&D / C++", ["r", "d", "c"]),
        ("- ' -- '' –", []),
        ("\x01\t\n\x7f", []),
        ("a" * 300, ["a" * LONGEST_WORD]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert fold(text) == words


def test_more_spellings() -> None:
    assert set(spellings("Anne-Marie O'Neil-D'Arcy")) == {
        *("anne", "marie", "annemarie"),
        *("o", "neil", "oneil", "d", "arcy", "darcy", "oneildarcy"),
    }
    assert set(spellings("Jürgen Ågård")) == {"jurgen", "juergen", "agard", "aagaard"}
    assert set(spellings("Ada")) == {"ada"}


@given(st.text(max_size=60))
def test_what_is_folded_stays_so_and_is_found(text: str) -> None:
    words = fold(text)
    assert fold(" ".join(words)) == words
    assert set(words) <= set(spellings(text))
    assert {word for piece in pieces(text) for word in spellings(piece)} == set(spellings(text))
    if text.isascii():
        assert fold(text.upper()) == words
    for word in [*words, *spellings(text)]:
        assert word
        assert len(word) <= LONGEST_WORD
        # What `Index` and `search.find` put into a tsvector and a tsquery.
        assert not set(word) & set("'\\ ^:*&|!()\0")
