"""Quiet readers: asked on evidence, never deleted, and any act of theirs ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.core.tokens import KEEP
from newsletter.flow import preferences as flow
from newsletter.flow.quiet import ask_quiet
from newsletter.flow.service import Kind
from newsletter.models import Delivery, DeliveryState, Evidence, Issue, IssueState, Newsletter, ServiceMail
from newsletter.web.links import keys
from subscribers import consent, preferences
from subscribers.models import ConsentEvent, ConsentKind, Subscription, SubscriptionState
from tests.factories import make_newsletter, make_subscription
from tests.sending import KEYS

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
BASE = "https://news.example.test"


@pytest.fixture
def newsletter() -> Newsletter:
    return make_newsletter(quiet_weeks=26)


@pytest.fixture
def ada(newsletter: Newsletter) -> Subscription:
    """Sent 25 issues in half a year, without a word; one of them bounced softly."""
    row = make_subscription("ada@box.test", newsletter.mailing_list)
    for week in range(25):
        at = NOW - timedelta(weeks=week + 1)
        issue = Issue.objects.create(
            newsletter=newsletter, slot=f"{at:%Y-%m-%d}", slot_at=at, cutoff_at=at, number=week + 1, created_at=at,
            state=IssueState.SENT,
        )  # fmt: skip
        state = DeliveryState.ACCEPTED
        Delivery.objects.create(issue=issue, subscription=row, address="ada@box.test", state=state, at=at)
    bounced(row)
    return row


def bounced(row: Subscription, kind: str = "bounce") -> None:
    Evidence.objects.create(
        event=f"{kind}{row.pk}", subscription=row, kind=kind, reporter="mail", at=NOW - timedelta(days=9)
    )


def ask(days: float = 0) -> tuple[int, int]:
    return ask_quiet(now=NOW + timedelta(days=days), keys=KEYS, base_url=BASE)


def test_a_quiet_reader_is_asked_twice_and_then_paused_and_never_deleted(ada: Subscription) -> None:
    assert ask() == (1, 0) and ask() == (0, 0) and ask(13) == (0, 0)
    assert ask(15) == (1, 0) and ask(28) == (0, 0)
    assert ServiceMail.objects.filter(kind=Kind.KEEP).count() == 2
    assert ask(30) == (0, 1)
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.PAUSED and ada.paused_until is None
    assert ask(60) == (0, 0) and preferences.resume_due(NOW + timedelta(days=900)) == 0, "only they end it"
    assert preferences.keep(ada, now=NOW + timedelta(days=61), origin="still wanted")
    ada.refresh_from_db()
    assert (ada.state, ada.quiet_asks) == (SubscriptionState.ACTIVE, 0) and ask(62) == (0, 0)


@pytest.mark.parametrize("kind", [ConsentKind.CONFIRMED, ConsentKind.CHANGED, ConsentKind.IMPORTED])
def test_any_act_of_their_own_is_a_sign_of_life(ada: Subscription, kind: ConsentKind) -> None:
    consent.record(ada, kind, now=NOW - timedelta(weeks=20), origin="test")
    assert ask() == (0, 0)


def test_silence_alone_proves_nothing(ada: Subscription) -> None:
    Evidence.objects.all().delete()
    assert ask() == (0, 0)
    bounced(ada, "auto-reply")
    assert ask() == (0, 0), "somebody on holiday is no trouble"
    Evidence.objects.update(forgiven_at=NOW)
    Subscription.objects.update(refusals_in_row=1)
    assert ask() == (1, 0)


def test_who_was_sent_few_issues_is_left_in_peace(ada: Subscription) -> None:
    Delivery.objects.filter(pk__in=list(Delivery.objects.values_list("pk", flat=True)[:10])).update(state="excluded")
    assert ask() == (0, 0)


def test_a_newsletter_asks_only_when_it_wants_to(ada: Subscription, newsletter: Newsletter) -> None:
    Newsletter.objects.update(quiet_weeks=0)
    assert ask() == (0, 0)
    Newsletter.objects.update(quiet_weeks=26)
    consent.unsubscribe(ada, now=NOW, origin="link page")
    assert ask() == (0, 0)


def test_the_button_keeps_and_opening_the_page_does_not(client: Client, ada: Subscription, settings: Any) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER.__class__(base_url=BASE, secret_key="s" * 40)
    ask()
    link = flow.link_to(KEEP, ada, keys=keys(), base_url="", now=timezone.now())
    events = ConsentEvent.objects.count()
    for _ in range(3):
        assert client.get(link).status_code == client.head(link).status_code == 200
    ada.refresh_from_db()
    assert ada.quiet_asks == 1 and ConsentEvent.objects.count() == events
    assert "It keeps coming" in client.post(link).content.decode()
    ada.refresh_from_db()
    assert ada.quiet_asks == 0
    assert client.get("/k/" + "A" * 24).status_code == 404


def test_the_privacy_page_states_the_facts_of_this_installation(client: Client, newsletter: Newsletter) -> None:
    page = client.get(f"/privacy/{newsletter.slug}").content.decode()
    assert (
        "Lantern Press LLC" in page and "12 Wick Street" in page and "after 14 days" in page and "after 90 days" in page
    )
    assert client.get("/privacy/nothing").status_code == 404
    assert 'dir="rtl"' in client.get(f"/privacy/{newsletter.slug}?lang=ar").content.decode()
