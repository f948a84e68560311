"""One delivery's way: committed as on the wire before its first byte leaves, and again with its answer.

A crash between the two leaves one row per worker in doubt, by name. Each function is one transaction that must still
own the claim; otherwise it raises `ClaimLostError` and has written nothing.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from newsletter.core.errors import LedgerError
from newsletter.core.patience import next_try
from newsletter.ledger.deliveries.claims import Claim
from newsletter.models import Delivery, DeliveryState, IssueState, OnTheWire, Retry
from subscribers import address
from subscribers.models import SubscriptionState, Suppression

EXPIRED = "expired"
# In front of a server's words when it refused one delivery for good.
REFUSED = "refused: "
LONGEST_REASON = 500
_SUPPRESSED = Suppression.objects.filter(address_key=OuterRef("subscription__subscriber__address_key"))


class Permit(StrEnum):
    """What the ledger says to "may I send this one now?"."""

    SEND = "send"
    DECIDED = "decided"  # excluded just now, or decided by somebody else
    HALT = "halt"  # the issue is not sending any more


@transaction.atomic
def mark(claim: Claim, delivery_id: int, *, now: datetime) -> Permit:
    """Put one delivery on the wire, if its subscription may still be mailed at this moment.

    SEND means the row is committed and the caller must settle it. Who has unsubscribed, paused, been suppressed or
    erased since the freeze becomes excluded, with that reason.
    """
    claim.hold(now)
    row = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("subscription__subscriber")
        .annotate(issue_state=F("issue__state"), suppressed=Exists(_SUPPRESSED))
        .get(pk=delivery_id)
    )
    if row.issue_state != IssueState.SENDING:
        return Permit.HALT
    if row.state != DeliveryState.PENDING:
        return Permit.DECIDED
    if reason := _ineligible(row):
        _decide(claim, delivery_id, DeliveryState.EXCLUDED, reason, now)
        return Permit.DECIDED
    OnTheWire.objects.create(delivery_id=delivery_id, batch_id=claim.batch, at=now)
    return Permit.SEND


@transaction.atomic
def settle(claim: Claim, delivery_id: int, state: DeliveryState, reason: str, *, now: datetime) -> None:
    """On the wire → accepted, failed or uncertain, for good."""
    claim.hold(now)
    _leave_the_wire(claim, delivery_id)
    _decide(claim, delivery_id, state, reason, now)


@transaction.atomic
def defer(
    claim: Claim, delivery_id: int, reply: str, *, now: datetime, retry_after: float | None = None
) -> datetime | None:
    """On the wire → waiting for another try; returns when. Once its 24 hours are over: failed (expired), and None.

    While it waits the delivery stays pending; its `at` is the time of its first refusal.
    """
    claim.hold(now)
    _leave_the_wire(claim, delivery_id)
    row = Delivery.objects.select_related("retry").get(pk=delivery_id)
    waiting: Retry | None = getattr(row, "retry", None)
    # A resend that a person chose has a retry without a try: its day begins with its own first refusal.
    attempts = waiting.attempts + 1 if waiting is not None else 1
    first_at = row.at if attempts > 1 else now
    due = next_try(delivery=delivery_id, attempts=attempts, first_at=first_at, now=now, retry_after=retry_after)
    if due is None:
        _decide(claim, delivery_id, DeliveryState.FAILED, f"{EXPIRED}: {reply}", now)
        return None
    if attempts == 1:
        Delivery.objects.filter(pk=delivery_id, state=DeliveryState.PENDING).update(at=now)
    Retry.objects.update_or_create(
        delivery_id=delivery_id,
        defaults={
            "issue_id": claim.issue,
            "attempts": attempts,
            "due_at": due,
            "reply": _words(reply),
            "owner": "",
            "fence": claim.fence + 1,
            "lease_until": None,
        },
    )
    return due


@transaction.atomic
def take_back(claim: Claim, delivery_id: int, *, now: datetime) -> None:
    """On the wire → pending, untouched: the provider says that the message has certainly not left."""
    claim.hold(now)
    _leave_the_wire(claim, delivery_id)


@transaction.atomic
def fail_unsent(claim: Claim, delivery_id: int, reason: str, *, now: datetime) -> None:
    """Pending → failed without ever being on the wire: no message could be made for this one."""
    claim.hold(now)
    _decide(claim, delivery_id, DeliveryState.FAILED, reason, now)


@transaction.atomic
def exclude(claim: Claim, delivery_id: int, reason: str, *, now: datetime) -> None:
    """Pending → excluded without ever being on the wire: this issue has nothing for this one."""
    claim.hold(now)
    _decide(claim, delivery_id, DeliveryState.EXCLUDED, reason, now)


def _ineligible(row: Any) -> str:
    """Why this delivery must not be sent any more, "" when it may."""
    subscription = row.subscription
    if subscription is None:
        return "erased"
    if subscription.state != SubscriptionState.ACTIVE:
        return str(subscription.state)
    # The message goes to the address of the freeze; the person may have changed theirs since.
    moved = subscription.subscriber.address != row.address
    if row.suppressed or (moved and Suppression.objects.filter(address_key=address.key(row.address)).exists()):
        return "suppressed"
    return ""


def _leave_the_wire(claim: Claim, delivery_id: int) -> None:
    if OnTheWire.objects.filter(pk=delivery_id, batch=claim.batch).delete()[0] != 1:
        raise LedgerError(f"Delivery {delivery_id} was not on the wire.")


def _decide(claim: Claim, delivery_id: int, state: DeliveryState, reason: str, now: datetime) -> None:
    """The one write of a decided row; it waits no longer."""
    decided = Delivery.objects.filter(pk=delivery_id, state=DeliveryState.PENDING).update(
        state=state, reason=_words(reason), at=now
    )
    if decided != 1:
        raise LedgerError(f"Delivery {delivery_id} was decided before.")
    if claim.delivery is not None:
        Retry.objects.filter(pk=delivery_id).delete()


def _words(text: str) -> str:
    """What a column of a database can hold: half a character or a NUL in a reply must not lose the answer itself."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()[:LONGEST_REASON]
