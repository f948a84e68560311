"""Erasing a person: asked for, undone within a day, then done. What stays is a keyed hash that no import gets past."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from subscribers import consent, marks
from subscribers.models import ConsentEvent, Subscriber, Suppression, SuppressionReason

UNDO_WITHIN = timedelta(days=1)
ORIGIN = f"{consent.LINK} erasure"


def request(person: Subscriber, *, now: datetime) -> bool:
    """The person wants to be erased: no mail from now on, nothing left in a day. True when it is new."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=person.pk)
        if row.erase_at is not None:
            return False
        row.erase_at = now + UNDO_WITHIN
        row.save(update_fields=["erase_at"])
        for subscription in row.subscriptions.select_related("mailing_list", "subscriber"):
            consent.unsubscribe(subscription, now=now, origin=ORIGIN)
    return True


def undo(person: Subscriber, *, now: datetime, wording: str) -> bool:
    """They change their mind in time: what the request had ended is as before. True when there was a request."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=person.pk)
        if row.erase_at is None or row.erase_at <= now:
            return False
        row.erase_at = None
        row.save(update_fields=["erase_at"])
        for subscription in row.subscriptions.select_related("mailing_list", "subscriber"):
            last = subscription.consent_events.order_by("-at", "-pk").first()
            if last is not None and last.origin == ORIGIN:
                consent.resubscribe(subscription, now=now, origin=f"{ORIGIN} undone", wording=wording)
    return True


def erase(person: Subscriber, *, now: datetime) -> None:
    """Nothing is left but the mark of the address. Deliveries are the newsletter's to anonymise, before this."""
    with transaction.atomic():
        key = person.address_key
        mark = marks.mark(key)
        Suppression.objects.filter(address_key=key).delete()
        Suppression.objects.get_or_create(
            address_key=mark, defaults={"reason": SuppressionReason.ERASED, "at": now, "evidence": "asked to be erased"}
        )
        ConsentEvent.objects.filter(address_key=key).delete()
        Subscriber.objects.filter(pk=person.pk).delete()
