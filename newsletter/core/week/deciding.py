"""R9, R12, R13: what is due for an issue at a given moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """The stored states of an issue that is not over yet."""

    DRAFT = "draft"
    APPROVED = "approved"


class Minimum(StrEnum):
    """What happens to an issue with too few reviews."""

    HOLD = "hold"
    SEND = "send"
    SKIP = "skip"


class Action(StrEnum):
    """What is due now."""

    WAIT = "wait"
    HOLD = "hold"
    SKIP = "skip"
    APPROVE = "approve"  # by schedule
    SEND = "send"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """`reviews` counts the placements; `blockers` are the blocking checks in words, asked only in automatic mode.

    A draft that was `revived` has its slot at that moment, and until the end of the grace to be filled and approved.
    """

    state: State
    slot_at: datetime
    cutoff_at: datetime
    reviews: int
    min_reviews: int
    under_minimum: Minimum
    automatic: bool
    grace: timedelta
    blockers: tuple[str, ...] = ()
    revived: bool = False

    @property
    def decided_at(self) -> datetime:
        """Until when a person may still act on a draft."""
        return self.slot_at + self.grace if self.revived else self.slot_at


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why in one sentence."""

    action: Action
    reason: str = ""


def decide(issue: IssueFacts, now: datetime) -> Decision:
    """Say what is due for a draft or an approved issue."""
    if issue.state is State.APPROVED:
        return _approved(issue, now)
    if now < issue.cutoff_at:
        return Decision(Action.WAIT, "Reviews are placed until the cutoff.")
    if issue.reviews == 0 or (issue.reviews < issue.min_reviews and issue.under_minimum is not Minimum.SEND):
        return _too_few(issue, now)
    if now < issue.slot_at:
        return Decision(Action.WAIT, "It waits for its slot." if issue.automatic else "It waits for approval.")
    if not issue.automatic:
        if now < issue.decided_at:
            return Decision(Action.WAIT, "It was brought back, and waits for approval.")
        return Decision(Action.MISS, "Missed its slot: not approved.")
    if now > issue.slot_at + issue.grace:
        reason = f"Missed its slot: held ({'; '.join(issue.blockers)})." if issue.blockers else _TOO_LATE
        return Decision(Action.MISS, reason)
    if issue.blockers:
        return Decision(Action.HOLD, "; ".join(issue.blockers))
    return Decision(Action.APPROVE, "Approved by schedule.")


def _approved(issue: IssueFacts, now: datetime) -> Decision:
    if now < issue.slot_at:
        return Decision(Action.WAIT, "It is scheduled.")
    if now <= issue.slot_at + issue.grace:
        return Decision(Action.SEND, "It is due.")
    return Decision(Action.MISS, _TOO_LATE)


def _too_few(issue: IssueFacts, now: datetime) -> Decision:
    count = f"{issue.reviews} of {max(issue.min_reviews, 1)} needed"
    # An empty letter is never sent, whatever the policy: "send anyway" is about thin issues.
    if issue.under_minimum is Minimum.SKIP or now >= issue.decided_at:
        return Decision(Action.SKIP, f"Skipped: {count}.")
    end = "the hours of grace are over" if issue.revived else "the slot"
    ways = "Include some or approve anyway" if issue.reviews else "Gather, or include some,"
    return Decision(Action.HOLD, f"Too few reviews: {count}. {ways} before {end}.")


_TOO_LATE = "Missed its slot: nothing was running in time."
