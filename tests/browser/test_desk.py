"""The desk in a browser: no fault at any width, by day and by night; keys, saving and dragging as a person does it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

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


def press(page: Page, target: Locator) -> None:
    """Click as the mouse does: Playwright's own click puts listeners into the frame, which it forbids, loudly."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + min(box["width"] / 2, 40), box["y"] + min(box["height"] / 2, 10))


def first() -> Placement:
    return Placement.objects.get(kind="card", position=1, state="reserved")


def test_the_desk_has_no_fault_in_any_view_and_shows_both_texts(mara: Visitor, at_work: Issue) -> None:
    row = first()
    inspect(mara, "desk", lambda: mara.go(f"{HERE}?at=review-{row.review_id}"))
    inspect(mara, "desk-inbox", lambda: mara.go(f"{HERE}?at=issue&view=inbox"))
    inspect(mara, "desk-split", lambda: mara.go(f"{HERE}?at=sponsor&view=split-forced-phone"))

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
    # The checks are looked at again last of all, once nobody has done anything for a moment.
    with page.expect_request_finished(lambda asked: asked.method == "GET" and "/edit?" in asked.url):
        page.locator(f"#r{line.review_id}").drag_to(page.locator(f"#r{lead.review_id}"))
        expect(page.locator("#saved")).to_contain_text("is card 1 of")
    assert first().review_id == line.review_id


def test_every_key_that_the_help_lists_does_what_it_says(mara: Visitor, at_work: Issue) -> None:
    lead, second = first(), Placement.objects.get(kind="card", position=2, state="reserved")
    mara.look(width=1600, height=1000)
    page = mara.go(f"{HERE}?at=issue")

    def keys(*pressed: str, leads_to: str) -> None:
        for key in pressed:
            page.keyboard.press(key)
        page.wait_for_url(leads_to)
        page.wait_for_load_state("networkidle")

    page.keyboard.press("?")
    inspect(mara, "desk-help")
    mara.look(width=1600, height=1000)
    listed = "".join(page.locator("dialog .keys dt, dialog .keys dd").all_inner_texts())
    page.keyboard.press("Escape")
    for key, at in {"s": "issue", "q": "quote", "a": "sponsor", "p": "promo", "m": "listen", "c": "correction"}.items():
        assert f"{key} " in listed
        keys("g", key, leads_to=f"**at={at}&**")
    keys("g", "l", leads_to=f"**at=review-{lead.review_id}&**")
    for key, place in {"t": "tray", "k": "checks"}.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.locator(f"#{place}")).to_be_focused()
        expect(page.locator(f"#{place}")).to_be_in_viewport()
    # Whoever reads in the letter has them too.
    page.locator("#frame").focus()
    keys("j", leads_to=f"**at=review-{second.review_id}&**")
    keys("k", leads_to=f"**at=review-{lead.review_id}&**")
    page.keyboard.press("m")
    expect(page.locator(".item.chosen button").first).to_be_focused()
    for said in ("is in this issue", "is placed by rule again"):  # pinned, and not any more
        page.keyboard.press("p")
        expect(page.locator("#saved")).to_contain_text(said)
    page.keyboard.press("8")
    expect(page.locator("#q")).to_be_focused()
    page.locator("h1").click()
    keys("9", leads_to="**view=split**")
    for number, view in enumerate(("desktop", "phone", "dark", "forced", "text", "bare", "inbox"), 1):
        keys(str(number), leads_to=f"**view={view}**")
    page.keyboard.press("e")
    expect(page.get_by_role("textbox", name="Headline")).to_be_focused()
    # The view without pictures is the doing of a policy, and the browser says so.
    mara.errors[:] = [said for said in mara.errors if "img-src 'none'" not in said]


def test_the_letter_follows_what_is_typed_and_a_press_on_it_leads_to_the_field(mara: Visitor, at_work: Issue) -> None:
    User.objects.update(username="mara")
    row = first()
    mara.look(width=1600, height=1000)
    page = mara.go(f"{HERE}?at=review-{row.review_id}")
    frame = page.frame_locator("#frame")
    place = "document.getElementById('frame').contentWindow.scrollY"
    page.evaluate("document.getElementById('frame').contentWindow.scrollTo(0, 200)")
    image = frame.locator("img").first.element_handle()
    before = page.evaluate("history.length")
    page.get_by_role("textbox", name="Headline").fill("")
    page.get_by_role("textbox", name="Headline").type("Lunch <b>")
    expect(frame.locator("body")).to_contain_text("Lunch <b>")
    # Nothing was saved, the place is the same, and so is what did not change; no step back leads to half a word.
    assert first().edits == {}
    assert page.evaluate(place) == 200
    assert image is not None
    assert image.evaluate("image => image.isConnected")
    assert page.evaluate("history.length") == before
    page.get_by_role("textbox", name="Dek").click()
    expect(page.locator("#saved")).to_contain_text("Saved ")
    # Ctrl+Z in a field that says what is saved takes back the last edit, and the letter with it.
    page.keyboard.press("Control+z")
    expect(page.locator("#saved")).to_contain_text("Taken back: headline")
    expect(frame.locator("body")).not_to_contain_text("Lunch <b>")
    assert first().edits == {}
    page.keyboard.press("Control+Shift+z")
    expect(frame.locator("body")).to_contain_text("Lunch <b>")
    expect(page.get_by_role("textbox", name="Headline")).to_have_value("Lunch <b>")
    other = Placement.objects.get(kind="card", position=2, state="reserved")
    title = other.review.representative.content["title_clean"]  # type: ignore[union-attr]
    press(page, frame.get_by_text(title).first)
    page.wait_for_url(f"**at=review-{other.review_id}**#f-title")
    expect(page.get_by_role("textbox", name="Headline")).to_be_focused()
    # A lost connection: what was typed is kept, and saved when there is one again.
    page.context.set_offline(True)
    page.get_by_role("textbox", name="Headline").fill("Typed on a train")
    page.get_by_role("textbox", name="Dek").focus()
    expect(page.locator("#saved")).to_contain_text("No connection")
    mara.errors.clear()  # the browser's own words about it
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_contain_text("Saved ")
    assert Placement.objects.get(pk=other.pk).edits == {"title": "Typed on a train"}
    # From there on the keyboard alone: to the subject, and on to approving.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**at=issue**")
    page.wait_for_load_state("networkidle")
    page.get_by_role("textbox", name="Subject").fill("Salt")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/studio/weekly/2026-11-05/")
    at_work.refresh_from_db()
    assert at_work.subject == "Salt"
    page.wait_for_load_state("networkidle")


def test_no_script_of_a_letter_runs_on_the_desk_even_if_one_got_in(
    mara: Visitor, at_work: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter.web.studio.desk import seeing

    bad = "parent.document.title='x'"
    poison = (
        f'<script>{bad}</script><img src="x" onerror="{bad}"><iframe srcdoc="<script>{bad}</script>"></iframe>'
        f'<a id="js" href="javascript:{bad}">go</a><form action="/logout/" method="post">'
        '<button id="out">x</button></form></body>'
    )
    monkeypatch.setattr(seeing, "looked", lambda html, _kind: html.replace("</body>", poison))
    page = mara.go(f"{HERE}?at=issue")
    page.get_by_role("textbox", name="Subject").fill("Poison")
    page.wait_for_timeout(300)
    frame = page.frame_locator("#frame")
    press(page, frame.locator("#js"))
    page.wait_for_load_state("networkidle")
    press(page, frame.locator("#out"))
    page.wait_for_load_state("networkidle")
    assert page.title() != "x"
    assert "/login/" not in page.url
    mara.go("/studio/")
    mara.errors.clear()
