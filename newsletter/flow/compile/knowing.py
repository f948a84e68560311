"""What speaks against an issue, for pages that are looked at again and again."""

from __future__ import annotations

from datetime import datetime, timedelta

from newsletter.core.errors import NewsletterError
from newsletter.core.kept import Kept
from newsletter.flow.compile.checking import blockers
from newsletter.flow.compile.freezing import frozen
from newsletter.ledger.issues import due_at
from newsletter.models import Event, Issue
from subscribers.models import Subscription, SubscriptionState

_KNOWN: Kept[tuple[object, ...], tuple[str, ...]] = Kept(64)


def known_blockers(issue: Issue, now: datetime) -> tuple[str, ...]:
    """`blockers`, rehearsed once for the same letter, time, list and events: an ignored check is an event.

    An approval never asks here. Raises nothing: a letter that can't be made is its own blocker.
    """
    try:
        inputs = frozen(issue)
    except NewsletterError:
        return blockers(issue, now)
    active = Subscription.objects.filter(
        mailing_list=issue.newsletter.mailing_list_id, state=SubscriptionState.ACTIVE
    ).count()
    due = due_at(issue)
    late = now > due, now > due + timedelta(hours=issue.newsletter.grace_hours)
    told = Event.objects.filter(issue=issue).order_by("-pk").values_list("pk", flat=True).first()
    key = (issue.pk, inputs.fingerprint, active, late, issue.newsletter.account_id, told)
    return _KNOWN.get(key, lambda: blockers(issue, now))
