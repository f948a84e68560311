"""What an editor can do to an issue. Every change voids an approval, visibly; every refusal says why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from newsletter.core.errors import IssueError, StaleError
from newsletter.core.ratings import read_rating
from newsletter.core.sentence import sentence
from newsletter.core.week import ActivePlacement
from newsletter.flow.issue.drafting import place
from newsletter.flow.issue.facts import review_facts
from newsletter.flow.issue.wording import EDITED, words_of
from newsletter.ledger import issues, placements
from newsletter.ledger.placements import ACTIVE
from newsletter.models import (
    Event,
    Issue,
    IssueState,
    LeftOut,
    Newsletter,
    Pin,
    Placement,
    PlacementState,
    Review,
)

EDITABLE = frozenset(
    {
        "title",
        "kicker",
        "byline",
        "dek",
        "excerpt",
        "facts",
        "rating",
        "read_label",
        "picture_alt",
        "picture_credit",
        "pick",
    }
)
"""The fields of a card or line that can hold an editor's own words."""
COMPOSED = "composed"
"""The kind of the event that tells who worked on an issue: see `composed`."""

_SPOKEN = {
    "title": "headline", "read_label": "words of the link", "picture_alt": "description", "picture_credit": "credit",
    "picture_crop": "crop", "picture_focus": "focal point", "max_cards": "number of cards",
    "note_signature": "signature", "pick": "mark as a pick",
}  # fmt: skip


@transaction.atomic
def pin(review: Review, newsletter: Newsletter, issue: Issue | None = None, *, now: datetime, by: str) -> None:
    """Put a review into `issue` first of all, or into the next ones until it has run (R15).

    A pin brings in what came after the cutoff or lies in a tray. Raises `IssueError` for what ran, is held by another
    issue, is under embargo or was left out for good.
    """
    target = changeable(issue, "a review was pinned", now, by) if issue else None
    facts = review_facts(newsletter, target, [review])[review.pk]
    _refuse_placed(review, facts.placement, target)
    if facts.left_out_for_good is not None:
        raise IssueError(
            sentence("This review was left out for good."), where=str(review), hint=sentence("Bring it back first.")
        )
    until = facts.embargoed_until
    if until is not None and until > (target.cutoff_at if target else now):
        raise IssueError(
            sentence("It is dated ahead: nothing runs before {until} UTC.", until=f"{until:%Y-%m-%d %H:%M}"),
            where=str(review),
        )
    Pin.objects.get_or_create(newsletter=newsletter, review=review, issue=target, defaults={"at": now, "by": by})
    if target is not None:
        LeftOut.objects.filter(newsletter=newsletter, review=review, issue=target).delete()
    _tell(newsletter, target, "pinned", f'"{review}" was pinned.', now, by)
    for draft in _drafts(newsletter, target):
        place(draft, now=now)


@transaction.atomic
def unpin(review: Review, newsletter: Newsletter, issue: Issue | None = None, *, now: datetime, by: str) -> None:
    """Take a pin back; the rules place the review again. Raises `IssueError` when there is no such pin."""
    target = changeable(issue, "a review was unpinned", now, by) if issue else None
    gone, _ = Pin.objects.filter(newsletter=newsletter, review=review, issue=target).delete()
    if not gone:
        raise IssueError(sentence("This review is not pinned there."), where=str(review))
    for row in Placement.objects.filter(newsletter=newsletter, review=review, state=PlacementState.RESERVED):
        if issues.lock(row.issue_id).state == IssueState.DRAFT:
            placements.arrange(row, kind=row.kind, position=row.position, why=row.why, pinned=False)
    _tell(newsletter, target, "unpinned", f'"{review}" was unpinned.', now, by)
    for draft in _drafts(newsletter, target):
        place(draft, now=now)


@transaction.atomic
def leave_out(
    review: Review, newsletter: Newsletter, issue: Issue | None = None, *, reason: str = "", now: datetime, by: str
) -> None:
    """Keep a review out of `issue` (the next one may have it), or for good when none is given, which needs a `reason`.

    Raises `IssueError` when the reason is missing, or when the review is being sent or was.
    """
    if issue is None and not reason.strip():
        raise IssueError(sentence("Leaving a review out for good needs a reason."), where=str(review))
    target = changeable(issue, "a review was left out", now, by) if issue else None
    rows = Placement.objects.filter(newsletter=newsletter, review=review, state__in=ACTIVE)
    if target is not None:
        rows = rows.filter(issue=target)
    for row in rows.select_related("issue"):
        if row.state == PlacementState.SENT:
            if target is None:
                continue  # it ran; from now on it can't run again either
            raise IssueError(
                sentence("This review was sent with the issue of {slot}.", slot=row.issue.slot), where=str(review)
            )
        changeable(row.issue, "a review was left out", now, by)
        placements.release([row.pk], now)
    Pin.objects.filter(newsletter=newsletter, review=review, issue=target).delete()
    LeftOut.objects.get_or_create(
        newsletter=newsletter, review=review, issue=target, defaults={"reason": reason.strip(), "by": by, "at": now}
    )
    where = f"of the issue of {target.slot}" if target else f"for good: {reason.strip()}"
    _tell(newsletter, target, "left out", f'"{review}" was left out {where}.', now, by)
    for draft in _drafts(newsletter, target):
        place(draft, now=now)


@transaction.atomic
def bring_back(review: Review, newsletter: Newsletter, issue: Issue | None = None, *, now: datetime, by: str) -> None:
    """Undo `leave_out`. Raises `IssueError` when the review was not left out there."""
    target = changeable(issue, "a review was brought back", now, by) if issue else None
    gone, _ = LeftOut.objects.filter(newsletter=newsletter, review=review, issue=target).delete()
    if not gone:
        raise IssueError(sentence("This review was not left out there."), where=str(review))
    _tell(newsletter, target, "brought back", f'"{review}" may run again.', now, by)
    for draft in _drafts(newsletter, target):
        place(draft, now=now)


@transaction.atomic
def include(review: Review, *, now: datetime, by: str) -> None:
    """Take a review out of its tray (found late, baseline, flood). Raises `IssueError` when it lies in none."""
    changed = Review.objects.filter(pk=review.pk, included_at=None).exclude(tray=Review.Tray.NONE)
    if not changed.update(included_at=now, included_by=by):
        raise IssueError(
            sentence("This review lies in no tray."),
            where=str(review),
            hint=sentence("newsletter why tells where it is."),
        )
    _tell(None, None, "included", f'"{review}" was taken out of its tray.', now, by)
    for draft in Issue.objects.filter(state=IssueState.DRAFT).order_by("newsletter", "slot_at"):
        place(draft, now=now)


@transaction.atomic
def run_again(review: Review, issue: Issue, *, reason: str, now: datetime, by: str) -> Placement:
    """Run a review that ran before once more, for a typed `reason` (R7, R17). Raises `LedgerError` or `IssueError`."""
    target = changeable(issue, "a review runs again", now, by)
    last = Placement.objects.filter(issue=target, state=PlacementState.RESERVED, kind=Placement.Kind.CARD).count()
    placement = placements.run_again(
        target,
        review.pk,
        reason,
        kind=Placement.Kind.CARD,
        position=last + 1,
        content_hash=review.representative.content_hash if review.representative else "",
        now=now,
    )
    _tell(target.newsletter, target, "run again", f'"{review}" runs again: {reason.strip()}', now, by)
    return placement


@transaction.atomic
def move(placement: Placement, *, kind: str, position: int | None, now: datetime, by: str) -> None:
    """Give a placement another position (None: the last one), or make a card of a line; from then on the rules leave
    it there, and what stood there moves on by one. Raises `IssueError` for a place that there is not.
    """
    if kind not in Placement.Kind.values or (position is not None and position < 1):
        raise IssueError(
            sentence(
                "A review is a card or a line at a position from 1, not {kind} at {position}.",
                kind=repr(kind),
                position=position,
            )
        )
    issue = changeable(placement.issue, "a review was moved", now, by)
    rows = Placement.objects.filter(issue=issue, kind=kind, state=PlacementState.RESERVED).exclude(pk=placement.pk)
    others = list(rows.order_by("position", "pk"))
    end = others[-1].position + 1 if others else 1
    taken = end if position is None else min(position, end)
    placements.arrange(placement, kind=kind, position=taken, why="R15: moved by an editor", pinned=True)
    for other in others:
        if placement.position <= other.position <= taken:
            taken += 1
            placements.arrange(other, kind=kind, position=taken, why=other.why, pinned=other.pinned)
    composed(issue, now, by)
    place(issue, now=now)


@transaction.atomic
def swap(placement: Placement, other: Placement, *, now: datetime, by: str) -> None:
    """Let two reviews of one issue change places; the rules leave the first where it is then. Raises `IssueError`."""
    issue = changeable(placement.issue, "a review was moved", now, by)
    one, two = (Placement.objects.select_related("issue").get(pk=row.pk) for row in (placement, other))
    if one.issue_id != two.issue_id or one.kind != two.kind:
        raise IssueError(sentence("Only two cards or two lines of one issue change places."), where=str(issue.slot))
    there, here = (two.kind, two.position), (one.kind, one.position)
    placements.arrange(one, kind=there[0], position=there[1], why="R15: moved by an editor", pinned=True)
    placements.arrange(two, kind=here[0], position=here[1], why=two.why, pinned=two.pinned)
    composed(issue, now, by)
    place(issue, now=now)


@transaction.atomic
def edit_fields(
    placement: Placement,
    fields: Mapping[str, str | None],
    *,
    now: datetime,
    by: str,
    seen: dict[str, str] | None = None,
    also: frozenset[str] = frozenset(),
) -> None:
    """Give fields of a card an editor's own words, which win over the source's (R16); None takes them back. `also` are
    fields beside `EDITABLE` that the caller answers for.

    `seen` are the words that the editor looked at while writing. Raises `StaleError` when others stand there now than
    those and than what is to be written; `IssueError` for a field that has no words of its own, and once the issue is
    decided.
    """
    unknown = set(fields) - EDITABLE - also
    if unknown:
        raise IssueError(
            sentence("A card has no field {unknown} to edit.", unknown=repr(sorted(unknown)[0])),
            hint=sentence("It has: {editable}.", editable=", ".join(sorted(EDITABLE))),
        )
    rating = fields.get("rating")
    if rating and read_rating(rating)[0] is None:
        raise IssueError(
            sentence("This is no rating: {rating}", rating=rating[:40]),
            where="rating",
            hint=sentence("Write it like 4/5, 3.5/5, 83%, ★★★½ or B+."),
        )
    # Read under the lock: another editor's words, written a moment ago, would be lost otherwise.
    issues.lock(placement.issue_id)
    row = Placement.objects.select_related("issue", "review__representative").get(pk=placement.pk)
    edits = {name: value for name, value in {**row.edits, **fields}.items() if value is not None}
    if seen is not None:
        _refuse_stale(row, {name: value or "" for name, value in fields.items()}, seen)
    representative = row.review.representative
    saw = representative.content_hash if representative else ""
    if edits != row.edits or saw != row.content_hash:
        changeable(row.issue, f'the words of "{row.review}" were edited', now, by)
        for name in fields:
            if edits.get(name) != row.edits.get(name):
                verb = "was edited" if name in edits else "is its source's again"
                text = f'The {spoken(name)} of "{row.review}" {verb}.'
                _tell(row.newsletter, row.issue, f"{EDITED}{row.pk}/{name}", text, now, by)
        placements.edit(row, edits, saw)
    placement.edits, placement.content_hash = edits, saw


@transaction.atomic
def edit_issue(
    issue: Issue, fields: dict[str, Any], *, now: datetime, by: str, seen: dict[str, str] | None = None
) -> None:
    """Change the issue's own words: subject, preview_text, note, note_signature; or max_cards of this issue (R22).

    `seen` and `StaleError` as in `edit_fields`.
    """
    row = issues.lock(issue.pk)
    if seen is not None:
        theirs = {name: str(getattr(row, name)) for name in seen}
        _compare(row, theirs, {name: str(value) for name, value in fields.items()}, seen, "issue")
    for name, value in fields.items():
        if name in issues.TEXTS and getattr(row, name) != value and row.state in issues.OPEN:
            text = f"The {spoken(name)} of the issue was edited."
            _tell(row.newsletter, row, f"{EDITED}issue/{name}", text, now, by)
    issues.write(issue.pk, fields, now=now, by=by)
    if fields.get("max_cards", row.max_cards) != row.max_cards:
        composed(issue, now, by)
    if "max_cards" in fields:
        place(issue, now=now)
    issue.refresh_from_db()


def spoken(name: str) -> str:
    """A field's name as people say it."""
    return _SPOKEN.get(name, name.replace("_", " "))


def last_editor(issue: Issue, thing: str) -> str:
    """Who last edited a field: `thing` is "PLACEMENT/FIELD" or "issue/FIELD"; "" when nobody did."""
    rows = Event.objects.filter(issue=issue, kind=f"{EDITED}{thing}").order_by("-at", "-pk")
    return rows.values_list("by", flat=True).first() or ""


def even(text: str) -> str:
    """Words as a form sends them, and as they are kept, written the same way."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _refuse_stale(row: Placement, typed: dict[str, str], seen: dict[str, str]) -> None:
    current = {name: str(value) for name, value in row.edits.items()} | {
        word.name: word.value for word in words_of(row)
    }
    theirs = {name: current.get(name, "") for name in seen}
    _compare(row.issue, theirs, typed, seen, str(row.pk))


def _compare(issue: Issue, theirs: dict[str, str], typed: dict[str, str], seen: dict[str, str], where: str) -> None:
    stale = {
        name: text
        for name, text in theirs.items()
        if name in typed and even(text) not in (even(seen[name]), even(typed[name]))
    }
    if stale:
        raise StaleError(stale, by=last_editor(issue, f"{where}/{next(iter(stale))}"))


def changeable(issue: Issue, why: str, now: datetime, by: str) -> Issue:
    """The issue, locked and a draft: an approval that stands in the way is voided. Raises `IssueError` when decided."""
    row = issues.lock(issue.pk)
    if row.state not in issues.OPEN:
        raise IssueError(
            sentence("The issue is {state}: nothing of it changes any more.", state=row.state),
            where=f"{row.newsletter.slug}/{row.slot}",
        )
    if issues.void_approval(row.pk, why, now=now, by=by):
        row.refresh_from_db()
    return row


def composed(issue: Issue, now: datetime, by: str) -> None:
    """Tell who changes more than words; once an hour for each person and approval, or a drag would bury the rest."""
    since = Event.objects.filter(issue=issue, kind="approved").order_by("-pk").values_list("pk", flat=True).first() or 0
    told = Event.objects.filter(issue=issue, kind=COMPOSED, by=by, pk__gt=since, at__gt=now - timedelta(hours=1))
    if by and not told.exists():
        _tell(issue.newsletter, issue, COMPOSED, f"{by} worked on the issue.", now, by)


def _refuse_placed(review: Review, placed: ActivePlacement | None, target: Issue | None) -> None:
    if placed is None:
        return
    if placed.state == PlacementState.SENT:
        raise IssueError(
            sentence("This review was sent with the issue of {issue}.", issue=placed.issue),
            where=str(review),
            hint=sentence("Run it again, with a reason."),
        )
    if target is not None and placed.issue != target.slot:
        raise IssueError(
            sentence("The issue of {issue} holds this review.", issue=placed.issue),
            where=str(review),
            hint=sentence("Leave it out there first."),
        )


def _drafts(newsletter: Newsletter, target: Issue | None) -> list[Issue]:
    if target is not None:
        return [target]
    return list(Issue.objects.filter(newsletter=newsletter, state=IssueState.DRAFT).order_by("slot_at"))


def _tell(newsletter: Newsletter | None, issue: Issue | None, kind: str, text: str, now: datetime, by: str) -> None:
    Event.objects.create(newsletter=newsletter, issue=issue, at=now, kind=kind, text=text, by=by)
