"""One entry out of everything that is known of it: the first usable value of each field wins, and its origin is kept.

The order of precedence is the order in which an adapter lists its candidates (product rules 2.1):

- title: REST, feed, JSON-LD headline, og:title, h1, `<title>` without the site's name
- authors: JSON-LD, dc:creator, byline, `meta author`; never the publisher, an address or "admin"
- date: feed or REST in GMT, JSON-LD, article:published_time, `<time>`; a value with a zone before one without
- picture: featured, media:content, JSON-LD, in the body, og:image; never a logo or a site's default
- language: `<html lang>`, the feed's, the source's setting
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from newsletter.core import junk
from newsletter.core.body import SIZED, read_body
from newsletter.core.bylines import believable_author, read_byline
from newsletter.core.content import EntryContent, PictureRef, Rating, Release, Work
from newsletter.core.dates import Moment, read_moment
from newsletter.core.errors import ContentError
from newsletter.core.markup import absolute, shown_address
from newsletter.core.prose import count_words, folded, opening, plain, reading_minutes, unescaped
from newsletter.core.rubrics import rubric_for_label
from newsletter.core.sentence import sentence
from newsletter.core.titles import quoted_work, split_title

LONGEST_LINE = 2000

Told = tuple[str, str]
"""(origin, value): where a value comes from, and the value."""

_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_FORMATTED = re.compile(r"<(em|i|b|strong|span|u|cite|q|a|p|sup|sub|font)\b[^<>]{0,500}>([^<>]*)</\1>", re.IGNORECASE)
_SPONSORED = re.compile(
    r"^(?:sponsored?(?:\s+(?:post|content|story))?|advertorial|paid\s+(?:post|content)|promoted|"
    r"partner\s+content|anzeige|werbung)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the source, not the entry, says: zone for dates without one, language, brand before rubrics, rubric map."""

    zone: str = "UTC"
    language: str = ""
    brand: str = ""
    rubric_map: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Everything one channel or several found out about an entry; each tuple in order of precedence.

    `bodies` are foreign markup, `base_url` is what their links are relative to; `categories` become tags and may name
    the rubric.
    """

    titles: tuple[Told, ...] = ()
    url: str = ""
    guid: str = ""
    base_url: str = ""
    bylines: tuple[Told, ...] = ()
    deks: tuple[Told, ...] = ()
    bodies: tuple[Told, ...] = ()
    dates: tuple[Told, ...] = ()
    updates: tuple[Told, ...] = ()
    languages: tuple[Told, ...] = ()
    pictures: tuple[tuple[str, PictureRef], ...] = ()
    last_pictures: tuple[tuple[str, PictureRef], ...] = ()
    categories: tuple[str, ...] = ()
    publisher: str = ""
    rating: tuple[str, Rating] | None = None
    work: tuple[str, Work] | None = None
    release: tuple[str, Release] | None = None
    event_date: date | None = None
    default_pictures: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


def make_entry(found: Found, settings: Settings) -> EntryContent:
    """Make the entry. Raises `ContentError` when there is neither a title nor a body to make one from."""
    origins: dict[str, str] = {}
    warnings = list(found.warnings)
    found = replace(found, url=_address(found.url, warnings))
    language = _pick(
        origins, "language", [(o, _language(v)) for o, v in (*found.languages, ("source", settings.language))]
    )
    published = _date(origins, "published_at", found.dates, settings, language, warnings)
    day = published.when.date() if published else None
    title = _pick(origins, "title", [(origin, words(value)) for origin, value in found.titles])
    body_origin, markup = next(((o, b) for o, b in found.bodies if b.strip()), ("", ""))
    body = read_body(markup, base_url=found.base_url or found.url, title=title, published=day)
    if body.html:
        origins["body_html"] = body_origin
    if not title:
        title = _title_from(body.text)
        if not title:
            raise ContentError(sentence("The entry has neither a title nor words."), where=found.url or found.guid)
        origins["title"] = "auto"
        warnings.append(sentence("no title: the first words of the text stand in"))
    parts = split_title(title, language=language, brand=settings.brand)
    authors, byline = _authors(origins, (*found.bylines, ("byline", body.byline)), found.publisher)
    dek = _dek(origins, found.deks, body.text, parts.clean)
    rubric, label, tags = _rubric(origins, found, settings, language, parts.rubric, parts.label)
    updated = _date({}, "", found.updates, settings, language, [])
    release = found.release or (("body", body.release) if body.release else None)
    if release:
        origins["release"] = release[0]
    if found.rating:
        origins["rating"] = found.rating[0]
    work = found.work
    if (
        work is None
        and rubric
        and rubric not in ("interview", "feature", "list", "news")
        and (name := quoted_work(parts.clean))
    ):
        work = ("title", Work(name, type=rubric))
    if work:
        origins["work"] = work[0]
    return EntryContent(
        title=parts.title,
        title_clean=parts.clean,
        url=found.url,
        guid=found.guid,
        rubric=rubric,
        rubric_label=label,
        authors=authors,
        byline=byline,
        dek=dek,
        body_html=body.html,
        body_text=body.text,
        word_count=count_words(body.text),
        reading_minutes=reading_minutes(body.text),
        language=language,
        published_at=published.when if published else None,
        updated_at=updated.when if updated else None,
        date_precision=published.precision if published else "time",
        work=work[1] if work else None,
        release=release[1] if release else None,
        event_date=found.event_date,
        rating=found.rating[1] if found.rating else None,
        pictures=_pictures(origins, found, body.pictures, body.credit, warnings),
        credit=body.credit,
        tags=tags,
        related=body.related,
        sponsored=any(_SPONSORED.match(plain(tag)) for tag in found.categories),
        has_spoilers=body.has_spoilers,
        origins=origins,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _address(url: str, warnings: list[str]) -> str:
    """The address as a letter may link to it, or "" and a warning. Every source's entries come through here."""
    address = absolute(url, "")
    if url.strip() and not address:
        warnings.append(
            sentence("the address {url} is left out: it must be http or https, without a login", url=shown_address(url))
        )
    return address


def words(value: str) -> str:
    """The words of a title or name that may hold entities (once or twice escaped) and markup.

    A tag that was escaped counts as markup only when it is a formatting one and closed: "a <b" may be what is meant.
    """
    return plain(_FORMATTED.sub(r"\2", unescaped(_TAGS.sub("", value[:LONGEST_LINE]))))


def _pick(origins: dict[str, str], field: str, candidates: Iterable[Told]) -> str:
    for origin, value in candidates:
        if value:
            origins[field] = origin
            return value
    return ""


def _language(value: str) -> str:
    match = re.match(r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$", value.strip())
    return match[0].replace("_", "-") if match else ""


def _date(
    origins: dict[str, str], field: str, dates: tuple[Told, ...], settings: Settings, language: str, warnings: list[str]
) -> Moment | None:
    """The first date with a zone, else the first that can be read at all."""
    best: tuple[str, Moment] | None = None
    for origin, value in dates:
        if not value.strip():
            continue
        moment = read_moment(value, zone=settings.zone, language=language)
        if moment is None:
            warnings.append(sentence("date {value} can't be read", value=repr(plain(value)[:60])))
        elif moment.zoned:
            best = (origin, moment)
            break
        elif best is None:
            best = (origin, moment)
    if best:
        origins[field] = best[0]
    return best[1] if best else None


def _title_from(text: str) -> str:
    line = text.split("\n", 1)[0]
    if len(line) <= 80:
        return line
    return line[:80].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def _authors(origins: dict[str, str], bylines: tuple[Told, ...], publisher: str) -> tuple[tuple[str, ...], str]:
    for origin, line in bylines:
        byline = read_byline(words(line))
        names = tuple(name for name in byline.authors if believable_author(name, publisher))
        if names:
            origins["authors"] = origin
            display = byline.display if len(names) == len(byline.authors) else ", ".join(names)
            return names, display
    return (), ""


def _dek(origins: dict[str, str], deks: tuple[Told, ...], text: str, title: str) -> str:
    """An excerpt that somebody wrote, unless it only begins the body or repeats the title; else the first sentences."""
    start = folded(text[:1200])
    for origin, value in deks:
        dek = " ".join(read_body(value).text.split())
        key = folded(dek.rstrip("… .[]"))
        if not key or key == folded(title) or len(dek) > 600:
            continue
        if origin != "excerpt" and start.startswith(key[:80]) and len(start) > len(key):
            continue
        if dek.endswith(("…", "...", "[…]", "[...]")) and start.startswith(key[:80]):
            continue
        origins["dek"] = origin
        return dek
    # A first paragraph of one short sentence is no summary: the next ones go on.
    dek = opening(" ".join(" ".join(text.split("\n\n")[:3]).split()))
    if dek:
        origins["dek"] = "auto"
    return dek


def _rubric(
    origins: dict[str, str], found: Found, settings: Settings, language: str, rubric: str, label: str
) -> tuple[str, str, tuple[str, ...]]:
    """The rubric: the source's own map first, then the title's, then a category that is one. Tags are the categories,
    each once whatever its case.
    """
    tags = list(
        {folded(tag): tag for tag in reversed([words(tag) for tag in found.categories]) if folded(tag)}.values()
    )
    tags.reverse()
    path = re.sub(r"^https?://[^/]+", "", found.url).casefold()
    keys = {folded(tag) for tag in tags} | {folded(label)}
    for wanted, mapped in settings.rubric_map:
        if folded(wanted) in keys - {""} or (wanted.startswith("/") and wanted.casefold() in path):
            origins["rubric"] = "source map"
            return mapped, label or wanted.strip("/"), tuple(tags)
    if rubric:
        origins["rubric"] = "title"
        return rubric, label, tuple(tags)
    for tag in tags:
        if by_tag := rubric_for_label(tag, language):
            origins["rubric"] = "category"
            return by_tag, tag, tuple(tags)
    return "", label, tuple(tags)


def _pictures(
    origins: dict[str, str], found: Found, inline: tuple[PictureRef, ...], credit: str, warnings: list[str]
) -> tuple[PictureRef, ...]:
    """The lead first, then those of the body; each address once, no logos, no defaults, no counters."""
    base = found.base_url or found.url
    candidates = [*found.pictures, *(("body", picture) for picture in inline), *found.last_pictures]
    kept: list[PictureRef] = []
    seen: dict[str, int] = {}
    for origin, picture in candidates:
        url = absolute(unescaped(picture.url), base)
        if not url and picture.url.strip():
            warnings.append(
                sentence(
                    "the picture {url} is left out: it must be at http or https, without a login",
                    url=shown_address(picture.url),
                )
            )
        if (
            not url
            or url in found.default_pictures
            or junk.is_pixel(url, str(picture.width or ""), str(picture.height or ""))
        ):
            continue
        if junk.is_stock_picture(url) or (kept and origin == "og:image"):
            continue
        key = picture_key(url)
        if key in seen:
            place = seen[key]
            old = kept[place]
            kept[place] = replace(
                old,
                alt=old.alt or picture.alt,
                credit=old.credit or picture.credit,
                caption=old.caption or picture.caption,
            )
            continue
        seen[key] = len(kept)
        if not kept:
            origins["pictures"] = origin
        kept.append(replace(picture, url=url, role="inline" if kept else "lead", credit=picture.credit or credit))
    return tuple(kept)


def picture_key(url: str) -> str:
    """One key for all sizes of a picture: without scheme, query and the size in its name."""
    return SIZED.sub("", re.sub(r"^https?:", "", url.split("?")[0]))
