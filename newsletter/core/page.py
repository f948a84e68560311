"""A web page with one article on it: what its head says, and which part of its body is the article."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from newsletter.core.markup import Element, absolute, drop, parse_page, text_of, words_in
from newsletter.core.prose import count_words, plain

_STORY = re.compile(
    r"\b(?:article-?body|entry-content|post-content|article-content|post-body|story-body|review-body|e-content)\b",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"(?:^|[\s_-])(?:byline|author|p-author|by-author|article-author)(?:$|[\s_-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageHead:
    """What the page's own markup says outside its structured data; lists in document order."""

    canonical: str = ""
    refused: str = ""
    language: str = ""
    site: str = ""
    titles: tuple[tuple[str, str], ...] = ()
    description: str = ""
    authors: tuple[tuple[str, str], ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    modified: str = ""
    picture: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()


def read_page(markup: str, url: str) -> tuple[PageHead, str]:
    """The head and the markup of the article itself ("" when no part of the page can be told to be one)."""
    tree = parse_page(markup)
    metas = _metas(tree)
    story = article_element(tree)
    canonical = _canonical(tree, metas, url)
    h1 = _heading(tree, story)
    head = PageHead(
        canonical=canonical,
        refused=next((href for href in _canonical_links(tree) if not absolute(href, url)), ""),
        language=plain(tree.get("lang", "") or tree.get("{http://www.w3.org/XML/1998/namespace}lang", "")),
        site=metas.get("og:site_name", ""),
        titles=(
            ("og:title", metas.get("og:title", "")),
            ("h1", h1),
            ("<title>", plain(tree.findtext(".//title") or "")),
        ),
        description=metas.get("og:description", "") or metas.get("description", ""),
        authors=(("byline", _byline(tree, story)), ("meta author", metas.get("author", ""))),
        dates=(("article:published_time", metas.get("article:published_time", "")), ("<time>", _time(tree, story))),
        modified=metas.get("article:modified_time", ""),
        picture=absolute(metas.get("og:image", "") or metas.get("twitter:image", ""), url),
        section=metas.get("article:section", ""),
        tags=tuple(tag for tag in (metas.get("article:section", ""), metas.get("article:tag", "")) if tag),
    )
    if story is None:
        return head, ""
    drop(story, [*story.iter("h1", "time"), *_furniture_of_headers(story)])
    return head, etree.tostring(story, method="html", encoding="unicode", with_tail=False)


def article_element(tree: Element) -> Element | None:
    """The element that holds the article's words: marked as its body, else the <article> or <main> with most prose."""
    marked = [
        element
        for element in tree.iter("div", "section", "article")
        if element.get("itemprop", "").lower() in ("articlebody", "reviewbody")
        or _STORY.search(element.get("class", ""))
    ]
    for group in (
        marked,
        list(tree.iter("article")),
        list(tree.iter("main")),
        [e for e in tree.iter("div", "section") if e.find("p") is not None],
    ):
        scored = [(_prose(element), -depth, element) for depth, element in enumerate(group)]
        best = max(scored, key=lambda item: item[:2], default=None)
        if best and best[0] >= 15:
            return best[2]
    return None


def _prose(element: Element) -> int:
    """Words in paragraphs that are no lists of links."""
    total = 0
    for paragraph in element.iter("p"):
        linked = sum(len(words_in(link)) for link in paragraph.iter("a"))
        words = words_in(paragraph)
        if linked * 2 <= len(words):
            total += count_words(words)
    return total


def _metas(tree: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or "").strip().lower()
        content = plain(meta.get("content", ""))
        if name and content and name not in found:
            found[name] = content
    return found


def _canonical(tree: Element, metas: dict[str, str], url: str) -> str:
    """The canonical address when the page names exactly one, on its own site; two different ones are no answer."""
    named = {absolute(href, url) for href in _canonical_links(tree)} - {""}
    if len(named) == 1:
        return named.pop()
    return absolute(metas.get("og:url", ""), url) if not named and metas.get("og:url") else ""


def _canonical_links(tree: Element) -> list[str]:
    links = (link for link in tree.iter("link") if "canonical" in link.get("rel", "").lower().split())
    return [href for link in links if (href := link.get("href", "").strip())]


def _heading(tree: Element, story: Element | None) -> str:
    holders = [story, *story.iterancestors("article", "main")] if story is not None else []
    for holder in [*holders, tree]:
        for heading in holder.iter("h1"):
            if words := plain(text_of(heading)):
                return words
    return ""


def _near(tree: Element, story: Element | None) -> list[Element]:
    """Where the article's own byline and date may stand: in it, or in the <article> or <main> round it."""
    if story is None:
        return []
    return [story, *[parent for parent in story.iterancestors() if parent.tag in ("article", "main")][:1]]


def _byline(tree: Element, story: Element | None) -> str:
    for holder in _near(tree, story):
        for element in holder.iter():
            if not isinstance(element.tag, str):
                continue
            names = " ".join((element.get("class", ""), element.get("rel", ""), element.get("itemprop", "")))
            words = plain(words_in(element))
            if (
                _BYLINE.search(names)
                and words
                and len(words) <= 100
                and not re.search(r"\b(?:bio|box|about|more)\b", names)
            ):
                return words
    return ""


def _time(tree: Element, story: Element | None) -> str:
    """The article's own <time>: 20 others stand in the sidebar."""
    for holder in _near(tree, story):
        for element in holder.iter("time"):
            inside = any(parent.tag in ("aside", "nav", "footer", "li") for parent in element.iterancestors())
            if not inside and (value := element.get("datetime", "").strip() or plain(words_in(element))):
                return value
    return ""


def _furniture_of_headers(story: Element) -> list[Element]:
    """What an article's header holds beside words and pictures: lists of links, share buttons."""
    kept = ("figure", "img", "figcaption", "picture", "source", "p", "div", "span")
    return [
        element
        for header in story.iterdescendants("header")
        for element in header.iterdescendants()
        if isinstance(element.tag, str) and element.tag not in kept and element.find(".//img") is None
    ]
