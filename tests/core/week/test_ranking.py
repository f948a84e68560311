from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.week import Candidate, Limits, Plan, plan

SLOT = date(2026, 11, 5)
SEEN = datetime(2026, 11, 3, 17, tzinfo=UTC)
LIMITS = Limits(max_cards=12, max_lines=10, slot_on=SLOT)


def one(number: int, **fields: Any) -> Candidate:
    defaults: dict[str, Any] = {
        "rubric": f"rubric {number % 6}",
        "first_seen_at": SEEN,
        "effective_at": SEEN - timedelta(hours=number),
    }
    return Candidate(id=number, **{**defaults, **fields})


def cards(found: Plan) -> list[int]:
    return [place.id for place in found.cards]


def lines(found: Plan) -> list[int]:
    return [place.id for place in found.lines]


candidates = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 10_000),
        rubric=st.sampled_from(("movie", "book", "music", "")),
        first_seen_at=st.just(SEEN),
        effective_at=st.integers(0, 500).map(lambda hours: SEEN - timedelta(hours=hours)),
        pinned=st.booleans(),
        carried=st.integers(0, 3),
        has_picture=st.booleans(),
        has_rating=st.booleans(),
        words=st.integers(0, 2000),
        release_on=st.none() | st.integers(-9, 20).map(lambda days: SLOT + timedelta(days=days)),
        event_on=st.none() | st.integers(-9, 20).map(lambda days: SLOT + timedelta(days=days)),
    ),
    max_size=60,
    unique_by=lambda candidate: candidate.id,
)


@given(candidates, st.integers(0, 14), st.integers(0, 12), st.randoms())
def test_every_candidate_ends_as_card_line_or_waiting_once(
    found: list[Candidate], max_cards: int, max_lines: int, random: Any
) -> None:
    limits = Limits(max_cards, max_lines, SLOT)
    result = plan(found, limits)
    everybody = [*cards(result), *lines(result), *result.waiting]
    assert sorted(everybody) == sorted(candidate.id for candidate in found)
    shuffled = list(found)
    random.shuffle(shuffled)
    assert plan(shuffled, limits) == result, "the order of asking decides nothing"

    by_id = {candidate.id: candidate for candidate in found}
    pinned = [candidate.id for candidate in found if candidate.pinned]
    assert set(pinned) <= set(cards(result))
    assert len(cards(result)) <= max(max_cards, len(pinned))
    assert len(cards(result)) >= min(max_cards, len(found))
    assert all(by_id[waiting].carried < 2 for waiting in result.waiting), "carried twice forces a line"
    event = [by_id[waiting].event_on for waiting in result.waiting]
    assert all(day is None or day >= SLOT for day in event), "an event that is over is not carried on"


@given(candidates)
def test_no_rubric_takes_more_than_half_while_others_wait(found: list[Candidate]) -> None:
    found = [replace(candidate, pinned=False, carried=0) for candidate in found]
    result = plan(found, LIMITS)
    by_id = {candidate.id: candidate for candidate in found}
    shown = Counter(by_id[card].rubric for card in cards(result))
    for rubric, number in shown.items():
        if number > LIMITS.max_cards // 2:
            rest = [by_id[other].rubric for other in (*lines(result), *result.waiting)]
            assert set(rest) <= {rubric}


def test_carried_reviews_come_first_and_take_half_the_cards_at_most() -> None:
    old = [one(n, carried=1, first_seen_at=SEEN - timedelta(days=n)) for n in range(1, 10)]
    new = [one(n, has_picture=True) for n in range(100, 130)]
    result = plan([*new, *old], LIMITS)
    assert sorted(number for number in cards(result) if number < 100) == [4, 5, 6, 7, 8, 9]  # the oldest six
    assert lines(result)[:3] == [3, 2, 1]
    assert len(result.waiting) == 30 + 9 - 22


def test_what_was_carried_twice_gets_a_line_whatever_the_room() -> None:
    old = [one(n, carried=2) for n in range(40)]
    result = plan([*old, *(one(n) for n in range(100, 120))], LIMITS)
    assert len(lines(result)) == 40 - 6
    assert "whatever the room" in result.lines[0].why


def test_what_opens_soon_goes_before_what_looks_good_before_what_is_new() -> None:
    soon = one(3, release_on=SLOT + timedelta(days=7), effective_at=SEEN - timedelta(days=20))
    late = one(4, release_on=SLOT + timedelta(days=8), effective_at=SEEN - timedelta(days=20))
    good = one(2, has_picture=True, has_rating=True, words=700, effective_at=SEEN - timedelta(days=9))
    new = one(1, effective_at=SEEN)
    result = plan([late, new, good, soon], LIMITS)
    assert cards(result) == [3, 2, 1, 4]
    assert "opens in the coming week" in result.cards[0].why


def test_a_carried_review_does_not_push_itself_to_the_front_of_the_letter() -> None:
    result = plan([one(1, carried=1, effective_at=SEEN - timedelta(days=9)), one(2, has_picture=True)], LIMITS)
    assert cards(result) == [2, 1]
    assert "carried past 1 issue" in result.cards[1].why


def test_an_event_that_is_over_gets_a_line_now() -> None:
    over = one(500, event_on=SLOT - timedelta(days=1))
    result = plan([*(one(n, has_picture=True) for n in range(40)), over], LIMITS)
    assert lines(result)[0] == 500
    assert "event is over" in result.lines[0].why


def test_what_an_editor_placed_uses_room_and_counts_for_the_balance() -> None:
    fixed = [one(n, rubric="movie") for n in range(6)]
    movies = [one(n, rubric="movie", has_picture=True) for n in range(10, 20)]
    books = [one(n, rubric="book") for n in range(30, 40)]
    assert all(number >= 30 for number in cards(plan([*movies, *books], LIMITS, fixed=fixed)))


def test_a_pin_takes_a_card_though_none_is_left() -> None:
    limits = Limits(max_cards=1, max_lines=0, slot_on=SLOT)
    result = plan([one(1, pinned=True), one(2, pinned=True), one(3)], limits)
    assert cards(result) == [1, 2]
    assert result.cards[0].why == "R15: pinned by an editor"
    assert result.waiting == (3,)
