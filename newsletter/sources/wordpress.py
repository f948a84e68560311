"""A WordPress site by its REST interface (/wp-json/wp/v2/posts), with authors, pictures and terms embedded."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from newsletter.core.bylines import split_caption
from newsletter.core.content import PictureRef
from newsletter.core.entry import Found
from newsletter.core.errors import FetchError, SourceError
from newsletter.core.markup import parse_markup, text_of
from newsletter.core.prose import plain, unescaped, without_controls
from newsletter.core.sentence import sentence
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.feed import make_entries, unchanged
from newsletter.sources.fetch import Fetched, Fetcher

PER_PAGE = 50
MAX_PAGES = 2
_PATH = "/wp-json/wp/v2/posts"


class WordPressSource:
    """The newest posts of a WordPress site: its address, or that of its posts endpoint with a query of one's own."""

    kind = "wordpress"

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def gather(self, spec: SourceSpec) -> Gathered:
        """Read up to two pages of fifty posts. Raises `FetchError` when the first can't be had, `SourceError` when it
        is not what WordPress answers; a second page that fails costs a warning.
        """
        first = self._page(spec, 1, etag=spec.etag, last_modified=spec.last_modified)
        if first.unchanged:
            return unchanged(spec, first)
        warnings: list[str] = []
        posts = read_posts(first, warnings)
        digest = hashlib.sha256(first.body)
        total = (first.headers or {}).get("x-wp-totalpages", "1")
        last = min(int(total), MAX_PAGES) if total.isdecimal() and len(total) < 6 else 1
        for number in range(2, last + 1):
            try:
                page = self._page(spec, number)
                posts += read_posts(page, warnings)
                digest.update(page.body)
            except SourceError as error:
                warnings.append(f"page {number} of the posts can't be read: {error.message}")
                break
        founds = [found for post in posts if (found := _found(post, first.url, warnings))]
        return Gathered(
            entries=make_entries(founds, spec, warnings),
            etag=first.etag,
            last_modified=first.last_modified,
            raw_hash=digest.hexdigest(),
            warnings=tuple(warnings),
        )

    def _page(self, spec: SourceSpec, number: int, *, etag: str = "", last_modified: str = "") -> Fetched:
        try:
            return self._fetcher.get(
                posts_url(spec.location, number), etag=etag, last_modified=last_modified, accept="application/json"
            )
        except FetchError as error:
            if error.status in (401, 403, 404) and number == 1:
                raise FetchError(
                    sentence("This site does not open its REST interface."),
                    where=posts_url(spec.location, number),
                    status=error.status,
                    hint=sentence('Use its feed instead: kind "feed", usually at /feed/.'),
                ) from error
            raise


def posts_url(location: str, page: int) -> str:
    """The address of one page of posts, for a site's address or an endpoint's."""
    parts = urlsplit(location)
    path = parts.path if "/wp/v2/" in parts.path else parts.path.rstrip("/") + _PATH
    query = {
        "orderby": "date",
        "per_page": str(PER_PAGE),
        **dict(parse_qsl(parts.query)),
        "_embed": "author,wp:featuredmedia,wp:term",
    }
    query["page"] = str(page)
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query, safe=",:"), ""))


def read_posts(answer: Fetched, warnings: list[str]) -> list[dict[str, Any]]:
    """The posts of one answer. Raises `SourceError` when it is no list of posts."""
    try:
        posts = json.loads(without_controls(answer.body.decode("utf-8-sig", "replace")), strict=False)
    except (ValueError, RecursionError) as error:
        raise SourceError(
            sentence("The answer is not JSON."), where=answer.url, hint=sentence("Is this a WordPress site?")
        ) from error
    if isinstance(posts, dict) and "message" in posts:
        raise SourceError(
            sentence("WordPress says: {posts}", posts=plain(str(posts["message"]))[:160]), where=answer.url
        )
    if not isinstance(posts, list):
        raise SourceError(
            sentence("The answer is not a list of posts."), where=answer.url, hint=sentence("Is this a WordPress site?")
        )
    good = [post for post in posts if isinstance(post, dict)]
    if len(good) < len(posts):
        warnings.append(f"{len(posts) - len(good)} posts are not objects. Left out.")
    return good


def _found(post: dict[str, Any], base: str, warnings: list[str]) -> Found | None:
    if str(post.get("status", "publish")) != "publish":
        return None
    embedded = post.get("_embedded")
    embedded = embedded if isinstance(embedded, dict) else {}
    title = _rendered(post, "title")
    notes: list[str] = []
    content = post.get("content")
    if isinstance(content, dict) and content.get("protected"):
        notes.append("the post is protected by a password: only its excerpt can be read")
    # An author whom the site hides comes as an error object without a name.
    names = [str(author["name"]) for author in _list(embedded.get("author")) if author.get("name")]
    terms = [term for group in embedded.get("wp:term") or [] for term in _list(group)]
    terms.sort(key=lambda term: term.get("taxonomy") != "category")
    return Found(
        titles=(("rest", title),),
        url=str(post.get("link") or "")[:2000],
        guid=plain(_rendered(post, "guid"))[:500] or str(post.get("id") or ""),
        base_url=str(post.get("link") or base),
        bylines=(("rest author", ", ".join(names)),),
        deks=(("excerpt", _rendered(post, "excerpt")),),
        bodies=(("rest", _rendered(post, "content")), ("rest excerpt", _rendered(post, "excerpt"))),
        # `date` is the site's local time and says no zone; only the GMT pair is sure.
        dates=(("rest", _gmt(post.get("date_gmt"))), ("rest local", str(post.get("date") or ""))),
        updates=(("rest", _gmt(post.get("modified_gmt"))),),
        pictures=tuple(
            ("featured", picture) for media in _list(embedded.get("wp:featuredmedia")) if (picture := _picture(media))
        ),
        categories=tuple(
            str(term["name"]) for term in terms if term.get("name") and term.get("slug") != "uncategorized"
        ),
        warnings=tuple(notes),
    )


def _rendered(post: dict[str, Any], name: str) -> str:
    value = post.get(name)
    if isinstance(value, dict):
        value = value.get("rendered")
    return value if isinstance(value, str) else ""


def _gmt(value: object) -> str:
    """`2026-11-02T10:00:00` as the universal time that it is; a draft's 0000-00-00 is no date."""
    text = str(value or "")
    if not text or text.startswith("0000"):
        return ""
    return text if re.search(r"(?:Z|[+-]\d{2}:?\d{2})$", text[10:]) else text + "Z"


def _list(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _picture(media: dict[str, Any]) -> PictureRef | None:
    if not media.get("source_url") or str(media.get("media_type", "image")) != "image":
        return None
    details = media.get("media_details")
    details = details if isinstance(details, dict) else {}
    caption, credit = split_caption(_words(_rendered(media, "caption")))
    return PictureRef(
        str(media["source_url"]),
        alt=plain(unescaped(str(media.get("alt_text") or ""))),
        credit=credit,
        caption=caption,
        width=_pixels(details.get("width")),
        height=_pixels(details.get("height")),
    )


def _words(markup: str) -> str:
    return plain(text_of(parse_markup(markup))) if markup else ""


def _pixels(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 100_000 else 0
