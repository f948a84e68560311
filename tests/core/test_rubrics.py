from __future__ import annotations

import pytest

from newsletter.core.rubrics import LANGUAGES, RUBRICS, base_language, label, rubric_for_label


def test_every_rubric_has_a_label_in_every_language() -> None:
    for rubric in RUBRICS.values():
        assert set(rubric.labels) == set(LANGUAGES)
        for language in LANGUAGES:
            assert rubric_for_label(rubric.label(language)) == rubric.key


@pytest.mark.parametrize(
    ("text", "rubric"),
    [
        ("Movie Review", "movie"),
        ("  FILM\u00a0review ", "movie"),
        ("Concert Review", "concert"),
        ("Critique d’album", "music"),
        ("Filmkritik", "movie"),
        ("书评", "book"),
        ("Review", ""),
        ("The Long Goodbye", ""),
        ("", ""),
    ],
)
def test_a_title_ending_names_its_rubric(text: str, rubric: str) -> None:
    assert rubric_for_label(text) == rubric


def test_a_brand_may_stand_before_the_words() -> None:
    assert rubric_for_label("LANTERN Interview", brand="Lantern") == "interview"
    assert rubric_for_label("LANTERN Interview") == ""


def test_no_words_mean_two_rubrics() -> None:
    seen: dict[str, str] = {}
    for rubric in RUBRICS.values():
        for words in rubric.suffixes:
            assert seen.setdefault(words, rubric.key) == rubric.key


def test_an_unknown_language_speaks_english() -> None:
    assert label("movie", "xx") == "Movie review"
    assert label("movie", "de-AT") == "Filmkritik"
    assert label("", "en") == ""
    assert base_language("zh_Hant") == "zh"
