"""Allowances: never more than a second, an hour and a day may have, whatever is asked and however often."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.pacing import Grant, Limits, Used, day_limit, give_back, grant

NOON = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def test_without_limits_all_goes_at_once() -> None:
    assert not Limits()
    found, used = grant(Limits(), Used(), 500, NOON)
    assert found == Grant(500, NOON) and used.day_used == 500


def test_a_rate_spaces_what_it_grants_and_the_next_grant_begins_where_it_ends() -> None:
    limits = Limits(per_second=50)
    first, used = grant(limits, Used(), 100, NOON)
    assert (first.number, first.begin, first.spacing) == (100, NOON, 0.02)
    second, used = grant(limits, used, 100, NOON)
    assert second.begin == NOON + 2 * SECOND
    third, _ = grant(limits, used, 1, NOON + HOUR)
    assert third.begin == NOON + HOUR, "an idle hour is no credit for a burst"


def test_an_hour_and_a_day_that_are_used_up_say_when_to_ask_again() -> None:
    limits = Limits(per_hour=10, per_day=25)
    at, used, numbers = NOON + timedelta(minutes=20), Used(), []
    for _ in range(5):
        found, used = grant(limits, used, 8, at)
        numbers.append(found.number)
        if not found.number:
            at = found.begin
    assert numbers == [8, 2, 0, 8, 2] and at == NOON + HOUR
    found, used = grant(limits, used, 8, NOON + 2 * HOUR)
    assert found.number == 5
    found, used = grant(limits, used, 8, NOON + 3 * HOUR)
    assert found == Grant(0, datetime(2026, 11, 6, tzinfo=UTC))
    assert grant(limits, used, 8, found.begin)[0].number == 8


def test_a_warm_up_doubles_with_each_day_of_sending_until_the_days_limit() -> None:
    limits, used, day, caps = Limits(warm_up=50, per_day=500), Used(), NOON, []
    for pause in (1, 1, 7, 1, 1, 1):
        found, used = grant(limits, used, 10_000, day)
        caps.append(found.number)
        day += pause * DAY
    assert caps == [50, 100, 200, 400, 500, 500]
    assert day_limit(Limits(warm_up=50), 30) is None and day_limit(Limits(per_day=7), 0) == 7


def test_a_day_on_which_nothing_was_sent_warms_nothing_up() -> None:
    limits = Limits(warm_up=50)
    _, used = grant(limits, Used(), 0, NOON)
    found, used = grant(limits, used, 1000, NOON + DAY)
    assert found.number == 50 and used.sending_days == 0


def test_what_did_not_leave_may_leave_later_that_day_and_not_on_the_next() -> None:
    limits = Limits(per_hour=10, per_day=10)
    _, used = grant(limits, Used(), 10, NOON)
    assert grant(limits, give_back(used, 4, NOON), 10, NOON)[0].number == 4
    assert grant(limits, give_back(used, 4, NOON + DAY), 10, NOON + DAY)[0].number == 10
    assert give_back(Used(), 5, NOON).day_used == 0


def test_a_clock_that_goes_back_opens_no_new_hour() -> None:
    limits = Limits(per_hour=10, per_day=10)
    _, used = grant(limits, Used(), 10, NOON)
    assert grant(limits, used, 1, NOON - HOUR)[0].number == 0
    assert grant(limits, used, 1, NOON - DAY)[0].number == 0


@given(
    st.lists(st.tuples(st.integers(0, 7200), st.integers(0, 40)), max_size=60),
    st.one_of(st.none(), st.floats(0.1, 20)),
    st.one_of(st.none(), st.integers(1, 60)),
    st.one_of(st.none(), st.integers(1, 200)),
    st.one_of(st.none(), st.integers(1, 30)),
)
def test_no_sequence_of_grants_oversteps_a_limit(
    asked: list[tuple[int, int]],
    per_second: float | None,
    per_hour: int | None,
    per_day: int | None,
    warm_up: int | None,
) -> None:
    limits = Limits(per_second, per_hour, per_day, warm_up)
    now, used, last_end = NOON, Used(), NOON
    hours: Counter[datetime] = Counter()
    days: Counter[object] = Counter()
    for wait, wanted in asked:
        now += timedelta(seconds=wait)
        found, used = grant(limits, used, wanted, now)
        assert 0 <= found.number <= wanted and found.begin >= now
        hours[now.replace(minute=0, second=0)] += found.number
        days[now.date()] += found.number
        if per_second is not None and found.number:
            assert found.begin >= last_end - timedelta(microseconds=2) and found.spacing == pytest.approx(
                1 / per_second
            )
            last_end = found.begin + timedelta(seconds=found.number * found.spacing)
        if wanted and not found.number:
            assert found.begin > now
    assert per_hour is None or max(hours.values(), default=0) <= per_hour
    assert per_day is None or max(days.values(), default=0) <= per_day
    for number, day in enumerate(day for day in sorted(days) if days[day]):  # type: ignore[type-var]
        limit = day_limit(limits, number)
        assert limit is None or days[day] <= limit
