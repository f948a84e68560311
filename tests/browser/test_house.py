"""Designs and settings as people see them: every screen and state, by day, by night, on a phone."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from newsletter.models import Account, Issue, Newsletter
from newsletter.web.studio.settings import dns
from tests.browser.conftest import Visitor
from tests.browser.looking import faults, inspect
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.factories import make_account
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.providers.servers import SmtpServer
from tests.web.test_settings import Zone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HERE = "/studio/settings/"


def test_designs_are_seen_tried_and_chosen(mara: Visitor, letter: Issue) -> None:
    inspect(mara, "designs", lambda: mara.go("/studio/designs/"))
    page = mara.page
    mara.look()
    page.get_by_role("button", name="Choose colophon").click()
    page.get_by_text("Chosen.").wait_for()
    inspect(mara, "designs-chosen")
    mara.look()
    page.get_by_role("button", name="Back to Marquee").click()
    page.get_by_role("link", name="Colors and type").click()
    inspect(mara, "tokens", lambda: mara.go("/studio/designs/weekly/tokens"))
    mara.look()
    # As somebody types, the verdict and the letter change; nothing is saved.
    page.get_by_label("signal", exact=True).fill("#FF9AB0")
    page.get_by_text("would do for signal").first.wait_for()
    mara.until("document.getElementById('preview').src.includes('FF9AB0')")
    page.frame_locator("#preview").locator("[style*='#FF9AB0']").first.wait_for(state="attached")
    assert Newsletter.objects.get().design_tokens == {}
    inspect(mara, "tokens-faint")
    mara.look()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    inspect(mara, "tokens-refused")
    assert Newsletter.objects.get().design_tokens == {}
    mara.look()
    page.get_by_label("signal", exact=True).fill("#B00030")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert Newsletter.objects.get().design_tokens == {"signal": "#B00030"}
    # The browser itself logs a 409 as an error of the page.
    mara.errors[:] = [said for said in mara.errors if "409" not in said]


def test_settings_are_set_tried_and_copied(
    mara: Visitor, letter: Issue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect(mara, "settings", lambda: mara.go(HERE))
    inspect(mara, "settings-identity", lambda: mara.go(f"{HERE}weekly/identity"))
    page = mara.page
    mara.look()
    page.get_by_label("Sender’s address").fill("weekly@lantern.example.org")
    page.locator("#newsletter").get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.get_by_label("Return path").fill("bounces@elsewhere.example.net")
    page.locator("#newsletter").get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    inspect(mara, "settings-refused")
    inspect(mara, "settings-schedule", lambda: mara.go(f"{HERE}weekly/schedule"))
    mara.look()
    page.get_by_label("Day", exact=True).select_option("sunday")
    page.get_by_label("Time", exact=True).fill("02:30")
    page.get_by_role("button", name="Look first").click()
    page.get_by_text("Nothing is saved yet.").wait_for()
    inspect(mara, "settings-looked")

    zone = Zone({"lantern.example.org": ["v=spf1 a:mail.lantern.example.org ~all"]})
    monkeypatch.setattr(dns, "resolver", lambda: zone)
    server = SmtpServer(login=("letters", "a good password"))
    server.start()
    host, port = server.address
    monkeypatch.setenv("SMTP_PASSWORD", "a wrong password")
    account = make_account(
        name="main", kind=Account.Kind.SMTP,
        settings={"host": host, "port": port, "username": "letters", "password_env": "SMTP_PASSWORD"},
    )  # fmt: skip
    Newsletter.objects.update(account=account)
    try:
        inspect(mara, "settings-sending", lambda: mara.go(f"{HERE}weekly/sending"))
        mara.look()
        page.get_by_label("To").fill("mara@lantern.example.org")
        page.get_by_role("button", name="Send the test").click()
        page.get_by_text("AUTH PLAIN (hidden)").wait_for()
        inspect(mara, "settings-dialogue")
    finally:
        server.stop(no_assert=True)

    mara.look()
    mara.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    mara.go(f"{HERE}weekly/dns")
    page.get_by_role("button", name="Ask the DNS now").click()
    page.get_by_text("lantern.example.org has no DMARC record.").wait_for()
    copy = page.locator("li.missing").get_by_role("button", name="Copy the value")
    copy.click()
    page.get_by_role("button", name="Copied the value").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("v=DMARC1; p=none")
    inspect(mara, "settings-dns")
    inspect(mara, "settings-file", lambda: mara.go(f"{HERE}file"))
    assert faults(page) == []
    mara.errors[:] = [said for said in mara.errors if "409" not in said]
