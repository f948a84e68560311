"""What a row comes to, against what we know of the person: never a revival."""

from __future__ import annotations

from dataclasses import dataclass

from subscribers import suppression
from subscribers.csv_io.rows import Row, Wish
from subscribers.csv_io.seen import Seen
from subscribers.models import MailingList, Subscriber, Subscription, SubscriptionState, SuppressionReason


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knew of the people of one chunk before it."""

    people: dict[str, Subscriber]
    subscriptions: dict[str, Subscription]
    suppressed: dict[str, str]

    def state(self, key: str) -> str:
        """The state of an address on the list in words: "" for nobody, a suppression behind it."""
        subscription = self.subscriptions.get(key)
        state = str(subscription.state) if subscription else ""
        return f"{state} suppressed".strip() if key in self.suppressed else state


def known(rows: list[Row], mailing_list: MailingList) -> Known:
    """Ask for the people of a chunk, in three queries."""
    keys = {row.address.key for row in rows}
    people = {person.address_key: person for person in Subscriber.objects.filter(address_key__in=keys)}
    subscriptions = Subscription.objects.filter(mailing_list=mailing_list, subscriber__in=people.values())
    by_person = {person.pk: person.address_key for person in people.values()}
    return Known(
        people=people,
        subscriptions={by_person[row.subscriber_id]: row for row in subscriptions},
        suppressed=suppression.reasons(keys),
    )


def fate(row: Row, before: Known, seen: Seen | None) -> tuple[str, str]:
    """The count that the row belongs to, and why it is kept out."""
    key = row.address.key
    subscription = before.subscriptions.get(key)
    if row.suppresses:
        suppressed = key in before.suppressed or (seen is not None and seen.suppressed)
        return ("already" if suppressed else "stopped"), ""
    if before.suppressed.get(key) == SuppressionReason.ERASED:
        return "kept_out", "The person was erased: nothing of them is kept."
    if row.wish == Wish.UNSUBSCRIBED:
        # Also for a suppressed address: should the suppression be lifted one day, the unsubscribe must stand.
        gone = subscription is not None and subscription.state == SubscriptionState.UNSUBSCRIBED
        return ("already" if gone or (seen is not None and seen.unsubscribed) else "stopped"), ""
    if seen is not None:
        return "already", ""
    if key in before.suppressed:
        return "kept_out", f"The address is suppressed ({before.suppressed[key]}): it is never mailed."
    if subscription is None:
        return "added", ""
    if subscription.state == SubscriptionState.UNSUBSCRIBED:
        day = f"{subscription.state_at:%Y-%m-%d}"
        return "kept_out", f"The person unsubscribed on {day}: only they can come back."
    return "already", ""


def differs(row: Row, before: Known) -> str:
    """What the row says otherwise than we do of a person who is left as they are; "" for nothing."""
    person, subscription = before.people.get(row.address.key), before.subscriptions.get(row.address.key)
    if person is None or subscription is None:
        return ""
    pairs = (
        ("name", row.name, person.name),
        ("language", row.language, person.language),
        ("topics", ";".join(row.topics), ";".join(subscription.topics)),
        ("status", str(row.wish), str(subscription.state)),
    )
    said = [f"{field} {theirs!r}, not {ours!r}" for field, theirs, ours in pairs if theirs and theirs != ours]
    said += [f"{key} {value!r}" for key, value in row.attributes.items() if person.attributes.get(key) != value]
    return f"The file says {'; '.join(said)}: left as it is." if said else ""


def state_after(row: Row, fate: str, before: str) -> str:
    """The person's state on the list once the row is applied, as `Known.state` says it."""
    match fate:
        case "added":
            return str(row.wish)
        case "stopped" if row.suppresses:
            state = before or str(row.subscription or "")
            ends = row.subscription == Wish.UNSUBSCRIBED or (row.wish == Wish.COMPLAINT and state)
            return f"{'unsubscribed' if ends else state} suppressed".strip()
        case "stopped":
            return "unsubscribed suppressed" if before.endswith("suppressed") else "unsubscribed"
        case _:
            return before
