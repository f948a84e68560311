"""One way in for whatever is said about a delivery afterwards: a mail that came back, or a provider's webhook."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.flow.bounce import judging, rates
from newsletter.ledger import deliveries
from newsletter.models import Delivery, DeliveryState, Evidence
from subscribers import consent, suppression
from subscribers.models import ConsentEvent, ConsentKind, Subscription, SuppressionReason

LONGEST_EVENT = 120
LONGEST_WORDS = 500

NOTHING = "nothing"
KNOWN = "known already"
NOBODY = "nobody: no such delivery or reader here"
COUNTED = "counted"

_ADDRESS = re.compile(r"[^\s<>@;:,\"'()]{1,200}@")


@dataclass(frozen=True, slots=True)
class Told:
    """What is said, and about whom: a delivery, or a subscription where only that is known.

    `event` is the teller's own unique name for it (with the teller in front: "postmark:12345"), so that a second
    telling changes nothing. `reporter` says who tells. A webhook gives `about` and `hard` itself; never call hard what
    is not "no such mailbox or domain, for good".
    """

    event: str
    kind: ReportKind
    reporter: str
    at: datetime
    delivery: int | None = None
    subscription: int | None = None
    about: BounceClass | None = None
    hard: bool = False
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of it, in words; `new` is False for what was known, or is about nobody of ours."""

    new: bool
    decision: str


def record(told: Told, *, now: datetime) -> Recorded:
    """Keep what is said and do what follows from all that is known: idempotent by event, in any order.

    One transaction; raises only what the database raises, and then nothing was kept and it may be told again.
    """
    try:
        with transaction.atomic():
            found = _record(told, now)
    except IntegrityError:
        # Told twice at the same moment: the other one keeps it.
        if Evidence.objects.filter(event=told.event[:LONGEST_EVENT]).exists():
            return Recorded(False, KNOWN)
        raise
    if found.new and told.kind is ReportKind.COMPLAINT and told.delivery is not None:
        # By itself: it takes the locks of the newsletter, and none may be waited for while a reader's is held.
        rates.look(told.delivery, now=now)
    return found


def without_addresses(text: str) -> str:
    """A server's words without the local part of any address."""
    return _ADDRESS.sub("…@", " ".join(text.split()))[:LONGEST_WORDS]


def _record(told: Told, now: datetime) -> Recorded:
    event = told.event[:LONGEST_EVENT]
    if Evidence.objects.filter(event=event).exists():
        return Recorded(False, KNOWN)
    delivery = Delivery.objects.filter(pk=told.delivery).first() if told.delivery is not None else None
    number = delivery.subscription_id if delivery is not None else told.subscription
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("subscriber")
    subscription = rows.filter(pk=number).first() if number is not None else None
    if delivery is None and subscription is None:
        return Recorded(False, NOBODY)
    row = Evidence.objects.create(
        event=event, delivery=delivery, issue_id=delivery.issue_id if delivery else None, subscription=subscription,
        kind=told.kind, about=told.about or "", hard=told.hard, status=told.status[:12],
        diagnostic=without_addresses(told.diagnostic), reporter=told.reporter[:60], at=told.at,
        forgiven_at=_forgiven(delivery, subscription, now),
    )  # fmt: skip
    decision = _decide(row, delivery, subscription, now)
    Evidence.objects.filter(pk=row.pk).update(decision=decision[:300])
    return Recorded(True, decision)


def _decide(row: Evidence, delivery: Delivery | None, subscription: Subscription | None, now: datetime) -> str:
    settled = ""
    if row.kind == ReportKind.BOUNCE and delivery is not None and delivery.state == DeliveryState.UNCERTAIN:
        reason = f"bounced ({row.about}): {row.diagnostic or row.status or 'no words'}"
        if deliveries.settle_bounced(delivery.pk, reason, now=now):
            settled = "; the uncertain delivery failed"
    if subscription is None:
        return f"{NOTHING}: the reader is gone{settled}"
    if row.kind == ReportKind.COMPLAINT:
        return _complained(row, delivery, subscription, now) + settled
    if row.kind != ReportKind.BOUNCE:
        return f"{NOTHING}: {row.kind}"
    if row.forgiven_at is not None:
        return f"{NOTHING}: the address was let in again after this delivery{settled}"
    why = judging.why_suppress(subscription)
    if why:
        new = suppression.suppress(
            subscription.subscriber.address_key,
            SuppressionReason.BOUNCE,
            now=now,
            evidence=f"{why} (evidence {row.pk})",
        )
        return f"{'suppressed' if new else 'suppressed before'}: {why}{settled}"
    counts = row.about in judging.SOFT and delivery is not None
    return f"{COUNTED if counts else NOTHING}: {row.about}{settled}"


def _complained(row: Evidence, delivery: Delivery | None, subscription: Subscription, now: datetime) -> str:
    proof = {"evidence": row.pk, "reporter": row.reporter}
    consent.unsubscribe(subscription, now=now, origin="complaint", evidence=proof)
    if delivery is None:
        # Known by the link alone, which whoever got a copy has: it may stop this list, and no more.
        return "unsubscribed"
    suppression.suppress(
        subscription.subscriber.address_key, SuppressionReason.COMPLAINT, now=now,
        evidence=f"complaint by {row.reporter} (evidence {row.pk})",
    )  # fmt: skip
    return "unsubscribed and suppressed"


def _forgiven(delivery: Delivery | None, subscription: Subscription | None, now: datetime) -> datetime | None:
    """A bounce that comes late, of a delivery before a person let the address in again, says nothing new."""
    if delivery is None or subscription is None:
        return None
    key = subscription.subscriber.address_key
    lifted = ConsentEvent.objects.filter(
        address_key=key, kind=ConsentKind.SUPPRESSED, origin__startswith="lifted by", at__gte=delivery.at
    )
    return now if lifted.exists() else None
