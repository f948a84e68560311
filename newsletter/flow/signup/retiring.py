"""One reminder after two days, and the end of what nobody confirmed after fourteen (GDPR Art. 5(1)(e))."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from newsletter.core.tokens import Keys
from newsletter.flow import service
from newsletter.flow.service import Kind
from newsletter.flow.signup.confirming import confirm_link, newsletter_of
from newsletter.models import ServiceMail, Signup
from subscribers import consent
from subscribers.models import Subscription, SubscriptionState, Suppression

REMIND_AFTER = timedelta(hours=48)
RETIRE_AFTER = timedelta(days=14)


def remind(*, now: datetime, keys: Keys, base_url: str) -> int:
    """Queue the one reminder for each subscription that has waited for two days; returns how many.

    Only for who was asked to confirm: an import's pending ones never asked for anything here.
    """
    asked = ServiceMail.objects.filter(kind=Kind.CONFIRM, created_at__lte=now - REMIND_AFTER)
    reminded = ServiceMail.objects.filter(kind=Kind.REMIND, created_at__gt=now - RETIRE_AFTER)
    rows = (
        Subscription.objects.filter(
            state=SubscriptionState.PENDING,
            state_at__lte=now - REMIND_AFTER,
            state_at__gt=now - RETIRE_AFTER,
            pk__in=asked.values("subscription"),
        )
        .exclude(pk__in=reminded.exclude(subscription=None).values("subscription"))
        .exclude(subscriber__address_key__in=Suppression.objects.values("address_key"))
        .select_related("subscriber", "mailing_list")
    )
    count = 0
    for row in rows.iterator():
        newsletter = newsletter_of(row)
        if newsletter is None:
            continue
        service.queue(
            Kind.REMIND,
            newsletter=newsletter,
            address=row.subscriber.address,
            subscription=row,
            language=row.subscriber.language,
            values={"link": confirm_link(row, keys=keys, base_url=base_url, now=now)},
            now=now,
        )
        count += 1
    return count


def retire_unconfirmed(*, now: datetime) -> int:
    """Forget whoever asked and never confirmed within a fortnight, with the forms they handed in; returns how many.

    Who had been a subscriber before is unsubscribed again, as before they asked.
    """
    count = 0
    asked = ServiceMail.objects.filter(kind=Kind.CONFIRM).exclude(subscription=None).values("subscription")
    due = Subscription.objects.filter(state=SubscriptionState.PENDING, state_at__lte=now - RETIRE_AFTER, pk__in=asked)
    for number in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            row = Subscription.objects.select_for_update(of=("self",)).select_related("subscriber").get(pk=number)
            if row.state != SubscriptionState.PENDING:
                continue  # confirmed at this very moment
            key = row.subscriber.address_key
            consent.retire(row, now=now)
            Signup.objects.filter(address__iexact=key).delete()
            ServiceMail.objects.filter(address_key=key, kind__in=(Kind.CONFIRM, Kind.REMIND)).delete()
            count += 1
    return count
