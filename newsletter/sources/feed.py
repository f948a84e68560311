"""Feeds: RSS, RDF and Atom through feedparser, JSON Feed by mapping.

feedparser only parses bytes that we fetched, cleans nothing for us (our own sanitiser does) and may fail on a damaged
feed: then the entries that can be cut out are read one by one, so what stands before and after the damage survives.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import etree

from newsletter.core.content import EntryContent, PictureRef
from newsletter.core.entry import Found, Settings, Told, make_entry
from newsletter.core.errors import ContentError, SourceError
from newsletter.core.jsonld import read_page_data
from newsletter.core.markup import absolute
from newsletter.core.prose import plain, unescaped, without_controls
from newsletter.core.sentence import sentence
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.fetch import Fetched, Fetcher

logger = logging.getLogger(__name__)

ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
MAX_ENTRIES = 1000
_TAG = re.compile(rb"<(/?)((?:\w{1,20}:)?(?:item|entry))(?:\s[^<>]{0,500})?>")
_RAW_DATES = re.compile(rb"<(?:\w+:)?(?:pubDate|published|updated|date|issued|modified)\b", re.IGNORECASE)


class FeedSource:
    """A feed at an address."""

    kind = "feed"

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def gather(self, spec: SourceSpec) -> Gathered:
        """Fetch and read the feed. Raises `FetchError` when it can't be fetched, `SourceError` when it is no feed."""
        answer = self._fetcher.get(spec.location, etag=spec.etag, last_modified=spec.last_modified, accept=ACCEPT)
        if answer.unchanged:
            return unchanged(spec, answer)
        entries, warnings = read_feed(answer, spec)
        return Gathered(
            entries=entries,
            etag=answer.etag,
            last_modified=answer.last_modified,
            raw_hash=answer.sha256,
            final_url=answer.permanent_url,
            warnings=warnings,
        )


def unchanged(spec: SourceSpec, answer: Fetched) -> Gathered:
    """What a 304 says: nothing new, the old validators still good, and perhaps a new address."""
    return Gathered(
        unchanged=True,
        etag=answer.etag or spec.etag,
        last_modified=answer.last_modified or spec.last_modified,
        final_url=answer.permanent_url,
    )


def settings_of(spec: SourceSpec) -> Settings:
    """What the source says for all its entries."""
    return Settings(zone=spec.timezone, language=spec.language, brand=spec.brand, rubric_map=spec.rubric_map)


def make_entries(founds: list[Found], spec: SourceSpec, warnings: list[str]) -> tuple[EntryContent, ...]:
    """Make the entries one by one; one that can't be made costs a warning, never the others.

    A picture that three entries or more show as their own is the site's default and is dropped from all.
    """
    shown: dict[str, int] = {}
    for found in founds:
        for url in {picture.url for _, picture in (*found.pictures, *found.last_pictures)}:
            shown[url] = shown.get(url, 0) + 1
    defaults = frozenset(url for url, times in shown.items() if times >= 3)
    entries: list[EntryContent] = []
    for number, found in enumerate(founds, start=1):
        try:
            entries.append(make_entry(replace(_with_data(found), default_pictures=defaults), settings_of(spec)))
        except ContentError as error:
            warnings.append(f"entry {number}{f' ({error.where})' if error.where else ''}: {error.message} Left out.")
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            # A damaged entry found a hole in our reading: the others must not pay for it.
            logger.exception("Entry %d of %s can't be read", number, spec.name)
            warnings.append(f"entry {number} can't be read ({type(error).__name__}). Left out.")
    return tuple(entries)


def _with_data(found: Found) -> Found:
    """The entry with what the JSON-LD in its own body says of rating and work: review plugins print it there."""
    markup = next((body for _, body in found.bodies if "ld+json" in body), "")
    if not markup:
        return found
    data = read_page_data(markup, (found.url,))
    return replace(
        found,
        rating=found.rating or (("json-ld", data.rating) if data.rating else None),
        work=found.work or (("json-ld", data.work) if data.work else None),
        event_date=found.event_date or data.event_date,
    )


def read_feed(answer: Fetched, spec: SourceSpec) -> tuple[tuple[EntryContent, ...], tuple[str, ...]]:
    """The entries of a fetched feed, and what was wrong with it. Raises `SourceError` when it is no feed at all."""
    body = answer.body.lstrip(b" \t\r\n\0").removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body:
        raise SourceError(sentence("The feed is empty: not one byte."), where=answer.url)
    warnings: list[str] = []
    if body[:1] in b"{[" or "json" in answer.media_type:
        founds, damage = _json_feed(body, answer, warnings), ""
    else:
        founds, damage = _xml_feed(body, answer, warnings)
    entries = make_entries(founds[:MAX_ENTRIES], spec, warnings)
    if damage and not entries:
        # A connection that broke is a failed try; a quiet week is a well-formed feed without entries.
        raise SourceError(
            sentence("The feed is cut off or damaged{damage}, and no entry can be read.", damage=damage),
            where=answer.url,
            hint=sentence("It is tried again at the next gather; open it in a browser if this goes on."),
        )
    return entries, tuple(warnings)


# --- RSS and Atom


def _xml_feed(body: bytes, answer: Fetched, warnings: list[str]) -> tuple[list[Found], str]:
    """What the feed says of its entries, and where it is not well-formed (`_damage`)."""
    parsed = _parse(body, answer)
    damage = _damage(body)
    if parsed is None or not (parsed.get("version") or parsed.get("entries")):
        if re.search(rb"<html[\s>]|<!doctype html", body[:2000], re.IGNORECASE):
            raise SourceError(
                sentence("This is a web page, not a feed."),
                where=answer.url,
                hint=sentence("Look for the feed's address on that page."),
            )
        if parsed is None and _TAG.search(body):
            parsed = feedparser.FeedParserDict(feed={}, entries=[])
        else:
            raise SourceError(sentence("This is not a feed{damage}.", damage=damage), where=answer.url)
    items = list(parsed.get("entries", []))
    if damage:
        saved = list(_salvage(body, answer))
        if len(saved) > len(items):
            items = saved
        warnings.append(f"the feed is not well-formed{damage}: read what could be read, {len(items)} entries")
    feed = parsed.get("feed", {})
    base = str(feed.get("link") or answer.url)
    language = str(feed.get("language") or "")
    publisher = _words(feed.get("title"))
    return [_found(item, answer.url, _joined(answer.url, base), language, publisher) for item in items], damage


# feedparser takes a picture's words for the entry's own summary when they come first: they get a name it doesn't know.
_MEDIA_WORDS = re.compile(rb"(</?)media:description\b")


def _parse(body: bytes, answer: Fetched) -> Any:
    """feedparser's reading, or None where it gives up by an exception (it does, on some damaged feeds)."""
    kind = answer.media_type if "xml" in answer.media_type else "application/xml"
    charset = f"; charset={answer.charset}" if answer.charset else ""
    try:
        return feedparser.parse(
            _MEDIA_WORDS.sub(rb"\1media:alt", body),
            response_headers={"content-type": kind + charset, "content-location": answer.url},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:  # whatever feedparser trips over: the feed is foreign, the gather goes on
        logger.info("feedparser gave up on %s: %s", answer.url, error)
        return None


def _damage(body: bytes) -> str:
    """Where the XML stops being well-formed, as " (line 40: ...)", or ""; entities are neither loaded nor expanded."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        if "Entity" in str(error.msg) and "not defined" in str(error.msg):
            return ""
        return f" (line {error.lineno}: {plain(str(error.msg))[:80]})"
    except ValueError:
        return " (its declared encoding is wrong)"
    return ""


def _salvage(body: bytes, answer: Fetched) -> Iterator[Any]:
    """Entries cut out one by one, each read in a feed of its own."""
    declaration = re.match(rb"\s*<\?xml[^>]*\?>", body)
    root = re.search(rb"<(?:rss|feed|rdf:RDF|(?:\w+:)?feed)\b[^>]*>", body, re.IGNORECASE)
    opening = (declaration[0] if declaration else b"") + (root[0] if root else b"<rss version='2.0'>")
    name = re.match(rb"<([\w:]+)", root[0])[1] if root else b"rss"  # type: ignore[index]
    channel = (b"", b"") if name.lower().endswith(b"feed") else (b"<channel>", b"</channel>")
    for whole in islice(_cut_out(body), MAX_ENTRIES):
        parsed = _parse(b"".join((opening, channel[0], whole, channel[1], b"</", name, b">")), answer)
        yield from (parsed or {}).get("entries", [])[:1]


def _cut_out(body: bytes) -> Iterator[bytes]:
    """Each innermost `<item>...</item>`, in one pass: a pattern over both tags would be quadratic on unclosed ones."""
    opened: re.Match[bytes] | None = None
    for tag in _TAG.finditer(body):
        if not tag[1]:
            opened = tag
        elif opened and opened[2] == tag[2]:
            yield body[opened.start() : tag.end()]
            opened = None


def _found(item: Any, feed_url: str, base: str, language: str, publisher: str) -> Found:
    link = _link(item, base)
    # xml:base as feedparser worked it out; the feed's own address means that there is none.
    own_base = str((item.get("content") or [item.get("summary_detail") or {}])[0].get("base") or "")
    bodies = [
        ("feed", str(content.get("value", ""))) for content in item.get("content", []) if isinstance(content, dict)
    ]
    bodies.sort(key=lambda told: -len(told[1]))
    summary = str(item.get("summary", "") or "")
    authors = [str(a.get("name") or "") for a in item.get("authors", []) if isinstance(a, dict)] or [
        str(item.get("author", "") or "")
    ]
    item_language = str((item.get("title_detail") or {}).get("language") or "")
    return Found(
        titles=(("feed", str(item.get("title", "") or "")),),
        url=link,
        guid=plain(str(item.get("id", "") or ""))[:500],
        base_url=own_base if own_base not in ("", feed_url) else link or base,
        bylines=(("dc:creator", ", ".join(name for name in authors if name)),),
        deks=(("excerpt" if bodies else "summary", summary),) if bodies else (),
        bodies=(*bodies, ("feed summary", summary)),
        dates=_dates(item, "published", "created"),
        updates=_dates(item, "updated"),
        languages=(("feed", item_language), ("feed", language)),
        pictures=_pictures(item),
        categories=tuple(
            str(tag.get("term") or tag.get("label") or "") for tag in item.get("tags", []) if isinstance(tag, dict)
        ),
        publisher=publisher,
    )


def _link(item: Any, base: str) -> str:
    """The entry's own page: FeedBurner's original, the alternate link, or a guid that is an address."""
    candidates = [item.get("feedburner_origlink"), item.get("link")]
    candidates += [link.get("href") for link in item.get("links", []) if link.get("rel") == "alternate"]
    if str(item.get("id", "")).startswith(("http://", "https://")):
        candidates.append(item.get("id"))
    links = [plain(str(candidate)) for candidate in candidates if candidate]
    good = next((address for link in links if (address := absolute(link, base))), "")
    # One that is no web address is handed on when there is no better: `make_entry` drops it and says so.
    return (good or next(iter(links), ""))[:2000]


def _joined(base: str, address: str) -> str:
    """The address, absolute where it can be made so: "http://[x" is for `make_entry` to refuse."""
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def _dates(item: Any, *names: str) -> tuple[Told, ...]:
    """The dates as text: feedparser's own reading drops zones and misreads numbers."""
    # dict.get, because feedparser's own lookup answers "updated" with the published date.
    found = [("feed", str(dict.get(item, name))) for name in names if dict.get(item, name)]
    if "published" in names and not found and (updated := dict.get(item, "updated")):
        # RDF's dc:date and an Atom entry with only `updated` land there.
        found.append(("feed updated", str(updated)))
    return tuple(found)


def _pictures(item: Any) -> tuple[tuple[str, PictureRef], ...]:
    found: list[tuple[str, PictureRef]] = []
    media = [m for m in item.get("media_content", []) if isinstance(m, dict) and _is_picture(m)]
    credit = _words((item.get("media_credit") or [{}])[0].get("content")) if item.get("media_credit") else ""
    alt = _words(item.get("media_alt") or "")
    for each in sorted(media, key=lambda m: -_number(m.get("width"))):
        found.append(
            (
                "media:content",
                PictureRef(
                    str(each["url"]),
                    alt=alt,
                    credit=credit,
                    width=_number(each.get("width")),
                    height=_number(each.get("height")),
                ),
            )
        )
    for each in item.get("enclosures", []):
        if str(each.get("type", "")).startswith("image/") and each.get("href"):
            found.append(("enclosure", PictureRef(str(each["href"]))))
    for each in item.get("media_thumbnail", []):
        # Blogger's is 72 pixels wide: only one that says it is large may lead.
        if each.get("url") and _number(each.get("width")) >= 300:
            found.append(
                (
                    "media:thumbnail",
                    PictureRef(str(each["url"]), width=_number(each.get("width")), height=_number(each.get("height"))),
                )
            )
    return tuple(found[:10])


def _is_picture(media: Any) -> bool:
    kind = str(media.get("medium") or media.get("type") or "")
    address = str(media.get("url") or "")
    return bool(address) and (
        kind.startswith("image")
        or (not kind and bool(re.search(r"\.(?:jpe?g|png|gif|webp|avif)(?:$|\?)", address, re.IGNORECASE)))
    )


# --- JSON Feed (jsonfeed.org, 1 and 1.1)


def _json_feed(body: bytes, answer: Fetched, warnings: list[str]) -> list[Found]:
    try:
        feed = json.loads(without_controls(body.decode("utf-8", "replace")), strict=False)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise SourceError(
            sentence("The JSON feed can't be read (line {line}).", line=line)
            if line
            else sentence("The JSON feed can't be read."),
            where=answer.url,
        ) from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise SourceError(sentence("This is JSON, but not a JSON Feed: it has no list of items."), where=answer.url)
    founds = []
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            warnings.append(f"entry {number} is not an object. Left out.")
            continue
        founds.append(_json_item(item, feed, answer.url))
    return founds


def _json_item(item: dict[str, Any], feed: dict[str, Any], base: str) -> Found:
    def text(name: str, where: dict[str, Any] = item) -> str:
        value = where.get(name)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    authors = item.get("authors") or [item.get("author")]
    names = [text("name", a) for a in authors if isinstance(a, dict)] if isinstance(authors, list) else []
    link = text("url") or text("external_url")
    markup = text("content_html") or paragraphs(text("content_text"))
    images = [text(name) for name in ("image", "banner_image") if text(name)]
    tags = item.get("tags")
    return Found(
        titles=(("feed", text("title")),),
        url=_joined(base, link) if link else "",
        guid=text("id")[:500],
        base_url=_joined(base, link) if link else base,
        bylines=(("feed author", ", ".join(name for name in names if name)),),
        deks=(("excerpt", text("summary")),),
        bodies=(("feed", markup), ("feed summary", text("summary"))),
        dates=(("feed", text("date_published")),),
        updates=(("feed", text("date_modified")),),
        languages=(("feed", text("language")), ("feed", text("language", feed))),
        pictures=tuple(("feed image", PictureRef(image)) for image in images[:1]),
        categories=tuple(str(tag) for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        publisher=text("title", feed),
    )


def paragraphs(text: str) -> str:
    """Plain text as markup: blank lines part paragraphs, nothing in it is read as markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"<p>{part}</p>" for part in re.split(r"\n\s*\n", escaped.replace("\r\n", "\n")) if part.strip())


def _words(value: object) -> str:
    return plain(unescaped(str(value))) if isinstance(value, str) else ""


def _number(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 6 else 0
