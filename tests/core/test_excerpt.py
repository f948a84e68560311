from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.excerpt import excerpt
from newsletter.core.prose import count_words

BODY = "One two three four five. Six seven eight nine ten.\nEleven twelve. " + "More words stand here. " * 20


def test_an_excerpt_ends_where_a_sentence_ends() -> None:
    assert excerpt(BODY, low=8, high=12) == "One two three four five. Six seven eight nine ten."
    assert excerpt(BODY, low=11, high=12) == "One two three four five. Six seven eight nine ten. Eleven twelve."
    assert excerpt(BODY, low=6, high=8) == "One two three four five."


def test_a_first_sentence_that_is_too_long_is_cut_at_a_word() -> None:
    assert excerpt("one two, three four five six", low=2, high=2) == "one two…"
    assert excerpt("x" * 500 + " y " * 95, low=2, high=2).startswith("xxx")


def test_short_and_empty_bodies_are_taken_whole() -> None:
    assert excerpt("") == ""
    assert excerpt("Just this.\n\n") == "Just this."


def test_scripts_without_spaces_are_counted_in_characters() -> None:
    body = "これは短い文です。" * 40
    found = excerpt(body, language="ja")
    assert found.endswith("。")
    assert 130 <= len(found) <= 196
    assert " " not in found
    wall = excerpt("字" * 1000, low=10, high=20, language="zh-Hant")
    assert wall.endswith("…") and len(wall) < 300


@given(st.text(), st.integers(1, 50), st.integers(0, 50))
def test_an_excerpt_never_grows_past_its_bound(body: str, low: int, more: int) -> None:
    found = excerpt(body, low=low, high=low + more)
    assert count_words(found) <= (low + more) * 6 + 6
