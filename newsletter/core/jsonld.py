"""What a page says of itself in JSON-LD: article, review of a work, rating. Read leniently, believed strictly."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from newsletter.core.content import Rating, Work
from newsletter.core.dates import read_moment
from newsletter.core.prose import plain, unescaped
from newsletter.core.ratings import read_rating

_SCRIPT = re.compile(
    r"<script\b[^<>]{0,400}?\btype\s{0,5}=\s{0,5}[\"']?application/ld\+json[^<>]{0,400}>", re.IGNORECASE
)
_ARTICLES = frozenset(
    [
        "article",
        "newsarticle",
        "blogposting",
        "review",
        "criticreview",
        "reportagenewsarticle",
        "opinionnewsarticle",
        "reviewnewsarticle",
        "analysisnewsarticle",
        "webpage",
        "musicevent",
    ]
)
_REVIEWS = frozenset(("review", "criticreview", "reviewnewsarticle"))
_WORK_TYPES = {
    "movie": "movie", "tvseries": "tv", "tvseason": "tv", "tvepisode": "tv", "book": "book", "musicalbum": "music",
    "musicrecording": "music", "musicevent": "concert", "event": "concert",
    "theaterevent": "theatre", "play": "theatre", "visualartsevent": "art", "exhibitionevent": "art",
    "videogame": "game", "game": "game",
}  # fmt: skip
_MAX_NODES = 5000
_MAX_BLOCKS = 60

Node = dict[str, object]


@dataclass(frozen=True, slots=True)
class PageData:
    """What the page's own structured data says of the article at its address; "" and None where it says nothing."""

    headline: str = ""
    description: str = ""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    published: str = ""
    modified: str = ""
    language: str = ""
    picture: str = ""
    section: str = ""
    rating: Rating | None = None
    work: Work | None = None
    event_date: date | None = None
    warnings: tuple[str, ...] = ()


def read_page_data(markup: str, addresses: tuple[str, ...]) -> PageData:
    """Read all JSON-LD of a page. `addresses` are those of this page (asked for, final, canonical).

    A rating counts only when its review is this page's: the review names one of `addresses` as its own url or page,
    or it names none, stands at the top level or in this page's article, and is the only such review. The rating of
    another work in a sidebar is somebody else's. Never raises.
    """
    nodes, broken = _nodes(markup)
    warnings = [f"{broken} JSON-LD block(s) of the page can't be read"] if broken else []
    own = {_page_key(address) for address in addresses if address}
    article = _article(nodes, own)
    review = _review(nodes, article, own)
    rating, trouble = _rating(review)
    if trouble:
        warnings.append(trouble)
    subject = _first(review.get("itemReviewed") if review else None) or _first(article.get("about"))
    main = article or review or {}
    return PageData(
        headline=_text(main.get("headline")) or _text(main.get("name") if not _types(main) & {"webpage"} else ""),
        description=_text(main.get("description")),
        authors=tuple(dict.fromkeys(name for name in _names(main.get("author")) if name)),
        publisher=next(iter(_names(main.get("publisher"))), ""),
        published=_text(main.get("datePublished")),
        modified=_text(main.get("dateModified")),
        language=_text(main.get("inLanguage")),
        picture=_url(main.get("image")),
        section=next(iter(_names(main.get("articleSection"))), ""),
        rating=rating,
        work=_work(subject),
        event_date=_event_date(subject),
        warnings=tuple(warnings),
    )


def _nodes(markup: str) -> tuple[list[tuple[Node, bool]], int]:
    """Every object of every block with whether it stands at the top (a block's root, its list or its @graph)."""
    found: list[tuple[Node, bool]] = []
    broken = 0
    for text in _blocks(markup):
        value = _lenient(text)
        if value is None:
            broken += bool(text.strip())
            continue
        found += _walk(value)
    return found[:_MAX_NODES], broken


def _blocks(markup: str) -> Iterator[str]:
    """The text of each JSON-LD script; by finding, for a pattern over both tags would be quadratic on unclosed ones."""
    lower, at = markup.lower(), 0
    for _ in range(_MAX_BLOCKS):
        opened = _SCRIPT.search(markup, at)
        if not opened or (closed := lower.find("</script", opened.end())) < 0:
            return
        yield markup[opened.end() : closed]
        at = closed


def _lenient(text: str) -> object:
    """JSON as pages write it: in CDATA or a comment, entities escaped, raw line breaks, trailing commas."""
    text = text.lstrip("\ufeff")
    text = re.sub(r"^\s*(?://\s*)?(?:<!--|/\*)?\s*(?:<!\[CDATA\[)?(?:\*/)?", "", text)
    text = re.sub(r"(?:/\*|//)?\s*\]\]>\s*(?:\*/)?\s*(?:-->)?\s*$", "", text).strip()
    decoder = json.JSONDecoder(strict=False)
    for candidate in (
        text,
        html.unescape(text),
        re.sub(r",\s*(?=[}\]])", "", text),
        re.sub(r",\s*(?=[}\]])", "", html.unescape(text)),
    ):
        try:
            return decoder.raw_decode(candidate)[0]
        except (ValueError, RecursionError):
            continue
    return None


def _walk(value: object) -> Iterator[tuple[Node, bool]]:
    stack: list[tuple[object, bool, int]] = [(value, True, 0)]
    seen = 0
    while stack and seen < _MAX_NODES:
        item, top, depth = stack.pop()
        seen += 1
        if isinstance(item, list):
            stack += [(inner, top, depth + 1) for inner in reversed(item)]
        elif isinstance(item, dict):
            yield item, top
            stack += [
                (inner, top and key == "@graph", depth + 1)
                for key, inner in reversed(item.items())
                if isinstance(inner, dict | list)
            ]


def _types(node: Node) -> set[str]:
    kinds = node.get("@type")
    return {
        str(kind).rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower()
        for kind in (kinds if isinstance(kinds, list) else [kinds])
        if kind
    }


def _addresses(node: Node) -> set[str]:
    """The pages that a node says it is, or belongs to."""
    found = set()
    for key in ("url", "@id", "mainEntityOfPage"):
        value = node.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                item = item.get("@id") or item.get("url")
            if isinstance(item, str) and item.startswith(("http://", "https://", "//")):
                found.add(_page_key(item))
    return found


def _page_key(address: str) -> str:
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    except ValueError:
        return address
    return f"{host}{parts.path.rstrip('/')}" + (f"?{parts.query}" if re.match(r"p=\d+$", parts.query) else "")


def _article(nodes: list[tuple[Node, bool]], own: set[str]) -> Node:
    """The node that describes this page: by address first, else the only article at the top."""
    articles = [(node, top) for node, top in nodes if _types(node) & _ARTICLES]
    ranked = sorted(articles, key=lambda pair: "webpage" in _types(pair[0]))
    for node, _ in ranked:
        if _addresses(node) & own and (node.get("headline") or node.get("author") or node.get("datePublished")):
            return node
    unnamed = [node for node, top in ranked if top and not _addresses(node) and "webpage" not in _types(node)]
    return unnamed[0] if len(unnamed) == 1 else {}


def _review(nodes: list[tuple[Node, bool]], article: Node, own: set[str]) -> Node:
    reviews = [
        (node, top)
        for node, top in nodes
        if _types(node) & _REVIEWS and (node.get("reviewRating") or node.get("itemReviewed"))
    ]
    mine = [node for node, _ in reviews if node is article or _addresses(node) & own]
    if mine:
        return mine[0]
    inner = [
        node for node, _ in _walk({"review": article.get("review")}) if _types(node) & _REVIEWS and not _addresses(node)
    ]
    if len(inner) == 1:
        return inner[0]
    loose = [
        node
        for node, top in reviews
        if top
        and not _addresses(node)
        and not (_addresses(_first(node.get("itemReviewed")) or {}) - own and len(reviews) > 1)
    ]
    return loose[0] if len(loose) == 1 and len(reviews) == 1 else {}


def _rating(review: Node) -> tuple[Rating | None, str]:
    given = _first(review.get("reviewRating")) if review else None
    if not given:
        return None, ""
    return read_rating(given.get("ratingValue"), given.get("bestRating"), given.get("worstRating"))


def _work(subject: Node | None) -> Work | None:
    if not subject or not (title := _text(subject.get("name"))):
        return None
    kinds = [_WORK_TYPES[kind] for kind in sorted(_types(subject)) if kind in _WORK_TYPES]
    if not kinds:
        return None
    creators = [
        name for key in ("director", "author", "byArtist", "creator", "performer") for name in _names(subject.get(key))
    ]
    made = _text(subject.get("datePublished")) or _text(subject.get("dateCreated"))
    return Work(
        title=title,
        type=kinds[0],
        year=made[:4] if made[:4].isdigit() else "",
        creators=tuple(dict.fromkeys(creators)),
        cast=tuple(dict.fromkeys(_names(subject.get("actor")))),
        where=next(iter(_names(subject.get("location"))), ""),
    )


def _event_date(subject: Node | None) -> date | None:
    start = _text(subject.get("startDate")) if subject else ""
    moment = read_moment(start) if start else None
    return moment.when.date() if moment else None


def _first(value: object) -> Node | None:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            return item
    return None


def _names(value: object) -> list[str]:
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            item = item.get("name")
        if isinstance(item, list):
            item = item[0] if item else ""
        if name := _text(item):
            found.append(name)
    return found


def _url(value: object) -> str:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            item = item.get("url") or item.get("contentUrl")
        if isinstance(item, str) and item.strip():
            return item.strip()
    return ""


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or ""
    return plain(unescaped(str(value)))[:2000] if isinstance(value, str | int | float) else ""
