"""Foreign markup as a tree: parsed leniently, its words and addresses read. `core.sanitise` makes it clean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html

from newsletter.core.prose import plain, without_controls

MAX_MARKUP: Final = 1_000_000
MAX_ELEMENTS: Final = 20_000
MAX_SPECIALS: Final = 100_000
MAX_PLAYERS: Final = 100
_DROPPED = "x-dropped"
BLOCKS: Final = frozenset(
    [
        "p",
        "ul",
        "ol",
        "li",
        "blockquote",
        "h2",
        "h3",
        "h4",
        "pre",
        "hr",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "dl",
        "dt",
        "dd",
    ]
)
_FRAME_JUNK = re.compile(r"doubleclick|googlesyndication|amazon-adsystem|facebook\.com/plugins|googletagmanager|ads?\.")

# What no address may hold raw: control characters, white space, what can't be seen, and RFC 3986's forbidden marks.
_RAW = re.compile(
    r"[\x00-\x20\x7f-\xa0\xad\u061c\u115f\u1160\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164"
    r"\ud800-\udfff\ufeff\uffa0\"<>`{}|\\^]"
)

Element = etree._Element


def parse_markup(markup: str) -> Element:
    """Parse anything into a <div>. Nesting deeper than some 250 levels is cut, by the parser, on purpose."""
    text = _bounded(without_controls(markup[:MAX_MARKUP]))
    if "<![CDATA[" in text:
        text = text.replace("<![CDATA[", "").replace("]]>", "")
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = lxml_html.document_fromstring(f"<html><body><div>{text}</div></body></html>".encode(), parser=parser)
    except (etree.ParserError, ValueError):
        return etree.Element("div")
    body = root.find("body")
    holder = etree.Element("div")
    for source in root.findall("head") if body is None else [body]:
        holder.text = source.text
        holder.extend(list(source))
    return _cut(holder)


def parse_page(markup: str) -> Element:
    """Parse a whole page; the root is its <html>."""
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root: Element = lxml_html.document_fromstring(
            without_controls(markup[: 2 * MAX_MARKUP]).encode() or b" ", parser=parser
        )
    except (etree.ParserError, ValueError):
        return etree.Element("html")
    return root


def words_in(element: Element, joint: str = "") -> str:
    """All text inside an element, exactly as it stands; `joint` is put between the texts of two elements."""
    return joint.join(str(part) for part in element.itertext())


def text_of(block: Element) -> str:
    """The words of one block: line breaks kept, list entries each on a line of their own."""
    parts: list[str] = []
    for event, element in etree.iterwalk(block, events=("start", "end")):
        if event == "start":
            if element.tag == "br":
                parts.append("\n")
            elif element.tag == "li":
                parts.append("\n- ")
            elif element.tag in BLOCKS and element is not block and parts and not parts[-1].endswith("- "):
                parts.append(" " if element.tag in ("td", "th") else "\n")
            if element.text:
                parts.append(element.text)
        elif element is not block:
            parts.append(element.tail or "")
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line and line != "-")


def link_players(tree: Element, base_url: str = "") -> None:
    """Put a link in the place of each frame, video or sound; its words are the frame's own title or the host."""
    players = list(tree.iter("iframe", "video", "audio", "embed"))
    for player in players[:MAX_PLAYERS]:
        address = (
            player.get("src")
            or player.get("data-src")
            or next((inner.get("src", "") for inner in player.iter("source") if inner.get("src")), "")
        )
        address = watch_address(absolute(address, base_url))
        if address and not _FRAME_JUNK.search(address):
            box = etree.Element("p")
            link = etree.SubElement(box, "a", href=address)
            link.text = without_controls(player.get("title", "")).strip()[:120] or host_of(address)
            player.addprevious(box)
    drop(tree, players)


def watch_address(address: str) -> str:
    """The page for people behind an embedded player's address."""
    parts = urlsplit(address)
    match = re.match(r"^/embed/([\w-]{6,20})$", parts.path)
    if match and re.search(r"(^|\.)youtube(-nocookie)?\.com$", parts.netloc):
        return f"https://www.youtube.com/watch?v={match[1]}"
    if parts.netloc == "player.vimeo.com" and (match := re.match(r"^/video/(\d+)$", parts.path)):
        return f"https://vimeo.com/{match[1]}"
    if parts.netloc.endswith("soundcloud.com") and (inner := parse_qs(parts.query).get("url")):
        return inner[0] if is_web(inner[0]) else ""
    return address


def absolute(address: str, base_url: str) -> str:
    """An absolute address as `is_web` has it, or "" when it can't be made one.

    What RFC 3986 forbids in one is percent-encoded, and so is what can't be seen, and the apostrophe: no quotation mark
    is left that could end an attribute.
    """
    address = re.sub(r"[\t\r\n]", "", without_controls(address)).strip()
    address = _RAW.sub(lambda match: quote(match[0], safe="", errors="replace"), address).replace("'", "%27")
    try:
        address = urljoin(base_url, address) if base_url else address
        if address.startswith("//"):
            address = "https:" + address
        return address if is_web(address) else ""
    except ValueError:
        return ""


def shown_address(address: str) -> str:
    """A bad address as a message may show it: quoted, short, in one line, without the login that it may hold."""
    return repr(re.sub(r"//[^/@]*@", "//…@", plain(address))[:100])


def host_of(address: str) -> str:
    """The host of an address as people say it: lower case, without www."""
    return (urlsplit(address).hostname or "").removeprefix("www.")


def is_web(address: str) -> bool:
    """Whether an address is an absolute http(s) one with a host, and holds nothing raw that belongs percent-encoded.

    One with a login is not: "https://bank.example@evil.example" reads as the bank's.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        # A browser unescapes the host and ends it at a backslash: neither is read the same by us.
        sound = bool(host) and "%" not in host and "@" not in parts.netloc and (parts.port is None or parts.port > 0)
        return sound and parts.scheme in ("http", "https") and not _RAW.search(address)
    except ValueError:
        return False


def drop(tree: Element, elements: Iterable[Element]) -> None:
    """Take elements out of a tree and leave the words after each in place; all at once, for one by one is quadratic."""
    for element in elements:
        if element is not tree:
            element.tag = _DROPPED
    etree.strip_elements(tree, _DROPPED, with_tail=False)


def _bounded(text: str) -> str:
    """Nothing past the 100,000th special character: html5ever takes the square of their number in time."""
    if sum(text.count(special) for special in "&<>\u00a0") <= MAX_SPECIALS:
        return text
    last = next(islice(re.finditer("[&<>\u00a0]", text), MAX_SPECIALS, None))
    return text[: last.start()]


def _cut(tree: Element) -> Element:
    """Nothing past the first 20,000 elements: no article has as many, and an attack on our time has."""
    extra = list(islice(tree.iter(), MAX_ELEMENTS, None))
    for element in extra:
        element.tag = _DROPPED
    if extra:
        etree.strip_elements(tree, _DROPPED, with_tail=True)
    return tree
