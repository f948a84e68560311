from __future__ import annotations

from datetime import date

import pytest

from newsletter.core.inserts import first_open, insert_fault, insert_texts, is_open

GOOD = {"title": "Club", "url": "https://orpheum.example/club"}


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({}, ""),
        ({"start": "2026-11-05", "end": "2026-11-05"}, ""),
        ({"titel": "x"}, "did you mean title?"),
        ({"qqq": "x"}, "has no 'qqq'"),
        ({"title": " "}, "needs a title"),
        ({"url": "javascript:alert(1)"}, "needs a url"),
        ({"picture": "cover.png"}, "needs its picture that begins with https"),
        ({"end": "soon"}, "has a end that is no date"),
        ({"start": "2026-11-06", "end": "2026-11-05"}, "ends before it starts"),
    ],
)
def test_an_insert_that_cannot_be_printed_says_why(more: dict[str, str], fault: str) -> None:
    found = insert_fault({**GOOD, **more})
    assert found == fault if not fault else fault in found


def test_an_insert_is_open_on_its_days_alone() -> None:
    table = {**GOOD, "start": "2026-11-05", "end": "2026-11-06"}
    assert [is_open(table, date(2026, 11, day)) for day in (4, 5, 6, 7)] == [False, True, True, False]
    assert first_open([table, GOOD], date(2026, 11, 7)) is GOOD
    assert first_open([table], date(2026, 11, 7)) is None


def test_an_insert_without_words_for_its_button_says_its_title() -> None:
    assert insert_texts(GOOD)["button"] == "Club"
    assert insert_texts({**GOOD, "button": "Go", "alt": " Four\nseats "})["alt"] == "Four seats"
