"""One article at its address, in the shapes that real pages have."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from newsletter.core.content import EntryContent
from newsletter.core.errors import SourceError
from newsletter.sources import build
from newsletter.sources.base import SourceSpec
from newsletter.sources.fetch import Fetched, Fetcher
from newsletter.sources.page import decoded, found_in, read_article

from .conftest import Shop

PAGES = Path(__file__).parent.parent / "fixtures" / "pages"
URL = "https://lantern.example.org/live/low-tides"
SPEC = SourceSpec(name="Page", kind="page", location=URL, brand="LANTERN")
PROSE = (
    "The first long paragraph of a page has enough words in it to be taken for the article that it is, at least by us. "
    * 2
)


@pytest.fixture(scope="module")
def tides() -> EntryContent:
    return read_article((PAGES / "low-tides.html").read_text(encoding="utf-8"), URL, SPEC)


def test_the_body_is_the_article_and_nothing_round_it(tides: EntryContent) -> None:
    paragraphs = tides.body_text.split("\n\n")
    assert [p.split()[0] for p in paragraphs] == ["It", "The", "The", "What"]
    for junk in (
        "More from",
        "inbox",
        "©",
        "Advertisement",
        "Read more",
        "umbrellas.",
        "Comments",
        "First!",
        "Most read",
        "Home",
        "alt=",
    ):
        assert junk not in tides.body_html, junk


def test_a_player_becomes_a_link_to_what_it_plays(tides: EntryContent) -> None:
    assert '<a href="https://www.youtube.com/watch?v=abcDEF12345">The Low Tides: Gutter</a>' in tides.body_html


def test_each_field_comes_from_who_is_believed_first(tides: EntryContent) -> None:
    assert tides.title == "The Low Tides Turn a Warehouse Into Weather: Concert Review"
    assert (tides.title_clean, tides.rubric) == ("The Low Tides Turn a Warehouse Into Weather", "concert")
    assert tides.authors == ("Ed Kerr",)
    assert tides.published_at is not None and tides.published_at.astimezone(UTC) == datetime(
        2026, 11, 3, 4, 30, tzinfo=UTC
    )
    assert tides.dek == "Rain, sub-bass and one very patient cellist."
    assert tides.language == "en-US"
    assert tides.url == URL
    assert {k: tides.origins[k] for k in ("title", "authors", "published_at", "dek", "rating", "work", "language", "pictures")} == {
        "title": "json-ld", "authors": "json-ld", "published_at": "json-ld", "dek": "meta description", "rating": "json-ld",
        "work": "json-ld", "language": "html lang", "pictures": "json-ld",
    }  # fmt: skip


def test_the_rating_is_this_pages_own_and_not_the_sidebars(tides: EntryContent) -> None:
    assert tides.rating is not None
    assert (tides.rating.value, tides.rating.best) == ("4.5", "5")
    assert tides.work is not None and (tides.work.title, tides.work.type, tides.work.where) == (
        "The Low Tides",
        "concert",
        "Pier Hall",
    )
    assert tides.event_date == date(2026, 11, 1)


def test_a_protocol_relative_picture_leads_and_the_logo_is_dropped(tides: EntryContent) -> None:
    assert [picture.url for picture in tides.pictures] == [
        "https://cdn.lantern.example.org/tides-1600.jpg",
        "https://lantern.example.org/img/tides-small.jpg",
    ]
    assert [picture.role for picture in tides.pictures] == ["lead", "inline"]
    assert (tides.pictures[1].caption, tides.pictures[1].credit) == ("Raincoats on stage.", "Photo by Jo Lind")


def test_other_articles_are_kept_apart(tides: EntryContent) -> None:
    assert tides.related == (
        "‘See You Sunday’ Lets a Family Argue: Movie Review",
        "Ona Varga on Patience: LANTERN Interview",
    )


def test_invalid_structured_data_is_a_warning(tides: EntryContent) -> None:
    assert tides.warnings == ("1 JSON-LD block(s) of the page can't be read",)


def test_without_structured_data_the_pages_own_time_and_byline_count() -> None:
    markup = f"""<html><head><title>A Fine Title - The Site</title><meta property="og:site_name" content="The Site"></head><body>
      <aside><time datetime="2019-01-01T00:00:00Z">x</time></aside>
      <article><h1>A Fine Title</h1><p class="byline">Words: Ana Sol</p><time datetime="2026-11-02T10:00:00Z">today</time><p>{PROSE}</p><p>{PROSE}</p></article></body></html>"""
    entry = read_article(markup, URL, SPEC)
    assert (entry.title, entry.authors) == ("A Fine Title", ("Ana Sol",))
    assert entry.published_at == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert entry.rating is None
    assert (entry.origins["title"], entry.origins["authors"], entry.origins["published_at"]) == (
        "h1",
        "byline",
        "<time>",
    )


def test_a_canonical_address_with_a_login_is_not_believed() -> None:
    markup = (
        f'<title>T</title><link rel="canonical" href="http://user:pw@host.example/"><article><p>{PROSE}</p></article>'
    )
    entry = read_article(markup, URL, SPEC)
    assert (entry.url, entry.guid) == (URL, URL)
    assert "login" in entry.warnings[0] and "host.example" in entry.warnings[0] and "pw" not in entry.warnings[0]


@pytest.mark.parametrize("markup", ["", "<html></html>", "<html><body><nav>Home</nav></body></html>"])
def test_a_page_without_an_article_logs_nothing_of_its_own(markup: str, caplog: pytest.LogCaptureFixture) -> None:
    found_in(markup, URL)
    assert caplog.records == []


def test_the_title_element_loses_the_name_of_the_site() -> None:
    markup = f'<title>Only Here – The Site – The Site</title><meta property="og:site_name" content="The Site"><div class="post-content"><p>{PROSE}</p></div>'
    assert read_article(markup, URL, SPEC).title == "Only Here"


@pytest.mark.parametrize(
    ("first", "second"),
    [("2026-11-02", "2026-11-02T10:00:00+01:00"), ("2026-11-02T10:00:00", "2026-11-02T10:00:00+01:00")],
)
def test_a_date_with_a_zone_beats_an_earlier_one_without(first: str, second: str) -> None:
    markup = f'<script type="application/ld+json">{{"@type":"Article","headline":"H","datePublished":"{first}"}}</script><meta property="article:published_time" content="{second}"><article><p>{PROSE}</p></article>'
    entry = read_article(markup, URL, SPEC)
    assert entry.published_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert entry.origins["published_at"] == "article:published_time"


def test_a_day_alone_is_local_noon_of_the_source() -> None:
    markup = f'<meta property="article:published_time" content="2026-11-02"><title>T</title><article><p>{PROSE}</p></article>'
    entry = read_article(markup, URL, SourceSpec(name="x", kind="page", location=URL, timezone="America/New_York"))
    assert entry.date_precision == "day"
    assert entry.published_at is not None and entry.published_at.astimezone(UTC) == datetime(
        2026, 11, 2, 17, tzinfo=UTC
    )


def test_two_different_canonicals_are_no_answer() -> None:
    markup = f'<link rel="canonical" href="/a"><link rel="canonical" href="/b"><meta property="og:url" content="https://c.example.org/"><title>T</title><article><p>{PROSE}</p></article>'
    assert read_article(markup, URL, SPEC).url == URL


def test_a_page_whose_structure_says_nothing_is_read_by_trafilatura() -> None:
    rows = "".join(
        f"<tr><td><font size=2>Sentence number {n} of a page that was laid out with tables when tables were new, and never again.</font><br><br></td></tr>"
        for n in range(12)
    )
    entry = read_article(
        f"<html><head><title>Tables</title></head><body><table>{rows}</table></body></html>", URL, SPEC
    )
    assert "Sentence number 11" in entry.body_text
    assert entry.origins["body_html"] == "trafilatura"


@pytest.mark.parametrize(
    "markup", ["", "<html></html>", "<title>Nothing Here</title><nav><a href='/'>Home</a></nav>", "\0\0\0", "<" * 5000]
)
def test_a_page_without_an_article_says_so(markup: str) -> None:
    from newsletter.core.errors import ContentError

    with pytest.raises(ContentError):
        read_article(markup, URL, SPEC)


def test_template_syntax_and_mail_markup_stay_words() -> None:
    entry = read_article(
        f"<title>{{{{ 7*7 }}}} {{% if %}}</title><article><p>{PROSE} {{{{ subscriber.email }}}} &lt;mj-raw&gt; [[ x ]]</p></article>",
        URL,
        SPEC,
    )
    assert entry.title == "{{ 7*7 }} {% if %}"
    assert "{{ subscriber.email }} &lt;mj-raw&gt; [[ x ]]" in entry.body_html


def test_a_page_is_gathered_over_http(shop: Shop, fetcher: Fetcher) -> None:
    url = shop.serve("/live/low-tides", (PAGES / "low-tides.html").read_bytes(), "text/html")
    (entry,) = build("page", fetcher).gather(SourceSpec(name="p", kind="page", location=url)).entries
    assert entry.rubric == "concert" and entry.word_count > 100


def test_what_is_no_page_says_what_it_is(shop: Shop, fetcher: Fetcher) -> None:
    url = shop.serve("/a.pdf", b"%PDF", "application/pdf")
    with pytest.raises(SourceError, match="application/pdf"):
        build("page", fetcher).gather(SourceSpec(name="p", kind="page", location=url))
    url = shop.serve("/empty", b"<html></html>", "text/html")
    with pytest.raises(SourceError, match=r"neither a title nor words|No article"):
        build("page", fetcher).gather(SourceSpec(name="p", kind="page", location=url))


@pytest.mark.parametrize(
    ("body", "charset", "words"),
    [
        ("é".encode(), "utf-8", "é"),
        ("é".encode("latin-1"), "iso-8859-1", "é"),
        ("“é”".encode("cp1252"), "", "“é”"),
        ("é".encode("cp1252"), "utf-8", "é"),
        (b"\xef\xbb\xbf" + "é".encode(), "latin-1", "é"),
        (b"<meta charset=shift_jis>" + "映画".encode("shift_jis"), "", "映画"),
        ("é".encode(), "no-such-charset", "é"),
    ],
)
def test_a_page_is_decoded_whatever_it_declares(body: bytes, charset: str, words: str) -> None:
    assert decoded(Fetched(url=URL, status=200, body=body, charset=charset)).endswith(words)


def test_publishers_and_roles_are_no_authors() -> None:
    for name in ("LANTERN", "admin", "desk@lantern.example.org", "https://lantern.example.org/author/x", "Staff"):
        markup = f'<meta property="og:site_name" content="LANTERN"><meta name="author" content="{name}"><title>T</title><article><p>{PROSE}</p></article>'
        assert read_article(markup, URL, SPEC).authors == (), name


def test_found_in_never_raises_on_damaged_pages() -> None:
    whole = (PAGES / "low-tides.html").read_text(encoding="utf-8")
    for at in range(0, len(whole), 97):
        found_in(whole[:at], URL)
        found_in(whole[at:], URL)
