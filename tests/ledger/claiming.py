"""An issue that is being sent, claims of its batches, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.journal import Entry
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import Claim, Decision, Row, Settled, Settlement
from newsletter.models import DeliveryState, Issue
from tests.sending import SLOT, make_approved

ME, OTHER = "here:1:1", "elsewhere:2:2"
LATER = Decision(DeliveryState.PENDING, "later")


def failed(reason: str) -> Decision:
    return Decision(DeliveryState.FAILED, reason)


def alive(owner: str) -> bool:
    return False


def begin(people: int = 45) -> Issue:
    issue = make_approved(people)
    deliveries.start(issue.pk, now=SLOT, size=20)
    return issue


def one_claim(issue: Issue, owner: str = ME, now: datetime = SLOT) -> Claim | None:
    with transaction.atomic():
        return deliveries.claim(issue.pk, owner=owner, now=now)


def take(issue: Issue, owner: str = ME, now: datetime = SLOT) -> Claim:
    claim = one_claim(issue, owner, now)
    assert claim is not None
    return claim


def settle(
    claim: Claim, decisions: Mapping[int, Decision] | None = None, *, accepted: Iterable[Row] = (), now: datetime = SLOT
) -> Settled:
    numbers = {row.delivery for row in accepted}
    return deliveries.settle(Settlement(claim, numbers, dict(decisions or {})), now=now)


def later(claim: Claim, *rows: Row, now: datetime = SLOT) -> None:
    settle(claim, {row.delivery: LATER for row in rows}, now=now)


def nothing_left(*_: Any) -> dict[int, Entry]:
    """The journal of a worker that had sent nothing of its claim."""
    return {}
