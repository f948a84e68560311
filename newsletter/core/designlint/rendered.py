"""What only shows in a rendered letter: text that can't be read, pictures of other hosts, what each letter must say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import html as lxml_html
from lxml.html import HtmlElement

from newsletter.core.colors import ENOUGH, contrast, is_color
from newsletter.core.context import IssueContent
from newsletter.core.letter import Rendered
from newsletter.core.reader import Reader

_STYLE = re.compile(r"(?:^|;)\s*(color|background(?:-color)?|font-size|display)\s*:\s*([^;]+)")
_WHITE, _BLACK = "#FFFFFF", "#000000"
_HIDDEN = re.compile(r"display\s*:\s*none")


def promises(letter: Rendered, content: IssueContent, reader: Reader, host: str) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to do) with one letter, whoever wrote its design."""
    page = lxml_html.document_fromstring(letter.html)
    if not page.get("lang") or page.get("lang") == "und":
        yield "the letter does not say its language", 'Write <mjml lang="{{ language }}" dir="{{ dir }}">.'
    if page.get("dir") not in ("ltr", "rtl"):
        yield "the letter does not say its direction", 'Write <mjml lang="{{ language }}" dir="{{ dir }}">.'
    levels = [int(heading.tag[1]) for heading in page.iter("h1", "h2", "h3", "h4")]
    if levels.count(1) != 1:
        yield f"the letter has {levels.count(1)} headings of the first level", "One h1: the newsletter's name."
    for picture in page.iter("img"):
        if picture.get("alt") is None:
            yield f"a picture has no alt: {picture.get('src', '')[:80]}", 'Describe it, or write alt="".'
        source = picture.get("src") or ""
        if not source.startswith(f"{host}/"):
            yield f"a picture of another host: {source[:80]}", "It would learn who reads the letter, and when."
    both = (letter.html, letter.text)
    if reader.unsubscribe_url and not all(reader.unsubscribe_url in part for part in both):
        yield "there is no way out in both parts", "Print subscriber.unsubscribe_url."
    for line in content.magazine.address_lines:
        if not all(line in part for part in (lxml_html.tostring(page, encoding="unicode"), letter.text)):
            yield f"the postal address is not whole: {line}", "Print every line of magazine.address_lines."
    if content.sponsor and not all(content.sponsor.label in part for part in both):
        yield "what somebody paid for is not labelled", "Print sponsor.label in both parts."
    for review in content.placed:
        if reader.follows(review.rubric) or not review.rubric:
            for part, text in (("HTML", str(page.xpath("string(//body)"))), ("text", letter.text)):
                if _squeezed(review.title) not in _squeezed(text):
                    yield f"{review.title!r} is missing from the {part} part", "Print every review in both parts."


def unreadable(letter: Rendered) -> Iterator[tuple[str, str]]:
    """Texts whose inline colours have too little contrast by day, each pair once."""
    seen: set[tuple[str, str]] = set()
    body = lxml_html.document_fromstring(letter.html).find("body")
    if body is None:
        return
    for element in body.iter():
        if not isinstance(element.tag, str) or element.tag in ("style", "title") or _hidden(element):
            continue
        words = " ".join(filter(str.strip, (element.text or "", *(child.tail or "" for child in element))))
        color, ground = _color(element), _ground(element)
        if not words.strip() or (color, ground) in seen or element.get("aria-hidden") == "true":
            continue
        ratio = contrast(color, ground)
        if ratio < ENOUGH:
            seen.add((color, ground))
            yield f"{color} on {ground} has a contrast of {ratio:.2f}: “{words.strip()[:40]}”", f"{ENOUGH} is needed."


def _styles(element: HtmlElement) -> dict[str, str]:
    return {name: value.strip() for name, value in _STYLE.findall(element.get("style") or "")}


def _hidden(element: HtmlElement) -> bool:
    return any(_HIDDEN.search(each.get("style") or "") for each in (element, *element.iterancestors()))


def _color(element: HtmlElement) -> str:
    for each in (element, *element.iterancestors()):
        value = _styles(each).get("color") or each.get("color") or ""
        if is_color(value):
            return value
    return _BLACK


def _ground(element: HtmlElement) -> str:
    for each in (element, *element.iterancestors()):
        styles = _styles(each)
        for value in (styles.get("background-color"), styles.get("background"), each.get("bgcolor")):
            if is_color(value):
                return str(value)
    return _WHITE


def _squeezed(text: str) -> str:
    return "".join(re.sub("[\u2066-\u2069]", "", text).split())
