"""Feeds of the shapes that real sites publish; every text in them is invented."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.content import EntryContent
from newsletter.core.errors import FetchError, SourceError
from newsletter.sources import build
from newsletter.sources.base import SourceSpec
from newsletter.sources.feed import FeedSource, read_feed
from newsletter.sources.fetch import Fetched, Fetcher

from .conftest import Shop, answer

FEEDS = Path(__file__).parent.parent / "fixtures" / "feeds"
URL = "https://feeds.example.org/feed"


def spec(**changes: object) -> SourceSpec:
    values: dict[str, object] = {"name": "Lantern", "kind": "feed", "location": URL, "brand": "LANTERN", **changes}
    return SourceSpec(**values)  # type: ignore[arg-type]


def read(
    body: bytes | str, media_type: str = "application/rss+xml", charset: str = "", **changes: object
) -> tuple[tuple[EntryContent, ...], tuple[str, ...]]:
    data = body.encode() if isinstance(body, str) else body
    return read_feed(Fetched(url=URL, status=200, body=data, media_type=media_type, charset=charset), spec(**changes))


def rss(items: str, prolog: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    return f"{prolog}<rss version='2.0'><channel><title>T</title><link>https://t.example.org/</link>{items}</channel></rss>"


@pytest.fixture(scope="module")
def wordpress() -> tuple[EntryContent, ...]:
    return read((FEEDS / "wordpress.xml").read_bytes())[0]


def test_a_wordpress_entry_loses_its_junk_and_keeps_its_words(wordpress: tuple[EntryContent, ...]) -> None:
    entry = wordpress[0]
    assert entry.title == "‘Paper Harbor’ Folds a Town in Half: Movie Review"
    assert (entry.title_clean, entry.rubric, entry.rubric_label) == (
        "‘Paper Harbor’ Folds a Town in Half",
        "movie",
        "Movie Review",
    )
    assert entry.body_text.split("\n\n") == [
        "The town in this film was folded out of one sheet, and for ninety minutes nobody dares to sneeze. It is funny before it is anything else, and that is a kind of courage.",
        "The director has said that the rain was an accident.",
    ]
    assert '<a href="https://lantern.example.org/about-the-director/">' in entry.body_html
    assert entry.authors == ("Mara Quill",)
    assert entry.published_at == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert entry.work is not None and entry.work.title == "Paper Harbor"


def test_an_excerpt_loses_its_continue_reading(wordpress: tuple[EntryContent, ...]) -> None:
    assert wordpress[0].dek == "Paper, glue, and a mayor with a secret."
    assert wordpress[0].origins["dek"] == "excerpt"


def test_one_picture_at_two_sizes_is_one_picture_with_its_credit(wordpress: tuple[EntryContent, ...]) -> None:
    (picture,) = wordpress[0].pictures
    assert picture.url == "https://lantern.example.org/media/harbor.jpg"
    assert (picture.alt, picture.caption, picture.credit, picture.role) == (
        "A paper boat",
        "The boat at dawn.",
        "Photo: Jo Lind",
        "lead",
    )


def test_double_escaped_categories_and_three_cases_of_a_tag_become_plain(wordpress: tuple[EntryContent, ...]) -> None:
    assert wordpress[0].tags == ("Movies & More", "festival")


def test_a_sponsored_entry_is_marked_and_its_original_link_found(wordpress: tuple[EntryContent, ...]) -> None:
    entry = wordpress[1]
    assert entry.sponsored
    assert entry.url == "https://lantern.example.org/2026/11/knife/"
    assert entry.guid == "https://short.example.net/k1"
    assert entry.authors == ()


def test_markup_in_a_title_is_words_and_the_rubric_may_stand_in_front(wordpress: tuple[EntryContent, ...]) -> None:
    entry = wordpress[2]
    assert (entry.title_clean, entry.rubric) == ("The Salt Ledger by A. Marsh", "book")


def test_the_publisher_is_no_author_and_the_byline_in_the_body_is(wordpress: tuple[EntryContent, ...]) -> None:
    entry = wordpress[2]
    assert entry.authors == ("Ed Kerr", "Lu Wen")
    assert entry.origins["authors"] == "byline"
    assert entry.body_text.startswith("Accounts of a drowned island")


def test_the_largest_media_content_leads_and_keeps_its_signature(wordpress: tuple[EntryContent, ...]) -> None:
    assert wordpress[2].pictures[0].url == "https://cdn.example.net/salt-1200.jpg?sig=def&expires=99"
    assert wordpress[2].pictures[0].width == 1200


def test_a_pictures_words_are_its_alt_text_and_not_the_dek_wherever_they_stand() -> None:
    item = (
        "<item><title>Open Door</title><link>https://t.example.org/door</link>"
        "<media:content xmlns:media='http://search.yahoo.com/mrss/' url='https://t.example.org/door.jpg' medium='image'>"
        "<media:description>A door in snow</media:description></media:content>"
        "<description>A film about the cold, told from the warm side of the room.</description></item>"
    )
    (entry,), _ = read(rss(item))
    assert entry.pictures[0].alt == "A door in snow"
    assert "A door in snow" not in entry.dek + entry.body_text
    assert "warm side" in entry.body_text


def test_an_entry_without_a_guid_still_has_its_link(wordpress: tuple[EntryContent, ...]) -> None:
    assert wordpress[2].url == "https://books.example.net/salt"


def test_a_date_without_a_zone_is_in_the_zone_of_the_source() -> None:
    entries, _ = read((FEEDS / "wordpress.xml").read_bytes(), timezone="America/New_York")
    assert entries[2].published_at is not None
    assert entries[2].published_at.astimezone(UTC) == datetime(2026, 11, 3, 14, 30, tzinfo=UTC)


def test_entries_before_and_after_the_damage_survive() -> None:
    entries, warnings = read((FEEDS / "broken-middle.xml").read_bytes())
    titles = [entry.title for entry in entries]
    assert {"Before the Break: Album Review", "After the Break: Concert Review", "The Very End: TV Review"} <= set(
        titles
    )
    assert [entry.rubric for entry in entries if "Break:" in entry.title] == ["music", "concert"]
    assert any("not well-formed (line 4" in warning for warning in warnings)


def test_a_feed_cut_off_in_the_middle_gives_what_is_whole() -> None:
    whole = (FEEDS / "wordpress.xml").read_bytes()
    entries, warnings = read(whole[: whole.index(b"<title>Book Review")])
    assert [entry.title_clean for entry in entries][:2] == [
        "‘Paper Harbor’ Folds a Town in Half",
        "A Knife for Every Kitchen",
    ]
    assert warnings


def test_relative_links_and_pictures_of_an_atom_feed_are_resolved() -> None:
    entries, warnings = read((FEEDS / "atom.xml").read_bytes(), "application/atom+xml")
    entry = entries[0]
    assert entry.url == "https://tides.example.org/blog/orchester"
    assert 'href="https://tides.example.org/archiv/saal"' in entry.body_html
    assert entry.pictures[0].url == "https://tides.example.org/blog/orchester.jpg"
    assert entry.pictures[0].credit == "Foto: Kai Holm"
    assert (entry.title, entry.rubric, entry.language) == ("Das stille Orchester: Konzertkritik", "concert", "de")
    assert entry.published_at == datetime(2026, 11, 2, 19, tzinfo=timezone(timedelta(hours=1)))
    assert entry.guid == "tag:tides.example.org,2026:post-7"
    assert not warnings


def test_an_atom_entry_with_only_an_update_is_dated_by_it() -> None:
    entry = read((FEEDS / "atom.xml").read_bytes(), "application/atom+xml")[0][1]
    assert entry.published_at == datetime(2026, 11, 4, 12, tzinfo=UTC)
    assert entry.origins["published_at"] == "feed updated"


def test_a_json_feed_without_titles_and_with_oddities_is_read() -> None:
    entries, warnings = read((FEEDS / "untitled.json").read_bytes(), "application/feed+json")
    assert [entry.guid for entry in entries] == ["17", "18", "20"]
    first, second, third = entries
    assert first.title.endswith("…") and first.origins["title"] == "auto"
    assert first.pictures[0].url == "https://notes.example.org/i/17.jpg"
    assert second.url == "https://elsewhere.example.org/x"
    assert second.body_html == "<p>Two lines</p><p>and &lt;b&gt;no markup&lt;/b&gt; &amp; no {{ harm }}.</p>"
    assert (second.date_precision, second.rubric, second.tags) == ("day", "movie", ("Film",))
    assert third.body_text == "bellring" and third.authors == () and third.rubric == "game"
    assert len([w for w in warnings if "Left out" in w]) == 2


def test_json_that_is_no_feed_says_so() -> None:
    with pytest.raises(SourceError, match="not a JSON Feed"):
        read('{"items": 5}', "application/json")
    with pytest.raises(SourceError, match="line 2"):
        read('{"items":\n [}', "application/json")


def test_blank_bytes_before_the_declaration_do_no_harm() -> None:
    body = "\n\n  " + rss("<item><title>Café Noir: Film Review</title><link>https://t.example.org/a</link></item>")
    entries, _ = read(body)
    assert entries[0].title == "Café Noir: Film Review"


@pytest.mark.parametrize("charset", ["", "iso-8859-1"])
def test_latin_1_is_read_as_declared(charset: str) -> None:
    body = rss(
        "<item><title>Café: Film Review</title><link>https://t.example.org/a</link></item>",
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
    )
    assert read(body.encode("latin-1"), charset=charset)[0][0].title == "Café: Film Review"


def test_a_wrongly_declared_encoding_still_gives_the_words() -> None:
    body = rss("<item><title>Café “Noir”</title><link>https://t.example.org/a</link></item>")
    entries, _ = read(body.encode("cp1252"))
    assert entries[0].title == "Café “Noir”"


@pytest.mark.parametrize(
    ("written", "expected", "precision"),
    [
        ("Mon, 02 Nov 2026 10:00:00 GMT", datetime(2026, 11, 2, 10, tzinfo=UTC), "time"),
        ("2026-11-02 10:00:00", datetime(2026, 11, 2, 9, tzinfo=UTC), "time"),
        ("Mo, 2. November 2026 10:00", datetime(2026, 11, 2, 9, tzinfo=UTC), "time"),
        ("2 novembre 2026", datetime(2026, 11, 2, 11, tzinfo=UTC), "day"),
        ("Nov 2, 2026", datetime(2026, 11, 2, 11, tzinfo=UTC), "day"),
        ("1730824434", datetime(2024, 11, 5, 16, 33, 54, tzinfo=UTC), "time"),
        ("Sat, 01 Aug 2026 10:00:00 EST", datetime(2026, 8, 1, 15, tzinfo=UTC), "time"),
    ],
)
def test_dates_are_read_however_they_are_written(written: str, expected: datetime, precision: str) -> None:
    entries, _ = read(
        rss(f"<item><title>A</title><link>https://t.example.org/a</link><pubDate>{written}</pubDate></item>"),
        timezone="Europe/Berlin",
    )
    assert entries[0].published_at is not None
    assert (entries[0].published_at.astimezone(UTC), entries[0].date_precision) == (expected, precision)


def test_a_date_that_nobody_can_read_costs_a_warning_only() -> None:
    entries, _ = read(
        rss("<item><title>A</title><link>https://t.example.org/a</link><pubDate>next full moon</pubDate></item>")
    )
    assert entries[0].published_at is None
    assert "next full moon" in entries[0].warnings[0]


def test_a_picture_on_three_entries_is_the_default_of_the_site() -> None:
    item = "<item><title>{0}</title><link>https://t.example.org/{0}</link><enclosure url='https://t.example.org/{1}.jpg' type='image/jpeg' length='1'/></item>"
    entries, _ = read(rss("".join(item.format(n, "everywhere") for n in "abc") + item.format("d", "own")))
    assert [len(entry.pictures) for entry in entries] == [0, 0, 0, 1]


def test_an_entity_bomb_is_not_expanded() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]>'
    entries, _ = read(
        rss(
            "<item><title>Bomb &e;</title><link>https://t.example.org/a</link><description>&e;</description></item>",
            bomb,
        )
    )
    assert len(entries[0].title) < 100 and "haha" not in entries[0].body_text


def test_an_outside_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary-4711")
    prolog = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    entries, warnings = read(
        rss(
            "<item><title>A &x;</title><link>https://t.example.org/a</link><description>&x; b</description></item>",
            prolog,
        )
    )
    assert "canary" not in repr((entries, warnings))


def test_a_script_in_any_disguise_does_not_reach_the_body() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><title>A</title><id>a</id>
      <content type="application/html">&lt;script&gt;alert(1)&lt;/script&gt;&lt;p onclick="x()"&gt;words&lt;/p&gt;&lt;svg onload="x()"&gt;&lt;/svg&gt;</content></entry>
      <entry><title>B</title><id>b</id><content type="textôhtml">&lt;script&gt;alert(1)&lt;/script&gt;words&lt;form&gt;&lt;input name="q"&gt;&lt;/form&gt;</content></entry></feed>"""
    entries, _ = read(atom, "application/atom+xml")
    assert [entry.body_html for entry in entries] == ["<p>words</p>", "<p>words</p>"]


def test_entries_inside_entries_lose_nothing() -> None:
    entries, _ = read(
        rss(
            "<item><title>Outer</title><link>https://t.example.org/o</link><item><title>Inner</title><link>https://t.example.org/i</link></item></item>"
        )
    )
    assert {"Inner"} <= {entry.title for entry in entries}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html><body>Hello</body></html>", "web page"),
        (b"just words", "not a feed"),
        (b"\x00\x01\x02", "not a feed"),
        (b"<opml version='2.0'/>", "not a feed"),
    ],
)
def test_what_is_no_feed_says_what_it_is(body: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        read(body)
    assert URL in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "<rss><channel><item><title>half",
        "<rss version='2.0'><channel><title>T</title>",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><entry><title>half",
    ],
)
def test_a_feed_that_broke_off_before_its_first_entry_is_a_failed_try_and_no_quiet_week(body: str) -> None:
    with pytest.raises(SourceError, match=r"cut off or damaged \(line 1") as caught:
        read(body)
    assert caught.value.where == URL


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://user:pw@host.example/", "http://[half"])
def test_a_link_that_is_no_web_address_costs_the_address_and_no_entry(link: str) -> None:
    body = rss(f"<item><title>A</title><link>{link}</link></item><item><title>B</title></item>")
    data = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "A", "url": link}]})
    for entries, _ in (read(body), read(data, "application/feed+json")):
        assert (entries[0].title, entries[0].url) == ("A", "")
    assert any("is left out" in warning for warning in entries[0].warnings)


def test_a_script_for_a_link_is_named() -> None:
    entries, _ = read(rss("<item><title>A</title><link>javascript:alert(1)</link></item>"))
    assert "'javascript:alert(1)' is left out" in entries[0].warnings[0]


def test_an_empty_feed_is_a_feed_without_entries() -> None:
    assert read(rss("")) == ((), ())


def test_a_feed_is_gathered_over_http_with_its_validators(shop: Shop, fetcher: Fetcher) -> None:
    body = (FEEDS / "wordpress.xml").read_bytes()
    url = shop.serve("/feed", body, "application/rss+xml", ETag='"7"')
    source = build("feed", fetcher)
    gathered = source.gather(spec(location=url))
    assert (len(gathered.entries), gathered.etag, gathered.unchanged) == (3, '"7"', False)
    assert len(gathered.raw_hash) == 64
    shop.rules["/feed"] = lambda request: answer(request, 304, b"")
    again = source.gather(spec(location=url, etag='"7"'))
    assert again.unchanged and again.entries == () and again.etag == '"7"'


def test_a_moved_feed_gives_its_new_address(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/new", rss(""), "application/rss+xml")
    gathered = FeedSource(fetcher).gather(spec(location=shop.redirect("/old", "/new", 301)))
    assert gathered.final_url == shop.url("/new")


def test_a_feed_that_can_not_be_had_is_an_error_and_not_a_quiet_week(fetcher: Fetcher, shop: Shop) -> None:
    with pytest.raises(FetchError):
        FeedSource(fetcher).gather(spec(location=shop.url("/gone")))


def test_reading_a_feed_twice_gives_the_same_entries() -> None:
    body = (FEEDS / "wordpress.xml").read_bytes()
    assert read(body) == read(body)


def test_an_unknown_kind_names_the_kinds_there_are(fetcher: Fetcher) -> None:
    with pytest.raises(SourceError, match="feed, wordpress, page, folder, paste"):
        build("fax", fetcher)


@given(st.data())
def test_a_damaged_feed_never_raises_anything_but_a_source_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["wordpress.xml", "atom.xml", "untitled.json", "broken-middle.xml"]))
    body = bytearray((FEEDS / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(body) - 1))
        change = data.draw(st.sampled_from(["flip", "cut", "double", "insert"]))
        if change == "flip":
            body[at] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del body[at : at + data.draw(st.integers(1, 200))]
        elif change == "double":
            body[at:at] = body[at : at + 100]
        else:
            body[at:at] = data.draw(
                st.sampled_from(
                    [
                        b"<",
                        b"]]>",
                        b"<![CDATA[",
                        b"&",
                        b"\0",
                        b"<item>",
                        b"</item>",
                        b"<script>alert(1)</script>",
                        b"\xff\xfe",
                    ]
                )
            )
        if not body:
            break
    try:
        entries, _ = read(bytes(body), "application/json" if name.endswith("json") else "application/rss+xml")
    except SourceError:
        return
    for entry in entries:
        assert "<script" not in entry.body_html and entry.title
