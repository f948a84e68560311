"""What was decided, written: new people in a few statements a chunk, and what ends something one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from subscribers import consent, suppression
from subscribers.csv_io.deciding import Known
from subscribers.csv_io.rows import Row, Wish
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    MailingList,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)

_REASONS = {
    Wish.BOUNCE: SuppressionReason.BOUNCE,
    Wish.COMPLAINT: SuppressionReason.COMPLAINT,
    Wish.MANUAL: SuppressionReason.MANUAL,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What is kept with everybody of a file: its name, the statement of consent, when it was read."""

    file: str
    wording: str
    now: datetime

    def origin(self, row: Row) -> str:
        """Where a row stands."""
        return f"import {self.file} line {row.line}"[:200]

    def evidence(self, row: Row) -> dict[str, Any]:
        """The row's own proof beside that."""
        kept = {"columns": dict(row.proof)} if row.proof else {}
        return {"file": self.file, "line": row.line, "state": str(row.wish), **kept}


def add(rows: list[Row], before: Known, mailing_list: MailingList, proof: Proof) -> None:
    """New subscriptions in the states that the rows name, and the people who are new too, in three statements. Who is
    unsubscribed is written down too: otherwise the next file would bring them in.
    """
    if not rows:
        return
    people = {**before.people, **_new_people([row for row in rows if row.address.key not in before.people], proof)}
    subscriptions = Subscription.objects.bulk_create(
        _subscription(row, SubscriptionState(row.wish), people[row.address.key], mailing_list, proof.now)
        for row in rows
    )
    ConsentEvent.objects.bulk_create(
        _imported(row, subscription, mailing_list, proof) for row, subscription in zip(rows, subscriptions, strict=True)
    )


def stop(row: Row, mailing_list: MailingList, proof: Proof) -> None:
    """A row that ends something for an address that is known, or on every list. Few do: one by one."""
    if row.suppresses:
        if row.subscription is not None:
            _beside_suppression(row, SubscriptionState(row.subscription), mailing_list, proof)
        said = "; ".join(f"{header} {text}" for header, text in row.proof.items() if isinstance(text, str))
        evidence = f"{proof.origin(row)}{f' ({said})' if said else ''}"
        suppression.suppress(row.address.key, _REASONS[row.wish], now=proof.now, evidence=evidence)
        return
    subscription = Subscription.objects.get(mailing_list=mailing_list, subscriber__address_key=row.address.key)
    consent.unsubscribe(subscription, now=proof.now, origin=proof.origin(row), evidence=proof.evidence(row))


def _beside_suppression(row: Row, state: SubscriptionState, mailing_list: MailingList, proof: Proof) -> None:
    """What our own export says of a suppressed person's subscription: an unsubscribe always, the rest where we know of
    none. It mails nobody.
    """
    person = _person(row, proof)
    found = Subscription.objects.filter(mailing_list=mailing_list, subscriber=person).first()
    if found is not None and state == SubscriptionState.UNSUBSCRIBED:
        consent.unsubscribe(found, now=proof.now, origin=proof.origin(row), evidence=proof.evidence(row))
    elif found is None:
        subscription = _subscription(row, state, person, mailing_list, proof.now)
        subscription.save()
        _imported(row, subscription, mailing_list, proof).save()


def _person(row: Row, proof: Proof) -> Subscriber:
    found = Subscriber.objects.filter(address_key=row.address.key).first()
    return found or _new_people([row], proof)[row.address.key]


def _new_people(rows: list[Row], proof: Proof) -> dict[str, Subscriber]:
    new = [
        Subscriber(
            address=row.address.shown,
            address_key=row.address.key,
            name=row.name,
            language=row.language,
            plain_text=row.plain_text,
            attributes=dict(row.attributes),
            created_at=proof.now,
        )
        for row in rows
    ]
    return {person.address_key: person for person in Subscriber.objects.bulk_create(new)}


def _subscription(
    row: Row, state: SubscriptionState, person: Subscriber, mailing_list: MailingList, now: datetime
) -> Subscription:
    never = state in (SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED)
    agreed = None if never else row.joined or now
    return Subscription(
        mailing_list=mailing_list,
        subscriber=person,
        state=state,
        topics=list(row.topics),
        frequency=row.frequency,
        paused_until=row.paused_until,
        joined_at=row.joined or now,
        # Our own export gives the date where there is one; from elsewhere the statement of consent stands for it.
        confirmed_at=row.confirmed or (agreed if row.subscription is None else None),
        state_at=row.changed or now,
        last_accepted_at=row.accepted,
        refusals_in_row=row.refusals,
    )


def _imported(row: Row, subscription: Subscription, mailing_list: MailingList, proof: Proof) -> ConsentEvent:
    return ConsentEvent(
        subscription=subscription,
        address_key=row.address.key,
        list_slug=mailing_list.slug,
        kind=ConsentKind.UNSUBSCRIBED if subscription.state == SubscriptionState.UNSUBSCRIBED else ConsentKind.IMPORTED,
        at=proof.now,
        origin=proof.origin(row),
        wording="" if subscription.state == SubscriptionState.UNSUBSCRIBED else proof.wording,
        evidence=proof.evidence(row),
    )
