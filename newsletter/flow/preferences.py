"""The links by which readers change things, what they may change with each, and the mails that hand them out.

/u/TOKEN  for ever: stop mail, or get less of it
/p/TOKEN  a month, in every letter: topics, rhythm, language, format, a pause
/d/TOKEN  a day, only by a fresh mail: one's data, one's address, one's erasure
/a/TOKEN  a week, mailed to a new address: that it is theirs
/k/TOKEN  two months, mailed to a quiet reader: that it is still wanted

A letter that was forwarded gives its new holder at most what the first two say (standard A7): no address is shown, and
none can be changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.db import transaction

from newsletter.core.errors import NewsletterError
from newsletter.core.tokens import ADDRESS, DATA, KEEP, PREFERENCES, Keys, dated_token, read_dated_token
from newsletter.flow import bounce, service
from newsletter.flow.compile import issue_content
from newsletter.flow.service import Kind
from newsletter.flow.signup.confirming import newsletter_of
from newsletter.models import Delivery, Issue, IssueState, Newsletter, ServiceMail, Signup
from subscribers import consent, erasure
from subscribers.address import Address, key
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    Subscription,
    Suppression,
)

VALID = {
    PREFERENCES: timedelta(days=30),
    DATA: timedelta(days=1),
    ADDRESS: timedelta(days=7),
    KEEP: timedelta(days=60),
}
_WAYS = {PREFERENCES: "p", DATA: "d", ADDRESS: "a", KEEP: "k"}
_MAILS = {PREFERENCES: Kind.PREFERENCES, DATA: Kind.DATA}
SHOWN = 5
"""Reviews of the next issue that a page names."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it was read. Without a subscription it is not ours, void, or of somebody who is gone."""

    subscription: Subscription | None = None
    expired: bool = False

    @property
    def good(self) -> bool:
        """Whether it opens anything."""
        return self.subscription is not None and not self.expired


def link_to(purpose: str, subscription: Subscription, *, keys: Keys, base_url: str, now: datetime) -> str:
    """The address of a reader's page for one purpose, ageing from today."""
    generation = _generation(purpose, subscription)
    made = dated_token(keys, purpose, subscription.pk, day=now.date(), generation=generation)
    return f"{base_url.rstrip('/')}/{_WAYS[purpose]}/{made}"


def read_link(purpose: str, token: str, *, keys: Keys, now: datetime) -> Link:
    """What the link stands for. Changes nothing; takes equally long for every wrong one."""
    told = read_dated_token(token)
    if told is None:
        return Link()
    rows = Subscription.objects.select_related("subscriber", "mailing_list")
    row = rows.filter(pk=told.number).first()
    good = told.verify(keys, purpose, _generation(purpose, row) if row else 0)
    if not good or row is None:
        return Link()
    return Link(row, now.date() > told.day + VALID[purpose])


def _generation(purpose: str, subscription: Subscription) -> int:
    """What voids a link: a new beginning; for a new address also every other new address."""
    if purpose != ADDRESS:
        return subscription.generation
    wanted = subscription.subscriber.new_address
    return int.from_bytes(blake2b(wanted.encode(), digest_size=7).digest(), "big")


def send_link(
    subscription: Subscription, purpose: str, *, keys: Keys, base_url: str, now: datetime
) -> ServiceMail | None:
    """Mail a fresh link to the subscriber's own address; None when one went out within the hour, or nobody may be
    mailed there.
    """
    newsletter = newsletter_of(subscription)
    person = subscription.subscriber
    if newsletter is None or Suppression.objects.filter(address_key=person.address_key).exists():
        return None
    kind = _MAILS[purpose]
    lately = ServiceMail.objects.filter(
        address_key=person.address_key, kind=kind, created_at__gt=now - timedelta(hours=1)
    )
    if lately.exists():
        return None
    link = link_to(purpose, subscription, keys=keys, base_url=base_url, now=now)
    return service.queue(
        kind, newsletter=newsletter, address=person.address, subscription=subscription, language=person.language,
        values={"link": link}, now=now,
    )  # fmt: skip


# --- the address -----------------------------------------------------------------------------------------------------


def ask_to_move(subscription: Subscription, to: Address, *, keys: Keys, base_url: str, now: datetime) -> bool:
    """A subscriber wants mail at another address: it is asked there. Until it says yes the old one stays. Whoever asks
    sees the same in every case; False when nothing was mailed (their own address, one too many within the hour).
    """
    newsletter = newsletter_of(subscription)
    person = subscription.subscriber
    if newsletter is None or to.key == person.address_key or Suppression.objects.filter(address_key=to.key).exists():
        return False
    lately = ServiceMail.objects.filter(address_key=to.key, created_at__gt=now - timedelta(hours=1))
    mine = ServiceMail.objects.filter(
        subscription=subscription, kind=Kind.ADDRESS, created_at__gt=now - timedelta(hours=1)
    )
    if lately.exists() or mine.count() >= 3:
        return False
    with transaction.atomic():
        Subscriber.objects.filter(pk=person.pk).update(new_address=to.shown)
        person.new_address = to.shown
        service.queue(
            Kind.ADDRESS, newsletter=newsletter, address=to.shown, subscription=subscription,
            language=person.language,
            values={"link": link_to(ADDRESS, subscription, keys=keys, base_url=base_url, now=now)}, now=now,
        )  # fmt: skip
    return True


def move(subscription: Subscription, *, now: datetime) -> bool:
    """The holder of the new mailbox says yes. The old address is told. False when there is nothing to do, or when the
    new address is somebody's by now.
    """
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscription.subscriber_id)
        to, old = row.new_address, row.address
        if not to or Subscriber.objects.filter(address_key=key(to)).exists():
            return False
        row.address, row.address_key, row.new_address = to, key(to), ""
        row.save(update_fields=["address", "address_key", "new_address"])
        ConsentEvent.objects.filter(address_key=key(old)).update(address_key=row.address_key)
        for each in row.subscriptions.select_related("mailing_list", "subscriber"):
            consent.record(each, ConsentKind.CHANGED, now=now, origin="new address confirmed", evidence={"moved": True})
        newsletter = newsletter_of(subscription)
        if newsletter is not None:
            service.queue(Kind.MOVED, newsletter=newsletter, address=old, language=row.language, now=now)
    return True


# --- data and erasure ------------------------------------------------------------------------------------------------


def data_of(person: Subscriber) -> dict[str, Any]:
    """Everything that is kept about a person, as plain JSON values (GDPR Art. 15 and 20)."""
    subscriptions = list(person.subscriptions.select_related("mailing_list").order_by("pk"))
    events = ConsentEvent.objects.filter(address_key=person.address_key).order_by("at", "pk")
    mails = ServiceMail.objects.filter(address_key=person.address_key).order_by("created_at", "pk")
    return {
        "address": person.address,
        "name": person.name,
        "language": person.language,
        "plain_text": person.plain_text,
        "attributes": person.attributes,
        "known_since": person.created_at.isoformat(),
        "subscriptions": [
            {
                "list": one.mailing_list.name,
                "state": one.state,
                "topics": one.topics,
                "frequency": one.frequency,
                "paused_until": one.paused_until.isoformat() if one.paused_until else None,
                "joined_at": one.joined_at.isoformat(),
                "confirmed_at": one.confirmed_at.isoformat() if one.confirmed_at else None,
                "issues": [
                    {"newsletter": row.issue.newsletter.name, "issue": row.issue.slot, "state": row.state,
                     "reason": row.reason, "at": row.at.isoformat() if row.at else None}
                    for row in deliveries_of([one.pk]).select_related("issue__newsletter").order_by("issue__slot_at")
                ],
            }
            for one in subscriptions
        ],
        "consent": [
            {"kind": event.kind, "list": event.list_slug, "at": event.at.isoformat(), "origin": event.origin,
             "wording": event.wording, "evidence": event.evidence}
            for event in events
        ],
        "service_mails": [
            {"kind": mail.kind, "at": mail.created_at.isoformat(), "state": mail.state} for mail in mails
        ],
    }  # fmt: skip


def ask_to_erase(subscription: Subscription, *, keys: Keys, base_url: str, now: datetime) -> bool:
    """Stop all mail now and erase in a day; a mail says so and can undo it. False when it was asked before."""
    newsletter, person = newsletter_of(subscription), subscription.subscriber
    with transaction.atomic():
        if not erasure.request(person, now=now):
            return False
        if newsletter is not None:
            service.queue(
                Kind.ERASED, newsletter=newsletter, address=person.address, subscription=subscription,
                language=person.language,
                values={"link": link_to(DATA, subscription, keys=keys, base_url=base_url, now=now)}, now=now,
            )  # fmt: skip
    return True


def erase_due(now: datetime, home: Path | None = None) -> int:
    """Erase whoever asked a day ago and did not take it back; returns how many. In `home` the bounces that were kept
    aside are looked through too.
    """
    due = list(Subscriber.objects.filter(erase_at__lte=now).order_by("pk"))
    for person in due:
        erase_now(person, now=now, home=home)
    return len(due)


def erase_now(person: Subscriber, *, now: datetime, home: Path | None = None) -> None:
    """Nothing of the person stays but a mark of the address, and the numbers of issues."""
    with transaction.atomic():
        numbers = list(person.subscriptions.values_list("pk", flat=True))
        # The numbers of an issue must go on adding up: the row stays, without a name.
        deliveries_of(numbers).update(address="")
        ServiceMail.objects.filter(address_key=person.address_key).delete()
        Signup.objects.filter(address__iexact=person.address).delete()
        if home is not None:
            bounce.forget(home, person.address)
        erasure.erase(person, now=now)


def deliveries_of(subscriptions: Iterable[int]) -> Any:
    """The deliveries of these subscriptions, by the ledger's one index (issue, subscription)."""
    return Delivery.objects.filter(issue__in=Issue.objects.values("pk"), subscription__in=list(subscriptions))


# --- the next issue --------------------------------------------------------------------------------------------------


def next_titles(newsletter: Newsletter, topics: Iterable[str]) -> tuple[list[str], int]:
    """The first titles that a reader of these topics gets of the next issue as it stands, and how many there are; of
    the last issue where the next one is empty yet.
    """
    wanted = set(topics)
    rows = Issue.objects.filter(newsletter=newsletter).select_related("newsletter__magazine", "freeze")
    upcoming = rows.filter(state__in=(IssueState.DRAFT, IssueState.APPROVED)).order_by("slot_at").first()
    last = rows.filter(state=IssueState.SENT).order_by("-slot_at").first()
    for issue in filter(None, (upcoming, last)):
        try:
            content = issue_content(issue)
        except NewsletterError:
            continue
        placed = content.placed
        mine = [each.title for each in placed if not wanted or not each.rubric or each.rubric in wanted]
        if placed:
            return mine[:SHOWN], len(mine)
    return [], 0
