from __future__ import annotations

import re
from datetime import date

import pytest

from newsletter.core.rubrics import LANGUAGES
from newsletter.core.words import date_pattern, day_of, dir_of, long_date, names, rubric_kind, words


def test_every_language_has_every_word_with_the_same_fields() -> None:
    english = words("en")
    for language in LANGUAGES:
        spoken = words(language)
        assert spoken.keys() == english.keys()
        for key, text in spoken.items():
            assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", english[key])), (language, key)


@pytest.mark.parametrize(
    ("tag", "direction"),
    [
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("fa", "rtl"),
        ("en", "ltr"),
        ("az-Arab", "rtl"),
        ("ar-Latn", "ltr"),
        ("", "ltr"),
    ],
)
def test_direction_follows_the_language(tag: str, direction: str) -> None:
    assert dir_of(tag) == direction


def test_dates_speak_the_language() -> None:
    day = date(2026, 11, 5)
    assert long_date(day, "en") == "Thursday, November 5, 2026"
    assert long_date(day, "de-AT") == "Donnerstag, 5. November 2026"
    assert long_date(day, "ja") == "2026年11月5日木曜日"
    assert day_of(day, "en") == "Thu, Nov 5"
    assert day_of(day, "fr") == "jeu. 5 nov."
    assert len({long_date(day, language) for language in LANGUAGES}) == len(LANGUAGES)


def test_a_subscribers_date_can_be_printed_from_its_parts() -> None:
    def shown(language: str) -> str:
        pattern, months = date_pattern(language)
        return pattern.format(day=14, month=months[2], year=2026)

    assert [shown(language) for language in ("en", "de", "fr", "es", "ja", "he")] == [
        "March 14, 2026",
        "14. März 2026",
        "14 mars 2026",
        "14 de marzo de 2026",
        "2026年3月14日",
        "14 במרץ 2026",
    ]


def test_names_are_joined_as_people_write_them() -> None:
    assert names(["Ana"], "en") == "Ana"
    assert names(["Ana", "Bo"], "en") == "Ana and Bo"
    assert names(["Ana", "Bo", "Cy"], "de") == "Ana, Bo und Cy"


def test_read_words_fit_the_rubric() -> None:
    assert [rubric_kind(key) for key in ("movie", "interview", "feature", "")] == [
        "review",
        "interview",
        "piece",
        "piece",
    ]
