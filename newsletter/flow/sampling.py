"""The sample of a beginner: this week's letter as it stands, or, where too little waits, made of the latest reviews.

Nothing of it is kept: what is placed for it is taken back with the transaction, so that looking changes no issue.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence
from newsletter.flow.compile import Preview, preview
from newsletter.flow.deliver import Installation
from newsletter.flow.issue import ensure_draft, place
from newsletter.flow.issue.facts import our_sources
from newsletter.flow.testing import read_addresses, send_tests
from newsletter.ledger import issues, placements
from newsletter.models import Entry, Issue, Newsletter, Placement, Review, TestMail
from subscribers.models import Subscription

ENOUGH = 3
"""With fewer reviews in the issue its letter shows too little of a design."""
MOST = 8
# A page asks for all designs at once, and each holds the only writer that SQLite has: they stand in line here instead.
_ONE_AT_A_TIME = threading.Lock()


def sample(newsletter: Newsletter, design: str, *, now: datetime, **options: Any) -> Preview:
    """The letter in `design`, for nobody in particular; `options` as `preview` has them.

    Raises `IssueError` while no review is known, `DesignError` for a design that can't draw it.
    """
    with _dressed(newsletter, now) as issue:
        issue.newsletter.design, issue.newsletter.design_tokens = design, _tokens(newsletter, design)
        return preview(issue, None, now=now, **options)


def send_sample(
    newsletter: Newsletter, typed: str, now: datetime, *, by: str, installation: Installation
) -> list[TestMail]:
    """Mail the sample to the addresses of a typed line, as every test mail goes: the newsletter's own way out, and the
    same limits. Raises as `send_tests`, and `IssueError` while no review is known.
    """
    addresses = read_addresses(typed)
    issue = ensure_draft(newsletter, now=now)
    place(issue, now=now)

    def letter(issue: Issue, subscription: Subscription | None, **options: Any) -> Preview:
        with _dressed(newsletter, now) as dressed:
            return preview(dressed, subscription, **options)

    return send_tests(issue, addresses, now, by=by, installation=installation, letter=letter)


@contextmanager
def _dressed(newsletter: Newsletter, now: datetime) -> Iterator[Issue]:
    """The newsletter's open issue with enough reviews to look at, for as long as the block lasts."""
    with _ONE_AT_A_TIME, transaction.atomic():
        issue = ensure_draft(newsletter, now=now)
        place(issue, now=now)
        issue = issues.lock(issue.pk)
        issue.freeze = None
        held = Placement.objects.filter(issue=issue, state__in=placements.ACTIVE)
        if held.count() < ENOUGH:
            placements.release(list(held.values_list("pk", flat=True)), now)
            for position, review in enumerate(_latest(newsletter), 1):
                placements.reserve(
                    issue, review.pk, kind=Placement.Kind.CARD, position=position, why="a sample",
                    content_hash="", now=now,
                )  # fmt: skip
        if not Placement.objects.filter(issue=issue, state__in=placements.ACTIVE).exists():
            raise IssueError(sentence("No review is known yet."), hint=sentence("Add a source first."))
        yield issue
        transaction.set_rollback(True)


def _latest(newsletter: Newsletter) -> list[Review]:
    """The newest reviews by their own dates, one with a picture first: a sample is to be looked at."""
    elsewhere = Placement.objects.filter(newsletter=newsletter, review=OuterRef("pk"), state__in=placements.ACTIVE)
    ours = Entry.objects.filter(our_sources(newsletter), review=OuterRef("pk"))
    rows = Review.objects.filter(Exists(ours), ~Exists(elsewhere)).select_related("representative")
    found = list(rows.exclude(representative=None).order_by("-effective_at", "-pk")[:MOST])
    lead = next((row for row in found if row.representative and row.representative.content.get("pictures")), None)
    return found if lead is None else [lead, *(row for row in found if row.pk != lead.pk)]


def _tokens(newsletter: Newsletter, design: str) -> dict[str, Any]:
    """Its own colours belong to the design that it has: another one has other names for them."""
    return dict(newsletter.design_tokens) if design == newsletter.design else {}
