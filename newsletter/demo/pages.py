"""What the magazine answers to each path: pages, feeds, pictures, and the WordPress interface of `rest`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from newsletter.demo.pictures import SHAPES, draw
from newsletter.demo.rest import Posts
from newsletter.demo.reviews import MAGAZINE, PUBLIC, DemoReview, load_reviews

# Printed in the feed twice, once with each scheme: a site half-way through its move to https.
FLIPPED = "umbra-station"
_ARTICLES = {"interview", "feature", "list", "news"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `headers` are those beyond type, length and validators."""

    status: HTTPStatus
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Site:
    """The magazine, its reviews dated back from `began`: served at `origin`, while its links say where it would be."""

    def __init__(self, began: datetime, origin: str) -> None:
        """`origin` is scheme, host and port without a slash at the end."""
        self.origin = origin
        self.form = ""  # the sign-up form's code, once there are pages that it leads to
        self.reviews = load_reviews(began)
        self._by_path = {review.path: review for review in self.reviews}
        self._by_scene = {review.picture.scene: review for review in self.reviews if review.picture}
        self._templates = Environment(
            loader=PackageLoader("newsletter.demo", "site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            origin=origin,
            public=PUBLIC,
            picture=self.picture_url,
            rfc822=lambda at: format_datetime(at, usegmt=False),
            signup=lambda: Markup(self.form),
        )
        self._posts = Posts(origin, self._on("wordpress"), self.content, self.picture_url)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """Answer a GET of `path` with `query` (last value of each name)."""
        if path.startswith("/wp-json"):
            status, document, headers = self._posts.answer(path, query)
            body = json.dumps(document, ensure_ascii=True).encode()
            return Answer(status, "application/json; charset=UTF-8", body, headers)
        if path.startswith("/pictures/"):
            return self._drawn(path.removeprefix("/pictures/").removesuffix(".jpg"))
        if path == "/" and "p" in query:
            return self._short_link(query["p"])
        if path == "/style.css":
            return Answer(HTTPStatus.OK, "text/css; charset=UTF-8", _file("style.css"))
        if path == "/feed/":
            return self._page("feed.xml", "application/rss+xml", reviews=self._on("rss"), **self._feed())
        if path == "/atom.xml":
            return self._page("atom.xml", "application/atom+xml", reviews=self._on("atom"))
        if path == "/":
            return self._page("home.html", "text/html", reviews=self.reviews)
        if review := self._by_path.get(path):
            return self._review(review)
        return Answer(HTTPStatus.NOT_FOUND, "text/html; charset=UTF-8", self._render("missing.html"))

    def picture_url(self, review: DemoReview) -> str:
        """Where the review's picture is; the empty string when it has none."""
        return f"{self.origin}/pictures/{review.picture.scene}.jpg" if review.picture else ""

    def content(self, review: DemoReview) -> str:
        """The body as the site's own software exports it: with the credit, the counter and the structured data."""
        parts = [review.body_html]
        if review.picture:
            parts.append(f'<p class="credit">{escape(review.picture.credit)}</p>')
        parts.append(f'<script type="application/ld+json">{self.linked_data(review)}</script>')
        parts.append(f'<img src="{PUBLIC}/pixel.gif?post={review.post_id}" width="1" height="1" alt="" />')
        return "\n".join(parts)

    def linked_data(self, review: DemoReview) -> str:
        """The piece's JSON-LD: a Review of its work, or an article."""
        url = PUBLIC + review.path
        document: dict[str, Any] = {
            "@context": "https://schema.org",
            "@type": "NewsArticle" if review.rubric in _ARTICLES or not review.work else "Review",
            "headline": review.title,
            "name": review.title,
            "url": url,
            "mainEntityOfPage": url,
            "inLanguage": "en-US",
            "datePublished": review.published_at.isoformat(),
            "author": {"@type": "Person", "name": review.critic},
            "publisher": {"@type": "Organization", "name": MAGAZINE},
        }
        if review.picture:
            document["image"] = self.picture_url(review)
        if review.work and document["@type"] == "Review":
            document["itemReviewed"] = _work(review)
        if review.rating:
            scale = {"value": "ratingValue", "best": "bestRating", "worst": "worstRating"}
            rating = {scale[key]: value for key, value in review.rating.items()}
            document["reviewRating"] = {"@type": "Rating", **rating}
        # "</" would end the script element, whatever it stands in.
        return json.dumps(document, ensure_ascii=False).replace("</", "<\\/")

    def _review(self, review: DemoReview) -> Answer:
        wanted = ("concert", "movie", "interview")
        more = [next((r for r in self.reviews if r.rubric == rubric and r is not review), None) for rubric in wanted]
        return self._page(
            "review.html",
            "text/html",
            review=review,
            more=[other for other in more if other],
            size=SHAPES[review.picture.shape] if review.picture else (),
            linked_data=self.linked_data(review),
        )

    def _short_link(self, post_id: str) -> Answer:
        for review in self.reviews:
            if str(review.post_id) == post_id:
                there = (("Location", self.origin + review.path),)
                return Answer(HTTPStatus.MOVED_PERMANENTLY, "text/html; charset=UTF-8", b"", there)
        return Answer(HTTPStatus.NOT_FOUND, "text/html; charset=UTF-8", self._render("missing.html"))

    def _drawn(self, scene: str) -> Answer:
        if scene == "cover":
            return Answer(HTTPStatus.OK, "image/jpeg", draw("cover", "tall"))
        review = self._by_scene.get(scene)
        if review is None or review.picture is None:
            return Answer(HTTPStatus.NOT_FOUND, "text/plain; charset=UTF-8", b"There is no such picture.\n")
        return Answer(HTTPStatus.OK, "image/jpeg", draw(scene, review.picture.shape))

    def _feed(self) -> dict[str, Any]:
        items = [(review, f"http:{PUBLIC.removeprefix('https:')}/?p={review.post_id}") for review in self._on("rss")]
        items += [(r, guid.replace("http://", "https://", 1)) for r, guid in items if r.slug == FLIPPED]
        return {"items": items, "size": _size, "tail": self._tail, "figure": self._figure, "content": self.content}

    def _figure(self, review: DemoReview) -> str:
        if not review.picture:
            return ""
        return f'<figure><img src="{self.picture_url(review)}" alt="{escape(review.picture.alt)}" /></figure>\n'

    def _tail(self, review: DemoReview) -> str:
        link = f'<a href="{PUBLIC}{review.path}">{escape(review.title)}</a>'
        return f'<p>The post {link} appeared first on <a href="{PUBLIC}">LANTERN</a>.</p>'

    def _on(self, channel: str) -> list[DemoReview]:
        return [review for review in self.reviews if channel in review.channels]

    def _page(self, template: str, media_type: str, **values: Any) -> Answer:
        return Answer(HTTPStatus.OK, f"{media_type}; charset=UTF-8", self._render(template, **values))

    def _render(self, template: str, **values: Any) -> bytes:
        return self._templates.get_template(template).render(**values).encode()


def _work(review: DemoReview) -> dict[str, Any]:
    """`itemReviewed` as schema.org wants it: the creator's property is named by the kind of work."""
    work = review.work
    role = {"Book": "author", "MusicAlbum": "byArtist", "Movie": "director", "TVSeries": "creator"}
    document: dict[str, Any] = {"@type": work["type"], "name": work["title"]}
    if creators := work.get("creators"):
        document[role.get(work["type"], "creator")] = [{"@type": "Person", "name": name} for name in creators]
    if cast := work.get("cast"):
        document["actor"] = [{"@type": "Person", "name": name} for name in cast]
    if work["type"] in ("TheaterEvent", "ExhibitionEvent"):
        document["location"] = {"@type": "Place", "name": work["where"]}
    return document


def _size(review: DemoReview) -> tuple[int, int]:
    assert review.picture is not None
    return SHAPES[review.picture.shape]


def _file(name: str) -> bytes:
    return (resources.files("newsletter.demo") / "site" / name).read_bytes()
