"""Titles, as magazines print them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.titles import quoted_work, split_title, without_site


@pytest.mark.parametrize(
    ("title", "clean", "label", "rubric"),
    [
        ("‘See You Sunday’ Lets Go: Movie Review", "‘See You Sunday’ Lets Go", "Movie Review", "movie"),
        ("Tides: Live: At the Pier: Concert Review", "Tides: Live: At the Pier", "Concert Review", "concert"),
        ("Ona Varga on Patience: LANTERN Interview", "Ona Varga on Patience", "LANTERN Interview", "interview"),
        ("Movie Review: Tides: The Return", "Tides: The Return", "Movie Review", "movie"),
        ("Nachtzug: FILMKRITIK", "Nachtzug", "FILMKRITIK", "movie"),
        ("Love: A History", "Love: A History", "", ""),
        ("The Peer Review", "The Peer Review", "", ""),
        ("No Colon at All", "No Colon at All", "", ""),
        (": Movie Review", ": Movie Review", "", ""),
        ("  Spaced\u00a0 out :  Movie  Review ", "Spaced out", "Movie Review", "movie"),
        ("#30DaysLive at the Pier: Concert Review", "#30DaysLive at the Pier", "Concert Review", "concert"),
        ("", "", "", ""),
    ],
)
def test_a_rubric_is_split_off_where_there_is_one(title: str, clean: str, label: str, rubric: str) -> None:
    parts = split_title(title, brand="LANTERN")
    assert (parts.clean, parts.label, parts.rubric) == (clean, label, rubric)


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("A Fine Title | LANTERN", "A Fine Title"),
        ("A Fine Title – Lantern | LANTERN", "A Fine Title"),
        ("LANTERN", "LANTERN"),
        ("On the Lantern - and Off", "On the Lantern - and Off"),
    ],
)
def test_the_name_of_the_site_is_taken_off(title: str, clean: str) -> None:
    assert without_site(title, "Lantern") == clean
    assert without_site(title, "") == title


@pytest.mark.parametrize(
    ("title", "work"),
    [
        ("‘See You Sunday’ Lets a Family Argue", "See You Sunday"),
        ("“Harbor Lights,” Reviewed", "Harbor Lights"),
        ("„Nachtzug“ ist großartig", "Nachtzug"),
        ("« La Marée » revient", "La Marée"),
        ("Why ‘Tides’ Is Not ‘Weather’", ""),
        ("It’s the Director’s Cut", ""),
        ("No Quotes", ""),
    ],
)
def test_a_quoted_work_is_found_when_it_is_the_only_one(title: str, work: str) -> None:
    assert quoted_work(title) == work


@given(st.text(max_size=80))
def test_a_title_is_never_lost(title: str) -> None:
    parts = split_title(title)
    assert parts.clean in parts.title
    assert bool(parts.clean) == bool(parts.title)
