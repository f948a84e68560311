"""One subscriber's copy: who reads it, and the headers that go with it. The same for preview, test and send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import idna

from newsletter.config.schema import Config
from newsletter.core.errors import ConfigError
from newsletter.core.letter import Headers, Mailbox
from newsletter.core.reader import Reader
from newsletter.core.tokens import UNSUBSCRIBE, Keys, message_id, token
from newsletter.models import Issue, Newsletter
from subscribers.models import Subscription

_NOT_WORD = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Installation:
    """What sending needs to know of where it runs. `base_url` without a slash at its end."""

    base_url: str
    keys: Keys
    outbox: Path
    environ: Mapping[str, str]
    home: Path | None = None

    @classmethod
    def of(cls, config: Config, environ: Mapping[str, str]) -> Installation:
        """The installation that `config` describes. Raises `ConfigError` when it has no secret yet."""
        if not config.secret_key:
            raise ConfigError("There is no secret key to sign links with.", hint="Type: newsletter init DIR")
        keys = Keys(config.secret_key.encode())
        return cls(config.base_url.rstrip("/"), keys, config.outbox_folder, environ, config.home)


def reader_for(
    subscription: Subscription, address: str, *, newsletter: Newsletter, installation: Installation
) -> Reader:
    """The subscriber as the design sees them. `address` is where the message goes: the one frozen with the issue."""
    person = subscription.subscriber
    joined = subscription.confirmed_at or subscription.joined_at
    return Reader(
        address=address,
        name=person.name,
        language=person.language or newsletter.language,
        topics=tuple(sorted(subscription.topics)),
        attributes=person.attributes,
        plain_text=person.plain_text,
        joined_on=joined.astimezone(ZoneInfo(newsletter.timezone)).date(),
        unsubscribe_url=unsubscribe_url(subscription.pk, installation),
    )


def unsubscribe_url(subscription: int, installation: Installation) -> str:
    """The one address that stops it: a page for people, one click for their mail programs (RFC 8058)."""
    return f"{installation.base_url}/u/{token(installation.keys, UNSUBSCRIBE, subscription)}"


def headers_for(
    issue: Issue, reader: Reader, subscription: int, *, fingerprint: str, date: datetime, installation: Installation
) -> Headers:
    """The headers of one copy (standards: RFC 5322, 2369, 2919, 8058). Every attempt gets the same ones.

    List-Unsubscribe is left out where our own address is not https: RFC 8058 section 3.1 asks for it.
    """
    newsletter = issue.newsletter
    domain = ascii_domain(newsletter.from_address)
    secure = reader.unsubscribe_url.startswith("https://")
    return Headers(
        from_=Mailbox(newsletter.from_address, newsletter.from_name),
        to=Mailbox(reader.address, reader.name),
        message_id=message_id(fingerprint, subscription, domain),
        date=date,
        reply_to=Mailbox(newsletter.reply_to) if newsletter.reply_to else None,
        # Stable for ever (RFC 2919 section 3): made of the slug, which never changes, not of the name.
        list_id=f"{newsletter.name} <{newsletter.slug}.{domain}>",
        list_unsubscribe=reader.unsubscribe_url if secure else "",
        extra=(("Feedback-ID", _feedback_id(issue)),),
    )


def ascii_domain(address: str) -> str:
    """The domain of an address as A-labels. Raises `ConfigError` for a From address that has none."""
    domain = address.rpartition("@")[2]
    try:
        return domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise ConfigError(f'"{domain}" is not a domain that mail can come from.', where="from_address") from None


def _feedback_id(issue: Issue) -> str:
    """campaign:list:type:sender as Gmail's feedback loop reads it; the sender takes 5 to 15 characters."""
    sender = _NOT_WORD.sub("", issue.newsletter.magazine.slug)[:15]
    return f"{issue.slot}:{issue.newsletter.slug}:issue:{sender if len(sender) >= 5 else f'{sender}-mail'}"
