"""Moving a whole section: all cards of one rubric, past those of the next one. The lead belongs to no section."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence
from newsletter.flow.issue.drafting import place
from newsletter.flow.issue.editing import changeable, composed
from newsletter.flow.issue.facts import content_of
from newsletter.ledger import placements
from newsletter.models import Issue, Placement, PlacementState


@transaction.atomic
def move_section(issue: Issue, rubric: str, by_one: int, *, now: datetime, by: str) -> None:
    """Put the section of a rubric before the one above it (-1) or behind the one below it (1); cards of one rubric
    come to stand together by it. At the edge nothing moves. Raises `IssueError` where no card is of that rubric.
    """
    row = changeable(issue, "a section was moved", now, by)
    cards = list(
        Placement.objects.filter(issue=row, kind=Placement.Kind.CARD, state=PlacementState.RESERVED)
        .select_related("review__representative")
        .order_by("position", "pk")
    )
    sections: dict[str, list[Placement]] = {}
    for card in cards[1:]:
        sections.setdefault(content_of(card.review).rubric, []).append(card)
    order = list(sections)
    if rubric not in sections:
        raise IssueError(
            sentence("No card of this issue is of the rubric {rubric}.", rubric=repr(rubric)), where=str(row.slot)
        )
    there = order.index(rubric) + by_one
    if not 0 <= there < len(order):
        return
    order.remove(rubric)
    order.insert(there, rubric)
    wanted = [*cards[:1], *(card for name in order for card in sections[name])]
    positions = [card.position for card in cards]
    for position, card in zip(positions, wanted, strict=True):
        if card.position != position:
            placements.arrange(card, kind=card.kind, position=position, why="R15: moved by an editor", pinned=True)
    composed(row, now, by)
    place(row, now=now)
