"""Complaints of an issue: mailbox providers want them below 0.1 %, and shut their doors at 0.3 %."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from newsletter.core.bounce import ReportKind
from newsletter.ledger import issues
from newsletter.models import Delivery, DeliveryState, Event, Evidence, Issue, IssueState

log = logging.getLogger(__name__)

WARN_SHARE = 0.001
PAUSE_SHARE = 0.003
DELIVERED_AT_LEAST = 100
WARNED, HIGH = "complaints", "complaints high"


def look(delivery_id: int, *, now: datetime) -> str:
    """Warn, or pause the issue of this delivery while it is being sent, each once. Returns the words; "" for neither.

    Once a person has gone on after the pause it is their decision: it is not paused for complaints again.
    """
    issue_id = Delivery.objects.filter(pk=delivery_id).values_list("issue", flat=True).first()
    if issue_id is None:
        return ""
    complaints = complaints_of(issue_id)
    delivered = Delivery.objects.filter(issue=issue_id, state=DeliveryState.ACCEPTED).count()
    if delivered < DELIVERED_AT_LEAST or complaints < WARN_SHARE * delivered:
        return ""
    high = complaints >= PAUSE_SHARE * delivered
    words = (
        f"{complaints:,} of {delivered:,} people called it spam ({complaints / delivered:.2%}). "
        + ("Mailbox providers close their doors at 0.30 %. " if high else "Mailbox providers want less than 0.10 %. ")
        + "Look at who is on the list and how they came to it."
    )
    with transaction.atomic():
        issue = issues.lock(issue_id)
        kind = HIGH if high else WARNED
        if Event.objects.filter(issue=issue_id, kind=kind).exists():
            return ""
        Event.objects.create(newsletter_id=issue.newsletter_id, issue_id=issue_id, at=now, kind=kind, text=words)
        if high and issue.state == IssueState.SENDING:
            issues.pause(issue_id, words, now=now)
    log.warning("%s/%s: %s", issue.newsletter.slug, issue.slot, words)
    return words


def complaints_of(issue: Issue | int) -> int:
    """How many readers of an issue complained about it."""
    rows = Evidence.objects.filter(issue=issue, kind=ReportKind.COMPLAINT).exclude(delivery=None)
    return rows.values("delivery").distinct().count()
