"""The desk in a browser: no fault at any width, by day and by night; keys, saving and dragging as a person does it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from newsletter.models import Issue, LeftOut, Newsletter, Picture, Placement, Review
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import make_review
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HERE = "/studio/weekly/2026-11-05/edit"


@pytest.fixture
def at_work(letter: Issue) -> Issue:
    """The issue before its cutoff, with something in the tray."""
    letter.cutoff_at = letter.slot_at
    letter.save()
    Newsletter.objects.update(starts_at=letter.created_at)
    Placement.objects.update(pinned=True)
    held = set(Picture.objects.values_list("pk", flat=True))
    make_review("garden", tray=Review.Tray.FOUND_LATE)
    Picture.objects.exclude(pk__in=held).update(name="")  # that file does not exist
    return letter


def first() -> Placement:
    return Placement.objects.get(kind="card", position=1, state="reserved")


def test_the_desk_has_no_fault_in_any_view_and_shows_both_texts(mara: Visitor, at_work: Issue) -> None:
    row = first()
    inspect(mara, "desk", lambda: mara.go(f"{HERE}?at=review-{row.review_id}"))
    inspect(mara, "desk-inbox", lambda: mara.go(f"{HERE}?at=issue&view=inbox"))
    inspect(mara, "desk-sponsor", lambda: mara.go(f"{HERE}?at=sponsor&view=phone"))

    def conflict() -> None:
        page = mara.go(f"{HERE}?at=review-{row.review_id}&view=text")
        row.edits = {"title": "By somebody else"}
        row.save()
        page.get_by_role("textbox", name="Headline").fill("By mara")
        page.get_by_role("textbox", name="Headline").press("Tab")
        expect(page.locator("#words blockquote")).to_have_text("By somebody else")
        expect(page.get_by_role("textbox", name="Headline")).to_have_value("By mara")
        mara.errors.clear()  # the 409 itself

    inspect(mara, "desk-conflict", conflict)
    assert first().edits == {"title": "By somebody else"}
    mara.go("/studio/")  # a page that closes saves once more, and there must be a server then
    mara.errors.clear()


def test_words_keys_and_dragging_change_the_issue_as_they_say(mara: Visitor, at_work: Issue) -> None:
    User.objects.update(username="mara")
    row = first()
    mara.look(width=1600, height=1000)
    page = mara.go(f"{HERE}?at=review-{row.review_id}")
    frame = page.frame_locator("#frame")
    page.keyboard.press("e")
    expect(page.get_by_role("textbox", name="Headline")).to_be_focused()
    page.get_by_role("textbox", name="Headline").fill("Lunch, Forever")
    page.get_by_role("textbox", name="Dek").click()
    expect(page.locator("#saved")).to_contain_text("Saved ")
    assert first().edits == {"title": "Lunch, Forever"}
    expect(frame.locator("body")).to_contain_text("Lunch, Forever")
    expect(page.locator('[data-chip="title"]')).to_have_text("edited by mara")
    # Keys are letters while somebody types.
    page.get_by_role("textbox", name="Dek").type("jkpx12?")
    page.get_by_role("textbox", name="Dek").blur()
    expect(page.locator("#saved")).to_contain_text("Saved ")
    expect(page.locator('[data-chip="dek"]')).to_have_text("edited by mara")
    assert "jkpx12?" in first().edits["dek"]

    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("#saved")).to_contain_text("is card 2 of 3")
    assert Placement.objects.get(pk=row.pk).position == 2
    page.keyboard.press("2")
    page.wait_for_url("**view=phone**")
    page.keyboard.press("j")
    page.wait_for_load_state("networkidle")
    expect(page.locator(".item.chosen")).not_to_have_id(f"r{row.review_id}")
    chosen = page.locator(".item.chosen").get_attribute("data-review")
    page.keyboard.press("x")
    expect(page.get_by_role("heading", name="Left out of this issue", exact=True)).to_be_visible()
    assert str(LeftOut.objects.get().review_id) == chosen
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")

    line = Placement.objects.get(kind="line", state="reserved")
    lead = first()
    page.locator(f"#r{line.review_id}").drag_to(page.locator(f"#r{lead.review_id}"))
    expect(page.locator("#saved")).to_contain_text("is card 1 of")
    assert first().review_id == line.review_id
