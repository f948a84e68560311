"""The next issue as a draft, and the placing of reviews in it (R1, R7, R8, R14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.core.week import Candidate, Limits, Place, Plan, eligible, newest_slot, plan, verdicts
from newsletter.flow.issue.facts import (
    candidates,
    next_free_slot,
    review_facts,
    schedule_of,
    slot_date,
    taken_slots,
    waiting_reviews,
)
from newsletter.ledger import issues, placements
from newsletter.models import Carry, Issue, IssueState, Newsletter, Placement, PlacementState, Review


@dataclass(frozen=True, slots=True)
class Placing:
    """What one placing did: how many reviews came in, went out, have a card, a line, and wait for the next issue."""

    added: int = 0
    released: int = 0
    cards: int = 0
    lines: int = 0
    waiting: int = 0


@transaction.atomic
def ensure_draft(newsletter: Newsletter, *, now: datetime) -> Issue:
    """The newsletter's open weekly issue: the earliest draft or approved one, made for the next free slot if none is.

    Safe from any number of callers at once: they stand in line at the newsletter's row, and the slot is unique.
    """
    newsletter = issues.lock_newsletter(newsletter.pk)
    weekly = Issue.objects.filter(newsletter=newsletter, special=False)
    found = weekly.filter(state__in=issues.OPEN).order_by("slot_at", "pk").first()
    if found is not None:
        return found
    taken = taken_slots(newsletter)
    slot = next_free_slot(newsletter, now, taken)
    if newsletter.approval_mode == Newsletter.ApprovalMode.AUTOMATIC:
        # Nobody has to approve it, so the newest slot can still go out within its grace (R12).
        due = newest_slot(schedule_of(newsletter), now)
        in_time = newsletter.starts_at <= due.at and now <= due.at + timedelta(hours=newsletter.grace_hours)
        if in_time and due.key not in taken and _follows_the_last(newsletter, due.at):
            slot = due
    return issues.create(newsletter, slot, now)[0]


@transaction.atomic
def place(issue: Issue, *, now: datetime) -> Placing:
    """Place every eligible review in a draft; doing it again changes nothing. An issue that is no draft stays as it is.

    What an editor touched (pinned, moved, edited, run again) keeps its place. After the cutoff's placing the cards
    stay as they are: only room that an editor made is filled.
    """
    issue = issues.lock(issue.pk)
    reserved = list(Placement.objects.filter(issue=issue, state=PlacementState.RESERVED).order_by("position", "pk"))
    if issue.state != IssueState.DRAFT:
        return Placing(cards=_count(reserved, "card"), lines=_count(reserved, "line"))
    issues.inherit_corrections(issue)

    reviews = list(waiting_reviews(issue))
    facts = review_facts(issue.newsletter, issue, reviews)
    allowed = [row for row in reviews if eligible(facts[row.pk], issue=issue.slot, cutoff=issue.cutoff_at)]
    allowed_ids = {row.pk for row in allowed}
    pinned = {review for review, fact in facts.items() if fact.pinned}

    def stays(one: Placement) -> bool:
        touched = one.pinned or bool(one.edits) or one.run > 1
        settled = issue.placed_at is not None and one.kind == Placement.Kind.CARD
        return touched or (settled and one.review_id in allowed_ids and one.review_id not in pinned)

    kept = [one for one in reserved if stays(one)]
    kept_ids = {one.review_id for one in kept}
    every = {one.id: one for one in candidates(issue, allowed, facts)}
    result = plan(
        [one for one in every.values() if one.id not in kept_ids],
        _limits(issue, kept),
        fixed=[every[one.review_id] if one.review_id in every else _stranger(one, now)
               for one in kept if one.kind == Placement.Kind.CARD],
    )  # fmt: skip
    added, released = _write(issue, reserved, kept, result, {row.pk: row for row in allowed}, pinned, now)
    _write_carries(issue, result)
    cards = len(result.cards) + _count(kept, "card")
    lines = len(result.lines) + _count(kept, "line")
    return Placing(added, released, cards, lines, len(result.waiting))


def late_arrivals(issue: Issue) -> list[Review]:
    """Reviews that came in too late for an issue past its cutoff or approved, and are let in by every other rule (R9).

    The default is to leave them for the next issue; pinning one adds it and voids the approval.
    """
    since = min(issue.cutoff_at, issue.approved_at or issue.cutoff_at)
    reviews = list(waiting_reviews(issue).filter(first_seen_at__gt=since))
    if not reviews:
        return []
    facts = review_facts(issue.newsletter, issue, reviews)
    return [
        row
        for row in reviews
        if facts[row.pk].placement is None
        and all(
            verdict.passed or verdict.rule == "R9 cutoff"
            for verdict in verdicts(facts[row.pk], issue=issue.slot, cutoff=issue.cutoff_at)
        )
    ]


def _follows_the_last(newsletter: Newsletter, at: datetime) -> bool:
    """Whether there was an issue before and all are older: a first one has missed nothing."""
    last = Issue.objects.filter(newsletter=newsletter, special=False).order_by("slot_at").last()
    return last is not None and last.slot_at < at


def _limits(issue: Issue, kept: list[Placement]) -> Limits:
    cards = issue.newsletter.max_cards if issue.max_cards is None else issue.max_cards
    lines = issue.newsletter.max_lines - _count(kept, "line")
    return Limits(max_cards=cards, max_lines=max(0, lines), slot_on=slot_date(issue))


def _stranger(one: Placement, now: datetime) -> Candidate:
    """A card that the rules alone would not place (run again): it uses room and belongs to no rubric's share."""
    return Candidate(id=one.review_id, rubric="", first_seen_at=now, effective_at=now)


def _count(rows: list[Placement], kind: str) -> int:
    return sum(1 for row in rows if row.kind == kind)


def _write(
    issue: Issue,
    reserved: list[Placement],
    kept: list[Placement],
    result: Plan,
    reviews: dict[int, Review],
    pinned: set[int],
    now: datetime,
) -> tuple[int, int]:
    """Write the difference between what is reserved and what is planned; returns how many came and went."""
    wanted = {one.id: one for one in (*result.cards, *result.lines)}
    kept_ids = {one.pk for one in kept}
    gone = [one.pk for one in reserved if one.pk not in kept_ids and one.review_id not in wanted]
    released = placements.release(gone, now)
    rows = {one.review_id: one for one in reserved if one.pk not in kept_ids and one.pk not in gone}
    added = 0
    for kind, planned in ((Placement.Kind.CARD, result.cards), (Placement.Kind.LINE, result.lines)):
        fixed = {one.position: one for one in kept if one.kind == kind}
        for position, one in _positions(planned, set(fixed)):
            row = rows.get(one.id)
            arranged = (kind, position, one.why, one.id in pinned)
            if row is None:
                representative = reviews[one.id].representative
                row = placements.reserve(
                    issue,
                    one.id,
                    kind=kind,
                    position=position,
                    why=one.why,
                    content_hash=representative.content_hash if representative else "",
                    now=now,
                )
                added += row is not None
            if row is not None and (row.kind, row.position, row.why, row.pinned) != arranged:
                placements.arrange(row, kind=kind, position=position, why=one.why, pinned=one.id in pinned)
    return added, released


def _positions(planned: tuple[Place, ...], taken: set[int]) -> list[tuple[int, Place]]:
    """Positions from 1 for what is planned, around those that are taken."""
    found: list[tuple[int, Place]] = []
    position = 0
    for one in planned:
        position += 1
        while position in taken:
            position += 1
        found.append((position, one))
    return found


def _write_carries(issue: Issue, result: Plan) -> None:
    """R14: who waits because this issue has no room. The rows count once the issue has begun to send."""
    waiting = set(result.waiting)
    Carry.objects.filter(issue=issue).exclude(review__in=waiting).delete()
    known = set(Carry.objects.filter(issue=issue).values_list("review", flat=True))
    Carry.objects.bulk_create([Carry(issue=issue, review_id=review) for review in sorted(waiting - known)])
