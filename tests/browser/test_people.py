"""The team, the log, an invitation and a refusal, an account and its second step, as people see them."""

from __future__ import annotations

from base64 import b32decode
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from newsletter.core import second_step as core
from newsletter.flow import people
from newsletter.flow.issue import edit_issue
from newsletter.flow.people import Role, give
from newsletter.models import Issue
from subscribers.models import Suppression, SuppressionReason
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_person_is_invited_joins_and_is_told_what_is_not_theirs(mara: Visitor, letter: Issue) -> None:
    now = timezone.now()
    for name, role in (("Otto Vane", Role.APPROVER), ("Wanda Quist", Role.EDITOR)):
        give(User.objects.create_user(name.split()[0].lower()), role)
        people.invite(role, name, now=now, by="mara")
    people.remove(User.objects.get(username="wanda").pk, now=now, by="mara")
    edit_issue(letter, {"note": "A short week."}, now=now, by="otto")
    page = mara.go("/studio/team/")
    page.get_by_label("Who is it?").fill("Edda Lind, film")
    page.get_by_label("Approver").check()
    page.get_by_role("button", name="Invite").click()
    link = page.locator(".secret code").inner_text()
    inspect(mara, "team-link")
    # By mail: on its way, and to an address that is never mailed.
    Suppression.objects.create(address_key="wanda@box.test", reason=SuppressionReason.BOUNCE, at=now)
    for address in ("kim@box.test", "wanda@box.test"):
        mara.go("/studio/team/")
        page.get_by_label("Mail the link to").fill(address)
        page.get_by_role("button", name="Invite").click()
        page.wait_for_url("**/team/invite")
        if address == "kim@box.test":
            expect(page.get_by_role("status")).to_contain_text(f"on its way to {address}")
            inspect(mara, "team-mailed")
        else:
            expect(page.get_by_text(f"It was not mailed to {address}")).to_be_visible()
            inspect(mara, "team-not-mailed")
    inspect(mara, "team", lambda: mara.go("/studio/team/"))
    inspect(mara, "log", lambda: mara.go("/studio/audit/"))
    page.get_by_role("button", name="Log out mara").click()
    path = "/" + link.split("/", 3)[3]
    inspect(mara, "join", lambda: mara.go(path))
    page.get_by_label("Name").fill("edda")
    page.get_by_label("Password").fill("seven herons over the weir")
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/studio/")
    assert page.get_by_role("link", name="Team").count() == 0
    # The browser itself logs a 403 as an error of the page.
    inspect(mara, "denied", lambda: mara.go("/studio/team/"))
    assert page.get_by_text("This takes an admin. You are logged in as edda, an approver.").is_visible()
    mara.errors[:] = [said for said in mara.errors if "403" not in said]


def test_second_step_account_and_recovery_codes_as_people_meet_them(mara: Visitor, letter: Issue) -> None:
    user = User.objects.get()
    user.set_password("the lighthouse keeps")
    user.save()
    mara.page.context.clear_cookies()

    def log_in() -> None:
        mara.go("/login/")
        mara.page.get_by_label("Name").fill("mara")
        mara.page.get_by_label("Password").fill("the lighthouse keeps")
        mara.page.get_by_role("button", name="Log in").click()

    log_in()
    page = mara.page
    page.get_by_role("link", name="Your account").click()
    inspect(mara, "account", lambda: mara.go("/studio/account/"))
    page.get_by_label("Present password").fill("the lighthouse sleeps")
    page.get_by_label("New password").fill("seven herons over the weir")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("present password is another one")
    inspect(mara, "account-refused")
    page.get_by_role("link", name="Set it up").click()
    inspect(mara, "second-step-off", lambda: mara.go("/studio/account/second-step/"))
    page.get_by_label("Your password").fill("the lighthouse keeps")
    page.get_by_role("button", name="Begin").click()
    inspect(mara, "second-step-setup", lambda: mara.go("/studio/account/second-step/"))
    # What the camera sees is drawn, dark on white, and is what the letters say.
    box = page.locator(".squares").bounding_box()
    assert box and box["width"] > 200 and abs(box["width"] - box["height"]) < 2
    secret = b32decode(page.locator(".secret code").inner_text().replace(" ", ""))
    page.get_by_label("Six digits").fill("12345")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("alert")).to_contain_text("not the code that the app shows")
    inspect(mara, "second-step-wrong-code")
    page.get_by_label("Six digits").fill(core.digits_at(secret, timezone.now()))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("heading", name="The second step is on").wait_for()
    inspect(mara, "recovery-codes")
    assert page.get_by_role("button", name="Print").is_visible()
    codes = page.locator(".codes code").all_inner_texts()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a file").click()
    kept = saved.value.path().read_text("utf-8")
    assert saved.value.suggested_filename == "recovery-codes.txt" and all(code in kept for code in codes)
    page.get_by_role("link", name="I have kept them").click()
    inspect(mara, "second-step-on", lambda: mara.go("/studio/account/second-step/"))
    page.get_by_role("button", name="Log out mara").click()
    log_in()
    page.wait_for_url("**/login/code")
    inspect(mara, "login-code", lambda: mara.go("/login/code"))
    page.get_by_label("Code").fill("12345")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That code is not right")
    inspect(mara, "login-code-wrong")
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/studio/")
    # A refused form's answer is an error of the page to the browser.
    mara.errors[:] = [said for said in mara.errors if "400" not in said]


def test_an_expired_log_in_loses_nothing_typed_on_the_desk(mara: Visitor, letter: Issue, settings: Settings) -> None:
    letter.cutoff_at = letter.slot_at
    letter.save()
    user = User.objects.get()
    user.set_password("the lighthouse keeps")
    user.save()  # which ends every session
    page = mara.page
    with_script = f"/studio/weekly/{letter.slot}/edit?at=issue"

    def log_in(other: Page, password: str = "the lighthouse keeps") -> None:
        other.get_by_label("Name").fill("mara")
        other.get_by_label("Password").fill(password)
        other.get_by_role("button", name="Log in").click()

    mara.go("/login/")
    log_in(page)
    page.wait_for_url("**/studio/")
    mara.go(with_script)
    Session.objects.all().delete()
    page.get_by_role("textbox", name="Note").first.fill("Typed in vain?")
    page.get_by_role("textbox", name="Subject").click()
    expect(page.locator("#saved")).to_contain_text("You are logged out")
    other = page.context.new_page()
    other.goto(f"{mara.server}/login/")
    log_in(other)
    other.wait_for_url("**/studio/")
    other.close()
    # The token of this page is void since then; Save gets the new one by itself.
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_url("**#words")
    assert Issue.objects.get().note == "Typed in vain?"

    # Pressed without a word before: the log-in page keeps it.
    Session.objects.all().delete()
    page.get_by_role("textbox", name="Note").first.fill("Typed, and kept.")
    page.evaluate("document.querySelector('form.words').submit()")
    page.get_by_text("What you typed is kept").wait_for()
    log_in(page, "mistyped")
    page.wait_for_url("**/login/")
    inspect(mara, "login-kept")
    log_in(page)
    page.wait_for_url("**/studio/again/")
    inspect(mara, "again", lambda: mara.go("/studio/again/"))
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url("**#words")
    assert Issue.objects.get().note == "Typed, and kept."

    # A second step is asked of everybody all of a sudden.
    mara.go(with_script)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, require_second_step=True)
    page.get_by_role("textbox", name="Note").first.fill("Typed before the step.")
    page.evaluate("document.querySelector('form.words').submit()")
    page.get_by_text("What you typed is kept").wait_for()
    inspect(mara, "second-step-first")
    page.get_by_role("button", name="Set it up").click()
    page.get_by_label("Your password").fill("the lighthouse keeps")
    page.get_by_role("button", name="Begin").click()
    secret = b32decode(page.locator(".secret code").inner_text().replace(" ", ""))
    page.get_by_label("Six digits").fill(core.digits_at(secret, timezone.now()))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_text("the next page sends it again").wait_for()
    inspect(mara, "recovery-codes-kept")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url("**#words")
    assert Issue.objects.get().note == "Typed before the step."
    mara.errors[:] = [said for said in mara.errors if "403" not in said]
