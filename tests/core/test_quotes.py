from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.prose import count_words
from newsletter.core.quotes import bare, best_quote, quotable

PLAIN = "The film is about a family that has lunch in one kitchen on one afternoon."
SHARP = "Dara Okoye carries the last twenty minutes with nothing but a tea towel."
BESIDE = [f"{PLAIN} {PLAIN}"] * 3


def test_what_every_review_says_is_not_distinctive() -> None:
    assert quotable(f"{PLAIN} {SHARP}", "en", beside=BESIDE) == [SHARP, PLAIN]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "It carries the last twenty minutes with nothing but a towel."),
        ("en", "“That” carries the last twenty minutes with nothing but towels."),
        ("en", "But Okoye carries the last twenty minutes with nothing but towels."),
        ("de", "Sie trägt die letzten Minuten mit nichts als einem Geschirrtuch in der Hand."),
        ("fr", "Elle porte les vingt dernières minutes avec rien d’autre qu’un torchon."),
        ("es", "Ella sostiene los últimos veinte minutos con nada más que un paño."),
        ("it", "Lei regge gli ultimi venti minuti con niente altro che un canovaccio."),
        ("ar", "هي تحمل الدقائق العشرين الأخيرة بمنشفة شاي واحدة لا غير في يدها."),
        ("he", "היא נושאת את עשרים הדקות האחרונות עם מגבת מטבח אחת ותו לא."),
        ("ja", "彼女は布巾一枚だけを手にして、最後の二十分間を見事に支えきっている。"),
        ("zh", "她手里只拿着一块茶巾，却撑起了影片最后整整二十分钟的重量，令人难忘。"),
    ],
)
def test_a_sentence_that_leans_on_the_one_before_cannot_stand_alone(language: str, sentence: str) -> None:
    assert quotable(sentence, language) == []


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Dara Okoye trägt die letzten Minuten mit nichts als einem Geschirrtuch in der Hand."),
        ("ja", "ダラ・オコエは布巾一枚だけを手にして、最後の二十分間を支えきっている。"),
        ("ar", "تحمل دارا أوكوي الدقائق العشرين الأخيرة بمنشفة شاي واحدة لا غير."),
    ],
)
def test_other_languages_are_quoted_too(language: str, sentence: str) -> None:
    assert quotable(sentence, language) == [sentence]


def test_too_short_too_long_and_unfinished_is_left() -> None:
    long = "Okoye " + "carries the towel and " * 8 + "leaves."
    assert (
        quotable(f"Okoye carries a towel.\n{long}\nOkoye carries the last twenty minutes with a tea towel", "en") == []
    )


def test_what_the_letter_prints_anyway_is_not_quoted() -> None:
    assert quotable(f"{PLAIN} {SHARP}", "en", printed=f"x {SHARP} y") == [PLAIN]


def test_figures_and_brackets_are_left_to_a_person() -> None:
    odd = "Okoye carries the last 20 minutes (of 94) with nothing but towels."
    assert quotable(odd, "en") == [odd]
    assert best_quote(odd, "en") == ""
    assert best_quote(f"{odd} {SHARP}", "en") == SHARP


def test_marks_round_the_whole_go_and_others_stay() -> None:
    assert bare("“All of it.”") == "All of it."
    assert bare("“All” of “it.”") == "“All” of “it.”"


@given(st.text(), st.sampled_from(["en", "ja", "ar", "xx"]))
def test_any_text_has_quotes_of_the_right_length_or_none(text: str, language: str) -> None:
    for sentence in quotable(text, language):
        assert 8 <= count_words(sentence) <= 61
