"""An editor's word on what stands beside the reviews: the quote, the sponsor, music to read by, second opinions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.core.errors import IssueError
from newsletter.core.identity import title_key
from newsletter.core.inserts import insert_fault
from newsletter.core.markup import is_web
from newsletter.core.prose import plain
from newsletter.core.quotes import bare, quotable
from newsletter.core.sentence import sentence
from newsletter.flow.issue.facts import content_of
from newsletter.ledger import issues
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Event, Issue, Placement, Review

BLOCKS = ("quote", "sponsor", "listen", "pairs", "promo")


def quotes(issue: Issue, *, each: int = 3) -> list[tuple[Review, str]]:
    """Sentences that could be the pull quote, the most distinctive of each review in full display."""
    rows = _cards(issue)
    texts = {row.pk: content_of(row.review) for row in rows}
    return [
        (row.review, sentence)
        for row in rows
        for sentence in quotable(
            texts[row.pk].body_text,
            texts[row.pk].language or issue.newsletter.language,
            beside=[text.body_text for pk, text in texts.items() if pk != row.pk],
            most=each,
        )
    ]


def choose_quote(issue: Issue, review: Review, text: str, *, now: datetime, by: str) -> None:
    """Let the issue quote `text` from a review that it shows in full. Voids an approval.

    Raises `IssueError` when the review does not say that, is not in the issue, or the issue is decided.
    """
    words = bare(plain(text))
    if not any(row.review_id == review.pk for row in _cards(issue)):
        raise IssueError(sentence("Only a review that the issue shows in full can be quoted."), where=str(review))
    if not title_key(words) or title_key(words) not in title_key(content_of(review).body_text):
        raise IssueError(
            sentence("The review does not say that."), where=str(review), hint=sentence("A quote is word for word.")
        )
    _write(issue, "quote", {"review": review.pk, "text": words}, f'The issue quotes "{review}": {words}', now, by)


def book_sponsor(issue: Issue, insert: Mapping[str, Any], *, now: datetime, by: str) -> None:
    """Give this issue a sponsor of its own (core.inserts); its dates don't matter here. Voids an approval.

    Raises `IssueError` for an insert that can't be printed, or a decided issue.
    """
    wanted = _insert("sponsor", insert)
    _write(issue, "sponsor", wanted, f"The issue is sponsored: {wanted['title']}", now, by)


def promote(issue: Issue, insert: Mapping[str, Any], *, now: datetime, by: str) -> None:
    """Give this issue a word of its own for the print magazine, as `book_sponsor` does for a sponsor."""
    wanted = _insert("promo", insert)
    _write(issue, "promo", wanted, f"The issue's word for the magazine: {wanted['title']}", now, by)


def _insert(block: str, insert: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {name: value for name, value in insert.items() if value and name not in ("start", "end")}
    if fault := insert_fault(wanted):
        raise IssueError(sentence("The {block} {fault}.", block=block, fault=fault), where=block)
    return wanted


def play(issue: Issue, title: str, url: str, *, now: datetime, by: str) -> None:
    """Link to music to read by. Voids an approval. Raises `IssueError` without words or a web address."""
    words = plain(title)
    if not words or not is_web(url):
        raise IssueError(
            sentence("Music to read by needs its title and an address that begins with https://."), where="listen"
        )
    _write(issue, "listen", {"title": words, "url": url}, f"The issue plays {words}.", now, by)


def take_out(issue: Issue, block: str, *, now: datetime, by: str) -> None:
    """Leave a block out of this issue; of pairs: let the reviews stand apart. Raises `IssueError` once decided."""
    _known(block)
    _write(issue, block, False if block == "pairs" else {}, f"The issue has no {block}.", now, by)


def leave_to_rule(issue: Issue, block: str, *, now: datetime, by: str) -> None:
    """Undo an editor's word on a block. Raises `IssueError` once decided."""
    _known(block)
    _write(issue, block, None, f"What the issue has for {block} goes by rule again.", now, by)


@transaction.atomic
def _write(issue: Issue, block: str, value: Any, text: str, now: datetime, by: str) -> None:
    # Under the lock: another editor's word on another block, written a moment ago, would be lost otherwise.
    row = issues.lock(issue.pk)
    blocks = {name: each for name, each in row.blocks.items() if name != block}
    if value is not None:
        blocks[block] = value
    if blocks != row.blocks:
        issues.write(row.pk, {"blocks": blocks}, now=now, by=by)
        Event.objects.create(newsletter=row.newsletter, issue=row, at=now, kind=block, text=text, by=by)
    issue.refresh_from_db()


def _known(block: str) -> None:
    if block not in BLOCKS:
        raise IssueError(
            sentence("There is no block {block}.", block=repr(block)),
            hint=sentence("There are: {blocks}.", blocks=", ".join(BLOCKS)),
        )


def _cards(issue: Issue) -> list[Placement]:
    rows = Placement.objects.filter(issue=issue, state__in=ACTIVE, kind=Placement.Kind.CARD)
    return list(rows.select_related("review__representative").order_by("position", "pk"))
