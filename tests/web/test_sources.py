"""The pages of sources: what they say, whom they obey, and that no input of theirs breaks anything."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from newsletter.core.content import EntryContent, PictureRef
from newsletter.core.errors import StudioError
from newsletter.flow.apply import apply_text, dump_text
from newsletter.flow.gather.ingest import ingest
from newsletter.flow.people import Role
from newsletter.models import Account, Entry, Event, Newsletter, Source
from tests.factories import make_account, make_newsletter, make_source
from tests.flow.test_sourcing import HTML, NAMES_FEED, RSS, page, posts, rss
from tests.sources.conftest import Shop
from tests.sources.conftest import shop as shop
from tests.web.test_access import somebody

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def inner(settings: Settings, shop: Shop) -> None:
    """The guard is open for the loopback server of this test, and for nothing else."""
    settings.NEWSLETTER = replace(settings.NEWSLETTER, fetch_inner=(f"127.0.0.1:{shop.port}",))


@pytest.fixture
def newsletter() -> Newsletter:
    return make_newsletter(account=make_account(name="main", kind=Account.Kind.OUTBOX))


@pytest.fixture
def admin() -> Client:
    return somebody(Role.ADMIN)


def read(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def press(client: Client, path: str, **values: str) -> tuple[int, str]:
    answer = client.post(path, values, follow=True)
    return answer.status_code, " ".join(answer.content.decode().split())


def look(client: Client, address: str, **values: str) -> tuple[int, str]:
    return press(client, "/studio/sources/add/", address=address, **values)


def entry(title: str, **more: object) -> EntryContent:
    return EntryContent(
        title=title, title_clean=title, url="https://lantern.example.org/" + title[:9].replace(" ", "-"), guid=title,
        body_text="A door left open.", published_at=timezone.now() - timedelta(days=1), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_without_a_source_the_list_says_what_one_is_and_who_adds_it(admin: Client) -> None:
    assert 'href="/studio/sources/add/">Add a source' in read(admin, "/studio/sources/")
    assert "An admin adds one." in read(somebody(Role.EDITOR), "/studio/sources/")


def test_the_list_has_a_plot_the_fault_in_words_and_the_next_turn(newsletter: Newsletter) -> None:
    good, bad, off = make_source("good"), make_source("bad"), make_source("off", enabled=False)
    newsletter.sources.set([good, off])
    ingest(good, [entry("Open Door")], {}, timezone.now())
    now = timezone.now()
    Source.objects.filter(pk=good.pk).update(last_success_at=now - timedelta(hours=2), last_tried_at=now)
    Source.objects.filter(pk=bad.pk).update(last_error="The server could not be reached.", failures_in_row=2)
    shown = read(somebody(Role.EDITOR), "/studio/sources/")
    assert "1 source can’t be read." in shown
    assert "The server could not be reached." in shown
    assert "read 2 hours ago · next in 5" in shown
    assert 'aria-label="Reviews of Good over twelve weeks, by week: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1"' in shown
    assert '<span class="state paused">paused</span>' in shown
    assert shown.count("No newsletter takes from it.") == 1
    assert shown.index(">Bad<") < shown.index(">Good<")


def test_any_address_shows_what_was_found_and_why_before_anything_is_kept(
    admin: Client, newsletter: Newsletter, shop: Shop
) -> None:
    shop.serve("/all.xml", rss("Open Door", *(f"Review {number}" for number in range(9)), "Last"), RSS)
    status, shown = look(admin, shop.serve("/", page(NAMES_FEED), HTML))
    assert status == 200
    assert "The page names this feed: “All”." in shown
    assert shown.count('<li class="entry">') == 5
    assert "Open Door" in shown and "Last" not in shown
    assert f'name="location" value="{shop.url("/all.xml")}"' in shown
    assert "This one page, as an article." in shown
    assert not Source.objects.exists()
    status, shown = look(admin, shop.serve("/", page(), HTML), kind="page")
    assert status == 422
    assert "No article can be found" in shown


def test_wordpress_and_an_empty_feed_are_told_apart(admin: Client, newsletter: Newsletter, shop: Shop) -> None:
    shop.serve("/wp-json/wp/v2/posts", posts("Open Door"), "application/json")
    assert '<span class="state good">WordPress</span>' in look(admin, shop.serve("/", page(), HTML))[1]
    assert "nothing is in it now" in look(admin, shop.serve("/feed", rss(), RSS))[1]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "There is no address."),
        ("   ", "There is no address."),
        ("\x00", "There is no address."),
        ("two words", "has no spaces"),
        ("http://127.0.0.1:1025/", "private network"),
        ("http://[::1]/", "private network"),
        ("http://[x", "not a web address"),
        ("http://169.254.169.254/latest/meta-data/", "private network"),
        ("file:///etc/passwd", "Only http and https"),
        ("javascript:alert(1)", "Only web addresses"),
        ("/etc/passwd", ""),
        ("9" * 30, ""),
        ("‮lantern", ""),
        (SCRIPT, ""),
        ("x" * 2_000_000, "longer than"),
    ],
)
def test_an_address_that_is_none_is_answered_in_plain_words(
    admin: Client, newsletter: Newsletter, address: str, said: str
) -> None:
    status, shown = look(admin, address)
    assert status == 422
    assert said in shown
    assert "Nothing was added." in shown
    assert SCRIPT not in shown
    # The same by a way that was chosen.
    status, shown = look(admin, address, kind="page")
    assert status == 422
    assert said in shown


def test_what_lies_there_can_be_a_log_in_too_large_or_gone(admin: Client, newsletter: Newsletter, shop: Shop) -> None:
    login = page(body="<form><input type=password></form>")
    assert "asks for a log-in" in look(admin, shop.serve("/login", login, HTML))[1]
    assert "larger than" in look(admin, shop.serve("/large", b"x" * (11 * 1024 * 1024), HTML))[1]
    status, shown = look(admin, shop.url("/gone"))
    assert (status, "There is nothing at this address (status 404)." in shown) == (422, True)
    assert f'value="{shop.url("/gone")}"' in shown


def test_markup_in_a_feed_is_words_here(admin: Client, newsletter: Newsletter, shop: Shop) -> None:
    evil = rss("&lt;script&gt;alert(1)&lt;/script&gt; Door", "&lt;img src=x onerror=alert(1)&gt; Bus")
    shown = look(admin, shop.serve("/feed", evil, RSS))[1]
    assert "<script>alert" not in shown and "<img src=x" not in shown


def test_keeping_reads_at_once_and_shows_what_came(admin: Client, newsletter: Newsletter, shop: Shop) -> None:
    location = shop.serve("/feed", rss("Open Door"), RSS)
    status, shown = press(admin, "/studio/sources/save", kind="feed", location=location, name="The lake")
    assert status == 200
    assert "Read just now: 1 entry, 1 new, 0 changed." in shown
    assert "Open Door" in shown
    source = Source.objects.get()
    assert (source.slug, list(newsletter.sources.all())) == ("the-lake", [source])
    assert Event.objects.filter(kind="source added", by="the-admin").count() == 1
    status, shown = press(admin, "/studio/sources/save", kind="feed", location=location, name="Again")
    assert (status, "is read from there already" in shown) == (409, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "folder", "location": "/etc"},
        {"kind": "paste", "location": "A text"},
        {"kind": ""},
        {"location": "/etc"},
        {"location": "http://[x"},
        {"location": ""},
        {"location": "https://" + "x" * 1_000_000},
        {"name": "x" * 201},
        {"newsletter": "nobody"},
        {"newsletter": "\x00"},
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_was_typed(
    admin: Client, newsletter: Newsletter, wrong: dict[str, str]
) -> None:
    Newsletter.objects.filter(pk=newsletter.pk).update(name="LANTERN")
    make_newsletter(slug="other", account=newsletter.account)
    values = {"kind": "feed", "location": "https://lake.example.org/feed/", "name": "Lake", "newsletter": "weekly"}
    status, shown = press(admin, "/studio/sources/save", **(values | wrong))
    assert status == 409
    assert 'role="alert"' in shown
    assert not Source.objects.exists()


def test_a_first_source_makes_the_newsletter_and_leads_back_to_the_steps(admin: Client, shop: Shop) -> None:
    location = shop.serve("/feed", rss("Open Door"), RSS)
    shown = look(admin, location, welcome="1")[1]
    assert "What is your magazine called?" in shown
    values = {"kind": "feed", "location": location, "name": "Feed", "welcome": "1"}
    status, shown = press(admin, "/studio/sources/save", **values, magazine="")
    assert status == 409
    assert not Newsletter.objects.exists() and not Source.objects.exists()
    status, shown = press(admin, "/studio/sources/save", **values, magazine="LANTERN")
    assert (status, "Choose a design" in shown) == (200, True)
    assert Newsletter.objects.get().name == "LANTERN"


def test_a_page_of_a_source_shows_cards_rubrics_and_where_it_goes(newsletter: Newsletter) -> None:
    source = make_source("lake", rubric_map=[["kino", "movie"]])
    odd = entry(f"{SCRIPT} مراجعة", rubric="movie")
    ingest(source, [odd, entry("Open Door")], {}, timezone.now())
    shown = read(somebody(Role.EDITOR), "/studio/source/lake/")
    assert SCRIPT not in shown and "&lt;script&gt;" in shown
    assert "<dt>kino</dt><dd>Movie review</dd>" in shown
    assert shown.count('<li class="entry">') == 2
    assert "<dd>LANTERN Weekly</dd>" in shown
    assert "Remove" not in shown
    assert "/studio/sources/why/?q=https%3A%2F%2Flantern.example.org%2FOpen-Door" in shown
    assert read(somebody(Role.APPROVER), "/studio/source/none/", status=404)


def test_an_editor_may_read_now_and_only_an_admin_may_change(newsletter: Newsletter, shop: Shop) -> None:
    source = make_source("lake", kind="feed", location=shop.serve("/feed", rss("Open Door"), RSS))
    edda = somebody(Role.EDITOR)
    assert "1 new" in press(edda, "/studio/source/lake/read")[1]
    for verb in ("pause", "resume", "into", "map", "remove"):
        assert edda.post(f"/studio/source/lake/{verb}", {"slug": "lake"}).status_code == 403
    assert edda.post("/studio/source/lake/nonsense").status_code == 404
    shop.rules.clear()
    status, shown = press(edda, "/studio/source/lake/read")
    assert (status, "There is nothing at this address" in shown) == (409, True)
    assert Source.objects.get(pk=source.pk).failures_in_row == 1


def seen_of(shown: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', shown)
    assert found
    return found[1]


def mapped(admin: Client, *pairs: tuple[str, str], seen: str = "") -> tuple[int, str]:
    seen = seen or seen_of(read(admin, "/studio/source/lake/"))
    answer = admin.post(
        "/studio/source/lake/map",
        {"words": [words for words, _ in pairs], "rubric": [rubric for _, rubric in pairs], "seen": seen},
        follow=True,
    )
    return answer.status_code, unescape(answer.content.decode())


def test_the_words_that_tell_a_rubric_are_added_changed_and_removed(admin: Client, newsletter: Newsletter) -> None:
    lake = make_source("lake", kind="feed", location="https://lake.example.org/feed/", etag='"1"', last_modified="now")
    status, shown = mapped(admin, (" kino ", "movie"), ("/stage/", "theatre"), ("", ""))
    assert (status, "Saved. It counts from the next reading." in shown) == (200, True)
    lake.refresh_from_db()
    assert lake.rubric_map == [["kino", "movie"], ["/stage/", "theatre"]]
    # Read again although nothing has changed there, or the words would tell nothing of what is known.
    assert (lake.etag, lake.last_modified) == ("", "")
    assert 'value="kino"' in shown and '<option value="theatre" selected>' in shown
    assert 'rubric_map = [["kino", "movie"], ["/stage/", "theatre"]]' in read(admin, "/studio/settings/magazine.toml")
    assert mapped(admin, ("", "movie"), ("bühne", "theatre"))[0] == 200
    lake.refresh_from_db()
    assert lake.rubric_map == [["bühne", "theatre"]]
    kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["setting changed", "source mapped"] * 2
    mapped(admin, ("bühne", "theatre"))
    assert Event.objects.count() == 4  # nothing was different
    # An older file takes nothing back unseen (ADR 18).
    older = dump_text().replace("bühne", "kino")
    with pytest.raises(StudioError, match="rubric_map"):
        apply_text(older, now=timezone.now())


@pytest.mark.parametrize(
    ("words", "rubric", "says"),
    [("kino", "", "“kino” has no rubric yet. Choose one."), ("kino", "movy", 'knows no rubric "movy"'),
     (SCRIPT, "", "has no rubric yet"), ("x\x00", "\x00", "knows no rubric")],
)  # fmt: skip
def test_words_that_tell_no_rubric_are_refused_and_shown_again(
    admin: Client, newsletter: Newsletter, words: str, rubric: str, says: str
) -> None:
    lake = make_source("lake", rubric_map=[["bühne", "theatre"]])
    status, shown = mapped(admin, ("drama", "theatre"), (words, rubric))
    assert (status, says in shown, 'value="drama"' in shown) == (409, True, True)
    lake.refresh_from_db()
    assert lake.rubric_map == [["bühne", "theatre"]]
    assert not Event.objects.exists()


def test_words_that_somebody_changed_meanwhile_are_not_written_over(admin: Client, newsletter: Newsletter) -> None:
    lake = make_source("lake")
    seen = seen_of(read(admin, "/studio/source/lake/"))
    mapped(admin, ("kino", "movie"))
    status, shown = mapped(admin, ("bühne", "theatre"), seen=seen)
    assert (status, "Somebody changed these words meanwhile." in shown) == (409, True)
    lake.refresh_from_db()
    assert lake.rubric_map == [["kino", "movie"]]


def test_pause_resume_put_into_and_remove(admin: Client, newsletter: Newsletter) -> None:
    make_source("lake", kind="feed", location="https://lake.example.org/feed/")
    newsletter.sources.add(make_source("site", kind="feed", location="https://lantern.example.org/feed/"))
    assert "Resume" in press(admin, "/studio/source/lake/pause")[1]
    assert "Pause" in press(admin, "/studio/source/lake/resume")[1]
    assert "Its reviews go nowhere." in read(admin, "/studio/source/lake/")
    assert press(admin, "/studio/source/lake/into", newsletter="\x00")[0] == 409
    press(admin, "/studio/source/lake/into", newsletter="weekly")
    assert set(newsletter.sources.values_list("slug", flat=True)) == {"site", "lake"}
    for typed in ("", "Lake", "x" * 10_000, "\x00", SCRIPT):
        status, shown = press(admin, "/studio/source/lake/remove", slug=typed)
        assert (status, SCRIPT in shown) == (409, False)
    assert press(admin, "/studio/source/lake/remove", slug="lake")[0] == 200
    assert read(admin, "/studio/source/lake/", status=404)
    assert "the lake" not in read(admin, "/studio/settings/magazine.toml").lower()
    assert 'slug = "site"' in read(admin, "/studio/settings/magazine.toml")


def test_why_walks_the_rules_for_a_title_or_an_address(newsletter: Newsletter) -> None:
    ingest(make_source("lake"), [entry("Open Door")], {}, timezone.now())
    edda = somebody(Role.EDITOR)
    for query in ("open+door", "https://lantern.example.org/Open-Door"):
        shown = read(edda, f"/studio/sources/why/?q={query}")
        assert "It will be placed in the issue of" in shown
        assert "<b>R7 ledger</b>" in shown
    assert "No review is known by" in read(edda, "/studio/sources/why/?q=nothing")
    assert "Every rule is asked" in read(edda, "/studio/sources/why/")
    for query in (
        "%00",
        "x" * 5000,
        "9" * 30,
        "%F0%9F%90%88",
        "https%3A//%5Bx",
        "%E2%80%AE",
        f"a&newsletter={'y' * 500}",
    ):
        assert edda.get(f"/studio/sources/why/?q={query}").status_code == 200
    Newsletter.objects.all().delete()
    assert "There is no newsletter yet" in read(edda, "/studio/sources/why/?q=door")


def test_pictures_of_cards_come_through_us_and_only_those_that_we_named(
    admin: Client, newsletter: Newsletter, shop: Shop
) -> None:
    out = BytesIO()
    Image.new("RGB", (900, 600), (120, 60, 40)).save(out, "PNG")
    lead = shop.serve("/door.png", out.getvalue(), "image/png")
    item = rss("Open Door").replace("</item>", f'<enclosure url="{lead}" type="image/png" length="1"/></item>')
    shown = look(admin, shop.serve("/feed", item, RSS))[1]
    assert lead not in shown
    address = shown.split('<img src="')[1].split('"')[0]
    answer = admin.get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(BytesIO(answer.content)).width == 480
    shop.rules.clear()
    assert admin.get(address).headers["Content-Type"] == "image/svg+xml"
    inner = signing.dumps("http://127.0.0.1:1025/x.png", salt="newsletter.source-picture")
    assert admin.get(f"/studio/sources/picture/{inner}").headers["Content-Type"] == "image/svg+xml"
    for token in ("x", signing.dumps(lead, salt="another"), address.rpartition("/")[2][:-1]):
        assert admin.get(f"/studio/sources/picture/{token}").status_code == 404


def test_a_picture_that_we_hold_is_on_its_card(newsletter: Newsletter, configured: Path) -> None:
    from newsletter.models import Picture

    url = "https://lantern.example.org/door.png"
    ingest(make_source("lake"), [entry("Open Door", pictures=(PictureRef(url),))], {}, timezone.now())
    name = f"ab/{'ab' * 32}.jpg"
    Picture.objects.create(source_url=url, name=name, fetched_at=timezone.now())
    assert f'<img src="/media/{name}"' in read(somebody(Role.EDITOR), "/studio/source/lake/")
    assert Entry.objects.count() == 1
