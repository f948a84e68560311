"""Waiting for another try: growing, spread, and with an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.patience import DEADLINE, LONGEST_PAUSE, next_try

BEGIN = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)


def schedule(delivery: int) -> list[timedelta]:
    """The pauses of one delivery that is answered "not now" until its day is over."""
    now, pauses = BEGIN, []
    for attempts in range(1, 1000):
        due = next_try(delivery=delivery, attempts=attempts, first_at=BEGIN, now=now)
        if due is None:
            return pauses
        pauses.append(due - now)
        now = due
    raise AssertionError("it never ends")


@given(st.integers(min_value=1, max_value=2**48))
def test_the_pauses_grow_and_end_within_a_day(delivery: int) -> None:
    pauses = schedule(delivery)
    assert timedelta(seconds=48) <= pauses[0] <= timedelta(seconds=72)
    assert all(later > earlier * 1.2 for earlier, later in pairwise(pauses[:7]))
    assert all(pause <= LONGEST_PAUSE * 1.2 for pause in pauses)
    assert len(pauses) >= 4 and DEADLINE - LONGEST_PAUSE * 1.2 <= sum(pauses, timedelta()) < DEADLINE


def test_readers_do_not_come_back_all_at_once() -> None:
    assert len({schedule(delivery)[0] for delivery in range(200)}) > 190


def test_the_same_question_has_the_same_answer() -> None:
    assert schedule(7) == schedule(7)


@given(st.floats(min_value=0, max_value=10**9))
def test_a_servers_own_wish_is_a_lower_bound_and_no_way_past_the_day(seconds: float) -> None:
    due = next_try(delivery=1, attempts=1, first_at=BEGIN, now=BEGIN, retry_after=seconds)
    if due is None:
        assert seconds > (DEADLINE - LONGEST_PAUSE).total_seconds()
    else:
        assert BEGIN + timedelta(seconds=seconds) <= due < BEGIN + DEADLINE
