"""Mail to the unsubscribe address: the reader's own stops the list, nobody else's does."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.tokens import BOUNCE, UNSUBSCRIBE, Keys, token
from newsletter.flow.bounce import take
from newsletter.models import Evidence, ServiceMail
from newsletter.providers.memory import mailbox
from subscribers import consent
from subscribers.models import ConsentEvent, Subscription, SubscriptionState
from tests.core.bounce.samples import SAMPLES
from tests.flow.bouncing import BY_NAME, NOW, deliver, mail_for, make_issue, suppressed
from tests.sending import KEYS, make_people

pytestmark = pytest.mark.django_db


def letter(to: str, sender: str = "Ada <ada@box.test>", headers: str = "") -> bytes:
    return f"From: {sender}\r\nTo: <{to}>\r\nSubject: unsubscribe\r\n{headers}\r\n\r\n".encode()


def test_a_mail_to_the_unsubscribe_address_stops_that_list_and_can_be_undone() -> None:
    ada, bob = make_people(["ada@box.test", "bob@box.test"])
    to = f"bounce+{token(KEYS, UNSUBSCRIBE, ada.pk)}@news.example.test"
    assert take(letter(to, "whoever@box.test"), keys=KEYS, now=NOW, home=None).decision == "unsubscribed"
    assert (
        take(letter("hidden@box.test"), keys=KEYS, now=NOW, home=None, envelope_to=to).decision == "unsubscribed before"
    )
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.state, bob.state) == (SubscriptionState.UNSUBSCRIBED, SubscriptionState.ACTIVE)
    assert consent.can_resubscribe(ada, now=NOW) and suppressed() == {}


def test_a_hundred_mails_by_outsiders_unsubscribe_nobody(tmp_path: Path) -> None:
    people = make_people([f"r{n}@box.test" for n in range(100)])
    rows = deliver(make_issue(), people)
    other = Keys(b"somebody else's key")
    for number, (person, delivery) in enumerate(zip(people, rows, strict=True)):
        address, right = person.subscriber.address, token(KEYS, UNSUBSCRIBE, person.pk)
        forged = (
            address, "", token(other, UNSUBSCRIBE, person.pk), token(KEYS, "preferences", person.pk), right[:-1],
            right[::-1], token(KEYS, BOUNCE, delivery.pk), right.lower(), f"{person.pk}", "A" * 24,
        )[number % 10]  # fmt: skip
        for to in (f"bounce+{forged}@news.example.test", "bounce@news.example.test"):
            # From is no proof.
            take(letter(to, address, f"Reply-To: {address}"), keys=KEYS, now=NOW, home=tmp_path)
    assert set(Subscription.objects.values_list("state", flat=True)) == {SubscriptionState.ACTIVE}
    assert not ConsentEvent.objects.exists() and suppressed() == {} and not Evidence.objects.exists()


def test_programs_that_answer_an_unsubscribe_address_stop_nothing() -> None:
    [ada] = make_people(["ada@box.test"])
    to = f"bounce+{token(KEYS, UNSUBSCRIBE, ada.pk)}@news.example.test"
    for message in (
        letter(to, headers="Auto-Submitted: auto-replied"),
        BY_NAME["postfix"].as_bytes(token=token(KEYS, UNSUBSCRIBE, ada.pk)),
        letter(to, headers="Return-Path: <>\r\nX-Autoreply: yes"),
    ):
        take(message, keys=KEYS, now=NOW, home=None)
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.ACTIVE and suppressed() == {}


def test_nothing_that_comes_in_is_ever_answered() -> None:
    people = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), people)
    mailbox().clear()
    for sample in SAMPLES:
        take(mail_for(delivery, sample.name), keys=KEYS, now=NOW, home=None)
    take(letter(f"bounce+{token(KEYS, UNSUBSCRIBE, people[0].pk)}@news.example.test"), keys=KEYS, now=NOW, home=None)
    assert mailbox() == [] and not ServiceMail.objects.exists()
