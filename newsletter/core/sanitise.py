"""Foreign markup in, well-formed allow-listed XHTML blocks out.

Three passes, each of which would do alone for most pages: a forgiving parse that bounds depth, nh3's allow-list (an
HTML5 parser, as browsers have), and a copy into fresh elements that knows nothing but the allow-list. What comes out
is a flat row of block elements and parses as XML: MJML takes it as it is, and no parser can read it differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import nh3
from lxml import etree

from newsletter.core.markup import BLOCKS, Element, absolute, is_web, link_players, parse_markup, words_in
from newsletter.core.prose import without_controls

INLINE: Final = frozenset(
    ["a", "em", "strong", "u", "s", "q", "cite", "sub", "sup", "code", "small", "abbr", "bdi", "mark"]
)
ALLOWED: Final = INLINE | BLOCKS | {"br"}
_RENAMED = {"b": "strong", "i": "em", "h1": "h2", "h5": "h4", "h6": "h4", "del": "s", "strike": "s", "ins": "u"}
_BOXES = frozenset(
    [
        "div",
        "section",
        "article",
        "main",
        "header",
        "figure",
        "figcaption",
        "details",
        "summary",
        "address",
        "center",
        "fieldset",
        "tfoot",
        "caption",
    ]
)
_GONE = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "form",
        "button",
        "input",
        "select",
        "textarea",
        "option",
        "object",
        "applet",
        "svg",
        "math",
        "canvas",
        "dialog",
        "head",
        "title",
        "meta",
        "link",
        "base",
        "frame",
        "frameset",
        "noframes",
        "xmp",
        "plaintext",
        "noembed",
        "map",
        "area",
        "param",
        "track",
        "source",
        "iframe",
        "embed",
    ]
)
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}
_EVERYWHERE = {"lang", "dir"}
_SCHEMES = ("http", "https", "mailto")
_LANG = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


def clean_html(markup: str, base_url: str = "") -> str:
    """Sanitise a piece of foreign HTML into XHTML of the allow-list; relative links are resolved against `base_url`.

    Pictures are left out (they are gathered apart, and served by us); frames and players become a link to what they
    show. The empty string when nothing is left. Never raises on any input.
    """
    return serialise(sanitised_blocks(parse_markup(markup), base_url))


def sanitised_blocks(tree: Element, base_url: str = "") -> list[Element]:
    """The block elements of a parsed tree, copied fresh and clean. Changes `tree`."""
    link_players(tree, base_url)
    _resolve_links(tree, base_url)
    markup = etree.tostring(tree, method="html", encoding="unicode", with_tail=False)
    safe = nh3.clean(
        markup,
        tags={*ALLOWED, *_BOXES, *_RENAMED, "span", "font"},
        clean_content_tags=set(
            _GONE - {"base", "link", "meta", "param", "source", "track", "frame", "input", "embed", "area"}
        ),
        attributes={**_ATTRIBUTES, "*": _EVERYWHERE},
        url_schemes=set(_SCHEMES),
        url_relative="deny",
        link_rel=None,
        strip_comments=True,
    )
    return _flow(parse_markup(safe))


def serialise(blocks: Iterable[Element]) -> str:
    """The blocks as XHTML text: void elements closed, all others with an end tag, nothing but the allow-list."""
    return "".join(etree.tostring(block, method="xml", encoding="unicode", with_tail=False) for block in blocks)


def _resolve_links(tree: Element, base_url: str) -> None:
    """Make every link absolute, as a browser would read it: white space inside an address does not count."""
    for link in tree.iter("a"):
        href = re.sub(r"[\t\r\n]", "", link.get("href", "")).strip()
        if href and not href.lower().startswith("mailto:"):
            href = absolute(href, base_url)
        if "href" in link.attrib:
            del link.attrib["href"]
        if href:
            link.set("href", without_controls(href))


# --- The copy: from here on every element is made by us.


def _name(element: Element) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    return _RENAMED.get(tag, tag)


def _holds_blocks(element: Element) -> bool:
    return any(_name(inner) in BLOCKS or _name(inner) in _BOXES for inner in element.iterdescendants())


class _Run:
    """Inline content on its way to become one <p>."""

    def __init__(self) -> None:
        self.box = etree.Element("p")

    def text(self, words: str | None) -> None:
        _add_text(self.box, words)

    def ends_with_break(self) -> bool:
        last = _last(self.box)
        return last is not None and last.tag == "br" and not (last.tail or "").strip()

    def take(self) -> list[Element]:
        box, self.box = self.box, etree.Element("p")
        _trim(box)
        return [box] if _says_something(box) else []


def _flow(source: Element) -> list[Element]:
    """The blocks that a container holds, in order; loose words become paragraphs, two line breaks end one."""
    blocks: list[Element] = []
    run = _Run()
    run.text(source.text)
    for child in source:
        name = _name(child)
        if name == "br":
            if run.ends_with_break():
                blocks += run.take()
            else:
                etree.SubElement(run.box, "br")
        elif name in BLOCKS or name in _BOXES or _holds_blocks(child):
            blocks += run.take()
            blocks += _block(child, name)
        else:
            _inline(child, run.box, in_link=False)
        run.text(child.tail)
    return blocks + run.take()


def _block(source: Element, name: str) -> list[Element]:
    if name == "hr":
        return [etree.Element("hr")]
    if name == "pre":
        return _pre(source)
    if name in ("ul", "ol"):
        return _list(source, name)
    if name == "table" and _is_data_table(source):
        return _table(source)
    inner = _flow(source)
    if name == "blockquote" and inner:
        made = _made(source, "blockquote")
        made.extend(inner)
        return [made]
    if name in ("p", "h2", "h3", "h4", "dt", "dd"):
        for block in inner:
            if block.tag == "p":
                if name in ("h2", "h3", "h4"):
                    block.tag = name
                _copy_attributes(source, block, name)
    return inner


def _list(source: Element, name: str) -> list[Element]:
    made = _made(source, name)
    for child in source:
        inner = _flow(child) if _name(child) == "li" or len(child) or child.text else []
        if not inner:
            continue
        entry = etree.SubElement(made, "li")
        _copy_attributes(child, entry, "li")
        _fill(entry, inner)
    return [made] if len(made) else []


def _pre(source: Element) -> list[Element]:
    made = _made(source, "pre")
    _add(made, without_controls(words_in(source)))
    return [made] if (made.text or "").strip() else []


def _is_data_table(source: Element) -> bool:
    """A grid of short cells; a table that was used to lay out the page is taken apart instead."""
    rows = [[cell for cell in row if _name(cell) in ("td", "th")] for row in source.iter("tr")]
    if len(rows) < 2 or max(len(row) for row in rows) < 2 or any(True for _ in source.iterdescendants("table")):
        return False
    return all(not _holds_blocks(cell) and len(words_in(cell)) < 300 for row in rows for cell in row)


def _table(source: Element) -> list[Element]:
    made = _made(source, "table")
    for row in source.iter("tr"):
        line = etree.SubElement(made, "tr")
        for cell in row:
            if _name(cell) in ("td", "th"):
                box = etree.SubElement(line, _name(cell))
                _copy_attributes(cell, box, _name(cell))
                _fill(box, _flow(cell))
                box.text = box.text or ""
        if not len(line):
            made.remove(line)
    return [made] if _says_something(made) else []


def _fill(box: Element, blocks: list[Element]) -> None:
    """Put blocks into a list entry or a cell: a lone paragraph gives only its content."""
    if len(blocks) == 1 and blocks[0].tag == "p":
        box.text = blocks[0].text
        box.extend(list(blocks[0]))
    else:
        box.extend(blocks)


def _inline(source: Element, box: Element, *, in_link: bool) -> None:
    name = _name(source)
    if name in _GONE:
        return
    if name == "br":
        etree.SubElement(box, "br")
        return
    href = source.get("href", "") if name == "a" else ""
    keep = name in INLINE and (name != "a" or (_good_link(href) and not in_link))
    target = box
    if keep:
        target = etree.SubElement(box, name)
        _copy_attributes(source, target, name)
    _add_text(target, source.text)
    for child in source:
        _inline(child, target, in_link=in_link or (keep and name == "a"))
        _add_text(target, child.tail)
    if keep and not _says_something(target):
        words = words_in(target)
        box.remove(target)
        _add_text(box, words)


def _good_link(href: str) -> bool:
    if href.lower().startswith("mailto:"):
        return "@" in href
    return is_web(href)


def _made(source: Element, name: str) -> Element:
    made = etree.Element(name)
    _copy_attributes(source, made, name)
    return made


def _copy_attributes(source: Element, target: Element, name: str) -> None:
    for key, value in source.attrib.items():
        key, value = str(key), without_controls(str(value)).strip()
        good = (
            (key == "href" and name == "a" and _good_link(value))
            or (
                key in ("colspan", "rowspan", "start")
                and key in _ATTRIBUTES.get(name, ())
                and value.isdecimal()
                and len(value) < 4
            )
            or (key == "dir" and value in ("ltr", "rtl", "auto"))
            or (key == "lang" and _LANG.fullmatch(value) is not None)
        )
        if good:
            target.set(key, value)


def _add_text(box: Element, words: str | None) -> None:
    if words:
        _add(box, re.sub(r"[ \t\r\n\f]+", " ", without_controls(words)))


def _add(box: Element, words: str) -> None:
    last = _last(box)
    if last is not None:
        last.tail = (last.tail or "") + words
    else:
        box.text = (box.text or "") + words


def _last(box: Element) -> Element | None:
    """The last child; asking an element for its length counts all of them."""
    return next(box.iterchildren(reversed=True), None)


def _trim(box: Element) -> None:
    """No white space, NBSP or line break at either end of a paragraph."""
    while len(box) and box[0].tag == "br" and not (box.text or "").strip():
        first = box[0]
        box.text = (box.text or "") + (first.tail or "")
        box.remove(first)
    box.text = (box.text or "").lstrip() or None
    while len(box):
        last = box[-1]
        if last.tail:
            last.tail = last.tail.rstrip() or None
        if last.tail or last.tag != "br":
            break
        box.remove(last)
    if not len(box):
        box.text = (box.text or "").rstrip() or None


def _says_something(box: Element) -> bool:
    return (
        bool(words_in(box).strip("\u200b\u200c\u200d\u2060\ufeff\u00ad \t\r\n\u00a0")) or box.find(".//hr") is not None
    )
