from __future__ import annotations

import pytest

from newsletter.core.asking import asks_number, is_number


def test_a_thousand_people_are_mailed_by_the_button_alone_and_one_more_is_not() -> None:
    assert not asks_number(1_000)
    assert asks_number(1_001)


@pytest.mark.parametrize("typed", ["4812", "4,812", "4.812", "4 812", " 4’812 "])
def test_the_number_counts_however_its_thousands_are_set_apart(typed: str) -> None:
    assert is_number(typed, 4812, 4812)


@pytest.mark.parametrize("typed", ["", "4813", "481", "٤٨١٢", "4812x", "9" * 40, "-4812"])
def test_anything_else_is_not_the_number(typed: str) -> None:
    assert not is_number(typed, 4812, 4812)


def test_some_readers_may_come_and_go_between_looking_and_pressing_but_not_many() -> None:
    assert is_number("4812", 4812, 4860)
    assert not is_number("4812", 4812, 4861)
    assert is_number("12", 12, 22)
    assert not is_number("12", 12, 23)
