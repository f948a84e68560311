"""Every page and every state that a reader can meet, by day and by night, from 320 pixels up, in English and Arabic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from newsletter.core.tokens import ADDRESS, DATA, KEEP, PREFERENCES, UNSUBSCRIBE, token
from newsletter.flow import preferences as flow
from newsletter.flow import signup
from newsletter.models import Newsletter, ServiceMail, SignupForm
from newsletter.web.links import keys
from newsletter.web.public import urls
from newsletter.web.public.embedding import embed_code
from subscribers import consent
from subscribers.models import Subscriber, Subscription, SubscriptionState
from tests.browser.conftest import Visitor
from tests.browser.looking import PICTURES, faults
from tests.factories import make_subscription
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Without TLS, like the live server: from https to http a browser names no origin (Fetch, "append an Origin header").
SITE = "http://lantern.example.test"
SIZES = ((1280, False), (1280, True), (375, True), (320, False))

# Which test below shows the states of each address. An address that is not here fails `test_no_page_is_forgotten`.
SHOWN = {
    "signup": "sign-up", "confirm": "confirm", "confirm-again": "confirm", "unsubscribe": "leaving",
    "unsubscribe-undo": "leaving", "unsubscribe-pause": "leaving", "unsubscribe-fewer": "leaving",
    "unsubscribe-reason": "leaving", "preferences": "preferences", "preferences-pause": "preferences",
    "preferences-resume": "preferences", "preferences-link": "preferences", "data": "data", "data-address": "data",
    "data-name": "data", "data-erase": "data", "data-keep": "data", "new-address": "data",
    "keep": "quiet", "privacy": "privacy",
}  # fmt: skip
NO_PAGES = {"signup-json", "signup-script", "skin", "data-export", "media", "view-online"}
"""Files, scripts, and the letter itself, which has tests of its own."""


def test_no_page_is_forgotten() -> None:
    assert {pattern.name for pattern in urls.urlpatterns} == set(SHOWN) | NO_PAGES


def look(visitor: Visitor, name: str) -> None:
    """The page as it stands, at every size, by day and by night: no fault, nothing wider than the window."""
    page = visitor.page
    for width, dark in SIZES:
        visitor.look(width=width, dark=dark)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}{'-dark' if dark else ''}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (name, width)
        if width != 320:
            assert faults(page) == [], (name, width, dark)


def press(visitor: Visitor, button: str) -> Page:
    visitor.page.get_by_role("button", name=button, exact=True).first.click()
    visitor.page.wait_for_load_state("networkidle")
    return visitor.page


@pytest.fixture
def form(newsletter: Newsletter) -> SignupForm:
    return SignupForm.objects.create(
        slug="weekly", newsletter=newsletter, ask_name=True, topics=["book", "movie"], origins=[SITE]
    )


@pytest.fixture
def ada(newsletter: Newsletter, issue: object) -> Subscription:
    return Subscription.objects.select_related("subscriber").get()


def path(purpose: str, row: Subscription) -> str:
    row.refresh_from_db()
    row.subscriber.refresh_from_db()
    return flow.link_to(purpose, row, keys=keys(), base_url="", now=timezone.now())


def work() -> None:
    signup.work_off(clock=timezone.now, keys=keys(), base_url="", mails_per_hour=1000)


def test_sign_up(visitor: Visitor, form: SignupForm) -> None:
    with time_machine.travel(timezone.now() - timedelta(seconds=9), tick=False):
        visitor.go("/s/weekly")
    look(visitor, "signup")
    page = visitor.page
    page.get_by_label("Email address").fill("ada")
    press(visitor, "Get the weekly")
    page.get_by_text("doesn’t look like an email address").wait_for()
    assert page.evaluate("document.activeElement.id") == "address", "the cursor is where the mistake is"
    visitor.errors.clear()  # 422 is an error to the console, and the right status
    look(visitor, "signup-problem")
    with time_machine.travel(timezone.now() - timedelta(seconds=9), tick=False):
        visitor.go("/s/weekly")
    page.get_by_label("Email address").fill("ada@gmial.com")
    press(visitor, "Get the weekly")
    page.get_by_role("button", name="ada@gmail.com").wait_for()
    look(visitor, "signup-suggestion")
    visitor.errors.clear()
    press(visitor, "ada@gmail.com")
    page.get_by_role("heading", name="Check your inbox").wait_for()
    look(visitor, "signup-sent")
    with time_machine.travel(timezone.now() + timedelta(seconds=9), tick=False):
        visitor.go("/s/weekly")
    page.get_by_label("Email address").fill("ada@box.test")
    press(visitor, "Get the weekly")
    page.get_by_text("One more press").wait_for()
    look(visitor, "signup-again")
    visitor.errors.clear()
    visitor.go("/s/weekly?lang=ar")
    look(visitor, "signup-ar")
    SignupForm.objects.update(is_open=False)
    visitor.go("/s/weekly")
    look(visitor, "signup-closed")
    visitor.go("/s/nowhere")
    look(visitor, "signup-missing")
    visitor.errors.clear()


def test_confirm(visitor: Visitor, ada: Subscription) -> None:
    Subscription.objects.update(state=SubscriptionState.PENDING)
    ada.refresh_from_db()
    link = signup.confirm_link(ada, keys=keys(), base_url="", now=timezone.now())
    old = signup.confirm_link(ada, keys=keys(), base_url="", now=timezone.now() - timedelta(days=9))
    visitor.go(old)
    look(visitor, "confirm-expired")
    press(visitor, "Send me a new link")
    look(visitor, "confirm-asked")
    visitor.go(link)
    look(visitor, "confirm")
    press(visitor, "Yes, subscribe me").get_by_role("heading", name="You’re in").wait_for()
    look(visitor, "confirm-done")
    visitor.go(link)
    look(visitor, "confirm-already")
    ada.refresh_from_db()
    consent.unsubscribe(ada, now=timezone.now(), origin="link page")
    visitor.go(link)
    look(visitor, "confirm-cancelled")
    visitor.go(f"/c/{'A' * 24}")
    look(visitor, "confirm-unknown")
    visitor.errors.clear()


def test_preferences(visitor: Visitor, ada: Subscription) -> None:
    visitor.go(path(PREFERENCES, ada))
    look(visitor, "preferences")
    visitor.page.get_by_label("At most once a month").check()
    press(visitor, "Save").get_by_text("Saved.").wait_for()
    look(visitor, "preferences-saved")
    press(visitor, "Two weeks").get_by_text("You get no issue before").first.wait_for()
    look(visitor, "preferences-paused")
    press(visitor, "End the pause now")
    look(visitor, "preferences-resumed")
    press(visitor, "Mail me the link").get_by_role("heading", name="Check your inbox").wait_for()
    look(visitor, "preferences-link")
    with time_machine.travel(timezone.now() - timedelta(days=40), tick=False):
        expired = path(PREFERENCES, ada)
    visitor.go(expired)
    look(visitor, "preferences-expired")
    consent.unsubscribe(ada, now=timezone.now(), origin="link page")
    visitor.go(path(PREFERENCES, ada) + "?lang=ar")
    look(visitor, "preferences-ar")
    visitor.go(f"/p/{'A' * 24}")
    look(visitor, "preferences-unknown")
    visitor.errors.clear()


def test_data(visitor: Visitor, ada: Subscription) -> None:
    visitor.go(path(DATA, ada))
    look(visitor, "data")
    page = visitor.page
    page.get_by_label("A new address").fill("nonsense")
    press(visitor, "Change").get_by_text("doesn’t look like an email address").wait_for()
    visitor.errors.clear()
    look(visitor, "data-problem")
    page.get_by_label("A new address").fill("ada@new.test")
    press(visitor, "Change").get_by_text("Until it says yes").wait_for()
    look(visitor, "data-asked")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.locator("form[action$='/name'] button").click()
    page.get_by_text("Saved.").wait_for()
    page.locator("form[action$='/erase'] button").click()
    page.get_by_text("Type the word to be sure").wait_for()
    visitor.errors.clear()
    look(visitor, "data-word")
    page.get_by_label("Type “delete”").fill("delete")
    page.locator("form[action$='/erase'] button").click()
    page.get_by_text("Everything goes in a day").wait_for()
    look(visitor, "data-erasing")
    press(visitor, "Keep my data after all").get_by_text("Everything is as it was").wait_for()
    visitor.go(path(DATA, ada) + "?lang=ar")
    look(visitor, "data-ar")
    link = path(ADDRESS, ada)
    visitor.go(link)
    look(visitor, "address")
    Subscriber.objects.create(address="x@new.test", address_key="ada@new.test", created_at=timezone.now())
    press(visitor, "Yes, use this address").get_by_role("heading", name="Nothing has changed").wait_for()
    look(visitor, "address-taken")
    Subscriber.objects.filter(address="x@new.test").delete()
    visitor.go(link)
    press(visitor, "Yes, use this address").get_by_role("heading", name="Your address has changed").wait_for()
    look(visitor, "address-moved")


def test_quiet(visitor: Visitor, ada: Subscription) -> None:
    visitor.go(path(KEEP, ada))
    look(visitor, "keep")
    press(visitor, "Yes, keep it coming").get_by_role("heading", name="It keeps coming").wait_for()
    look(visitor, "keep-kept")
    visitor.go(path(KEEP, ada) + "?lang=ar")
    look(visitor, "keep-ar")
    consent.unsubscribe(ada, now=timezone.now(), origin="link page")
    visitor.go(path(KEEP, ada))
    press(visitor, "Yes, keep it coming").get_by_role("heading", name="You’re not subscribed").wait_for()
    look(visitor, "keep-left")


def test_privacy(visitor: Visitor, newsletter: Newsletter) -> None:
    visitor.go(f"/privacy/{newsletter.slug}")
    look(visitor, "privacy")
    visitor.go(f"/privacy/{newsletter.slug}?lang=ar")
    look(visitor, "privacy-ar")


def test_leaving(visitor: Visitor, newsletter: Newsletter, ada: Subscription) -> None:
    link = f"/u/{token(keys(), UNSUBSCRIBE, ada.pk)}"
    visitor.go(link)
    look(visitor, "leave")
    press(visitor, "One issue a month")
    look(visitor, "leave-fewer")
    visitor.go(link)
    press(visitor, "Pause for a month").get_by_role("heading", name="You have a pause").wait_for()
    look(visitor, "leave-paused")
    press(visitor, "Unsubscribe").get_by_role("heading", name="You’re unsubscribed").wait_for()
    look(visitor, "leave-done")
    visitor.page.get_by_label("Too many mails").check()
    press(visitor, "Send the answer").get_by_text("Thank you.").wait_for()
    look(visitor, "leave-thanked")
    press(visitor, "Undo").get_by_role("heading", name="You’re subscribed again").wait_for()
    look(visitor, "leave-back")
    visitor.go(f"{link}?lang=ar")
    look(visitor, "leave-ar")
    gone = make_subscription("gone@box.test", newsletter.mailing_list)
    number = gone.pk
    gone.delete()
    visitor.go(f"/u/{token(keys(), UNSUBSCRIBE, number)}")
    look(visitor, "leave-gone")


# --- the whole way ---------------------------------------------------------------------------------------------------


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Callable[[bool], Page]]:
    """New windows, with a script engine or without. They close once the server is down, as `context` does: a server's
    thread that sees its connection end earlier closes a database connection that is not its own.
    """
    made: list[BrowserContext] = []

    def window(javascript: bool) -> Page:
        made.append(chromium.new_context(java_script_enabled=javascript))
        return made[-1].new_page()

    yield window
    for context in made:
        context.close()


def embedded(page: Page, server: str, form: SignupForm, *, script: bool, language: str) -> Page:
    """The magazine's own site in a window, on a page that carries our code."""
    code = embed_code(form, language, base_url=server, script=script)
    html = f'<!doctype html><html lang="{language}"><title>A review</title><main><h1>A review</h1>{code}</main></html>'
    page.route(f"{SITE}/**", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    page.goto(f"{SITE}/a-review")
    return page


Press = Callable[[Page, str], None]


def by_mouse(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def by_keyboard(page: Page, name: str) -> None:
    """Tab until the button has the focus, then Enter."""
    for _ in range(40):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "document.activeElement.matches('button') ? document.activeElement.textContent.trim() : ''"
        )
        if said == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"No key leads to {name!r}")


WORDS = {
    "en": ("Get the weekly", "Yes, subscribe me", "Save", "Unsubscribe", "Undo"),
    "ar": ("احصل على النشرة الأسبوعية", "نعم، أريد الاشتراك", "حفظ", "إلغاء الاشتراك", "تراجع"),
}


@pytest.mark.parametrize(
    ("language", "script", "javascript", "press_"),
    [
        ("en", True, True, by_mouse),
        ("en", False, False, by_keyboard),
        ("ar", True, True, by_mouse),
        ("ar", False, False, by_mouse),
    ],
)
def test_from_an_embedded_form_to_goodbye_and_back(
    windows: Callable[[bool], Page],
    live_server: LiveServer,
    settings: object,
    form: SignupForm,
    issue: object,
    language: str,
    script: bool,
    javascript: bool,
    press_: Press,
) -> None:
    settings.ALLOWED_HOSTS = ["*"]  # type: ignore[attr-defined]
    sign_up, confirm, save, leave, undo = WORDS[language]
    server = live_server.url
    page = embedded(windows(javascript), server, form, script=script, language=language)
    # A stamp needs two seconds, as a person does; a static page has none.
    page.locator("input[type=email]").fill("nora@box.test")
    page.wait_for_timeout(2100 if script else 0)
    press_(page, sign_up)
    page.get_by_text({"en": "confirmation is on its way", "ar": "رسالة التأكيد في الطريق"}[language]).first.wait_for()
    work()
    nora = Subscription.objects.select_related("subscriber").get(subscriber__address="nora@box.test")
    assert nora.state == SubscriptionState.PENDING and nora.subscriber.language == language
    link = str(ServiceMail.objects.get(kind="confirm").values["link"])
    page.goto(server + link)
    with page.expect_navigation():
        press_(page, confirm)
    nora.refresh_from_db()
    assert nora.state == SubscriptionState.ACTIVE
    page.goto(server + path(PREFERENCES, nora))
    page.locator("input[value=monthly]").check()
    with page.expect_navigation():
        press_(page, save)
    nora.refresh_from_db()
    assert nora.frequency == "monthly"
    page.goto(f"{server}/u/{token(keys(), UNSUBSCRIBE, nora.pk)}")
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    with page.expect_navigation():
        press_(page, leave)
    nora.refresh_from_db()
    assert nora.state == SubscriptionState.UNSUBSCRIBED
    with page.expect_navigation():
        press_(page, undo)
    nora.refresh_from_db()
    assert nora.state == SubscriptionState.ACTIVE
