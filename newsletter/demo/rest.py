"""The magazine's WordPress interface: as much of /wp-json/wp/v2 as a reader of posts meets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from markupsafe import escape

from newsletter.demo.pictures import SHAPES
from newsletter.demo.reviews import MAGAZINE, PUBLIC, DemoReview

Headers = tuple[tuple[str, str], ...]
Reply = tuple[HTTPStatus, Any, Headers]

_POSTS = "/wp-json/wp/v2/posts"
# The site prints its own local time, without a zone, beside the GMT that counts.
_SITE_HOURS = timedelta(hours=-5)


class Posts:
    """The posts of one site, newest first. `content` gives a post's exported body, `picture` its picture's address."""

    def __init__(
        self,
        origin: str,
        reviews: Sequence[DemoReview],
        content: Callable[[DemoReview], str],
        picture: Callable[[DemoReview], str],
    ) -> None:
        """`origin` is scheme, host and port without a slash at the end."""
        self._origin, self._reviews, self._content, self._picture = origin, reviews, content, picture

    def answer(self, path: str, query: dict[str, str]) -> Reply:
        """Status, JSON document and headers for a GET."""
        path = path.rstrip("/")
        if path == "/wp-json":
            site = {"name": MAGAZINE, "url": PUBLIC, "home": PUBLIC, "namespaces": ["wp/v2"]}
            return HTTPStatus.OK, {**site, "gmt_offset": "-5"}, ()
        if path == _POSTS:
            return self._list(query)
        for review in self._reviews:
            if path == f"{_POSTS}/{review.post_id}":
                return HTTPStatus.OK, self._post(review, "_embed" in query), ()
        return _refusal(HTTPStatus.NOT_FOUND, "rest_no_route", "No route was found matching the URL.")

    def _list(self, query: dict[str, str]) -> Reply:
        try:
            size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
            after = datetime.fromisoformat(query["after"]) if "after" in query else None
        except ValueError:
            return _refusal(HTTPStatus.BAD_REQUEST, "rest_invalid_param", "Invalid parameter.")
        if not 1 <= size <= 100 or page < 1:
            return _refusal(HTTPStatus.BAD_REQUEST, "rest_invalid_param", "Invalid parameter(s): per_page, page.")
        if after is not None and after.tzinfo is None:
            after = after.replace(tzinfo=UTC)
        found = [review for review in self._reviews if after is None or review.published_at > after]
        pages = -(-len(found) // size)
        if page > max(pages, 1):
            words = "The page number requested is larger than the number of pages available."
            return _refusal(HTTPStatus.BAD_REQUEST, "rest_post_invalid_page_number", words)
        headers = [("X-WP-Total", str(len(found))), ("X-WP-TotalPages", str(pages))]
        links = [("prev", page - 1)] * (page > 1) + [("next", page + 1)] * (page < pages)
        for relation, number in links:
            there = urlencode({**query, "page": number})
            headers.append(("Link", f'<{self._origin}{_POSTS}?{there}>; rel="{relation}"'))
        shown = found[(page - 1) * size : page * size]
        return HTTPStatus.OK, [self._post(review, "_embed" in query) for review in shown], tuple(headers)

    def _post(self, review: DemoReview, embed: bool) -> dict[str, Any]:
        link = PUBLIC + review.path
        gmt = review.published_at.astimezone(UTC).replace(tzinfo=None)
        post: dict[str, Any] = {
            "id": review.post_id,
            "date": (gmt + _SITE_HOURS).isoformat(),
            "date_gmt": gmt.isoformat(),
            "guid": {"rendered": f"{PUBLIC}/?p={review.post_id}"},
            "modified": (gmt + _SITE_HOURS).isoformat(),
            "modified_gmt": gmt.isoformat(),
            "slug": review.slug,
            "status": "publish",
            "type": "post",
            "link": link,
            "title": {"rendered": _texturised(review.title)},
            "content": {"rendered": self._content(review), "protected": False},
            "excerpt": {"rendered": f"<p>{review.excerpt} [&hellip;]</p>\n", "protected": False},
            "author": 7,
            "featured_media": review.post_id + 5000 if review.picture else 0,
            "_links": {"self": [{"href": f"{self._origin}{_POSTS}/{review.post_id}"}]},
        }
        if embed:
            post["_embedded"] = self._embedded(review)
        return post

    def _embedded(self, review: DemoReview) -> dict[str, Any]:
        category = {"id": 1, "name": review.category, "taxonomy": "category", "slug": review.category.lower()}
        tags = [
            {"id": 20 + at, "name": tag, "taxonomy": "post_tag", "slug": tag.lower().replace(" ", "-")}
            for at, tag in enumerate(review.tags)
        ]
        embedded: dict[str, Any] = {"author": [{"id": 7, "name": review.critic}], "wp:term": [[category], tags]}
        if review.picture:
            width, height = SHAPES[review.picture.shape]
            url = self._picture(review)
            full = {"file": f"{review.picture.scene}.jpg", "width": width, "height": height, "source_url": url}
            embedded["wp:featuredmedia"] = [
                {
                    "id": review.post_id + 5000,
                    "media_type": "image",
                    "mime_type": "image/jpeg",
                    "alt_text": review.picture.alt,
                    "caption": {"rendered": f"<p>{escape(review.picture.credit)}</p>\n"},
                    "media_details": {"width": width, "height": height, "sizes": {"full": full}},
                    "source_url": url,
                }
            ]
        return embedded


def _texturised(title: str) -> str:
    """Titles come out of WordPress with their quotes as numeric entities."""
    text = str(escape(title))
    for quote in "‘’“”–":
        text = text.replace(quote, f"&#{ord(quote)};")
    return text


def _refusal(status: HTTPStatus, code: str, message: str) -> Reply:
    return status, {"code": code, "message": message, "data": {"status": status.value}}, ()
