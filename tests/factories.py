"""The fixed cast: LANTERN, its weekly, its list. Plain functions that make rows; each takes what a test cares about."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from newsletter.models import Account, Magazine, Newsletter, Source
from subscribers.models import MailingList, Subscriber, Subscription, SubscriptionState

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def make_magazine(**fields: Any) -> Magazine:
    defaults: dict[str, Any] = {
        "slug": "lantern",
        "name": "LANTERN",
        "about": "LANTERN reviews what the city watches, reads and hears.",
        "url": "https://lantern.example.test/",
        "legal_name": "Lantern Press LLC",
        "postal_address": "12 Wick Street\nHarbour Town 10001",
    }
    return Magazine.objects.get_or_create(slug=fields.pop("slug", "lantern"), defaults={**defaults, **fields})[0]


def make_list(slug: str = "weekly", **fields: Any) -> MailingList:
    return MailingList.objects.get_or_create(slug=slug, defaults={"name": "LANTERN Weekly", **fields})[0]


def make_account(**fields: Any) -> Account:
    defaults: dict[str, Any] = {"kind": Account.Kind.MEMORY, "settings": {}}
    return Account.objects.get_or_create(name=fields.pop("name", "memory"), defaults={**defaults, **fields})[0]


def make_newsletter(**fields: Any) -> Newsletter:
    """Thursdays 08:00 in New York, cutoff Wednesday 18:00, the series of the worked examples."""
    defaults: dict[str, Any] = {
        "slug": "weekly",
        "name": "LANTERN Weekly",
        "from_name": "LANTERN",
        "from_address": "weekly@news.example.test",
        "weekday": 3,
        "send_time": time(8, 0),
        "timezone": "America/New_York",
        "cutoff_hours": 14,
        "starts_at": LONG_AGO,
    }
    defaults.update(fields)
    defaults.setdefault("magazine", None)
    defaults["magazine"] = defaults["magazine"] or make_magazine()
    defaults.setdefault("mailing_list", None)
    defaults["mailing_list"] = defaults["mailing_list"] or make_list()
    defaults.setdefault("account", None)
    defaults["account"] = defaults["account"] or make_account()
    return Newsletter.objects.create(**defaults)


def make_source(slug: str = "feed", **fields: Any) -> Source:
    defaults: dict[str, Any] = {
        "slug": slug,
        "name": slug.title(),
        "kind": Source.Kind.MEMORY,
        "location": "",
        "first_gathered_at": LONG_AGO,
    }
    return Source.objects.create(**{**defaults, **fields})


def make_subscription(address: str, mailing_list: MailingList | None = None, **fields: Any) -> Subscription:
    person = {key: fields.pop(key) for key in ("name", "language", "plain_text", "attributes") if key in fields}
    subscriber = Subscriber.objects.create(address=address, address_key=address.lower(), created_at=LONG_AGO, **person)
    defaults: dict[str, Any] = {
        "state": SubscriptionState.ACTIVE,
        "joined_at": LONG_AGO,
        "confirmed_at": LONG_AGO,
        "state_at": LONG_AGO,
    }
    return Subscription.objects.create(
        mailing_list=mailing_list or make_list(), subscriber=subscriber, **{**defaults, **fields}
    )
