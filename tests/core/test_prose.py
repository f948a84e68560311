"""Words: cleaned, counted, cut at sentences."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.prose import (
    count_words,
    folded,
    opening,
    plain,
    reading_minutes,
    sentences,
    unescaped,
    without_controls,
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  a\u00a0 b\n\tc ", "a b c"),
        ("a\x00b\x07c", "abc"),
        ("a\u2028b\x0bc\x85d", "a b c d"),
        ("e\u0301", "é"),
        ("‘curly’ – dash", "‘curly’ – dash"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("lone\ud800", "lone"),
    ],
)
def test_a_line_is_made_plain(text: str, clean: str) -> None:
    assert plain(text) == clean


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Tom &amp; Ana", "Tom & Ana"),
        ("Tom &amp;amp; Ana", "Tom & Ana"),
        ("&amp;amp;amp;", "&amp;"),
        ("&lt;b&gt;", "<b>"),
        ("AT&T & co", "AT&T & co"),
        ("It&#8217;s", "It’s"),
    ],
)
def test_entities_are_resolved_at_most_twice(text: str, read: str) -> None:
    assert unescaped(text) == read


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("‘See’ — You, Sunday!", "see you sunday"),
        ("It’s It's its", "its its its"),
        ("CAFÉ", "cafe"),
        ("映画 レビュー", "映画 レヒュー"),
        ("", ""),
    ],
)
def test_a_key_forgets_quotes_case_accents_and_punctuation(text: str, key: str) -> None:
    assert folded(text) == key


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("one two three", 3),
        ("it’s well-made, isn’t it?", 4),
        ("映画レビュー", 6),
        ("映画 is 3.5 long", 5),
        ("— … —", 0),
    ],
)
def test_words_are_counted(text: str, number: int) -> None:
    assert count_words(text) == number


def test_reading_time_is_in_minutes_and_omitted_below_one() -> None:
    assert reading_minutes("word " * 200) == 0
    assert reading_minutes("word " * 466) == 2
    assert reading_minutes("字" * 2000) == 4


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        (
            "Dr. Lind saw E. Marsh at 5 p.m. on Nov. 6. Then home.",
            ["Dr. Lind saw E. Marsh at 5 p.m. on Nov. 6.", "Then home."],
        ),
        ("“Go.” She went.", ["“Go.”", "She went."]),
        ("Well … maybe. Yes", ["Well … maybe.", "Yes"]),
        ("一つ。二つ。", ["一つ。", "二つ。"]),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_an_opening_is_whole_sentences_of_a_useful_length() -> None:
    text = (
        "A short start. "
        + "This second sentence takes its time to get where it wants to go, which is here, more or less, after all. "
        + "This third sentence would be too much for anybody who only wants a first look at what is being said in this place. End."
    )
    assert opening(text).endswith("after all.")
    assert opening("Short.") == "Short."
    assert opening("") == ""


def test_an_endless_sentence_is_cut_at_a_word() -> None:
    cut = opening("word " * 300)
    assert cut.endswith("word…") and len(cut) <= 221
    assert opening("x" * 900).endswith("x…")


@given(st.text(max_size=300))
def test_any_text_is_cleaned_for_good(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert without_controls(without_controls(text)) == without_controls(text)
    assert " ".join(sentences(plain(text))).replace(" ", "") == plain(text).replace(" ", "")
    plain(text).encode("utf-8")
