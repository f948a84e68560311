"""Sources and the first steps, as people see them: every state of their pages, and the way through them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from newsletter.models import Entry, Newsletter, Source
from newsletter.web.studio.login import login_link
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.factories import make_source
from tests.sources.conftest import Shop
from tests.sources.conftest import shop as shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REVIEWS = (
    (
        "See You Sunday",
        "Movie Review",
        "A film that spends one weekend in a house that is being sold.",
    ),
    ("Salt Grammar", "Book Review", "Forty-one poems on the language of a drowned village, and not one of them wet."),
    ("Low Tide Inventory", "Album Review", "Nine songs counted out on a harmonium that the sea has been at."),
    (
        "A Night at the Harbor",
        "Concert Review",
        "The band began in the dark, and stayed there.",
    ),
    ("Umbra Station", "Movie Review", "A space film in which nothing is saved, least of all the dialogue."),
    ("The Moss Department", "TV Review", "An office comedy for people who read the terms and conditions."),
)


def picture(number: int) -> bytes:
    out = BytesIO()
    image = Image.new("RGB", (900, 600), (40 + 30 * number, 60, 140 - 20 * number))
    image.paste((240, 200 - 20 * number, 60), (120 * number, 80, 120 * number + 260, 420))
    image.save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def site(shop: Shop, settings: Settings, configured: Path) -> str:
    """A magazine's site on loopback, its feed named on its front page; the guard is open for it alone."""
    home, open_to = configured.parent, (f"127.0.0.1:{shop.port}",)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=home, outbox_folder=home / "outbox", fetch_inner=open_to)
    now = timezone.now()
    items = ""
    for number, (title, rubric, dek) in enumerate(REVIEWS):
        lead = shop.serve(f"/{number}.jpg", picture(number), "image/jpeg")
        items += (
            f"<item><title>{title}: {rubric}</title><link>https://lantern.example.org/{number}</link>"
            f"<pubDate>{(now - timedelta(hours=9 * number + 1)):%a, %d %b %Y %H:%M:%S +0000}</pubDate>"
            f"<author>Ines Vale</author><description>{dek} {dek}</description>"
            f'<enclosure url="{lead}" type="image/jpeg" length="1"/></item>'
        )
    shop.serve(
        "/feed/", f'<rss version="2.0"><channel><title>LANTERN</title>{items}</channel></rss>', "application/rss+xml"
    )
    head = '<meta property="og:site_name" content="LANTERN">'
    head += '<link rel="alternate" type="application/rss+xml" href="/feed/">'
    return shop.serve("/", f"<html><head>{head}</head><body></body></html>", "text/html")


@pytest.fixture
def root(visitor: Visitor, site: str) -> Visitor:
    """The first account, just logged in by the link of `newsletter serve`."""
    page = visitor.go(login_link(User.objects.create_superuser("admin"), "", timezone.now()))
    page.get_by_role("button", name="Log in as admin").click()
    page.wait_for_url("**/studio/")
    return visitor


def test_the_first_steps_lead_to_a_real_mail(root: Visitor, site: str) -> None:
    page = root.page
    page.get_by_role("link", name="Begin with the first step").click()
    inspect(root, "welcome-empty")
    page.get_by_label("The address of your magazine").fill("http://127.0.0.1:1025/")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("alert").wait_for()
    inspect(root, "source-add-problem")
    root.errors[:] = [said for said in root.errors if "422" not in said]  # the browser itself logs it
    page.get_by_label("The address of your site").fill(site)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("What is your magazine called?").wait_for()
    root.look(height=1600)  # pictures are asked for when they come into view
    root.until("[...document.querySelectorAll('.entry img')].filter(one => one.naturalWidth > 9).length == 5")
    inspect(root, "source-add-found")
    page.get_by_role("button", name="Keep this source").click()
    page.wait_for_url("**/studio/welcome/")
    page.wait_for_load_state("networkidle")
    for frame in page.frames[1:]:
        assert frame.get_by_text("See You Sunday").count(), frame.url
    assert len(page.frames) == 4
    inspect(root, "welcome")
    page.get_by_role("button", name="Take Encore").click()
    page.wait_for_url("**/studio/welcome/#step-3")
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Send me this week’s sample").click()
    page.wait_for_url("**/studio/mail/*/")
    page.wait_for_load_state("networkidle")
    assert page.frame_locator("iframe.mail").get_by_text("See You Sunday").first.is_visible()
    inspect(root, "test-mail")
    inspect(root, "welcome-done", lambda: root.go("/studio/welcome/"))
    assert Newsletter.objects.get().design == "encore"
    # The link worked once: a name and a password are the way back in.
    page.get_by_role("link", name="Set name, password and second step").click()
    inspect(root, "account-first", lambda: root.go("/studio/account/"))
    page.get_by_role("textbox", name="Name").fill("mara")
    page.get_by_label("New password").fill("the lighthouse keeps")
    page.get_by_role("button", name="Set name and password").click()
    page.get_by_role("button", name="Log out mara").wait_for()
    assert root.go("/studio/welcome/").get_by_text("So that you can come back").count() == 0


def test_the_pages_of_sources_have_no_fault(root: Visitor, site: str) -> None:
    inspect(root, "sources-empty", lambda: root.go("/studio/sources/"))
    inspect(root, "source-add", lambda: root.go("/studio/sources/add/"))
    page = root.page
    page.get_by_label("The address of your site").fill(f"{site}feed/")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("What is your magazine called?").fill("LANTERN")
    page.get_by_role("button", name="Keep this source").click()
    page.wait_for_url("**/studio/source/*/?read=1")
    # Its reviews over some weeks, and a second source in trouble.
    for number, row in enumerate(Entry.objects.order_by("pk")):
        Entry.objects.filter(pk=row.pk).update(published_at=timezone.now() - timedelta(days=5 * number))
    bad = make_source("harbor", name="The Harbor Review", kind="feed", location="https://harbor.example.org/feed/")
    long_ago = timezone.now() - timedelta(days=3)
    error = "https://harbor.example.org/feed/: The server failed (status 503)."
    Source.objects.filter(pk=bad.pk).update(failures_in_row=4, last_tried_at=long_ago, last_error=error)
    make_source("attic", name="The attic", enabled=False)
    page.get_by_label("Words 1", exact=True).fill("kino")
    page.get_by_label("Rubric of words 1").select_option("Movie review")
    page.get_by_role("button", name="Save the words").click()
    page.get_by_label("Words 2", exact=True).wait_for()
    inspect(root, "source", lambda: page.wait_for_load_state("networkidle"))
    inspect(root, "sources", lambda: root.go("/studio/sources/"))
    inspect(root, "source-trouble", lambda: root.go("/studio/source/harbor/"))
    inspect(root, "why", lambda: root.go("/studio/sources/why/?q=sunday"))
    assert page.get_by_text("It will be placed in the issue of").is_visible()
    inspect(root, "why-none", lambda: root.go("/studio/sources/why/?q=nothing+of+ours"))
