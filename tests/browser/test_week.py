"""The editor's week from the draft to the outcome: two people at once, and one with the keyboard alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from newsletter.flow import deliver as flow
from newsletter.flow.people import Role, give
from newsletter.models import Account, Delivery, Issue, IssueState, Placement
from newsletter.web.studio.login import login_link
from tests.browser.conftest import Visitor
from tests.browser.test_desk import at_work as at_work
from tests.browser.test_desk import first
from tests.browser.test_pages import HERE
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.providers.servers import SmtpServer
from tests.sending import make_people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK = f"{HERE}edit"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    host, port = server.address
    Account.objects.update(kind=Account.Kind.SMTP, settings={"host": host, "port": port})
    yield server
    server.stop(no_assert=True)


@pytest.fixture
def otto(chromium: Browser, mara: Visitor) -> Iterator[Visitor]:
    """A second person in a browser of their own, who may approve too."""
    user = User.objects.create_user("otto")
    give(user, Role.APPROVER)
    context = chromium.new_context()
    made = Visitor(context.new_page(), mara.server)
    made.watch()
    page = made.go(login_link(user, "", timezone.now()))
    page.get_by_role("button", name="Log in as otto").click()
    page.wait_for_url("**/studio/")
    page.wait_for_load_state("networkidle")
    yield made
    context.close()
    assert made.errors == []
    assert made.strangers == []


def write(page: Page, name: str, text: str) -> None:
    """Fill a field of the desk and leave it."""
    field = page.get_by_role("textbox", name=name, exact=True)
    field.fill(text)
    field.blur()
    expect(page.locator("#saved")).to_contain_text("Saved ")


def send_what_is_due(issue: Issue) -> None:
    """What the clock does once the minute is over: a worker's run."""
    begun = timezone.now() + timedelta(minutes=2)
    here = flow.Installation.of(settings.NEWSLETTER, os.environ)
    flow.start(issue, begun)
    flow.deliver(issue, clock=timezone.now, installation=here)


def test_two_people_make_a_week_together(mara: Visitor, otto: Visitor, at_work: Issue, relay: SmtpServer) -> None:
    make_people([f"p{number}@box.test" for number in range(20)])
    lead = first()
    lead.edits = {"picture_alt": " "}
    lead.save()

    # Both open the same review, and write different fields of it at the same time: each keeps theirs.
    for visitor in (mara, otto):
        visitor.look(width=1500, height=1000)
        visitor.go("/studio/").locator("#primary").wait_for()
        visitor.go(f"{DESK}?at=review-{lead.review_id}")
    write(mara.page, "Headline", "Lunch, forever")
    write(otto.page, "Dek", "A house, a table, one Sunday.")
    lead.refresh_from_db()
    assert {name: lead.edits[name] for name in ("title", "dek")} == {
        "title": "Lunch, forever", "dek": "A house, a table, one Sunday.",
    }  # fmt: skip
    # Then the same field. What mara wrote came along with otto's own save; what she writes now he has not seen.
    expect(otto.page.get_by_role("textbox", name="Headline")).to_have_value("Lunch, forever")
    write(mara.page, "Headline", "Lunch, for good")
    otto.page.get_by_role("textbox", name="Headline").fill("Sunday lunch")
    otto.page.get_by_role("textbox", name="Headline").blur()
    expect(otto.page.locator("#words blockquote")).to_have_text("Lunch, for good")
    expect(otto.page.get_by_role("textbox", name="Headline")).to_have_value("Sunday lunch")
    lead.refresh_from_db()
    assert lead.edits["title"] == "Lunch, for good"
    otto.errors.clear()  # the 409 itself
    otto.page.once("dialog", lambda asked: asked.accept())  # what he typed is not saved, and the browser says so
    otto.page.reload(wait_until="networkidle")

    # What came late lies in the tray; mara takes it in, mends what the checks name, and writes the note.
    page = mara.page
    page.locator("#outline").get_by_role("button", name="Add").first.click()
    expect(page.locator("#saved")).to_contain_text("is in this issue.")
    page.reload(wait_until="networkidle")
    page.locator("#checks").get_by_role("link", name="Lunch, for good").first.click()
    page.wait_for_load_state("networkidle")
    for number, row in enumerate(Placement.objects.filter(issue=at_work, state="reserved", kind="card")):
        mara.go(f"{DESK}?at=review-{row.review_id}")
        if page.get_by_role("textbox", name="Description", exact=True).count():
            write(page, "Description", f"A table in the light, {number}")
    mara.go(f"{DESK}?at=issue")
    write(page, "Subject", "Lunch, forever, and three more")
    write(page, "Preview text", "What is worth an evening this week.")

    # A test to herself; otto, who sees the same letter, approves it; any edit of hers takes that back, and he sees it.
    mara.go(f"{HERE}send")
    page.get_by_label("To", exact=True).fill("mara@box.test")
    page.get_by_role("button", name="Send the test").click()
    page.get_by_text("The test is on its way.").wait_for()
    assert [taken.recipient for taken in relay.taken] == ["mara@box.test"]
    relay.taken.clear()
    seen = otto.go(f"{HERE}send")
    seen.get_by_role("button", name="Approve this letter").click()
    seen.get_by_text("Approved. It goes out").wait_for()
    mara.go(f"{DESK}?at=issue")
    page.get_by_text("Any change takes the approval back.").wait_for()
    write(page, "Subject", "Lunch, forever")
    assert Issue.objects.get().state == IssueState.DRAFT
    seen = otto.go(f"{HERE}send")
    seen.get_by_role("button", name="Approve this letter").click()
    seen.get_by_text("Approved. It goes out").wait_for()

    # Sent off, watched to its end, and looked at.
    seen.locator("summary", has_text="Send now").click()
    seen.get_by_role("button", name="Send now").click()
    seen.locator("[data-seconds]").wait_for()
    at_work.refresh_from_db()
    send_what_is_due(at_work)
    assert Issue.objects.get().state == IssueState.SENT
    assert len(relay.taken) == len({taken.recipient for taken in relay.taken}) == Delivery.objects.count() == 21
    assert b"Subject: Lunch, forever\r\n" in relay.taken[0].message
    mara.go(f"{HERE}outcome").get_by_text("21").first.wait_for()


def until_focused(page: Page, words: str) -> None:
    """Press Tab until the element with these words (its text or its label) has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        said = page.evaluate("""() => {
            const at = document.activeElement;
            return `${at.textContent} ${at.getAttribute("aria-label") ?? ""} ${at.labels?.[0]?.textContent ?? ""}`;
        }""")
        if words in said:
            return
    raise AssertionError(f"The keyboard does not come to {words!r}.")


def cards(issue: Issue) -> list[int]:
    rows = Placement.objects.filter(issue=issue, kind="card", state="reserved").order_by("position")
    return list(rows.values_list("pk", flat=True))


def test_one_person_makes_it_with_the_keyboard_alone(mara: Visitor, at_work: Issue, relay: SmtpServer) -> None:
    mara.look(width=1500, height=1000)
    page = mara.go(f"{DESK}?at=issue")
    before = list(
        Placement.objects.filter(issue=at_work, kind="card").order_by("position").values_list("pk", flat=True)
    )
    page.keyboard.press("j")
    page.wait_for_url("**at=review-**")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("#saved")).to_contain_text("is card 2 of")
    assert cards(at_work)[:2] == before[1::-1]
    page.keyboard.press("e")
    expect(page.get_by_role("textbox", name="Headline")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("By keys alone")
    page.keyboard.press("Tab")
    expect(page.locator("#saved")).to_contain_text("Saved ")
    expect(page.frame_locator("#frame").locator("body")).to_contain_text("By keys alone")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**{HERE}")
    page.wait_for_load_state("networkidle")
    until_focused(page, "Approve this letter")
    page.keyboard.press("Enter")
    page.get_by_text("Approved by mara.").first.wait_for()
    mara.go(f"{HERE}send")
    until_focused(page, "Send now")
    page.keyboard.press("Enter")
    until_focused(page, "Send now")
    page.keyboard.press("Enter")
    page.locator("[data-seconds]").wait_for()
    at_work.refresh_from_db()
    send_what_is_due(at_work)
    assert [b"By keys alone" in taken.message for taken in relay.taken] == [True]
    mara.go(f"{HERE}outcome")
    until_focused(page, "Log out mara")
