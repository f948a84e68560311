"""A scanner that opens every link of every mail, and every link and form that it finds there, changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.core.tokens import DATA, PREFERENCES, UNSUBSCRIBE, token
from newsletter.flow import deliver as sending
from newsletter.flow import preferences, service
from newsletter.flow.deliver import Installation
from newsletter.flow.service import Kind
from newsletter.flow.signup.confirming import confirm_link
from newsletter.models import Issue, Newsletter
from newsletter.providers.memory import mailbox
from newsletter.web.links import keys
from subscribers import consent
from subscribers.address import parse
from tests.factories import make_newsletter, make_subscription
from tests.sending import DESIGN, make_approved
from tests.web.test_looking_changes_nothing import dump

pytestmark = pytest.mark.django_db
BASE = "https://news.example.test"
LINK = re.compile(rf"{re.escape(BASE)}(/[^\s\"'<>)]*)")
FOUND_IN_PAGE = re.compile(r'(?:href|src|action)="(/[^"#]*)"')
WITH_PREFERENCES = replace(
    DESIGN,
    files={
        **DESIGN.files,
        "letter.txt": DESIGN.files["letter.txt"] + "\nChange: {{ subscriber.preferences_url }}",
    },
)


@pytest.fixture
def newsletter(settings: Any) -> Newsletter:
    mailbox().clear()
    settings.NEWSLETTER = replace(settings.NEWSLETTER, base_url=BASE, secret_key="s" * 40)
    return make_newsletter()


def write_every_mail(newsletter: Newsletter) -> None:
    """What asks, hands out links, and the issue itself; each by the act that causes it."""
    now, own = timezone.now(), {"keys": keys(), "base_url": BASE, "now": timezone.now()}
    ada = make_subscription("ada@box.test", newsletter.mailing_list)
    leaving = make_subscription("gone@box.test", newsletter.mailing_list)
    asking = make_subscription("new@box.test", newsletter.mailing_list, state="pending")
    link = confirm_link(asking, **own)
    for kind in (Kind.CONFIRM, Kind.REMIND):
        service.queue(kind, newsletter=newsletter, address="new@box.test", subscription=asking, now=now,
                      values={"link": link})  # fmt: skip
    for kind in (Kind.WELCOME, Kind.ALREADY):
        opens = preferences.link_to(PREFERENCES, ada, **own)
        service.queue(kind, newsletter=newsletter, address="ada@box.test", subscription=ada, now=now,
                      values={"link": opens})  # fmt: skip
    for purpose in (PREFERENCES, DATA):
        assert preferences.send_link(ada, purpose, **own)
    assert preferences.ask_to_move(ada, parse("ada@new.test"), **own)
    assert preferences.ask_to_erase(leaving, **own)
    installation = Installation(keys=keys(), outbox=Path("outbox"), environ={})
    service.deliver_due(service.Composer(keys()), installation, clock=timezone.now)
    issue = make_approved(0, newsletter=newsletter, design=WITH_PREFERENCES)
    sending.start(issue, now)
    sending.deliver(issue, clock=timezone.now, installation=installation)
    assert Issue.objects.get().state == "sent"


def links_of(raw: bytes) -> Iterator[str]:
    """Those in the headers and in both parts."""
    message = message_from_bytes(raw, policy=policy.default)
    texts = [str(value) for value in message.values()]
    texts += [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    for text in texts:
        yield from LINK.findall(unescape(text))


def test_every_link_of_every_mail_and_page_opened_three_times_changes_nothing(
    client: Client, newsletter: Newsletter
) -> None:
    write_every_mail(newsletter)
    # Of somebody who has left just now, so that there is something to take back.
    left = make_subscription("left@box.test", newsletter.mailing_list)
    consent.unsubscribe(left, now=timezone.now(), origin=f"{consent.LINK} page")
    mailed = {link for sent in mailbox() for link in links_of(sent.message)}
    waiting = sorted({*mailed, f"/u/{token(keys(), UNSUBSCRIBE, left.pk)}"})
    assert {link.split("/")[1] for link in waiting} >= {"u", "p", "d", "a", "c"}
    before, seen = dump(), set(waiting)
    while waiting:
        path = waiting.pop()
        for _ in range(3):
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = client.generic(method, path)
                if answer.streaming:
                    b"".join(answer.streaming_content)  # which closes the file
                assert answer.status_code < 500, (method, path)
                if method == "GET" and "html" in answer.headers["Content-Type"]:
                    found = {unescape(link) for link in FOUND_IN_PAGE.findall(answer.content.decode())} - seen
                    seen |= found
                    waiting += sorted(found)
    assert dump() == before
    # The forms of the pages too: what only a button does is asked without one.
    assert {path.rpartition("/")[2] for path in seen} >= {"pause", "fewer", "undo", "link", "erase", "address", "keep"}
