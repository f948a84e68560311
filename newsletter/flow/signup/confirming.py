"""The link in a confirmation: opened by anybody, or by a scanner, it shows a button; pressed, it subscribes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.core.tokens import CONFIRM, Keys, dated_token, read_dated_token
from newsletter.flow import service
from newsletter.flow.service import Kind
from newsletter.models import Newsletter, ServiceMail
from subscribers import consent
from subscribers.models import Subscription, SubscriptionState, Suppression

VALID = timedelta(days=7)


class Standing(StrEnum):
    """What a link leads to now."""

    OPEN = "open"  # press the button
    CONFIRMED = "confirmed"  # subscribed already, or just now
    EXPIRED = "expired"  # a new link can be asked for
    CANCELLED = "cancelled"  # unsubscribed meanwhile: a form, not a link, begins anew
    UNKNOWN = "unknown"  # not ours, altered, or of a subscription that began anew


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A link as it was read. Without a subscription the standing is `UNKNOWN` or `CANCELLED`."""

    standing: Standing
    subscription: Subscription | None = None
    newsletter: Newsletter | None = None


def confirm_link(subscription: Subscription, *, keys: Keys, base_url: str, now: datetime) -> str:
    """The address of the page that confirms, good for `VALID` from today."""
    made = dated_token(keys, CONFIRM, subscription.pk, day=now.date(), generation=subscription.generation)
    return f"{base_url.rstrip('/')}/c/{made}"


def read_link(token: str, *, keys: Keys, now: datetime) -> Confirmation:
    """What the link stands for. Changes nothing."""
    told = read_dated_token(token)
    if told is None:
        return Confirmation(Standing.UNKNOWN)
    rows = Subscription.objects.select_related("subscriber", "mailing_list").filter(pk=told.number)
    row = rows.first()
    # Verified in any case: a number that nobody has takes as long as one that somebody has.
    if not told.verify(keys, CONFIRM, row.generation if row else 0) or row is None:
        return Confirmation(Standing.UNKNOWN)
    newsletter = newsletter_of(row)
    if row.state in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED):
        return Confirmation(Standing.CONFIRMED, row, newsletter)
    if row.state != SubscriptionState.PENDING or _suppressed(row):
        return Confirmation(Standing.CANCELLED, row, newsletter)
    expired = now.date() > told.day + VALID
    return Confirmation(Standing.EXPIRED if expired else Standing.OPEN, row, newsletter)


def confirm(link: Confirmation, *, now: datetime, wording: str, evidence: dict[str, str]) -> bool:
    """The button was pressed: subscribe, and welcome them once. True when it changed anything."""
    if link.standing is not Standing.OPEN or link.subscription is None:
        return False
    changed = consent.confirm(
        link.subscription, now=now, origin="confirmation link", wording=wording, evidence=evidence
    )
    if changed and link.newsletter is not None:
        person = link.subscription.subscriber
        service.queue(
            Kind.WELCOME,
            newsletter=link.newsletter,
            address=person.address,
            subscription=link.subscription,
            language=person.language,
            now=now,
        )
    return changed


def ask_again(link: Confirmation, *, keys: Keys, base_url: str, now: datetime) -> bool:
    """An expired link's holder asks for a new one: at most one a day goes to the address. True when one was queued."""
    row, newsletter = link.subscription, link.newsletter
    if link.standing is not Standing.EXPIRED or row is None or newsletter is None:
        return False
    lately = ServiceMail.objects.filter(address_key=row.subscriber.address_key, created_at__gt=now - timedelta(days=1))
    if lately.filter(kind__in=(Kind.CONFIRM, Kind.REMIND)).exists():
        return False
    service.queue(
        Kind.CONFIRM,
        newsletter=newsletter,
        address=row.subscriber.address,
        subscription=row,
        language=row.subscriber.language,
        values={"link": confirm_link(row, keys=keys, base_url=base_url, now=now)},
        now=now,
    )
    return True


def newsletter_of(subscription: Subscription) -> Newsletter | None:
    """The newsletter that a list's readers know; the first of several."""
    rows = Newsletter.objects.filter(mailing_list=subscription.mailing_list_id)
    return rows.select_related("magazine", "account").order_by("pk").first()


def _suppressed(row: Subscription) -> bool:
    return Suppression.objects.filter(address_key=row.subscriber.address_key).exists()
