from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.rubrics import LANGUAGES
from newsletter.core.suggest import Hook, contents, preview_text, pull_quote, shortened, subjects

LUNCH = Hook(
    "See You Sunday", "Lunch Lasts", "It is a very long lunch indeed. Nobody leaves. By the end we are all family."
)
HOOKS = [
    LUNCH,
    Hook("The Salt Road", "The Salt Road Walks"),
    Hook("Night Bus", "Nowhere to Be"),
    Hook("Weeds"),
    Hook("Corn"),
]


def test_three_subjects_name_the_leads_work_first() -> None:
    assert subjects(HOOKS, "en") == (
        "See You Sunday, and The Salt Road",
        "See You Sunday: “It is a very long lunch indeed”",
        "See You Sunday: worth your evening?",
    )


def test_a_single_review_still_gives_a_subject() -> None:
    assert subjects([Hook("Weeds")], "en")[0] == "Weeds"
    assert subjects([], "en") == ()


def test_the_preview_text_goes_on_where_the_subject_stops() -> None:
    subject = subjects(HOOKS, "en")[0]
    assert preview_text([*HOOKS, Hook("Tin Hymnal"), Hook("The Long Afternoon")], subject, "en") == (
        "Night Bus, Weeds, Corn, Tin Hymnal, The Long Afternoon"
    )
    many = [*HOOKS, *(Hook(f"A work with a rather long name, number {n}") for n in range(6))]
    assert preview_text(many, subject, "en").endswith("plus 5 more")


def test_a_thin_week_shows_titles_and_then_a_sentence() -> None:
    hooks = HOOKS[:2]
    assert preview_text(hooks, "See You Sunday", "en") == "The Salt Road Walks"
    assert preview_text([LUNCH], "See You Sunday", "en") == "It is a very long lunch indeed"
    assert preview_text([LUNCH], "See You Sunday: “It is a very long lunch indeed”", "en") == ""
    assert preview_text([], "x", "en") == ""


def test_contents_name_the_first_works() -> None:
    assert contents(HOOKS, "en") == "See You Sunday, The Salt Road, Night Bus, plus 2 more"
    assert contents(HOOKS[:2], "ja") == "See You Sunday、The Salt Road"


@pytest.mark.parametrize(
    ("text", "limit", "found"),
    [
        ("Too short. This one has just enough words.", 60, "This one has just enough words"),
        ("This sentence is longer than what fits.", 10, ""),
        ("He said “this is a quotation” aloud.", 60, ""),
        ("", 60, ""),
    ],
)
def test_a_pull_quote_is_one_whole_sentence(text: str, limit: int, found: str) -> None:
    assert pull_quote(text, limit) == found


def test_long_names_are_cut_at_a_word() -> None:
    assert shortened("The Lighthouse Accountant’s Second Wife", 30) == "The Lighthouse Accountant’s…"
    assert shortened("x" * 40, 10) == "x" * 9 + "…"


@given(st.lists(st.builds(Hook, st.text(), st.text(), st.text()), max_size=6), st.sampled_from(LANGUAGES))
def test_suggestions_keep_their_lengths(hooks: list[Hook], language: str) -> None:
    for subject in subjects(hooks, language):
        assert len(subject) <= 60
        assert len(preview_text(hooks, subject, language)) <= 90
