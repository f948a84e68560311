"""What a web page offers to be read by: its WordPress REST interface, its feeds; and whether it is only a log-in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from newsletter.core.markup import Element, absolute, parse_page
from newsletter.core.prose import plain, unescaped
from newsletter.core.sentence import sentence

MOST_FEEDS = 3
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_COMMENTS = re.compile(r"/comments?(?:/|$)|\bcomments?\b", re.IGNORECASE)
_FEED_HEAD = 20_000
_FEED_TITLE = re.compile(r"<title[^<>]{0,200}>([^\0]{0,600}?)</title>", re.IGNORECASE)
_JSON_TITLE = re.compile(r"""\A\s*\{[^[]{0,2000}?"title"\s*:\s*"([^"\\]{1,200})\"""")
_GHOST = re.compile(r"\bghost\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to read a site: the kind of source, its address, and how we came to know of it, in a sentence."""

    kind: str
    location: str
    why: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What a page offers, the best first; `name` is what the site calls itself; `login`: it asks who one is."""

    offers: tuple[Offer, ...] = ()
    name: str = ""
    login: bool = False


def offers_of(markup: str, url: str) -> Offers:
    """Read the head of the page at `url`. Feeds of comments are none; an address that is no web address is left out."""
    tree = parse_page(markup)
    metas = {
        (meta.get("property") or meta.get("name") or "").strip().lower(): plain(meta.get("content", ""))
        for meta in reversed(list(tree.iter("meta")))
    }
    ghost = bool(_GHOST.search(metas.get("generator", "")))
    offers: dict[tuple[str, str], Offer] = {}
    for offer in (*_rest(tree, url), *_feeds(tree, url, ghost=ghost)):
        offers.setdefault((offer.kind, offer.location), offer)
    login = any(field.get("type", "").lower() == "password" for field in tree.iter("input"))
    name = metas.get("og:site_name", "") or plain(tree.findtext(".//title") or "")
    return Offers(tuple(offers.values()), name[:200], login)


def feed_name(text: str) -> str:
    """What a feed calls itself, "" when it does not: its first title, before its first entry."""
    head = re.split(r"<(?:item|entry)[\s>]", text[:_FEED_HEAD], maxsplit=1)[0]
    told = _FEED_TITLE.search(head) or _JSON_TITLE.search(head)
    return plain(unescaped(told[1].replace("<![CDATA[", "").replace("]]>", "")))[:200] if told else ""


def guesses(url: str) -> tuple[Offer, ...]:
    """Where the feed of a site lies that names none: at the two addresses that most sites use."""
    parts = urlsplit(url)
    return tuple(
        Offer(
            "feed",
            urlunsplit((parts.scheme, parts.netloc, path, "", "")),
            sentence("A feed was found at {path}.", path=path),
        )
        for path in ("/feed/", "/rss/")
    )


def _rest(tree: Element, url: str) -> list[Offer]:
    for link in tree.iter("link"):
        if "https://api.w.org/" in link.get("rel", "").split():
            address = absolute(link.get("href", ""), url)
            site, rest, _ = address.partition("/wp-json")
            # A site without readable addresses has its interface at ?rest_route=, which the adapter does not ask.
            if rest:
                why = sentence("This is a WordPress site: its REST interface says more than its feed does.")
                return [Offer("wordpress", f"{site}/", why)]
    return []


def _feeds(tree: Element, url: str, *, ghost: bool) -> list[Offer]:
    found = []
    for link in tree.iter("link"):
        kind = link.get("type", "").split(";")[0].strip().lower()
        if "alternate" not in link.get("rel", "").lower().split() or kind not in _FEED_TYPES:
            continue
        address = absolute(link.get("href", ""), url) if link.get("href", "").strip() else ""
        title = plain(link.get("title", ""))[:80]
        if not address or _COMMENTS.search(urlsplit(address).path) or _COMMENTS.search(title):
            continue
        why = sentence("The page names this feed.")
        if ghost:
            why = sentence("This is a Ghost site: its feed has the whole text.")
        elif title:
            why = sentence("The page names this feed: “{title}”.", title=title)
        found.append(Offer("feed", address, why))
    return found[:MOST_FEEDS]
