"""Sources as people keep them: found by any address, added, paused, removed; and what the file says of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter.core.content import EntryContent
from newsletter.core.errors import SourceError, StudioError
from newsletter.flow import sourcing
from newsletter.flow.apply import apply_text, changed, dump_text
from newsletter.flow.gather.ingest import ingest
from newsletter.flow.issue import ensure_draft, place, why
from newsletter.flow.sourcing import keeping
from newsletter.flow.sourcing.keeping import free_slug, sender_at
from newsletter.models import Entry, Event, Magazine, Newsletter, Picture, Placement, Review, Source, StudioChange
from newsletter.sources.fetch import Fetcher
from tests.factories import make_account, make_newsletter, make_source
from tests.sources.conftest import Shop
from tests.sources.conftest import fetcher as fetcher
from tests.sources.conftest import shop as shop

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
WORDS = "It begins with a door left open in winter and nobody getting up to close it, and that is the whole film. "
HTML = "text/html; charset=utf-8"
RSS = "application/rss+xml"


def rss(*titles: str) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://lantern.example.org/{number}</link><guid>g{number}</guid>"
        f"<pubDate>{format_datetime(NOW - timedelta(hours=number))}</pubDate><description>{WORDS}</description></item>"
        for number, title in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>LANTERN</title>{items}</channel></rss>'


def posts(*titles: str) -> str:
    return json.dumps(
        [
            {
                "id": number,
                "link": f"https://lantern.example.org/{number}",
                "title": {"rendered": title},
                "content": {"rendered": f"<p>{WORDS}</p>"},
                "date_gmt": "2026-11-01T10:00:00",
            }
            for number, title in enumerate(titles)
        ]
    )


def page(*head: str, body: str = "") -> str:
    return f"<!doctype html><html><head><title>LANTERN</title>{''.join(head)}</head><body>{body}</body></html>"


NAMES_FEED = '<link rel="alternate" type="application/rss+xml" title="All" href="/all.xml">'


# --- finding -----------------------------------------------------------------------------------------------------


def test_a_feed_is_a_feed(shop: Shop, fetcher: Fetcher) -> None:
    found = sourcing.find(shop.serve("/feed", rss("Open Door", "Late Bus"), RSS), fetcher)
    assert (found.tried.kind, found.why) == ("feed", "This address is a feed.")
    assert [entry.title for entry in found.tried.entries] == ["Open Door", "Late Bus"]
    assert len(shop.asked) == 1


def test_a_site_is_read_by_the_feed_that_it_names_and_each_address_is_asked_once(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/all.xml", rss("Open Door"), RSS)
    found = sourcing.find(shop.serve("/", page(NAMES_FEED), HTML), fetcher)
    assert (found.tried.kind, found.tried.location) == ("feed", shop.url("/all.xml"))
    assert found.why == "The page names this feed: “All”."
    assert [offer.kind for offer in found.others] == ["page"]
    assert [path for path, _ in shop.asked] == ["/", "/all.xml"]


def test_wordpress_is_read_by_its_interface_and_by_its_feed_when_that_is_closed(shop: Shop, fetcher: Fetcher) -> None:
    rest = '<link rel="https://api.w.org/" href="/wp-json/">'
    shop.serve("/all.xml", rss("Open Door"), RSS)
    home = shop.serve("/", page(rest, NAMES_FEED), HTML)
    closed = sourcing.find(home, fetcher)
    assert closed.tried.kind == "feed"
    assert [offer.kind for offer in closed.others] == ["wordpress", "page"]
    shop.serve("/wp-json/wp/v2/posts", posts("Open Door", "Late Bus"), "application/json")
    open_one = sourcing.find(home, fetcher)
    assert (open_one.tried.kind, len(open_one.tried.entries)) == ("wordpress", 2)
    assert "WordPress" in open_one.why


def test_a_site_that_names_nothing_is_read_where_most_feeds_lie(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/rss/", rss("Open Door"), RSS)
    found = sourcing.find(shop.serve("/", page(), HTML), fetcher)
    assert (found.tried.location, found.why) == (shop.url("/rss/"), "A feed was found at /rss/.")


def test_one_page_is_an_article(shop: Shop, fetcher: Fetcher) -> None:
    article = f"<article><h1>Open Door</h1><p>{WORDS * 3}</p></article>"
    found = sourcing.find(shop.serve("/door", page(body=article), HTML), fetcher)
    assert (found.tried.kind, found.tried.entries[0].title) == ("page", "Open Door")


def test_what_cannot_be_read_is_said_in_plain_words(shop: Shop, fetcher: Fetcher) -> None:
    def error(address: str) -> str:
        found = sourcing.find(address, fetcher)
        assert found.tried.entries == ()
        return found.tried.error

    assert error(shop.serve("/empty", page(), HTML)).startswith("Nothing to read was found there")
    login = page(body="<form><input type=password></form>")
    assert error(shop.serve("/login", login, HTML)).startswith("This page asks for a log-in")
    assert error(shop.serve("/large", b"x" * 200_001, HTML)) == "The answer is larger than 200,000 bytes."
    assert error(shop.url("/gone")) == "There is nothing at this address (status 404)."
    assert "private network" in error("http://127.0.0.1:1025/feed")
    assert "private network" in error("127.0.0.1:1025")
    assert error("ftp://lantern.example.org/") == "Only http and https addresses can be fetched."
    assert error("javascript:alert(1)").startswith("Only web addresses")
    assert error("  ").startswith("There is no address")
    assert error("two words").startswith("An address has no spaces")
    assert error("x" * 10_000_000).startswith("The address is longer")
    assert error("https://ada:secret@lantern.example.org/").startswith("The address holds a login")
    assert "no web address" in error("https://[x") or "not a web address" in error("https://[x")
    picture = error(shop.serve("/cat.png", b"\x89PNG....", "image/png"))
    assert "not a feed" in picture


def test_a_server_that_says_nothing_costs_no_more_than_the_patience(shop: Shop) -> None:
    def silent(request: object) -> None:
        shop.stopping.wait(5)

    shop.rules["/slow"] = silent
    hasty = Fetcher(allow=frozenset({("127.0.0.1", shop.port)}), deadline=0.3)
    found = sourcing.find(shop.url("/slow"), hasty)
    assert found.tried.error == "No answer within 0.3 seconds."


def test_no_further_way_is_tried_once_the_time_is_up(shop: Shop, fetcher: Fetcher) -> None:
    ticks = iter([0.0, 1.0, 99.0])
    shop.serve("/rss/", rss("Open Door"), RSS)
    found = sourcing.find(shop.serve("/", page(), HTML), fetcher, seconds=25.0, clock=lambda: next(ticks))
    assert found.tried.error.startswith("Nothing to read was found")
    assert len(shop.asked) == 2  # the page, and the first way


def test_an_address_is_what_people_type(shop: Shop, fetcher: Fetcher) -> None:
    assert sourcing.web_address(" lantern.example.org/a ") == ("https://lantern.example.org/a", True)
    assert sourcing.web_address("lantern.example.org:8443") == ("https://lantern.example.org:8443", True)
    assert sourcing.web_address("feed://lantern.example.org/rss") == ("https://lantern.example.org/rss", True)
    assert sourcing.web_address("feed:https://lantern.example.org/rss")[0] == "https://lantern.example.org/rss"
    assert sourcing.web_address("//lantern.example.org") == ("https://lantern.example.org", True)
    # A site without https, typed without a scheme.
    shop.serve("/feed", rss("Open Door"), RSS)
    assert sourcing.find(f"127.0.0.1:{shop.port}/feed", fetcher).tried.location == shop.url("/feed")


# --- keeping -----------------------------------------------------------------------------------------------------


@pytest.fixture
def newsletter(db: None) -> Newsletter:
    return make_newsletter(account=make_account(name="main", kind="outbox"))


def fields(slug: str = "lake", **more: str) -> dict[str, str]:
    return {"kind": "feed", "location": f"https://{slug}.example.org/feed/", "name": f"The {slug}", **more}


def add(newsletter: Newsletter, slug: str = "lake") -> Source:
    return sourcing.add(newsletter, fields(slug), now=NOW, by="mara")


def entry(title: str, day: datetime = NOW - timedelta(days=1)) -> EntryContent:
    address = f"https://lantern.example.org/{title.replace(' ', '-')}"
    return EntryContent(title=title, title_clean=title, url=address, guid=title, body_text=WORDS, published_at=day)


def test_an_added_source_is_in_the_file_and_an_older_file_shows_what_it_would_undo(newsletter: Newsletter) -> None:
    newsletter.sources.add(make_source("site", kind="feed", location="https://lantern.example.org/feed/"))
    older = dump_text()
    source = add(newsletter)
    assert (source.slug, source.name) == ("the-lake", "The lake")
    assert apply_text(dump_text(), now=NOW) == []
    assert 'sources = ["site", "the-lake"]' in dump_text()
    shown = apply_text(older, now=NOW, dry_run=True)
    assert [str(change) for change in shown] == ['newsletters weekly: sources: ["site", "the-lake"] -> ["site"]']
    apply_text(older, now=NOW)
    # It is there still, goes nowhere, and can be put back.
    assert sourcing.health_of(Source.objects.get(slug="the-lake"), NOW).newsletters == ()
    sourcing.put_into(source, newsletter, now=NOW, by="mara")
    assert set(newsletter.sources.values_list("slug", flat=True)) == {"site", "the-lake"}


def test_a_newsletter_that_takes_from_every_source_goes_on_doing_so(newsletter: Newsletter) -> None:
    make_source("site")
    add(newsletter)
    assert not newsletter.sources.exists()


def test_the_same_place_is_not_added_twice_and_names_that_are_taken_get_a_number(newsletter: Newsletter) -> None:
    add(newsletter)
    with pytest.raises(SourceError, match="is read from there already"):
        add(newsletter)
    other = sourcing.add(newsletter, fields(location="https://other.example.org/"), now=NOW, by="mara")
    assert other.slug == "the-lake-2"
    assert free_slug("x" * 300) == "x" * 50
    assert free_slug("???") == "source"


@pytest.mark.parametrize(
    "wrong",
    [
        {"location": "file:///etc/passwd"},
        {"location": "https://"},
        {"location": "/etc"},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "two\nlines"},
        {"kind": "memory"},
        {"slug": "Not A Slug"},
    ],
)
def test_what_apply_refuses_is_refused_and_nothing_is_added(newsletter: Newsletter, wrong: dict[str, str]) -> None:
    with pytest.raises(SourceError):
        sourcing.add(newsletter, fields() | wrong, now=NOW, by="mara")
    assert not Source.objects.exists()


def test_a_first_source_makes_the_first_newsletter_by_the_same_file(db: None) -> None:
    source = sourcing.begin("Ünder Licht", fields("www.lake"), now=NOW, by="admin")
    made = Newsletter.objects.get()
    assert (made.name, made.from_name, made.account.kind) == ("Ünder Licht", "Ünder Licht", "outbox")
    assert (made.from_address, Magazine.objects.get().url) == (
        "newsletter@lake.example.org",
        "https://www.lake.example.org/",
    )
    assert list(made.sources.all()) == [source]
    assert apply_text(dump_text(), now=NOW) == []
    with pytest.raises(SourceError, match="There is a newsletter already"):
        sourcing.begin("Other", fields("other"), now=NOW, by="admin")


def test_the_sender_is_at_the_site_or_at_nobodys_domain() -> None:
    assert sender_at("https://www.lantern.example.org/feed") == "newsletter@lantern.example.org"
    assert sender_at("http://127.0.0.1:8000/feed") == sender_at("http://localhost/") == "newsletter@example.org"


def test_pausing_is_the_files_enabled_and_is_told_once(newsletter: Newsletter) -> None:
    source = add(newsletter)
    for _ in range(2):
        sourcing.set_enabled(source, False, now=NOW, by="mara")
    assert "enabled = false" in dump_text()
    assert sourcing.health_of(Source.objects.get(), NOW).state == "paused"
    assert Event.objects.filter(kind="source paused", by="mara").count() == 1


def test_a_removed_source_takes_nothing_with_it_that_was_placed(newsletter: Newsletter) -> None:
    source, other = add(newsletter), add(newsletter, "sea")
    ingest(source, [entry("Open Door"), entry("Late Bus")], {}, NOW)
    Source.objects.update(first_gathered_at=NOW)
    issue = ensure_draft(newsletter, now=NOW)
    place(issue, now=NOW)
    ingest(source, [entry("Two Spoons")], {}, NOW)
    ingest(other, [entry("Salt")], {}, NOW)
    with pytest.raises(SourceError, match="not its short name"):
        sourcing.remove(source, "the lake", now=NOW, by="mara")
    sourcing.remove(source, " the-lake ", now=NOW, by="mara")
    place(issue, now=NOW)
    held = {str(row.review) for row in Placement.objects.filter(issue=issue, state="reserved")}
    assert held == {"Open Door", "Late Bus", "Salt"}
    assert "the-lake" not in dump_text()
    assert [one.source.slug for one in sourcing.health_of_all(NOW)] == ["the-sea"]
    told = why("Open Door", newsletter, now=NOW)[0]
    assert told.state == "in"
    assert "Its source was removed, but not what was placed before." in [rule.text for rule in told.rules]
    assert why("Two Spoons", newsletter, now=NOW)[0].state == "out"
    assert Entry.objects.count() == Review.objects.count() == 4


def test_removing_the_only_source_lets_nothing_of_it_into_the_next_issue(newsletter: Newsletter) -> None:
    source = add(newsletter)
    ingest(source, [entry("Open Door")], {}, NOW)
    sourcing.remove(source, source.slug, now=NOW, by="mara")
    assert place(ensure_draft(newsletter, now=NOW), now=NOW).cards == 0


def test_a_removed_source_comes_back_with_all_that_is_known_of_it(newsletter: Newsletter) -> None:
    source = add(newsletter)
    ingest(source, [entry("Open Door")], {}, NOW)
    Source.objects.update(etag='"x"', failures_in_row=3, last_error="No answer.", first_gathered_at=NOW)
    older = dump_text()
    sourcing.remove(source, source.slug, now=NOW, by="mara")
    said = [str(change) for change in apply_text(older, now=NOW, dry_run=True)]
    assert 'sources the-lake: location = "https://lake.example.org/feed/" (new)' in said
    taken_back = 'newsletters weekly: sources: [] -> ["the-lake"] (set in the studio by mara, '
    assert [line for line in said if line.startswith(taken_back)]
    with pytest.raises(StudioError, match="the-lake"):
        apply_text(older, now=NOW)
    assert Source.objects.get().removed_at == NOW
    back = add(newsletter)
    assert (back.pk, back.slug, back.etag, back.enabled) == (source.pk, "the-lake", "", True)
    assert back.first_gathered_at == NOW
    assert ingest(back, [entry("Open Door")], {}, NOW).new == 0


def test_an_older_file_is_refused_that_would_bring_a_removed_source_back_to_a_newsletter_that_names_none(
    newsletter: Newsletter,
) -> None:
    source = add(newsletter)
    newsletter.sources.clear()
    StudioChange.objects.all().delete()
    sourcing.set_enabled(source, False, now=NOW, by="otto")
    older = dump_text()
    sourcing.remove(source, source.slug, now=NOW, by="mara")
    with pytest.raises(StudioError) as refused:
        apply_text(older, now=NOW)
    by = f"mara, {NOW:%Y-%m-%d %H:%M} UTC"
    assert f'sources the-lake: slug = "the-lake" (new; removed in the studio by {by})' in str(refused.value)
    assert "It would take back one setting" in str(refused.value) and "otto" not in str(refused.value)
    assert Source.objects.get().removed_at == NOW
    # Other files are none of its business, and what they say is said once.
    assert apply_text(dump_text(), now=NOW) == []
    assert changed() == 0
    with pytest.raises(StudioError):
        apply_text(older, now=NOW)
    said = [str(change) for change in apply_text(older, now=NOW, over_studio=True)]
    assert [line for line in said if "removed in the studio by mara" in line]
    assert Source.objects.get().removed_at is None
    assert not StudioChange.objects.exists()
    assert apply_text(older, now=NOW) == []


def test_who_adds_a_removed_source_again_owns_it_as_the_file_does(newsletter: Newsletter) -> None:
    source = add(newsletter)
    older = dump_text()
    sourcing.remove(source, source.slug, now=NOW, by="mara")
    add(newsletter)
    assert apply_text(older, now=NOW) == []


# --- health ------------------------------------------------------------------------------------------------------


def test_the_health_of_a_source_counts_weeks_by_the_reviews_own_dates(newsletter: Newsletter) -> None:
    source = add(newsletter)
    dated = [NOW - timedelta(hours=1), NOW - timedelta(days=8), NOW - timedelta(days=9), NOW - timedelta(weeks=30)]
    ingest(source, [entry(f"Review {at:%j}", at) for at in dated], {}, NOW)
    Source.objects.update(last_tried_at=NOW - timedelta(minutes=20), last_success_at=NOW - timedelta(minutes=20))
    health = sourcing.health_of_all(NOW)[0]
    assert (health.state, health.entries, health.lately) == ("good", 4, 3)
    assert health.weeks[-2:] == (2, 1)
    assert health.next_at == NOW + timedelta(minutes=40)
    assert [str(one) for one in health.newsletters] == ["LANTERN Weekly"]
    assert sourcing.rubrics_of(source) == [("", 4)]
    assert [shown.content.title for shown in sourcing.latest_entries(source, 2)] == [
        f"Review {at:%j}" for at in dated[:2]
    ]


def test_a_failing_source_comes_first(newsletter: Newsletter) -> None:
    add(newsletter)
    bad = add(newsletter, "zebra")
    Source.objects.filter(pk=bad.pk).update(failures_in_row=2, last_error="No answer.", last_tried_at=NOW)
    first, second = sourcing.health_of_all(NOW)
    assert (first.source, first.state, second.state) == (bad, "failing", "new")
    assert first.next_at == NOW + timedelta(hours=4)


def test_pictures_that_take_too_long_come_with_the_next_gather(
    newsletter: Newsletter, shop: Shop, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = rss("Open Door").replace(
        "</item>", f'<enclosure url="{shop.url("/a.png")}" type="image/png" length="1"/></item>'
    )
    source = sourcing.add(newsletter, fields(location=shop.serve("/feed", item, RSS)), now=NOW, by="mara")
    monkeypatch.setattr(keeping, "PICTURE_SECONDS", 0.0)
    report = sourcing.read_now(source, now=NOW, fetcher=fetcher, media_folder=tmp_path)
    assert (report.outcome, report.new) == ("read", 1)
    waiting = Picture.objects.get()
    assert waiting.error == "Its turn comes with the next gather."
    assert waiting.fetched_at < NOW - timedelta(minutes=50)
    assert [path for path, _ in shop.asked] == ["/feed"]


def test_a_folder_is_found_by_no_address(shop: Shop, fetcher: Fetcher) -> None:
    for path in ("/etc", "~/reviews", "C:\\reviews"):
        assert sourcing.find(path, fetcher).tried.error


def test_trying_keeps_nothing(newsletter: Newsletter, shop: Shop, fetcher: Fetcher) -> None:
    assert sourcing.find(shop.serve("/feed", rss("Open Door"), RSS), fetcher).tried.entries
    assert not Source.objects.exists() and not Entry.objects.exists()


def test_a_removed_source_is_not_gathered_by_name(newsletter: Newsletter) -> None:
    source = add(newsletter)
    sourcing.remove(source, source.slug, now=NOW, by="mara")
    with pytest.raises(CommandError, match="There is no source"):
        call_command("gather", source.slug)
    with pytest.raises(CommandError, match="There is no source"):
        call_command("source", "check", source.slug)
