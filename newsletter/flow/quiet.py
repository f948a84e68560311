"""Readers who went quiet: asked twice whether they still want it, then paused, never deleted.

No opens and no clicks are counted, so silence alone proves nothing. Asked is who has done nothing of their own for the
newsletter's `quiet_weeks` (not confirmed, changed or kept anything), was sent most of its issues, and whose mailbox has
lately said something against us: a bounce or a refusal. Any act of theirs ends it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.core.tokens import KEEP, Keys
from newsletter.flow import service
from newsletter.flow.preferences import deliveries_of, link_to
from newsletter.flow.service import Kind
from newsletter.models import DeliveryState, Evidence, Newsletter
from subscribers import preferences
from subscribers.models import ConsentEvent, ConsentKind, Subscription, SubscriptionState, Suppression

BETWEEN = timedelta(days=14)
"""From one question to the next, and from the second to the pause."""
QUESTIONS = 2
MOST_OF = 0.75
"""The share of the weeks in which an issue must have reached the reader."""
_ACTS = (ConsentKind.REQUESTED, ConsentKind.CONFIRMED, ConsentKind.CHANGED, ConsentKind.IMPORTED)


def ask_quiet(*, now: datetime, keys: Keys, base_url: str) -> tuple[int, int]:
    """Ask whose turn it is, and pause who stayed silent; returns how many of each."""
    asked = paused = 0
    for newsletter in Newsletter.objects.filter(quiet_weeks__gt=0).select_related("mailing_list"):
        for row in list(_quiet(newsletter, now)):
            if row.quiet_asked_at is not None and row.quiet_asked_at > now - BETWEEN:
                continue
            if row.quiet_asks >= QUESTIONS:
                paused += preferences.pause_quiet(row, now=now)
                continue
            service.queue(
                Kind.KEEP, newsletter=newsletter, address=row.subscriber.address, subscription=row,
                language=row.subscriber.language,
                values={"link": link_to(KEEP, row, keys=keys, base_url=base_url, now=now)}, now=now,
            )  # fmt: skip
            preferences.ask_to_keep(row, now=now)
            asked += 1
    return asked, paused


def _quiet(newsletter: Newsletter, now: datetime) -> QuerySet[Subscription]:
    since = now - timedelta(weeks=newsletter.quiet_weeks)
    acted = ConsentEvent.objects.filter(subscription=OuterRef("pk"), kind__in=_ACTS, at__gt=since)
    against = Evidence.objects.filter(subscription=OuterRef("pk"), at__gt=since, forgiven_at=None).exclude(
        kind="auto-reply"
    )
    rows = Subscription.objects.filter(
        mailing_list=newsletter.mailing_list, state=SubscriptionState.ACTIVE, joined_at__lte=since
    )
    silent = rows.filter(~Exists(acted)).filter(Exists(against) | Q(refusals_in_row__gt=0))
    silent = silent.exclude(subscriber__address_key__in=Suppression.objects.values("address_key"))
    wanted = int(newsletter.quiet_weeks * MOST_OF)
    sent = [row.pk for row in silent if _reached(row.pk, newsletter, since) >= wanted]
    return Subscription.objects.filter(pk__in=sent).select_related("subscriber", "mailing_list").order_by("pk")


def _reached(subscription: int, newsletter: Newsletter, since: datetime) -> int:
    """How many issues of the newsletter were accepted for the reader since then."""
    rows = deliveries_of([subscription]).filter(
        state=DeliveryState.ACCEPTED, issue__newsletter=newsletter, at__gt=since
    )
    return int(rows.count())
