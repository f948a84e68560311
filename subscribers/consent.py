"""What a person agreed to, and the proof. Every change of a subscription's state passes through here.

    subscribe    ask for mail: pending until confirmed (or active at once, when the caller holds proof of its own)
    confirm      pending -> active, by the link that was mailed
    unsubscribe  anything -> unsubscribed, at once, from whoever holds the link
    resubscribe  take an unsubscribe back: the Undo button, for a day, from the same link

Each is one transaction, changes nothing when there is nothing to change, and appends a `ConsentEvent` whenever it does
change something. Nothing here brings an unsubscribed or suppressed person back without a fresh act of that person:
an unsubscribe outlives late confirmations, imports and forms until a confirmation that follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction

from subscribers import marks
from subscribers.address import Address
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    MailingList,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)

UNDO_WITHIN = timedelta(days=1)
LINK = "link"  # the origin of an unsubscribe made by the link in a mail starts with this


class Asked(StrEnum):
    """What asking for mail came to. Never shown to whoever asked: the page is the same for all (no enumeration)."""

    NEW = "new"  # pending now: send the confirmation
    AGAIN = "again"  # was pending: a new confirmation may be sent
    RETURNING = "returning"  # was unsubscribed, pending now: send the confirmation
    ACTIVE = "active"  # is subscribed, or was made so by the caller's own proof
    SUPPRESSED = "suppressed"  # never mailed: nothing was changed


@dataclass(frozen=True, slots=True)
class Request:
    """The answer of `subscribe`. `subscription` is None only for a suppressed address that is not on the list."""

    asked: Asked
    subscription: Subscription | None


def subscribe(
    mailing_list: MailingList,
    address: Address,
    *,
    now: datetime,
    origin: str,
    wording: str,
    name: str = "",
    language: str = "",
    topics: Iterable[str] = (),
    evidence: Mapping[str, Any] | None = None,
    confirmed: bool = False,
) -> Request:
    """A person asks for mail. `wording` is the exact text they agreed to.

    With `confirmed` the caller vouches that the holder of the mailbox asked (a paper form, the admin's own word): the
    subscription is active at once. That never overrides an unsubscribe or a suppression; those need the mailbox.
    """
    proof = dict(evidence or {})
    with transaction.atomic():
        if _is_suppressed(address.key, but_erased=not confirmed):
            known = Subscription.objects.filter(mailing_list=mailing_list, subscriber__address_key=address.key)
            return Request(Asked.SUPPRESSED, known.first())
        person, _ = Subscriber.objects.get_or_create(
            address_key=address.key,
            defaults={"address": address.shown, "name": name, "language": language, "created_at": now},
        )
        state = SubscriptionState.ACTIVE if confirmed else SubscriptionState.PENDING
        subscription, new = Subscription.objects.select_for_update().get_or_create(
            mailing_list=mailing_list,
            subscriber=person,
            defaults={
                "state": state,
                "topics": sorted(set(topics)),
                "joined_at": now,
                "confirmed_at": now if confirmed else None,
                "state_at": now,
            },
        )
        before = subscription.state
        if new:
            asked = Asked.ACTIVE if confirmed else Asked.NEW
        elif before == SubscriptionState.UNSUBSCRIBED:
            asked = Asked.RETURNING
            subscription.generation += 1
            _move(subscription, SubscriptionState.PENDING, now)
        elif before == SubscriptionState.PENDING:
            # However often the caller vouches: after an unsubscribe only the mailbox's own word counts.
            vouched = confirmed and not _stopped(subscription)
            asked = Asked.ACTIVE if vouched else Asked.AGAIN
            _move(subscription, SubscriptionState.ACTIVE if vouched else SubscriptionState.PENDING, now)
        else:
            return Request(Asked.ACTIVE, subscription)
        kind = ConsentKind.CONFIRMED if asked == Asked.ACTIVE else ConsentKind.REQUESTED
        record(subscription, kind, now=now, origin=origin, wording=wording, evidence=proof)
        return Request(asked, subscription)


def confirm(
    subscription: Subscription,
    *,
    now: datetime,
    origin: str,
    wording: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> bool:
    """The holder of the mailbox says yes. True when it changed anything; an unsubscribed or suppressed one stays."""
    with transaction.atomic():
        row = locked(subscription)
        key = row.subscriber.address_key
        if row.state != SubscriptionState.PENDING or _is_suppressed(key, but_erased=True):
            return False
        # The mailbox's own word: who was erased, or is about to be, and asks anew begins anew.
        Suppression.objects.filter(address_key__in=marks.keys_of(key), reason=SuppressionReason.ERASED).delete()
        Subscriber.objects.filter(pk=row.subscriber_id, erase_at__isnull=False).update(erase_at=None)
        _move(row, SubscriptionState.ACTIVE, now)
        record(row, ConsentKind.CONFIRMED, now=now, origin=origin, wording=wording, evidence=evidence)
    return True


def unsubscribe(
    subscription: Subscription, *, now: datetime, origin: str, evidence: Mapping[str, Any] | None = None
) -> bool:
    """Stop, at once. True when it changed anything: doing it again is no second event."""
    with transaction.atomic():
        row = locked(subscription)
        if row.state == SubscriptionState.UNSUBSCRIBED:
            return False
        before = row.state
        _move(row, SubscriptionState.UNSUBSCRIBED, now)
        proof = {**(evidence or {}), "was": str(before)}
        record(row, ConsentKind.UNSUBSCRIBED, now=now, origin=origin, evidence=proof)
    return True


def can_resubscribe(subscription: Subscription, *, now: datetime) -> bool:
    """Whether Undo is open: the last thing that happened is an unsubscribe by link, a day ago at most."""
    return _undoable(subscription, now) is not None and subscription.state == SubscriptionState.UNSUBSCRIBED


def resubscribe(subscription: Subscription, *, now: datetime, origin: str, wording: str) -> bool:
    """Take an unsubscribe by link back: the state before it returns, so a pending one is pending again.

    Open for `UNDO_WITHIN` and only to the link's own unsubscribe: a link in an old, forwarded mail can stop mail for
    ever, but can't start it again. A complaint, an editor's or an import's unsubscribe is not undone here.
    """
    with transaction.atomic():
        row = locked(subscription)
        last = _undoable(row, now)
        if row.state != SubscriptionState.UNSUBSCRIBED or last is None:
            return False
        before = SubscriptionState(last.evidence["was"])
        Subscription.objects.filter(pk=row.pk).update(state=before, state_at=now)
        kind = ConsentKind.REQUESTED if before == SubscriptionState.PENDING else ConsentKind.CONFIRMED
        record(row, kind, now=now, origin=origin, wording=wording, evidence={"undoes": last.pk})
    return True


def retire(subscription: Subscription, *, now: datetime) -> None:
    """Nobody confirmed in time: forget the request, and the person when nothing else is known of them. Who had left
    this list before has left it, as before.
    """
    with transaction.atomic():
        row = locked(subscription)
        if row.state != SubscriptionState.PENDING:
            return
        if row.consent_events.filter(kind__in=(ConsentKind.UNSUBSCRIBED, ConsentKind.CONFIRMED)).exists():
            _move(row, SubscriptionState.UNSUBSCRIBED, now)
            record(row, ConsentKind.UNSUBSCRIBED, now=now, origin="not confirmed in time")
            return
        person = row.subscriber
        row.consent_events.all().delete()
        row.delete()
        if not person.subscriptions.exists():
            person.delete()


def explain(subscription: Subscription, reason: str) -> bool:
    """Why somebody left, beside the unsubscribe that it explains: the one thing that is ever added to an event. False
    when the last event is none.
    """
    with transaction.atomic():
        last = locked(subscription).consent_events.order_by("-at", "-pk").first()
        if last is None or last.kind != ConsentKind.UNSUBSCRIBED:
            return False
        last.evidence = {**last.evidence, "reason": reason[:100]}
        last.save(update_fields=["evidence"])
    return True


def record(
    subscription: Subscription,
    kind: ConsentKind,
    *,
    now: datetime,
    origin: str,
    wording: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> ConsentEvent:
    """Append one event. It copies what the proof needs, so that it outlives the subscription it is about."""
    return ConsentEvent.objects.create(
        subscription=subscription,
        address_key=subscription.subscriber.address_key,
        list_slug=subscription.mailing_list.slug,
        kind=kind,
        at=now,
        origin=origin[:200],
        wording=wording,
        evidence=dict(evidence or {}),
    )


def locked(subscription: Subscription) -> Subscription:
    """The row as it is now, locked where the database can; SQLite's transactions begin IMMEDIATE (settings)."""
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("subscriber", "mailing_list")
    return rows.get(pk=subscription.pk)


def _move(row: Subscription, state: SubscriptionState, now: datetime) -> None:
    row.state, row.state_at = state, now
    if state == SubscriptionState.ACTIVE:
        row.confirmed_at = now
    row.save(update_fields=["state", "state_at", "confirmed_at", "generation"])


def _undoable(subscription: Subscription, now: datetime) -> ConsentEvent | None:
    last = subscription.consent_events.order_by("-at", "-pk").first()
    if last is None or last.kind != ConsentKind.UNSUBSCRIBED or not last.origin.startswith(LINK):
        return None
    # Who asked to be erased takes that back first, by the link that only they were mailed.
    if now - last.at > UNDO_WITHIN or subscription.subscriber.erase_at is not None:
        return None
    if _is_suppressed(subscription.subscriber.address_key):
        return None
    return last


def _stopped(subscription: Subscription) -> bool:
    """Whether the person unsubscribed, and confirmed nothing since."""
    kinds = (ConsentKind.UNSUBSCRIBED, ConsentKind.CONFIRMED)
    last = subscription.consent_events.filter(kind__in=kinds).order_by("-at", "-pk").first()
    return last is not None and last.kind == ConsentKind.UNSUBSCRIBED


def _is_suppressed(address_key: str, *, but_erased: bool = False) -> bool:
    """Whether the address is never mailed. With `but_erased` an erasure does not count: it keeps imports out, and the
    person may ask anew.
    """
    rows = Suppression.objects.filter(address_key__in=marks.keys_of(address_key))
    return (rows.exclude(reason=SuppressionReason.ERASED) if but_erased else rows).exists()
