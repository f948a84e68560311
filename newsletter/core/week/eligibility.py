"""R1: whether a review may be in an issue, rule by rule, as data that `newsletter why` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.core.sentence import sentence
from newsletter.core.week.dating import FirstSight


@dataclass(frozen=True, slots=True)
class ActivePlacement:
    """Where a review is reserved or was sent: `issue` is a slot key, `state` "reserved" or "sent"."""

    issue: str
    state: str


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What is known of a review with regard to one newsletter.

    `pinned` means that an editor put it into the issue that is asked about: stronger than cutoff, tray and a
    leaving-out of this issue, weaker than an embargo, the ledger and a leaving-out for good. `before_start` means that
    it was seen before the first import's window of a newsletter that began later: not a window that moves.
    `outlived_its_source` means that an issue held it before somebody removed the source that it came from.
    """

    publishable: bool
    first_seen_at: datetime
    embargoed_until: datetime | None = None
    tray: FirstSight = FirstSight.WAITING
    included_by: str | None = None
    placement: ActivePlacement | None = None
    left_out_for_good: str | None = None
    left_out_of_issue: bool = False
    from_our_sources: bool = True
    outlived_its_source: bool = False
    before_start: bool = False
    sponsored: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says; `text` is a plain sentence."""

    rule: str
    passed: bool
    text: str


def verdicts(review: ReviewFacts, *, issue: str, cutoff: datetime) -> tuple[Verdict, ...]:
    """Ask every rule about a review and the issue with the slot key `issue`; there is no lower time bound."""
    return (
        _publishable(review),
        _sources(review),
        _unpaid(review),
        _start(review),
        _ledger(review, issue),
        _cutoff(review, cutoff),
        _embargo(review, cutoff),
        _tray(review),
        _left_out(review),
    )


def eligible(review: ReviewFacts, *, issue: str, cutoff: datetime) -> bool:
    """Whether every rule lets the review into the issue."""
    return all(verdict.passed for verdict in verdicts(review, issue=issue, cutoff=cutoff))


def _publishable(review: ReviewFacts) -> Verdict:
    text = (
        sentence("It has a title to show.") if review.publishable else sentence("No entry of it has a title to show.")
    )
    return Verdict("R1 publishable", review.publishable, text)


def _sources(review: ReviewFacts) -> Verdict:
    if review.from_our_sources:
        return Verdict("R1 source", True, sentence("It comes from a source of this newsletter."))
    if review.outlived_its_source:
        return Verdict("R1 source", True, sentence("Its source was removed, but not what was placed before."))
    return Verdict("R1 source", review.pinned, sentence("No source of this newsletter."))


def _unpaid(review: ReviewFacts) -> Verdict:
    """A sponsor's post comes along with the reviews of many feeds; only a person gives it room."""
    if not review.sponsored:
        return Verdict("R1 sponsored", True, sentence("Nobody paid for it."))
    if review.pinned or review.included_by is not None:
        return Verdict("R1 sponsored", True, sentence("It is paid for, but an editor wants it."))
    return Verdict("R1 sponsored", False, sentence("It is paid for: pin it to run it."))


def _start(review: ReviewFacts) -> Verdict:
    if not review.before_start:
        return Verdict("R6 start", True, sentence("It was first seen after the newsletter began."))
    if review.pinned or review.included_by is not None:
        return Verdict("R6 start", True, sentence("It is older than the newsletter, but an editor wants it."))
    return Verdict("R6 start", False, sentence("It was first seen long before the newsletter began: pin it to run it."))


def _ledger(review: ReviewFacts, issue: str) -> Verdict:
    if review.placement is None:
        return Verdict("R7 ledger", True, sentence("It has not been in an issue, and no other issue holds it."))
    other = review.placement.issue
    if review.placement.state == "sent":
        return Verdict(
            "R7 ledger", False, sentence("It was sent with the issue of {other}: a review runs once.", other=other)
        )
    if other == issue:
        return Verdict("R7 ledger", True, sentence("It is reserved for this issue."))
    return Verdict("R7 ledger", False, sentence("It is reserved for the issue of {other}.", other=other))


def _cutoff(review: ReviewFacts, cutoff: datetime) -> Verdict:
    seen = _moment(review.first_seen_at)
    if review.first_seen_at <= cutoff:
        return Verdict(
            "R9 cutoff",
            True,
            sentence("First seen {seen}, before the cutoff {cutoff}.", seen=seen, cutoff=_moment(cutoff)),
        )
    if review.pinned:
        return Verdict(
            "R9 cutoff", True, sentence("First seen {seen}, after the cutoff, but an editor pinned it.", seen=seen)
        )
    return Verdict(
        "R9 cutoff",
        False,
        sentence(
            "First seen {seen}, after the cutoff {cutoff}: it waits for the next issue.",
            seen=seen,
            cutoff=_moment(cutoff),
        ),
    )


def _embargo(review: ReviewFacts, cutoff: datetime) -> Verdict:
    until = review.embargoed_until
    if until is None:
        return Verdict("R4 embargo", True, sentence("It is not dated ahead."))
    if until <= cutoff:
        return Verdict(
            "R4 embargo", True, sentence("Its embargo ends {until}, before the cutoff.", until=_moment(until))
        )
    return Verdict(
        "R4 embargo", False, sentence("It is dated ahead: nothing runs before {until}.", until=_moment(until))
    )


def _tray(review: ReviewFacts) -> Verdict:
    if review.tray is FirstSight.WAITING:
        return Verdict("R5 tray", True, sentence("It was fresh when first seen."))
    if review.included_by is not None:
        text = sentence('It was taken out of the tray "{tray}".', tray=review.tray)
        if review.included_by:
            text = sentence('It was taken out of the tray "{tray}" by {by}.', tray=review.tray, by=review.included_by)
        return Verdict("R5 tray", True, text)
    if review.pinned:
        return Verdict(
            "R5 tray", True, sentence('It lies in the tray "{tray}", but an editor pinned it.', tray=review.tray)
        )
    return Verdict(
        "R5 tray", False, sentence('It lies in the tray "{tray}" until an editor includes it.', tray=review.tray)
    )


def _left_out(review: ReviewFacts) -> Verdict:
    if review.left_out_for_good is not None:
        return Verdict(
            "R15 left out",
            False,
            sentence("An editor left it out for good: {reason}", reason=review.left_out_for_good),
        )
    if review.left_out_of_issue and not review.pinned:
        return Verdict(
            "R15 left out", False, sentence("An editor left it out of this issue; the next one may have it.")
        )
    return Verdict("R15 left out", True, sentence("No editor left it out."))


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
