"""A reader's values are clean however they come in."""

from __future__ import annotations

import math
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.reader import UNMAILABLE, Reader, clean, clean_line, reader_of_clean


@pytest.mark.parametrize("character", list("\0\x01\x0b\x0c\x7f\x85\u2028\u2029\ud800\ufdd0\uffff\U0001fffe\U0010ffff"))
def test_a_character_that_no_mail_may_hold_becomes_a_space(character: str) -> None:
    assert clean(f"a{character}b") == "a b"
    assert Reader("a@example.org", name=f"a{character}b").name == "a b"


def test_line_ends_are_kept_in_attributes_and_become_spaces_in_names() -> None:
    reader = Reader("a@example.org\n", name=" Ana\r\nStone\t", attributes={"home\n": "1 Road\r\nTown\rx\ty", "n": 3})
    assert (reader.address, reader.name, reader.first_name) == ("a@example.org", "Ana Stone", "Ana")
    assert reader.attributes == {"home": "1 Road\nTown\nx\ty", "n": 3}


def test_ordinary_text_is_left_alone() -> None:
    for text in ("Ana", "Zoë 👩‍💻", "e\u0301", "مرحبا", "a\u00a0b", "<b>&", "zero\u200bwidth"):
        assert clean(text) == clean_line(text) == text


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)
    assert "\r" not in clean(text) and not set(clean(text)) & set("\0\u2028\ufffe")
    assert UNMAILABLE


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_equal_nothing_are_none(number: float) -> None:
    assert Reader("a@example.org", attributes={"n": number}).attributes == {"n": None}


def test_a_reader_without_topics_follows_every_topic() -> None:
    assert Reader("a@example.org").follows("movie")
    assert Reader("a@example.org", topics=("book",)).follows("book")
    assert not Reader("a@example.org", topics=("book",), joined_on=date(2026, 1, 1)).follows("movie")
    assert Reader("a@example.org").first_name == ""


def test_whatever_is_printable_may_be_mailed() -> None:
    """The short way of `clean` rests on this."""
    unmailable = re.compile(f"[{UNMAILABLE}\t\n\r]")
    assert not any(unmailable.match(chr(code)) and chr(code).isprintable() for code in range(0x110000))


def test_a_reader_of_clean_values_is_the_reader() -> None:
    slow = Reader("a@example.org", "Ana", "de", ("book",), {"n": 1}, True, date(2026, 1, 1), "https://x.test/u/1",
                  "https://x.test/p/1")  # fmt: skip
    quick = reader_of_clean(
        "a@example.org", "Ana", "de", ("book",), {"n": 1}, plain_text=True, joined_on=date(2026, 1, 1),
        unsubscribe_url="https://x.test/u/1", preferences_url="https://x.test/p/1",
    )  # fmt: skip
    assert (quick, type(quick), repr(quick)) == (slow, Reader, repr(slow))
    with pytest.raises(AttributeError):
        quick.name = "Bob"  # type: ignore[misc]
