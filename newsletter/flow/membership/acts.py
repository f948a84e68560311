"""What somebody here does to a subscriber. The log knows the person by number, not by address."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.db import transaction

from newsletter.core.errors import SubscriberError
from newsletter.core.sentence import sentence
from newsletter.flow import bounce
from newsletter.flow.preferences import erase_now
from newsletter.models import Event
from subscribers import consent
from subscribers.models import MailingList, Subscriber, Subscription

ERASE = "erase"
"""The word that is typed before a person is erased: nobody can take it back."""


def unsubscribe(subscription: Subscription, *, now: datetime, by: str) -> bool:
    """Stop mail of one list at once, because the person asked somebody here. Only the person begins anew: no button of
    theirs or ours undoes it. False when they had left already.
    """
    with transaction.atomic():
        done = consent.unsubscribe(subscription, now=now, origin=f"the studio, by {by}")
        if done:
            name = subscription.mailing_list.name
            tell("unsubscribed", f"Subscriber {subscription.subscriber_id} was unsubscribed from {name}.", now, by)
    return done


def let_in_again(person: Subscriber, *, reason: str, now: datetime, by: str) -> bool:
    """This bounce was wrong: the address may be mailed again. False when it was not suppressed. Raises
    `SubscriberError` without a reason, which is kept as proof.
    """
    if len(reason.strip()) < 3:
        raise SubscriberError(
            sentence("Say why: the reason is kept with the proof."), hint=sentence("Such as: their server was down.")
        )
    return bounce.unsuppress(person.address, now=now, by=by, reason=reason.strip()[:500])


def erase(person: Subscriber, *, typed: str, now: datetime, by: str, home: Path | None) -> None:
    """Erase a person for good, because they asked for it. Raises `SubscriberError` when the word was not typed."""
    if typed.strip().lower() != ERASE:
        raise SubscriberError(
            sentence("Nothing was erased: type the word “{erase}”.", erase=ERASE),
            hint=sentence("It can’t be taken back."),
        )
    with transaction.atomic():
        number = person.pk
        erase_now(person, now=now, home=home)
        tell("erased", f"Subscriber {number} was erased.", now, by)


def note_export(mailing_list: MailingList, what: str, *, now: datetime, by: str) -> None:
    """Addresses leave the house: who took them, and which."""
    tell("exported", f"{what} of {mailing_list.name} left as a file.", now, by)


def note_data(person: Subscriber, *, now: datetime, by: str) -> None:
    """All that is kept of one person leaves the house."""
    tell("exported", f"The data of subscriber {person.pk} left as a file.", now, by)


def tell(kind: str, text: str, now: datetime, by: str) -> None:
    """One line of the log of who did what."""
    Event.objects.create(at=now, kind=kind, text=text, by=by)
