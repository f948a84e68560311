"""One reader's letter by the three real ways: the studio's frame, a test mail, and the send with a pause in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from newsletter.core.tokens import UNSUBSCRIBE, token
from newsletter.flow import deliver as flow
from newsletter.flow.compile.previewing import NOBODY
from newsletter.models import Account, Delivery, DeliveryState, Issue
from newsletter.web.display import as_served_here
from newsletter.web.links import keys
from subscribers.models import Subscription
from tests.factories import make_subscription
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.providers.servers import SmtpServer
from tests.web.test_sending import press
from tests.web.test_sending import soon as soon
from tests.web.test_studio import person

pytestmark = pytest.mark.django_db
FRAME = "/studio/weekly/2026-11-05/edit/letter"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    host, port = server.address
    Account.objects.update(kind=Account.Kind.SMTP, settings={"host": host, "port": port, "connections": 1})
    yield server
    server.stop()


@pytest.fixture
def nour(issue: Issue) -> Subscription:
    """The last of five readers who each get another letter, by name and topics."""
    for number, topics in enumerate((["movie"], ["book", "movie"], ["book"])):
        person = make_subscription(f"reader{number}@readers.example.test", issue.newsletter.mailing_list, name="Bo")
        person.topics = topics
        person.save()
    last = make_subscription("nour@readers.example.test", issue.newsletter.mailing_list, name="Nour <Ünal> & Co.")
    last.topics = ["book", "music"]
    last.save()
    return last


def read(server: SmtpServer, address: str) -> list[EmailMessage]:
    found = [message_from_bytes(taken.message, policy=policy.default) for taken in server.taken
             if taken.recipient == address]  # fmt: skip
    return [message for message in found if isinstance(message, EmailMessage)]


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")  # CRLF is how lines end on the wire


def send_some(issue: Issue, relay: SmtpServer, most: int) -> None:
    """A worker's run that is told to stop once so many more messages were taken."""
    until = len(relay.taken) + most
    here = flow.Installation.of(settings.NEWSLETTER, os.environ)
    flow.deliver(issue, clock=timezone.now, installation=here, stopping=lambda: len(relay.taken) >= until)


def unnamed(html: str, reader: Subscription) -> str:
    """As whoever only looks gets it: with nobody's links, so that no look can stop or change a reader's mail."""
    html = html.replace(token(keys(), UNSUBSCRIBE, reader.pk), token(keys(), UNSUBSCRIBE, NOBODY))
    return re.sub(r"/p/[\w-]{24}", f"/p/{'S' * 24}", html)


def test_the_frame_the_test_mail_and_the_mail_of_one_reader_are_the_same_bytes(
    issue: Issue, nour: Subscription, relay: SmtpServer
) -> None:
    mara: Client = person("mara", "approve_issue", "view_subscriber")
    frame = mara.get(f"{FRAME}?as={nour.pk}").content.decode()
    assert "The test is on its way." in press(mara, f"test?as={nour.pk}", to="nour@readers.example.test")
    (test,) = read(relay, "nour@readers.example.test")

    press(mara, "approve")
    press(mara, "now")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        begun: datetime = timezone.now()
        flow.start(Issue.objects.get(), begun)
        relay.taken.clear()
        send_some(issue, relay, 2)
        assert "Paused by mara." in press(mara, "pause")
        taken = len(relay.taken)
        assert 2 <= taken < 5
        send_some(issue, relay, 9)
        assert len(relay.taken) == taken, "a paused issue sends nothing"
        press(mara, "resume")
        send_some(issue, relay, 9)
    assert Delivery.objects.filter(state=DeliveryState.ACCEPTED).count() == 5
    assert relay.taken[-1].recipient == "nour@readers.example.test", "behind the pause"
    (sent,) = read(relay, "nour@readers.example.test")

    # The address in the footer is the reader's own in all three; the links are theirs in the two mails alone.
    assert html_of(sent) == html_of(test)
    assert frame == as_served_here(unnamed(html_of(sent), nour), settings.NEWSLETTER.base_url)
    texts = [message.get_body(("plain",)) for message in (sent, test)]
    assert texts[0] and texts[1] and texts[0].get_content() == texts[1].get_content()
    assert test["Subject"] == f"[Test] {sent['Subject']}"
    differ = {name for name in sent.keys() if sent[name] != test[name]}  # noqa: SIM118 # a message is no mapping
    assert differ == {"Subject", "Message-ID", "Date"}
    others = {html_of(message) for taken in relay.taken for message in read(relay, taken.recipient)}
    assert len(others) == 5, "each of the five read another letter"
