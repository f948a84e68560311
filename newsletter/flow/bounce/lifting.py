"""A person's decision that an address may be mailed again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from newsletter.models import Event, Evidence
from subscribers import suppression
from subscribers.address import key


def unsuppress(address: str, *, now: datetime, by: str, reason: str) -> bool:
    """Lift the suppression and set aside what speaks against the address so far; False when it was not suppressed.

    The evidence stays, marked as forgiven. Subscriptions keep their state: whoever complained stays unsubscribed.
    Raises `ValueError` without a reason.
    """
    address_key = key(address)
    with transaction.atomic():
        if not suppression.lift(address_key, now=now, by=by, reason=reason):
            return False
        rows = Evidence.objects.filter(subscription__subscriber__address_key=address_key, forgiven_at=None)
        rows.update(forgiven_at=now)
        Event.objects.create(at=now, kind="suppression lifted", text="An address may be mailed again.", by=by)
    return True
