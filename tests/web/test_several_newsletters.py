"""Two newsletters in one installation, each with its own list, from the mail to the link in it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from newsletter.core.tokens import Keys
from newsletter.flow import deliver as flow
from newsletter.models import Issue, Newsletter
from newsletter.providers.memory import MemoryProvider, mailbox
from subscribers import audience, consent, suppression
from subscribers.address import parse
from subscribers.models import MailingList, Subscriber, Subscription, SuppressionReason
from tests.factories import make_list, make_newsletter
from tests.sending import SLOT, Clock, make_approved
from tests.web.conftest import SECRET

pytestmark = pytest.mark.django_db
PEOPLE = {"weekly": ("ana@box.test", "bo@box.test"), "books": ("ana@box.test", "cy@box.test")}


@pytest.fixture
def series() -> dict[str, Newsletter]:
    mailbox().clear()
    for slug, people in PEOPLE.items():
        for address in people:
            consent.subscribe(
                make_list(slug), parse(address), now=SLOT, origin="form", wording="Yes, please.", confirmed=True
            )
    return {slug: make_newsletter(slug=slug, name=slug.title(), mailing_list=make_list(slug)) for slug in PEOPLE}


def send(newsletter: Newsletter, week: int) -> list[str]:
    """Who got that week's issue."""
    mailbox().clear()
    slot = SLOT + timedelta(weeks=week)
    issue: Issue = make_approved(newsletter=newsletter, slot=f"{slot:%Y-%m-%d}", slot_at=slot, number=week + 1)
    clock = Clock(slot)
    flow.start(issue, clock())
    installation = flow.Installation(keys=Keys(SECRET.encode()), outbox=Path("outbox"), environ={})
    provider = MemoryProvider(sleep=clock.sleep)
    flow.deliver(issue, clock=clock, installation=installation, provider=provider, sleep=clock.sleep)
    return sorted(sent.recipient for sent in mailbox())


def states() -> dict[tuple[str, str], str]:
    rows = Subscription.objects.values_list("mailing_list__slug", "subscriber__address", "state")
    return {(slug, address): state for slug, address, state in rows}


def test_each_newsletter_goes_to_its_own_list_and_one_person_may_be_on_both(series: dict[str, Newsletter]) -> None:
    assert Subscriber.objects.count() == 3 and Subscription.objects.count() == 4
    assert send(series["weekly"], 0) == ["ana@box.test", "bo@box.test"]
    assert send(series["books"], 0) == ["ana@box.test", "cy@box.test"]


def test_leaving_one_list_by_the_link_in_its_mail_leaves_the_other(series: dict[str, Newsletter]) -> None:
    send(series["weekly"], 0)
    mail = next(sent for sent in mailbox() if sent.recipient == "ana@box.test")
    found = re.search(rb"^List-Unsubscribe: <https://[^/]+(/[^>]+)>", mail.message, re.MULTILINE)
    assert found
    Client().post(found[1].decode(), {"List-Unsubscribe": "One-Click"})
    assert states() == {
        ("weekly", "ana@box.test"): "unsubscribed",
        ("weekly", "bo@box.test"): "active",
        ("books", "ana@box.test"): "active",
        ("books", "cy@box.test"): "active",
    }
    assert send(series["weekly"], 1) == ["bo@box.test"]
    assert send(series["books"], 1) == ["ana@box.test", "cy@box.test"]


def test_a_suppressed_address_gets_no_newsletter_at_all(series: dict[str, Newsletter]) -> None:
    suppression.suppress("ana@box.test", SuppressionReason.BOUNCE, now=SLOT)
    assert send(series["weekly"], 0) == ["bo@box.test"]
    assert send(series["books"], 0) == ["cy@box.test"]
    for mailing_list in MailingList.objects.all():
        assert audience.counts(mailing_list, {}, now=SLOT).excluded == {"suppressed": 1}
