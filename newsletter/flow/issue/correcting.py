"""Corrections (R16): what an earlier issue got wrong about a review, said in the next one if an editor wants it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.core.errors import IssueError
from newsletter.core.prose import plain
from newsletter.core.sentence import sentence
from newsletter.flow.issue.facts import content_of
from newsletter.ledger import issues
from newsletter.models import Event, Issue, Placement, PlacementState, Review


@transaction.atomic
def correct(review: Review, issue: Issue, text: str, *, now: datetime, by: str) -> None:
    """Let `issue` say in `text` what was wrong about a review that was sent before; new words replace older ones.

    Voids an approval. Raises `IssueError` when there are no words, when the newsletter never sent the review, or when
    the issue is decided.
    """
    words = plain(text)
    if not words:
        raise IssueError(
            sentence("A correction needs words: say what was wrong, and what is right."), where=str(review)
        )
    row = issues.lock(issue.pk)
    sent = (
        Placement.objects.filter(newsletter=row.newsletter, review=review, state=PlacementState.SENT)
        .exclude(issue=row)
        .order_by("-run")
        .first()
    )
    if sent is None:
        raise IssueError(
            sentence(
                "{newsletter} has not sent this review, so there is nothing to correct.", newsletter=row.newsletter
            ),
            where=str(review),
            hint=sentence("A draft takes over by itself what changes at the source."),
        )
    entry = content_of(review)
    title = str(sent.edits.get("title") or entry.title_clean or review)
    correction = {"review": review.pk, "title": title, "url": entry.url, "text": words}
    others = _others(row, review)
    before = [each for each in row.corrections if each not in others]
    if before == [correction]:
        return
    issues.write(row.pk, {"corrections": [*others, correction]}, now=now, by=by)
    _tell(row, f'The issue corrects "{review}": {words}', now, by)


@transaction.atomic
def take_correction_back(review: Review, issue: Issue, *, now: datetime, by: str) -> None:
    """Undo `correct`; voids an approval. Raises `IssueError` when the issue corrects no such thing, or is decided."""
    row = issues.lock(issue.pk)
    others = _others(row, review)
    if others == row.corrections:
        raise IssueError(
            sentence("The issue of {slot} corrects nothing about this review.", slot=row.slot), where=str(review)
        )
    issues.write(row.pk, {"corrections": others}, now=now, by=by)
    _tell(row, f'The correction of "{review}" was taken back.', now, by)


def _others(issue: Issue, review: Review) -> list[dict[str, Any]]:
    return [each for each in issue.corrections if each["review"] != review.pk]


def _tell(issue: Issue, text: str, now: datetime, by: str) -> None:
    Event.objects.create(newsletter=issue.newsletter, issue=issue, at=now, kind="correction", text=text, by=by)
