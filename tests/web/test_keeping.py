"""An expired log-in loses nothing typed: forms are kept through the log-in page, with a script and without."""

from __future__ import annotations

import html
import re
from base64 import b32decode
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from newsletter.core import second_step as core
from newsletter.flow import second_step
from newsletter.flow.people import Role, give
from newsletter.models import Issue
from newsletter.web.links import seal
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
DESK = "/studio/weekly/2026-11-05/edit"
WORDS = f"{DESK}/words"
STEP = "/studio/account/second-step/"
GOOD = "the lighthouse keeps"
TYPED = "A short week, <b>said</b> mara.\r\n“Überall” שלום"


@pytest.fixture
def mara() -> User:
    user = User.objects.create_user("mara", password=GOOD)
    give(user, Role.ADMIN)
    return user


@pytest.fixture
def browser(mara: User, issue: Issue) -> Client:
    client = Client(enforce_csrf_checks=True, headers={"origin": "http://testserver"})
    client.force_login(mara)
    return client


def fields(page: str) -> dict[str, str]:
    """Every field of a page's first form that posts, hidden ones among them."""
    found = re.findall(r'<(?:input|textarea)[^>]*?name="([^"]+)"[^>]*?(?:value="([^"]*)"[^>]*)?>', page)
    return {name: html.unescape(value) for name, value in found}


def form_of(browser: Client) -> dict[str, str]:
    """The desk's form about the issue, with a note typed into it."""
    page = browser.get(f"{DESK}?at=issue").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    return {"csrfmiddlewaretoken": token[1], "at": "issue", "note": TYPED, "was_note": fields(page)["was_note"]}


def log_in(browser: Client, page: str) -> str:
    """Fill in the log-in page, press, and follow; returns the page that comes."""
    sent = {**fields(page), "username": "mara", "password": GOOD}
    answer = browser.post("/login/", sent, follow=True)
    assert answer.redirect_chain[-1][0] == "/studio/again/"
    return answer.content.decode()


def note() -> str:
    return Issue.objects.get().note.replace("\r\n", "\n")


def test_a_form_without_a_log_in_is_kept_through_it_and_sent_again_by_one_press(browser: Client) -> None:
    form = form_of(browser)
    Session.objects.all().delete()
    late = browser.post(WORDS, form)
    page = late.content.decode()
    assert late.status_code == 403
    assert late.headers["Cache-Control"] == "no-store"
    assert "What you typed is kept" in page and "<b>said" not in page
    assert not Session.objects.exists()  # a stranger fills no table
    shown = log_in(browser, page)
    assert "Nothing is lost" in shown and "&lt;b&gt;said&lt;/b&gt;" in shown
    again = fields(shown)
    assert again["note"] == TYPED
    assert browser.post(WORDS, again).status_code == 302
    assert note() == TYPED.replace("\r\n", "\n")


def test_a_wrong_password_and_a_second_step_on_the_way_lose_nothing(browser: Client, mara: User) -> None:
    secret, now = b"a secret of 20 bytes", timezone.now()
    recovery = second_step.turn_on(mara, secret, core.digits_at(secret, now), seal=seal(), now=now)
    form = form_of(browser)
    Session.objects.all().delete()
    page = browser.post(WORDS, form).content.decode()
    wrong = browser.post("/login/", {**fields(page), "username": "mara", "password": "guess"}).content.decode()
    assert "don’t belong together" in wrong
    sent = {**fields(wrong), "username": "mara", "password": GOOD}
    step = browser.post("/login/", sent, follow=True)
    assert step.redirect_chain[-1][0] == "/login/code"
    answer = browser.post("/login/code", {**fields(step.content.decode()), "code": recovery[0]}, follow=True)
    assert fields(answer.content.decode())["note"] == TYPED


def test_a_log_in_in_another_tab_makes_the_token_old_and_the_form_is_offered_with_a_new_one(
    browser: Client, mara: User
) -> None:
    form = form_of(browser)
    Session.objects.all().delete()
    login = browser.get("/login/").content.decode()
    browser.post("/login/", {**fields(login), "username": "mara", "password": GOOD})
    late = browser.post(WORDS, form)
    assert late.status_code == 403
    again = fields(late.content.decode())
    assert again["note"] == TYPED
    assert browser.post(WORDS, again).status_code == 302
    assert note() == TYPED.replace("\r\n", "\n")


def test_a_log_in_page_that_holds_a_form_loses_it_not_to_another_tab(browser: Client) -> None:
    form = form_of(browser)
    Session.objects.all().delete()
    page = browser.post(WORDS, form).content.decode()
    other = browser.get("/login/").content.decode()
    browser.post("/login/", {**fields(other), "username": "mara", "password": GOOD})
    late = browser.post("/login/", {**fields(page), "username": "mara", "password": GOOD})
    assert fields(late.content.decode())["note"] == TYPED
    assert GOOD not in late.content.decode()


@pytest.mark.parametrize("origin", ["https://evil.test", "null", ""])
def test_a_form_that_no_page_of_ours_sent_is_not_shown_again(browser: Client, mara: User, origin: str) -> None:
    for client in (browser, Client(enforce_csrf_checks=True)):
        answer = client.post(WORDS, {"note": TYPED}, headers={"origin": origin} if origin else {"origin": None})
        assert answer.status_code == 403
        assert "said" not in answer.content.decode()
        assert "The page was open too long" in answer.content.decode()


def test_a_second_step_that_is_asked_in_the_middle_of_a_session_loses_nothing(
    browser: Client, settings: Settings
) -> None:
    form = form_of(browser)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, require_second_step=True)
    asked = browser.post(WORDS, form)
    page = asked.content.decode()
    assert asked.status_code == 403 and asked.headers["Cache-Control"] == "no-store"
    assert "What you typed is kept" in page and "<b>said" not in page
    # What a script sends meanwhile is kept in its own answer, and takes nobody's place.
    browser.post(f"{DESK}/try", {**form, "note": "half of it"})
    led = browser.post("/studio/account/second-step/keep", fields(page), follow=True)
    token = fields(led.content.decode())["csrfmiddlewaretoken"]
    assert browser.get("/studio/again/").headers["Location"] == STEP  # not before the step is on
    setup = browser.post(f"{STEP}begin", {"csrfmiddlewaretoken": token, "password": GOOD}, follow=True)
    shown = re.search(r'<p class="secret"><code>([A-Z2-7 ]+)</code>', setup.content.decode())
    assert shown
    code = core.digits_at(b32decode(shown[1].replace(" ", "")), timezone.now())
    codes = browser.post(f"{STEP}on", {"csrfmiddlewaretoken": token, "code": code}).content.decode()
    assert "What you typed before is kept, too" in codes and 'href="/studio/again/"' in codes
    again = fields(browser.get("/studio/again/").content.decode())
    assert again["note"] == TYPED
    assert browser.post(WORDS, again).status_code == 302
    assert note() == TYPED.replace("\r\n", "\n")
    assert browser.get("/studio/again/").headers["Location"] == "/studio/"  # sent, it waits no more


def test_a_press_of_a_button_and_a_form_too_long_are_told_so_before_the_second_step(
    browser: Client, settings: Settings
) -> None:
    form = form_of(browser)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, require_second_step=True)
    long = browser.post(WORDS, {**form, "note": "x" * 1_500_000})
    assert long.status_code == 403 and len(long.content) < 10_000
    assert "too long to be kept here" in long.content.decode()
    press = browser.post("/studio/plan/weekly/skip", {"csrfmiddlewaretoken": form["csrfmiddlewaretoken"]})
    assert "go back and press the button again" in press.content.decode()
    forged = {"csrfmiddlewaretoken": form["csrfmiddlewaretoken"], "kept": "WyIvIl0:1abcde:forged"}
    assert browser.post(f"{STEP}keep", forged).headers["Location"] == STEP
    settings.NEWSLETTER = replace(settings.NEWSLETTER, require_second_step=False)
    assert browser.get("/studio/again/").headers["Location"] == "/studio/"


def test_passwords_and_codes_are_never_written_into_a_page(browser: Client) -> None:
    token = form_of(browser)["csrfmiddlewaretoken"]
    for verb, secret in (("password", {"old": GOOD, "new": "another one"}), ("second-step/off", {"code": "123456"})):
        stale = browser.post(f"/studio/account/{verb}", {**secret, "csrfmiddlewaretoken": "x" * 32})
        assert stale.status_code == 403 and "The page was open too long" in stale.content.decode()
    Session.objects.all().delete()
    late = browser.post("/studio/account/password", {"old": GOOD, "new": "another", "csrfmiddlewaretoken": token})
    assert (late.status_code, late.content) == (302, b"")


def test_what_was_forged_too_old_or_too_long_is_not_kept(browser: Client, mara: User) -> None:
    login = fields(browser.get("/login/", follow=True).content.decode())
    assert "kept" not in login
    browser.post("/logout/")
    Session.objects.all().delete()
    token = fields(browser.get("/login/").content.decode())["csrfmiddlewaretoken"]
    sent = {"csrfmiddlewaretoken": token, "username": "mara", "password": GOOD, "kept": "WyIvIl0:1abcde:forged"}
    assert browser.post("/login/", sent).headers["Location"] == "/studio/"
    assert browser.get("/studio/again/").headers["Location"] == "/studio/"
    form = {**form_of(browser), "note": "x" * 1_500_000}
    Session.objects.all().delete()
    page = browser.post(WORDS, form).content.decode()
    assert "too long to be kept here" in page and len(page) < 10_000
