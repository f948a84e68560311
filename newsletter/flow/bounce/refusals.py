"""Refusals at the door: what the receiving server said while an issue was sent, as evidence like any bounce."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db.models import Q

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.core.bounce.judging import recipient
from newsletter.core.replies import Kind
from newsletter.flow.bounce.evidence import Told, record
from newsletter.ledger import deliveries
from newsletter.models import Delivery, DeliveryState, Event, Issue

log = logging.getLogger(__name__)

HARD_AT_MOST, HARD_SHARE = 10, 0.05
DOUBTED = "refusals doubted"


def learn(issue: Issue, *, since: datetime | None, now: datetime) -> int:
    """Record the refusals of an issue that are about the readers' mailboxes; returns how many are new.

    `since` leaves out what was decided by then. When more than ten and a twentieth of all that was answered are "no
    such mailbox", a relay that answers so for everybody is likelier than a list so bad: then nobody is given up for it
    at once, and an event says so.
    """
    about = Q(reason__startswith=f"{deliveries.REFUSED} ({Kind.ADDRESS})") | Q(
        reason__startswith=f"{deliveries.REFUSED} ({Kind.FULL})"
    )
    rows = Delivery.objects.filter(about, issue=issue, state=DeliveryState.FAILED, at__lte=now)
    if since is not None:
        rows = rows.filter(at__gt=since)
    refused = []
    for number, reason, at in rows.order_by("pk").values_list("pk", "reason", "at"):
        refused.append((number, at, recipient("", diagnostic=reason.partition(": ")[2])))
    hard = sum(one.hard for _, _, one in refused)
    if not refused:
        return 0
    answered = Delivery.objects.filter(issue=issue, state__in=(DeliveryState.ACCEPTED, DeliveryState.FAILED)).count()
    believed = hard <= HARD_AT_MOST or hard <= HARD_SHARE * answered
    if not believed and not Event.objects.filter(issue=issue, kind=DOUBTED).exists():
        text = (
            f"{hard:,} of {answered:,} addresses were refused as unknown: too many to be believed at once. Nobody is "
            "suppressed for it yet; look at who they are with newsletter report."
        )
        Event.objects.create(newsletter_id=issue.newsletter_id, issue_id=issue.pk, at=now, kind=DOUBTED, text=text)
        log.warning("%s", text)
    new = 0
    for number, at, one in refused:
        told = Told(
            f"refused:{number}", ReportKind.BOUNCE, "refused while sending", at, delivery=number,
            about=BounceClass.MAILBOX if one.about is BounceClass.MAILBOX else BounceClass.ADDRESS,
            hard=one.hard and believed, status=one.status, diagnostic=one.diagnostic,
        )  # fmt: skip
        new += record(told, now=now).new
    return new
