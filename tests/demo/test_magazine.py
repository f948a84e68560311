"""The magazine's server, asked over real HTTP, and read by the adapters that will gather from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from newsletter.demo.magazine import Magazine
from newsletter.demo.reviews import load_reviews
from newsletter.sources import build
from newsletter.sources.base import SourceSpec
from newsletter.sources.fetch import Fetcher

BEGAN = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def magazine() -> Iterator[Magazine]:
    with Magazine(BEGAN) as running:
        yield running


def get(magazine: Magazine, path: str, **headers: str) -> requests.Response:
    return requests.get(magazine.origin + path, headers=headers, timeout=10, allow_redirects=False)


def gather(magazine: Magazine, kind: str, path: str, **fields: str):  # type: ignore[no-untyped-def]
    fetcher = Fetcher(allow=frozenset({(magazine.host, magazine.port)}), pause=0)
    spec = SourceSpec(name=kind, kind=kind, location=magazine.origin + path, brand="LANTERN", **fields)
    return build(kind, fetcher).gather(spec)


@pytest.mark.parametrize("path", ["/", "/feed/", "/atom.xml", "/style.css", "/reviews/see-you-sunday/", "/wp-json/"])
def test_every_answer_says_what_it_is_and_when_it_changed(magazine: Magazine, path: str) -> None:
    answer = get(magazine, path)
    assert answer.status_code == 200
    assert answer.headers["ETag"]
    assert answer.headers["Last-Modified"] == "Wed, 04 Nov 2026 12:00:00 GMT"
    assert "charset" in answer.headers["Content-Type"].lower()


def test_who_has_a_page_gets_304_and_no_body(magazine: Magazine) -> None:
    tag = get(magazine, "/feed/").headers["ETag"]
    for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-None-Match": "*"}):
        answer = get(magazine, "/feed/", **headers)
        assert (answer.status_code, answer.content) == (304, b"")
    assert get(magazine, "/feed/", **{"If-Modified-Since": "Wed, 04 Nov 2026 12:00:00 GMT"}).status_code == 304
    assert get(magazine, "/feed/", **{"If-Modified-Since": "Wed, 04 Nov 2026 11:59:59 GMT"}).status_code == 200
    assert get(magazine, "/feed/", **{"If-Modified-Since": "yesterday"}).status_code == 200
    old = {"If-None-Match": '"old"', "If-Modified-Since": "Wed, 04 Nov 2026 12:00:00 GMT"}
    assert get(magazine, "/feed/", **old).status_code == 200


def test_head_has_the_headers_of_get_and_no_body(magazine: Magazine) -> None:
    answer = requests.head(magazine.origin + "/", timeout=10)
    assert int(answer.headers["Content-Length"]) > 1000
    assert answer.content == b""


def test_what_is_not_there_is_404(magazine: Magazine) -> None:
    for path in ("/nothing", "/?p=1", "/pictures/none.jpg", "/reviews/none/"):
        assert get(magazine, path).status_code == 404
    assert get(magazine, "/wp-json/wp/v2/none").json()["code"] == "rest_no_route"


def test_short_links_lead_to_the_page(magazine: Magazine) -> None:
    answer = get(magazine, "/?p=1042")
    assert answer.status_code == 301
    assert answer.headers["Location"] == magazine.origin + "/reviews/see-you-sunday/"


def test_pictures_come_from_the_magazine(magazine: Magazine) -> None:
    answer = get(magazine, "/pictures/sunday.jpg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert get(magazine, "/pictures/cover.jpg").status_code == 200
    assert "200 /pictures/cover.jpg" in magazine.requests


def test_the_page_of_a_review_has_every_part_of_the_first_page(magazine: Magazine) -> None:
    page = get(magazine, "/reviews/see-you-sunday/").text
    for part in (
        "‘See You Sunday’: Movie Review", "by Mara Quill", "premieres in theaters Nov. 8", "Photos via See You Sunday",
        "More from LANTERN", "#30DaysLive: Concert Review", "LANTERN Interview", "<h2>You may also like</h2></section>",
        "Get the print magazine.", "The best of LANTERN in your inbox!", "Subscribe to Our Weekly Newsletter",
        "About Us", "©2023 Lantern Press LLC.  All Right Reserved.", "application/ld+json",
    ):  # fmt: skip
        assert part in page


def test_the_feed_is_read_whole_with_pictures_ratings_and_one_guid_in_both_schemes(magazine: Magazine) -> None:
    gathered = gather(magazine, "feed", "/feed/")
    wanted = [review for review in load_reviews(BEGAN) if "rss" in review.channels]
    assert gathered.warnings == ()
    assert len(gathered.entries) == len(wanted) + 1
    flipped = [entry.guid for entry in gathered.entries if "Umbra" in entry.title]
    assert [guid.partition(":")[0] for guid in flipped] == ["http", "https"]
    lead = next(entry for entry in gathered.entries if "Sunday" in entry.title)
    assert lead.pictures[0].alt.startswith("A lit laundromat")
    assert lead.pictures[0].credit == "Photos via See You Sunday"
    assert lead.release is not None
    assert str(lead.release.date) == "2026-11-08"
    assert not {"More from", "print magazine", "inbox", "About Us", "©"} & set(lead.body_text.split("\n"))
    grades = {entry.work.title: entry.rating for entry in gathered.entries if entry.rating and entry.work}
    assert (grades["The Understudies"].value, grades["The Understudies"].best) == ("B+", "A+")
    assert sum(entry.sponsored for entry in gathered.entries) == 1


def test_the_atom_feed_overlaps_and_tracks(magazine: Magazine) -> None:
    gathered = gather(magazine, "feed", "/atom.xml")
    assert len(gathered.entries) == sum("atom" in review.channels for review in load_reviews(BEGAN))
    assert all("utm_source=everything" in entry.url for entry in gathered.entries)
    assert all(entry.guid.startswith("tag:") for entry in gathered.entries)


def test_the_wordpress_site_is_read_with_authors_terms_and_alt(magazine: Magazine) -> None:
    gathered = gather(magazine, "wordpress", "/")
    moth = next(entry for entry in gathered.entries if entry.rubric == "book" and len(entry.title) == 200)
    assert moth.authors == ("Desmond Achterberg",)
    assert moth.pictures[0].alt.startswith("Book cover")
    assert "Image: Halfpenny Press" in moth.pictures[0].credit
    assert moth.tags[:2] == ("Books", "Non-fiction")


def test_an_article_page_alone_gives_the_rating_of_its_own_work(magazine: Magazine) -> None:
    [entry] = gather(magazine, "page", "/reviews/kitchen-radio/").entries
    assert entry.rating is not None
    assert (entry.rating.value, entry.rating.best) == ("74", "100")


def test_posts_come_in_pages_and_a_page_too_many_is_refused(magazine: Magazine) -> None:
    posts = "/wp-json/wp/v2/posts"
    answer = get(magazine, f"{posts}?per_page=3&page=2")
    assert [answer.headers[name] for name in ("X-WP-Total", "X-WP-TotalPages")] == ["8", "3"]
    assert 'rel="prev"' in answer.headers["Link"]
    assert 'rel="next"' in answer.headers["Link"]
    assert len(answer.json()) == 3
    assert "_embedded" not in answer.json()[0]
    assert get(magazine, f"{posts}?per_page=3&page=4").json()["code"] == "rest_post_invalid_page_number"
    for wrong in ("per_page=0", "per_page=101", "page=x", "after=yesterday"):
        assert get(magazine, f"{posts}?{wrong}").json()["code"] == "rest_invalid_param"


def test_after_takes_only_what_is_newer(magazine: Magazine) -> None:
    newer = get(magazine, "/wp-json/wp/v2/posts?after=2026-11-02T00:00:00").json()
    assert 0 < len(newer) < 8
    assert all(post["date_gmt"] > "2026-11-02" for post in newer)


def test_one_post_can_be_asked_for(magazine: Magazine) -> None:
    post = json.loads(get(magazine, "/wp-json/wp/v2/posts/1055?_embed").text)
    assert post["title"]["rendered"] == "&#8216;Eleven Chairs&#8217;: Theatre Review"
    assert post["_embedded"]["wp:featuredmedia"][0]["source_url"].endswith("/pictures/chairs.jpg")
