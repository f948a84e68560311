from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.core.kept import Kept


def test_what_was_made_is_kept_until_others_are_asked_for_more() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return -number

    kept: Kept[int, int] = Kept(2)
    for number in (1, 2, 1, 3, 1, 2):
        assert kept.get(number, lambda number=number: make(number)) == -number  # type: ignore[misc]
    assert made == [1, 2, 3, 2]
    kept.clear()
    kept.get(1, lambda: make(1))
    assert made[-1] == 1


def test_what_failed_is_tried_again() -> None:
    kept: Kept[int, int] = Kept(2)
    with pytest.raises(ZeroDivisionError):
        kept.get(1, lambda: 1 // 0)
    assert kept.get(1, lambda: 5) == 5


def test_many_threads_get_one_and_the_same() -> None:
    kept: Kept[int, object] = Kept(4)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: (number % 3, kept.get(number % 3, object)), range(300)))
    assert len(set(found)) == 3
