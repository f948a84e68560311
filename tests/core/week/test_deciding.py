from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.core.week import Action, IssueFacts, Minimum, State, decide

SLOT = datetime(2026, 11, 5, 13, tzinfo=UTC)
CUTOFF = SLOT - timedelta(hours=14)
GRACE = timedelta(hours=6)
SECOND = timedelta(seconds=1)
DRAFT = IssueFacts(State.DRAFT, SLOT, CUTOFF, 5, 3, Minimum.HOLD, automatic=False, grace=GRACE)


def action(now: datetime, **changes: Any) -> Action:
    return decide(replace(DRAFT, **changes), now).action


def test_a_draft_waits_for_its_cutoff_then_for_its_approval_then_misses_its_slot() -> None:
    assert action(CUTOFF - SECOND) is Action.WAIT
    assert action(CUTOFF) is Action.WAIT
    assert action(SLOT - SECOND) is Action.WAIT
    assert action(SLOT) is Action.MISS
    assert decide(DRAFT, SLOT).reason == "Missed its slot: not approved."


def test_a_revived_draft_has_its_grace_to_be_approved() -> None:
    assert action(SLOT, revived=True) is Action.WAIT
    assert action(SLOT + GRACE - SECOND, revived=True) is Action.WAIT
    assert action(SLOT + GRACE, revived=True) is Action.MISS
    assert action(SLOT, revived=True, automatic=True) is Action.APPROVE


@pytest.mark.parametrize("reviews", [0, 1])
def test_a_revived_draft_has_its_grace_to_be_filled(reviews: int) -> None:
    assert action(SLOT, revived=True, reviews=reviews) is Action.HOLD
    assert action(SLOT + GRACE - SECOND, revived=True, reviews=reviews) is Action.HOLD
    assert decide(replace(DRAFT, revived=True, reviews=reviews), SLOT).reason.endswith(
        "before the hours of grace are over."
    )
    assert action(SLOT + GRACE, revived=True, reviews=reviews) is Action.SKIP
    assert action(SLOT, revived=True, reviews=reviews, under_minimum=Minimum.SKIP) is Action.SKIP


def test_an_approved_issue_goes_at_its_slot_or_within_grace_and_never_later() -> None:
    approved = {"state": State.APPROVED}
    assert action(SLOT - SECOND, **approved) is Action.WAIT
    assert action(SLOT, **approved) is Action.SEND
    assert action(SLOT + GRACE, **approved) is Action.SEND
    assert action(SLOT + GRACE + SECOND, **approved) is Action.MISS
    assert action(SLOT, **approved, reviews=1) is Action.SEND  # a person approved a thin issue


def test_in_automatic_mode_the_schedule_approves_unless_a_check_blocks() -> None:
    automatic = {"automatic": True}
    assert action(SLOT - SECOND, **automatic) is Action.WAIT
    assert action(SLOT, **automatic) is Action.APPROVE
    assert action(SLOT + GRACE, **automatic) is Action.APPROVE
    assert action(SLOT + GRACE + SECOND, **automatic) is Action.MISS
    held = decide(replace(DRAFT, automatic=True, blockers=("No address.",)), SLOT)
    assert (held.action, held.reason) == (Action.HOLD, "No address.")
    missed = decide(replace(DRAFT, automatic=True, blockers=("No address.",)), SLOT + GRACE + SECOND)
    assert (missed.action, missed.reason) == (Action.MISS, "Missed its slot: held (No address.).")


@pytest.mark.parametrize(
    ("policy", "after_cutoff", "at_slot"),
    [
        (Minimum.HOLD, Action.HOLD, Action.SKIP),
        (Minimum.SKIP, Action.SKIP, Action.SKIP),
        (Minimum.SEND, Action.WAIT, Action.APPROVE),
    ],
)
def test_the_minimum_has_three_policies(policy: Minimum, after_cutoff: Action, at_slot: Action) -> None:
    thin = {"reviews": 2, "under_minimum": policy, "automatic": True}
    assert action(CUTOFF - SECOND, **thin) is Action.WAIT
    assert action(CUTOFF, **thin) is after_cutoff
    assert action(SLOT, **thin) is at_slot
    assert action(CUTOFF, **thin | {"reviews": 3}) is Action.WAIT


@pytest.mark.parametrize("policy", list(Minimum))
def test_an_empty_letter_is_never_sent(policy: Minimum) -> None:
    assert action(SLOT, reviews=0, min_reviews=0, under_minimum=policy, automatic=True) is Action.SKIP
