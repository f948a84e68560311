"""The only writer of placements: reserved when placed, sent with the frozen audience, released when given back.

That a review runs once is a constraint of the database (`a_review_runs_once`); these functions turn its refusal into
an answer. All of them expect the issue's row to be locked by the caller's transaction (`issues.lock`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from newsletter.core.errors import LedgerError
from newsletter.core.sentence import sentence
from newsletter.models import Issue, Placement, PlacementState

ACTIVE = (PlacementState.RESERVED, PlacementState.SENT)


def reserve(
    issue: Issue, review_id: int, *, kind: str, position: int, why: str, content_hash: str, now: datetime
) -> Placement | None:
    """Place a review in an issue; None when another issue holds it or it has run.

    A review that was in this issue before comes back with the words that an editor gave it.
    """
    return _hold(issue, review_id, 1, kind, position, why, content_hash, now)


def run_again(
    issue: Issue, review_id: int, reason: str, *, kind: str, position: int, content_hash: str, now: datetime
) -> Placement:
    """Place a review that ran before once more (R7): only for a typed reason, which is kept.

    Raises `LedgerError` when there is no reason, when the review did not run, or when an issue holds it.
    """
    if not reason.strip():
        raise LedgerError(sentence("Running a review again needs a reason."))
    rows = Placement.objects.filter(newsletter=issue.newsletter_id, review=review_id)
    if rows.filter(state=PlacementState.RESERVED).exists():
        raise LedgerError(sentence("An issue holds this review already."))
    runs = rows.filter(state=PlacementState.SENT).aggregate(last=Max("run"))["last"]
    if runs is None:
        raise LedgerError(sentence("This review has not run yet, so it needs no second run: pin it instead."))
    placement = _hold(issue, review_id, runs + 1, kind, position, "R7: run again", content_hash, now, reason.strip())
    if placement is None:
        raise LedgerError(sentence("An issue holds this review already."))
    return placement


def _hold(
    issue: Issue,
    review_id: int,
    run: int,
    kind: str,
    position: int,
    why: str,
    content_hash: str,
    now: datetime,
    reason: str = "",
) -> Placement | None:
    try:
        with transaction.atomic():  # a savepoint: on PostgreSQL a refused row would end the whole transaction
            before = (
                Placement.objects.filter(issue=issue, review=review_id, run=run, state=PlacementState.RELEASED)
                .order_by("-pk")
                .first()
            )
            if before is None:
                return Placement.objects.create(
                    newsletter_id=issue.newsletter_id,
                    issue=issue,
                    review_id=review_id,
                    run=run,
                    run_reason=reason,
                    kind=kind,
                    position=position,
                    why=why,
                    content_hash=content_hash,
                    at=now,
                )
            Placement.objects.filter(pk=before.pk, state=PlacementState.RELEASED).update(
                state=PlacementState.RESERVED,
                run_reason=reason,
                kind=kind,
                position=position,
                why=why,
                pinned=False,
                at=now,
            )
            before.refresh_from_db()
            return before
    except IntegrityError:
        return None


def arrange(placement: Placement, *, kind: str, position: int, why: str, pinned: bool) -> None:
    """Move a reserved placement inside its issue. Raises `LedgerError` when it is not reserved any more."""
    changed = Placement.objects.filter(pk=placement.pk, state=PlacementState.RESERVED).update(
        kind=kind, position=position, why=why, pinned=pinned
    )
    _expect(changed, placement)
    placement.kind, placement.position, placement.why, placement.pinned = kind, position, why, pinned


def edit(placement: Placement, edits: dict[str, object], content_hash: str) -> None:
    """Keep an editor's words; `content_hash` is what the editor saw of the source while writing them (R16)."""
    changed = Placement.objects.filter(pk=placement.pk, state=PlacementState.RESERVED).update(
        edits=edits, content_hash=content_hash
    )
    _expect(changed, placement)
    placement.edits, placement.content_hash = edits, content_hash


def release(placement_ids: Iterable[int], now: datetime) -> int:
    """Give reserved reviews back to the pool; a sent one stays sent. Returns how many were given back."""
    return Placement.objects.filter(pk__in=list(placement_ids), state=PlacementState.RESERVED).update(
        state=PlacementState.RELEASED, at=now
    )


def release_all(issue_id: int, now: datetime) -> int:
    """Give back everything an issue reserved."""
    return _all(issue_id, PlacementState.RESERVED, PlacementState.RELEASED, now)


def mark_sent(issue_id: int, now: datetime) -> int:
    """From here on the issue's reviews have run; only in the transaction that freezes the audience or resumes it."""
    return _all(issue_id, PlacementState.RESERVED, PlacementState.SENT, now)


def back_to_reserved(issue_id: int, now: datetime) -> int:
    """R10: nothing was accepted, so nothing has run; the same frozen issue keeps holding its reviews."""
    return _all(issue_id, PlacementState.SENT, PlacementState.RESERVED, now)


def _all(issue_id: int, before: PlacementState, after: PlacementState, now: datetime) -> int:
    return Placement.objects.filter(issue=issue_id, state=before).update(state=after, at=now)


def _expect(changed: int, placement: Placement) -> None:
    if changed != 1:
        raise LedgerError(
            sentence("Placement {pk} is not reserved any more.", pk=placement.pk),
            hint=sentence("Look at the issue again."),
        )
