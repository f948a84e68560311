"""What mail clients are known to make of a letter: each feature of its HTML and CSS, looked up in a table of support.

The table is caniemail's (vendor/caniemail.json). Whatever some client is known not to support must stand in
`clients.toml`, with the clients and one sentence on why the letter survives it. What the table doesn't know must be on
our own short list of things that need no entry (`_PLAIN`), so nothing slips in unseen.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import html as lxml_html

from tests.looks.letters import ROOT

BASELINE = Path(__file__).parent / "clients.toml"

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FOR_OUTLOOK = re.compile(r"<!--\[if ([^\]]*)\]>(<!-->)?|(<!--)?<!\[endif\]-->")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_UNIT = re.compile(r"(?<![\w#.-])-?\d*\.?\d+(px|em|rem|ex|ch|pt|pc|cm|mm|in|vw|vh|vmin|vmax|%)(?![\w-])")
_FUNCTION = re.compile(r"\b(calc|clamp|min|max|light-dark|rgba?|hsla?|var|linear-gradient|radial-gradient|url)\(")

_ELEMENTS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "html-h1-h6"),
    **dict.fromkeys(("table", "tbody", "thead", "tr", "td", "th"), "html-table"),
    **dict.fromkeys(("ul", "ol", "li", "dl", "dt", "dd"), "html-lists"),
    **dict.fromkeys(("strong", "b", "em", "i"), "html-strong"),
    **dict.fromkeys(("article", "section", "header", "footer", "main", "nav", "aside", "figure"), "html-semantics"),
}
_LONGHANDS = (
    ("border-radius", re.compile(r"border-.*-radius")),
    ("border", re.compile(r"border-(?!collapse|spacing|radius|image).*")),
    ("padding", re.compile(r"padding-(top|right|bottom|left)")),
    ("margin", re.compile(r"margin-(top|right|bottom|left)")),
    ("left-right-top-bottom", re.compile(r"top|right|bottom|left")),
)
# Older than any client that is tested; or addressed to one program, and ignored by the others.
_PLAIN_PROPERTIES = re.compile(r"color|quotes|font-(family|style|variant)|mso-.*|-(webkit|moz|ms)-.*")
_PLAIN_ELEMENTS = frozenset(("html", "head", "title", "meta", "a", "br", "u", "q"))
_PLAIN_ATTRIBUTES = re.compile(
    "href|src|alt|style|class|id|name|type|content|http-equiv|media|bgcolor|border|colspan|rowspan|title|rel|xmlns"
    "|aria-roledescription|vertical-align"  # the last is MJML's: no attribute of HTML, ignored by everybody
)


@dataclass(frozen=True, slots=True)
class Support:
    """One feature of the table: which clients don't support it, and which only in part."""

    title: str
    lacking: tuple[str, ...]
    partly: tuple[str, ...]


@cache
def table() -> Mapping[str, Support]:
    """caniemail's table, by feature."""
    data = json.loads((ROOT / "vendor" / "caniemail.json").read_text())
    clients = data["clients"]

    def said(letters: str, which: str) -> tuple[str, ...]:
        return tuple(client for client, letter in zip(clients, letters, strict=True) if letter == which)

    return {slug: Support(title, said(row, "n"), said(row, "a")) for slug, (title, row) in data["features"].items()}


def baseline() -> dict[str, dict[str, object]]:
    """What is known and explained, by feature."""
    return tomllib.loads(BASELINE.read_text())


# --- what a letter uses ----------------------------------------------------------------------------------------------


def used(html: str) -> dict[str, str]:
    """Every feature of a letter that some client reads (Outlook's conditional parts are Outlook's alone), with a place
    where it is used. What the table does not know and `_PLAIN` does not name is "unknown: …".
    """
    found: dict[str, str] = {"html-doctype": "the first line", "html-comments": "Outlook's conditional parts"}
    document = lxml_html.document_fromstring(_COMMENT.sub("", html))
    for element in document.iter():
        if not isinstance(element.tag, str):
            continue
        for feature in _of_element(element):
            found.setdefault(feature, f"<{element.tag}>")
        if element.tag == "style":
            for feature in _of_sheet(element.text or "", element.get("media", "")):
                found.setdefault(feature, "the style sheet")
        for feature in _of_declarations(element.get("style", "")):
            found.setdefault(feature, f"style of <{element.tag}>")
    return found


def _of_element(element: lxml_html.HtmlElement) -> Iterator[str]:
    name = element.tag
    if name not in _PLAIN_ELEMENTS:
        yield _known(_ELEMENTS.get(name, f"html-{name}"), f"<{name}>")
    for attribute, value in element.attrib.items():
        short = attribute.split(":")[0] if attribute.startswith("xmlns") else attribute
        if not _PLAIN_ATTRIBUTES.fullmatch(short) and not (name == "html" and short == "xml"):
            yield _known(f"html-{attribute}", f"attribute {attribute}")
        if attribute == "href" and value.startswith("#"):
            yield "html-anchor-links"
        if attribute == "href" and value.startswith("mailto:"):
            yield "html-mailto-links"
        if attribute == "src":
            kind = value.rpartition(".")[2].lower()
            yield _known("image-jpg" if kind in ("jpg", "jpeg") else f"image-{kind}", f"a picture .{kind}")
    if name == "meta" and "color-scheme" in element.get("name", ""):
        yield "html-meta-color-scheme"


def _known(feature: str, words: str) -> str:
    return feature if feature in table() else f"unknown: {words}"


def _of_sheet(css: str, media: str = "") -> Iterator[str]:
    if media:
        yield from _of_media(media)
    for prelude, body in _rules(_CSS_COMMENT.sub("", css)):
        if prelude.startswith("@media"):
            yield from _of_media(prelude)
            yield from _of_sheet(body)
        elif prelude.startswith("@"):
            yield _known("css-at-" + prelude[1:].split()[0], prelude)
        else:
            yield from _of_selector(prelude)
            yield from _of_declarations(body)


def _rules(css: str) -> Iterator[tuple[str, str]]:
    depth = start = 0
    prelude = ""
    for place, sign in enumerate(css):
        if sign == "{":
            if depth == 0:
                prelude, start = css[start:place].strip(), place + 1
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                yield prelude, css[start:place]
                start = place + 1
    assert depth == 0 and not css[start:].strip(), f"this is no style sheet: {css[start:][:80]!r}"


def _of_media(prelude: str) -> Iterator[str]:
    yield "css-at-media"
    for asked in ("prefers-color-scheme", "prefers-reduced-motion", "orientation", "hover", "device-pixel-ratio"):
        if asked in prelude:
            yield f"css-at-media-{asked}"


def _of_selector(selector: str) -> Iterator[str]:
    if "," in selector:
        yield "css-selector-grouping"
    for one in selector.split(","):
        for pseudo in re.findall(r"(::?)([\w-]+)", one):
            yield _known(f"css-pseudo-{'element' if pseudo[0] == '::' else 'class'}-{pseudo[1]}", "".join(pseudo))
        bare = re.sub(r"\[[^\]]*\]", lambda m: "\x00", re.sub(r"::?[\w-]+(\([^)]*\))?", "", one.strip()))
        if "\x00" in bare:
            yield "css-selector-attribute"
        if re.search(r"[\w\x00]\s+[\w.#*\x00]", bare):
            yield "css-selector-descendant"
        for sign, name in ((">", "child"), ("+", "adjacent-sibling"), ("~", "general-sibling"), ("*", "universal")):
            if sign in bare:
                yield f"css-selector-{name}"
        for part in re.split(r"[\s>+~]+", bare):
            signs = re.findall(r"[.#\x00]", part)
            yield from ["css-selector-class"] * ("." in signs) + ["css-selector-id"] * ("#" in signs)
            if re.match(r"[a-z]", part, re.IGNORECASE):
                yield "css-selector-type"
            if len(signs) + bool(re.match(r"[a-z]", part, re.IGNORECASE)) > 1 and "\x00" not in part:
                yield "css-selector-chaining"


def _of_declarations(text: str) -> Iterator[str]:
    for declaration in text.split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            assert not declaration.strip(), f"this is no declaration: {declaration!r}"
            continue
        if _PLAIN_PROPERTIES.fullmatch(name):
            continue
        if "!important" in value:
            yield "css-important"
        yield _of_property(name, value)
        yield from (f"css-unit-{'percent' if unit == '%' else unit}" for unit in _UNIT.findall(value))
        for function in _FUNCTION.findall(value):
            known = {"calc": "css-unit-calc", "var": "css-variables", "url": "css-background-image"}
            yield known.get(function) or _known(
                next(
                    each for each in (f"css-{function}", f"css-function-{function}", "") if each in table() or not each
                ),
                f"{function}()",
            )


def _of_property(name: str, value: str) -> str:
    if name == "display":
        kind = value.split()[0]
        return {"none": "css-display-none", "flex": "css-display-flex", "grid": "css-display-grid"}.get(
            kind, "css-display"
        )
    if f"css-{name}" in table():
        return f"css-{name}"
    for family, pattern in _LONGHANDS:
        if pattern.fullmatch(name):
            return f"css-{family}"
    return f"unknown: {name}"


# --- judging ---------------------------------------------------------------------------------------------------------


def unexplained(html: str) -> list[str]:
    """What `clients.toml` says nothing of, or something else than the table, a line each."""
    found, explained = [], baseline()
    for feature, place in sorted(used(html).items()):
        if feature.startswith("unknown"):
            found.append(f"{feature} ({place}): not in the table, not among what needs no entry")
            continue
        support, entry = table()[feature], explained.get(feature)
        if support.lacking and entry is None:
            found.append(f"{feature} ({place}): not supported by {', '.join(support.lacking)}")
        elif entry is not None and entry["lacking"] != list(support.lacking):
            found.append(f"{feature}: the table says {list(support.lacking)}, clients.toml {entry['lacking']}")
    return found


# --- Outlook on Windows ----------------------------------------------------------------------------------------------


def outlook_sees(html: str) -> str:
    """The letter as Word's engine reads it: with its own conditional parts, and without what is hidden from it.

    Raises `ValueError` for conditions that are nested, left open or closed twice.
    """
    out: list[str] = []
    position, kept, inside = 0, True, ""
    for mark in _FOR_OUTLOOK.finditer(html):
        if kept:
            out.append(html[position : mark.start()])
        position = mark.end()
        if mark[1] is None:
            if not inside:
                raise ValueError(f"an end without its beginning: {html[mark.start() - 60 : mark.end()]!r}")
            if (inside == "!mso") != (mark[3] is not None):
                raise ValueError(
                    f"the end of [if {inside}] is of the other kind: {html[mark.start() - 60 : mark.end()]!r}"
                )
            kept, inside = True, ""
        else:
            if inside:
                raise ValueError(f"[if {mark[1]}] inside of [if {inside}]")
            inside = mark[1]
            if (inside == "!mso") != (mark[2] is not None):
                raise ValueError(f"[if {inside}] hides what it should show")
            # "lte mso 11" is Outlook 2003, long gone.
            kept = inside in ("mso | IE", "mso", "gte mso 9")
    if inside:
        raise ValueError(f"[if {inside}] is never closed")
    if kept:
        out.append(html[position:])
    return "".join(out)


_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)


def unbalanced(html: str) -> str:
    """The first element that is not closed in order; "" when all are."""
    stack: list[str] = []
    for tag in _TAG.finditer(_COMMENT.sub("", re.sub(r"(?s)<style.*?</style>", "", html))):
        name = tag[2].lower()
        if name in _VOID or tag[3].endswith("/"):
            continue
        if not tag[1]:
            stack.append(name)
        elif not stack or stack.pop() != name:
            return f"</{name}> at {html[max(0, tag.start() - 40) : tag.end()]!r}"
    return f"<{stack[-1]}> is never closed" if stack else ""


def ghost_widths(seen: str) -> list[int]:
    """The widths of the tables that hold a letter together in Outlook, which knows no `max-width`."""
    tables = re.findall(r"<table[^>]*>", seen)
    return [int(width) for each in tables if 'align="center"' in each for width in re.findall(r' width="(\d+)"', each)]
