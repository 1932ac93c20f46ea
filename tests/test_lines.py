"""Lines of lists: the first line of a note, and the surroundings of a hit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telegram.lines import around, first_line
from telegram.splitting import from_units, to_units, utf16_len

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ("молоко", "молоко"),
        ("\n\n  молоко  \n\n", "молоко"),
        ("молоко\nхлеб", "молоко…"),
        ("купить молоко и хлеб", "купить молоко…"),
        ("купить молоко ихлеб", "купить молоко…"),
        ("ровнопятнадцать", "ровнопятнадцать"),
        ("ровнопятнадцать\nи ещё", "ровнопятнадцат…"),
        ("шестнадцатьбукво", "шестнадцатьбук…"),
        ("абвгдежзик12" + FAMILY, "абвгдежзик12…"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_a_list_shows_the_first_line_of_a_note(note: str, line: str) -> None:
    assert first_line(note, 15) == line


@given(st.text("аб 😀\u200d\n", max_size=60), st.integers(2, 20))
def test_a_first_line_is_never_too_long(note: str, limit: int) -> None:
    line = first_line(note, limit)
    assert utf16_len(line) <= limit
    assert bool(line) == bool(note.strip())
    line.encode()  # no lone surrogate


NOTE = "начало длинной заметки, в которой\nлежит иголка, а за ней ещё много слов до конца"


def found_at(start: int, limit: int) -> str:
    return around(NOTE, [(start, 6)], limit)[0]


def test_a_found_place_is_shown_with_some_words_around_it() -> None:
    assert found_at(NOTE.index("иголка"), 40) == "…в которой лежит иголка, а за ней ещё…"
    assert found_at(0, 30) == "начало длинной заметки, в…"
    assert found_at(len(NOTE) - 6, 30) == "…ней ещё много слов до конца"


def test_a_short_note_is_shown_whole_in_one_line() -> None:
    assert around("  раз\nдва  ", [(6, 3)]) == ("раз два", [(4, 3)])


@given(st.text("аб 😀\u0301\n", max_size=40), st.text("аб 😀\n", max_size=40), st.integers(12, 30))
def test_what_was_found_is_in_the_line(before: str, after: str, limit: int) -> None:
    line, [(start, length)] = around(f"{before}иголка{after}", [(len(before), 6)], limit)
    assert from_units(to_units(line)[start : start + length]) == "иголка"
    assert utf16_len(line) <= limit
    assert "\n" not in line
    line.encode()
