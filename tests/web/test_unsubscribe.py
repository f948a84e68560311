from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from newsletter.core.tokens import Keys, token
from subscribers.models import ConsentEvent, Subscription, SubscriptionState
from tests.factories import make_newsletter, make_subscription
from tests.web.conftest import SECRET

pytestmark = pytest.mark.django_db
ONE_CLICK = "List-Unsubscribe=One-Click"
URLENCODED = ("application/x-www-form-urlencoded", ONE_CLICK)
MULTIPART = (
    "multipart/form-data; boundary=abc",
    f'--abc\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n{ONE_CLICK[17:]}\r\n--abc--\r\n',
)


@pytest.fixture
def browser() -> Client:
    """A client that is refused whatever lacks a CSRF token, as in real life."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def subscription() -> Subscription:
    make_newsletter()
    return make_subscription("dana@gmail.example", name="Dana")


def link(subscription: Subscription, purpose: str = "unsubscribe") -> str:
    return f"/u/{token(Keys(SECRET.encode()), purpose, subscription.pk)}"


def state_of(subscription: Subscription) -> str:
    return Subscription.objects.get(pk=subscription.pk).state


@pytest.mark.parametrize(("content_type", "body"), [URLENCODED, MULTIPART])
def test_one_click_stops_the_mail_in_both_encodings(
    browser: Client, subscription: Subscription, content_type: str, body: str
) -> None:
    for _ in range(5):
        answer = browser.post(link(subscription), body, content_type=content_type)
        assert answer.status_code == 200
        assert not answer.cookies
        assert "Location" not in answer.headers
    assert state_of(subscription) == SubscriptionState.UNSUBSCRIBED
    event = ConsentEvent.objects.get()
    assert event.origin == "link one-click"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", ""),
        ("multipart/form-data; boundary=abc", "--abc\r\nContent-Dispo"),
        ("multipart/form-data", "no boundary"),
        ("application/json", "{"),
        ("", "\xff\x00"),
        ("application/x-www-form-urlencoded", "&".join(f"a{n}=1" for n in range(2000))),
        ("application/x-www-form-urlencoded; charset=nonsense", "x=%ff"),
    ],
)
def test_a_body_that_cannot_be_read_keeps_nobody_subscribed(
    browser: Client, subscription: Subscription, content_type: str, body: str
) -> None:
    answer = browser.generic("POST", link(subscription), body, content_type=content_type)
    assert answer.status_code == 200
    assert state_of(subscription) == SubscriptionState.UNSUBSCRIBED


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["", "/undo"])
def test_nothing_but_post_changes_anything(browser: Client, subscription: Subscription, method: str, path: str) -> None:
    for _ in range(3):
        answer = browser.generic(method, link(subscription) + path)
        assert answer.status_code == (200 if method in ("GET", "HEAD") and not path else 405)
        assert not answer.cookies
    assert state_of(subscription) == SubscriptionState.ACTIVE
    assert not ConsentEvent.objects.exists()


def test_the_page_asks_with_one_button_and_a_masked_address(browser: Client, subscription: Subscription) -> None:
    page = browser.get(link(subscription)).content.decode()
    assert "<title>Unsubscribe from LANTERN Weekly?</title>" in page
    assert "d•••@g•••.example" in page
    assert "dana" not in page.lower()
    # The first button is the one that the page is about; less is offered below it.
    assert page.count("<button") == page.count("<form") == 3 and page.index("from_page") < page.index("/pause")
    assert "<script" not in page


def test_the_button_stops_the_mail_and_undo_brings_it_back(browser: Client, subscription: Subscription) -> None:
    done = browser.post(link(subscription), {"from_page": "1"}).content.decode()
    assert "You’re unsubscribed" in done
    assert f'action="{link(subscription)}/undo"' in done
    back = browser.post(f"{link(subscription)}/undo")
    assert back.status_code == 200
    assert "You’re subscribed again" in back.content.decode()
    assert state_of(subscription) == SubscriptionState.ACTIVE
    assert list(ConsentEvent.objects.order_by("pk").values_list("kind", "origin")) == [
        ("unsubscribed", "link page"),
        ("confirmed", "link undo"),
    ]
    assert "You’re unsubscribed" in browser.post(link(subscription)).content.decode()


def test_undo_of_nothing_changes_nothing(browser: Client, subscription: Subscription) -> None:
    assert browser.post(f"{link(subscription)}/undo").status_code == 200
    assert not ConsentEvent.objects.exists()


def test_the_page_after_the_fact_says_so_and_offers_no_second_button(
    browser: Client, subscription: Subscription
) -> None:
    Subscription.objects.update(state=SubscriptionState.UNSUBSCRIBED)
    page = browser.get(link(subscription)).content.decode()
    assert "You’re unsubscribed" in page
    assert "<button" not in page


def test_the_link_of_a_person_who_is_gone_still_answers_kindly(browser: Client, subscription: Subscription) -> None:
    old = link(subscription)
    subscription.subscriber.delete()
    for answer in (browser.get(old), browser.post(old), browser.post(f"{old}/undo")):
        assert answer.status_code == 200
        assert "You won’t get mail from us" in answer.content.decode()


def test_every_altered_token_gets_the_same_404(browser: Client, subscription: Subscription) -> None:
    good = link(subscription).removeprefix("/u/")
    dice = random.Random(8)
    wrong = {link(subscription, "preferences").removeprefix("/u/"), good[:-1], f"{good}A", "x", "%00", "ü" * 24}
    while len(wrong) < 300:
        letters = list(good)
        letters[dice.randrange(24)] = dice.choice("ABCDwxyz0189-_")
        wrong.add("".join(letters))
    wrong.discard(good)
    bodies = set()
    for text in wrong:
        for answer in (browser.get(f"/u/{text}"), browser.post(f"/u/{text}", *URLENCODED[::-1])):
            assert answer.status_code == 404
            bodies.add(answer.content)
    assert len(bodies) == 1
    assert state_of(subscription) == SubscriptionState.ACTIVE


def test_the_page_speaks_the_readers_language(browser: Client, subscription: Subscription) -> None:
    person = subscription.subscriber
    for language, title, direction in (
        ("de-AT", "abbestellen?", "ltr"),
        ("ar", "هل تريد", "rtl"),
        ("ja", "解除しますか", "ltr"),
        ("xx", "from", "ltr"),
    ):
        person.language = language
        person.save()
        page = browser.get(link(subscription)).content.decode()
        assert title in page
        spoken = {"de-AT": "de", "xx": "en"}.get(language, language)
        assert f'<html lang="{spoken}" dir="{direction}">' in page


def test_a_newsletters_name_is_data_in_the_page(browser: Client, subscription: Subscription) -> None:
    subscription.mailing_list.name = "<b>{x}</b>{{ 7*7 }}"
    subscription.mailing_list.save()
    from newsletter.models import Newsletter

    Newsletter.objects.all().delete()
    page = browser.get(link(subscription)).content.decode()
    assert "&lt;b&gt;{x}&lt;/b&gt;{{ 7*7 }}" in page


def test_a_link_from_before_the_secret_key_was_changed_still_stops_the_mail_a_year_later(
    browser: Client, subscription: Subscription, settings: Any
) -> None:
    old = link(subscription)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, secret_key="n" * 40, previous_secret_keys=(SECRET,))
    with time_machine.travel(timezone.now() + timedelta(days=365), tick=False):
        assert browser.post(old).status_code == 200
    assert state_of(subscription) == SubscriptionState.UNSUBSCRIBED
    settings.NEWSLETTER = replace(settings.NEWSLETTER, previous_secret_keys=())
    assert browser.get(old).status_code == 404


@pytest.mark.parametrize("path", ["", "/undo", "wrong"])
def test_token_pages_are_kept_nowhere_and_framed_by_nobody(
    browser: Client, subscription: Subscription, path: str
) -> None:
    def headers_are_right(answer: HttpResponse) -> None:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert "script" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    headers_are_right(browser.get(link(subscription) + path))
    headers_are_right(browser.post(link(subscription) + path))
