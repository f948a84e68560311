"""The studio's first page in a browser: covers, keys, and no fault at any width."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.core.week import next_slot
from newsletter.flow.compile import compiler, public_html
from newsletter.flow.issue.facts import schedule_of
from newsletter.models import Issue
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.browser.test_pages import issue as issue
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.browser.test_pages import newsletter as newsletter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_weeks_are_covers_and_keys_lead_on(mara: Visitor, letter: Issue) -> None:
    slot = next_slot(schedule_of(letter.newsletter), timezone.now())
    Issue.objects.update(slot=slot.key, slot_at=slot.at, cutoff_at=slot.cutoff, subject="See You Sunday")
    page_html = public_html(compiler(letter))
    states = ("sent", "sent", "skipped", "sent", "missed")
    for number, state in enumerate(states, 1):
        at = slot.at - timedelta(weeks=number)
        Issue.objects.create(
            newsletter=letter.newsletter, slot=at.date().isoformat(), slot_at=at, cutoff_at=at, number=214 - number,
            created_at=at, state=state, subject=f"Lights and low rooms, part {number}",
            started_at=at if state == "sent" else None, public_html=page_html if state == "sent" else "",
            outcome_reason="" if state == "sent" else "A quiet week.",
        )  # fmt: skip
    inspect(mara, "home", lambda: mara.go("/studio/"))
    mara.look(width=1280)
    page = mara.go("/studio/")
    # The covers are letters, drawn small: each has its text, and none of them runs anything.
    texts = [frame.evaluate("document.body.innerText") for frame in page.frames[1:]]
    assert len(texts) >= 4
    assert all("See You Sunday" in text for text in texts)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("part 2")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Lights and low rooms, part 2", exact=True).wait_for()
    page.locator("h1").click()
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.id") == "sp-name"
    page.locator("h1").click()
    page.keyboard.press("?")
    assert page.evaluate("document.activeElement.id") == "help"
    assert page.get_by_text("this help").is_visible()
    page.locator("h1").click()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**from=*")
    earlier = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != earlier)
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**from=*")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/studio/weekly/{slot.key}/")


def test_an_empty_studio_shows_the_three_steps(mara: Visitor, letter: Issue) -> None:
    Issue.objects.all().delete()
    inspect(mara, "home-empty", lambda: mara.go("/studio/"))
    assert mara.page.get_by_role("heading", name="Add a source").is_visible()
