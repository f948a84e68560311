"""R14: who gets a card, who a line, who waits; every eligible review ends as card, line or a counted carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

FORCED_AFTER = 2
SOON = timedelta(days=7)
_LONG = 600
_STEP = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """An eligible review as the ranking sees it. `carried` counts the issues that had no room for it."""

    id: int
    rubric: str
    first_seen_at: datetime
    effective_at: datetime
    pinned: bool = False
    carried: int = 0
    has_picture: bool = False
    has_rating: bool = False
    words: int = 0
    release_on: date | None = None
    event_on: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a review goes and the rule that put it there, in words. `kind` is "card" or "line"."""

    id: int
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much room an issue has, and the local date of its slot."""

    max_cards: int
    max_lines: int
    slot_on: date


@dataclass(frozen=True, slots=True)
class Plan:
    """`cards` and `lines` in printed order; `waiting` are the ids that are carried to the next issue."""

    cards: tuple[Place, ...]
    lines: tuple[Place, ...]
    waiting: tuple[int, ...]


def plan(candidates: Iterable[Candidate], limits: Limits, *, fixed: Sequence[Candidate] = ()) -> Plan:
    """Divide `candidates` over cards and lines.

    `fixed` are reviews that an editor already gave a card in this issue: they are not planned, but they use room and
    count for the balance of rubrics.
    """
    ranked = sorted(candidates, key=lambda one: _rank(one, limits.slot_on))
    chosen = _choose_cards(ranked, limits.max_cards, fixed)
    printed = sorted((one for one in ranked if one.id in chosen), key=lambda one: _print_order(one, limits.slot_on))
    cards = tuple(Place(one.id, "card", _why_card(one, limits.slot_on)) for one in printed)

    overflow = [one for one in ranked if one.id not in chosen]
    forced = [one for one in overflow if _forced(one, limits.slot_on)]
    others = [one for one in overflow if not _forced(one, limits.slot_on)]
    room = max(0, limits.max_lines - len(forced))
    lines = (
        *(Place(one.id, "line", _why_forced(one)) for one in forced),
        *(Place(one.id, "line", "R14: no card was left, so it is a line") for one in others[:room]),
    )
    return Plan(cards, lines, tuple(one.id for one in others[room:]))


def _choose_cards(ranked: Sequence[Candidate], room: int, fixed: Sequence[Candidate]) -> set[int]:
    """Fill the cards in rank order, at most half of them carried and at most half of one rubric while others wait.

    A pinned review is an editor's word: it takes a card whatever the limits say.
    """
    half = room // 2
    rubrics = Counter(one.rubric for one in fixed)
    carried = sum(1 for one in fixed if one.carried)
    chosen: set[int] = set()

    def take(one: Candidate) -> None:
        nonlocal carried
        chosen.add(one.id)
        rubrics[one.rubric] += 1
        carried += bool(one.carried)

    for one in ranked:
        if one.pinned:
            take(one)
    # Each round lets go of a limit: an empty card is worse than an unbalanced one.
    for keep_carried, keep_balance in ((True, True), (False, True), (True, False), (False, False)):
        for one in ranked:
            if len(fixed) + len(chosen) >= room:
                return chosen
            if one.id in chosen:
                continue
            if keep_carried and one.carried and carried >= half:
                continue
            if keep_balance and rubrics[one.rubric] >= half:
                continue
            take(one)
    return chosen


def _rank(one: Candidate, slot_on: date) -> tuple[object, ...]:
    age = one.first_seen_at.timestamp() if one.carried else 0.0
    return (not one.pinned, -min(one.carried, FORCED_AFTER), age, *_print_order(one, slot_on)[1:])


def _print_order(one: Candidate, slot_on: date) -> tuple[object, ...]:
    """Pinned first, then what opens in the coming week, then what makes a good lead, then the newest."""
    quality = (one.has_picture, one.has_rating, min(one.words, _LONG) // _STEP)
    return (
        not one.pinned,
        not _soon(one, slot_on),
        tuple(-int(value) for value in quality),
        -one.effective_at.timestamp(),
        one.id,
    )


def _soon(one: Candidate, slot_on: date) -> bool:
    return any(day is not None and slot_on <= day <= slot_on + SOON for day in (one.release_on, one.event_on))


def _forced(one: Candidate, slot_on: date) -> bool:
    return one.carried >= FORCED_AFTER or (one.event_on is not None and one.event_on < slot_on)


def _why_card(one: Candidate, slot_on: date) -> str:
    if one.pinned:
        return "R15: pinned by an editor"
    if one.carried:
        return f"R14: carried past {one.carried} {'issue' if one.carried == 1 else 'issues'}, so it comes first"
    if _soon(one, slot_on):
        return "R14: it opens in the coming week"
    return "R1: eligible, and there was a card for it"


def _why_forced(one: Candidate) -> str:
    if one.carried >= FORCED_AFTER:
        return f"R14: carried past {one.carried} issues, so it gets a line whatever the room"
    return "R14: its event is over, so it gets a line now"
