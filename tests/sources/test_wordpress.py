"""A WordPress site's REST interface, played by a loopback server with invented posts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.core.content import EntryContent
from newsletter.core.errors import FetchError, SourceError
from newsletter.sources import build
from newsletter.sources.base import SourceSpec
from newsletter.sources.fetch import Fetcher
from newsletter.sources.wordpress import posts_url

from .conftest import Shop, answer

ENDPOINT = "/wp-json/wp/v2/posts"


def post(number: int = 1, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": number,
        "date": "2026-11-02T05:00:00",
        "date_gmt": "2026-11-02T10:00:00",
        "modified_gmt": "2026-11-03T08:00:00",
        "status": "publish",
        "link": f"https://tides.example.org/{number}/",
        "guid": {"rendered": f"https://tides.example.org/?p={number}"},
        "title": {"rendered": "Nightjar&#8217;s Second Set: Album Review"},
        "content": {
            "rendered": "<p>Quiet, and then not. [gallery ids=1,2]</p><p><a href='/tour'>On tour</a></p>",
            "protected": False,
        },
        "excerpt": {"rendered": "<p>Quiet, and then not, and then quiet [&hellip;]</p>"},
        "_embedded": {
            "author": [{"name": "Ed Kerr"}],
            "wp:featuredmedia": [
                {
                    "source_url": "https://tides.example.org/n.jpg",
                    "alt_text": "A bird &amp; a moon",
                    "caption": {"rendered": "<p>The bird. Photo: Jo Lind</p>"},
                    "media_details": {"width": 1600, "height": 900},
                }
            ],
            "wp:term": [
                [{"name": "R&amp;B", "taxonomy": "category", "slug": "rnb"}],
                [{"name": "night", "taxonomy": "post_tag", "slug": "night"}],
            ],
        },
    }
    return {**made, **changes}


def gather(shop: Shop, fetcher: Fetcher, **changes: Any) -> tuple[tuple[EntryContent, ...], tuple[str, ...]]:
    spec = SourceSpec(name="Tides", kind="wordpress", location=shop.url("/"), **changes)
    gathered = build("wordpress", fetcher).gather(spec)
    return gathered.entries, gathered.warnings


def serve(shop: Shop, *pages: object) -> None:
    def rule(request: BaseHTTPRequestHandler) -> None:
        page = int(parse_qs(urlsplit(request.path).query)["page"][0])
        body = json.dumps(pages[page - 1]).encode()
        answer(
            request, 200, body, {"Content-Type": "application/json", "X-WP-TotalPages": str(len(pages)), "ETag": '"w"'}
        )

    shop.rules[ENDPOINT] = rule


def test_a_post_is_read_with_its_embedded_author_picture_and_terms(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post()])
    ((entry,), warnings) = gather(shop, fetcher)
    assert (entry.title, entry.title_clean, entry.rubric) == (
        "Nightjar’s Second Set: Album Review",
        "Nightjar’s Second Set",
        "music",
    )
    assert (entry.authors, entry.guid, entry.url) == (
        ("Ed Kerr",),
        "https://tides.example.org/?p=1",
        "https://tides.example.org/1/",
    )
    assert entry.published_at == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert entry.body_html == '<p>Quiet, and then not.</p><p><a href="https://tides.example.org/tour">On tour</a></p>'
    (picture,) = entry.pictures
    assert (picture.alt, picture.caption, picture.credit, picture.width) == (
        "A bird & a moon",
        "The bird.",
        "Photo: Jo Lind",
        1600,
    )
    assert entry.tags == ("R&B", "night")
    assert entry.origins["title"] == "rest" and entry.origins["pictures"] == "featured"
    assert warnings == ()


def test_a_teaser_that_only_begins_the_body_is_no_excerpt(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post(content={"rendered": "<p>Quiet, and then not, and then quiet again for a long time.</p>"})])
    ((entry,), _) = gather(shop, fetcher)
    assert entry.origins["dek"] == "auto"


def test_the_query_asks_for_what_is_needed(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post()])
    gather(shop, fetcher)
    query = parse_qs(urlsplit(shop.asked[0][0]).query)
    assert query == {
        "_embed": ["author,wp:featuredmedia,wp:term"],
        "per_page": ["50"],
        "orderby": ["date"],
        "page": ["1"],
    }


def test_an_endpoint_keeps_its_own_query() -> None:
    url = posts_url("https://t.example.org/blog/wp-json/wp/v2/reviews?categories=7&per_page=20", 2)
    assert url.startswith("https://t.example.org/blog/wp-json/wp/v2/reviews?")
    assert "categories=7" in url and "per_page=20" in url and "page=2" in url
    assert posts_url("https://t.example.org/blog/", 1).startswith("https://t.example.org/blog/wp-json/wp/v2/posts?")


def test_a_second_page_is_read_and_a_third_is_not(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post(1)], [post(2)], [post(3)])
    entries, _ = gather(shop, fetcher)
    assert [entry.guid[-1] for entry in entries] == ["1", "2"]


def test_a_second_page_that_fails_costs_a_warning(shop: Shop, fetcher: Fetcher) -> None:
    def rule(request: BaseHTTPRequestHandler) -> None:
        if "page=2" in request.path.replace("per_page=", ""):
            answer(request, 500, b"")
        else:
            answer(request, 200, json.dumps([post()]).encode(), {"X-WP-TotalPages": "2"})

    shop.rules[ENDPOINT] = rule
    entries, warnings = gather(shop, fetcher)
    assert len(entries) == 1 and "page 2" in warnings[0]


def test_a_category_maps_to_a_rubric_by_the_sources_own_map(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post(title={"rendered": "No rubric here"})])
    ((entry,), _) = gather(shop, fetcher, rubric_map=(("r&b", "concert"),))
    assert (entry.rubric, entry.origins["rubric"]) == ("concert", "source map")


def test_an_unmapped_post_is_unsorted_and_not_dropped(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post(title={"rendered": "No rubric here"})])
    ((entry,), _) = gather(shop, fetcher)
    assert entry.rubric == ""


def test_a_hidden_author_a_missing_picture_and_odd_types_do_no_harm(shop: Shop, fetcher: Fetcher) -> None:
    odd = post(
        2,
        _embedded={
            "author": [{"code": "rest_user_invalid_id", "message": "x"}],
            "wp:featuredmedia": [{"code": "rest_forbidden"}],
            "wp:term": [None, 5],
        },
    )
    serve(
        shop,
        [
            post(1, _embedded=None),
            odd,
            post(3, title=None, content=5, excerpt=[], guid=None),
            post(4, status="draft"),
            "words",
        ],
    )
    entries, warnings = gather(shop, fetcher)
    assert [entry.authors for entry in entries] == [(), ()]
    assert len(warnings) == 2 and "entry 3" in " ".join(warnings)


def test_a_local_date_is_used_only_where_there_is_no_gmt(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post(date_gmt="0000-00-00T00:00:00")])
    ((entry,), _) = gather(shop, fetcher, timezone="America/New_York")
    assert entry.published_at == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert entry.origins["published_at"] == "rest local"


def test_a_protected_post_says_so(shop: Shop, fetcher: Fetcher) -> None:
    serve(shop, [post(content={"rendered": "", "protected": True}, excerpt={"rendered": "<p>Only this.</p>"})])
    ((entry,), _) = gather(shop, fetcher)
    assert entry.body_text == "Only this." and "password" in entry.warnings[0]


def test_an_unchanged_site_says_so(shop: Shop, fetcher: Fetcher) -> None:
    shop.rules[ENDPOINT] = lambda request: answer(request, 304, b"")
    gathered = build("wordpress", fetcher).gather(
        SourceSpec(name="T", kind="wordpress", location=shop.url("/"), etag='"w"')
    )
    assert gathered.unchanged and gathered.etag == '"w"'


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_closed_interface_points_to_the_feed(shop: Shop, fetcher: Fetcher, status: int) -> None:
    shop.rules[ENDPOINT] = lambda request: answer(request, status, b"")
    with pytest.raises(FetchError, match="feed") as caught:
        gather(shop, fetcher)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", "not JSON"),
        ('{"code":"x","message":"No route &amp; no bus"}', "No route"),
        ('{"a":1}', "not a list"),
        ("5", "not a list"),
    ],
)
def test_what_is_no_wordpress_says_so(shop: Shop, fetcher: Fetcher, body: str, words: str) -> None:
    shop.serve(ENDPOINT, body, "application/json")
    with pytest.raises(SourceError, match=words):
        gather(shop, fetcher)
