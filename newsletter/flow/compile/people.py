"""From a subscription to what a letter and its headers need of the person."""

from __future__ import annotations

from datetime import datetime

from newsletter.core.letter import Headers, Mailbox
from newsletter.core.reader import Reader
from newsletter.core.tokens import UNSUBSCRIBE, Keys, message_id, token
from newsletter.flow.compile.inputs import Frozen
from subscribers.models import Subscription


def reader_of(subscription: Subscription, *, base_url: str, keys: Keys) -> Reader:
    """The subscriber as a design sees them; `Reader` cleans the values. `base_url` is the issue's (`Frozen`)."""
    person = subscription.subscriber
    return Reader(
        address=person.address,
        name=person.name,
        language=person.language,
        topics=tuple(sorted(subscription.topics)),
        attributes=person.attributes,
        plain_text=person.plain_text,
        joined_on=subscription.joined_at.date(),
        unsubscribe_url=f"{base_url}/u/{token(keys, UNSUBSCRIBE, subscription.pk)}",
    )


def headers_for(frozen: Frozen, reader: Reader, *, subscription_id: int, fingerprint: str, now: datetime) -> Headers:
    """The headers of one subscriber's copy: the same Message-ID for every attempt. `fingerprint` is the freeze's."""
    sender = frozen.sender
    return Headers(
        from_=Mailbox(sender.from_address, sender.from_name),
        to=Mailbox(reader.address, reader.name),
        message_id=message_id(fingerprint, subscription_id, sender.domain),
        date=now,
        reply_to=Mailbox(sender.reply_to) if sender.reply_to else None,
        list_id=sender.list_id,
        # RFC 8058 3.1 wants https: no button is better than one that can't work.
        list_unsubscribe=reader.unsubscribe_url if reader.unsubscribe_url.startswith("https://") else "",
        extra=(
            *((("List-Archive", f"<{frozen.content.view_online_url}>"),) if frozen.content.view_online_url else ()),
            *((("Feedback-ID", sender.feedback_id),) if sender.feedback_id else ()),
        ),
    )
