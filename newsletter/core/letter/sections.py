"""Letters put together from sections: MJML runs once for each distinct child of mj-body, not once for each letter.

What MJML makes of a child of mj-body does not depend on its neighbours; what stands before the children does: the
styles of columns and fonts, in order of first appearance. So a section remembers its *head* (what MJML wrote before it
when it stood alone), and a letter's head is compiled once for each ordered tuple of distinct heads, from one section of
each. Two components number their ids through the letter: a document with more than one of them is not taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from newsletter.core.mjml import to_html
from newsletter.core.trace.places import Markers

SLOT = re.compile("\0([0-9]{5})\0")
"""A slot in a source or in HTML, by number: no text of an issue can hold U+0000."""

BLOCK = re.compile("\1([0-9]{5})\1")
"""A block in a source, by number."""

MAX_SECTIONS = 20_000
MAX_FRAMES = 100

_TAG = re.compile(
    r"""<!--(?P<comment>.*?)-->|<(?P<end>/?)(?P<name>[A-Za-z][\w:.-]*+)(?P<rest>(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""",
    re.ASCII | re.DOTALL,
)
_CHILD = re.compile(f"(?P<block>{BLOCK.pattern})|{_TAG.pattern}", re.ASCII | re.DOTALL)
_NUMBERED = re.compile(r"<mj-(?:carousel|navbar)[\s/>]")
_TAIL = re.compile(r"</mj-body\s*>\s*</mjml\s*>\s*\Z")
_CLOSE = "</div></body></html>"


class NotSections(Exception):
    """The document can't be taken apart exactly."""


@dataclass(frozen=True, slots=True)
class Section:
    """What MJML makes of one child of mj-body: HTML with slots by the source's numbers, and the number of its head."""

    html: str
    head: int | None


def slot(number: int) -> str:
    """The text that holds the place of a slot."""
    return f"\0{number:05d}\0"


def hole(number: int) -> str:
    """The text that holds the place of a block."""
    return f"\1{number:05d}\1"


def take_apart(source: str) -> tuple[str, list[str], str]:
    """The document up to its body's first child, the children, and the rest. Raises `NotSections`."""
    tail = _TAIL.search(source)
    body = next((tag for tag in _TAG.finditer(source) if tag["name"] == "mj-body"), None)
    if tail is None or body is None or body["end"] or body["rest"].endswith("/") or len(numbered(source)) > 1:
        raise NotSections
    return source[: body.end()], children(source[body.end() : tail.start()]), source[tail.start() :]


def children(source: str) -> list[str]:
    """The children of mj-body in a piece of body, comments and blocks among them. Raises `NotSections` for anything
    between.
    """
    found: list[str] = []
    name, depth, begins, position = "", 0, 0, 0
    for tag in _CHILD.finditer(source):
        if tag["block"] is not None:
            if depth:
                continue
            if source[position : tag.start()].strip():
                raise NotSections
            found.append(tag.group())
            position = tag.end()
            continue
        if not depth:
            if source[position : tag.start()].strip() or tag["end"]:
                raise NotSections
            begins = tag.start()
            if tag["comment"] is None and not tag["name"].startswith("mj-"):
                raise NotSections
            if tag["comment"] is None and not tag["rest"].endswith("/"):
                name, depth = tag["name"], 1
                continue
        elif tag["name"] != name or (not tag["end"] and tag["rest"].endswith("/")):
            continue
        else:
            depth += -1 if tag["end"] else 1
        if not depth:
            found.append(source[begins : tag.end()])
            position = tag.end()
    if depth or source[position:].strip():
        raise NotSections
    return found


def numbered(source: str) -> list[str]:
    """The components in it that number their ids through the letter."""
    return _NUMBERED.findall(source)


def renumbered(source: str, first: int = 0) -> tuple[str, list[int]]:
    """The source with its slots numbered from `first` in order, and the numbers that they had."""
    texts = SLOT.split(source)
    numbers = [int(number) for number in texts[1::2]]
    texts[1::2] = [slot(first + index) for index in range(len(numbers))]
    return "".join(texts), numbers


class Frame:
    """What surrounds the children of mj-body in some letters, and all sections and heads compiled for it."""

    def __init__(self, before: str, after: str) -> None:
        """`before` has its slots numbered from 0. Raises `DesignError`, `NotSections`."""
        self._before, self._after = before, after
        self.slots = len(SLOT.findall(before))
        html = self._compiled(())
        opening = html.rfind("<body")
        if opening < 0 or not html.endswith(_CLOSE):
            raise NotSections
        self._opening = html[opening : -len(_CLOSE)]
        self._numbers: dict[str, int | None] = {html[:opening]: None}
        self._examples: list[str] = []
        self._heads: dict[tuple[int, ...], str] = {(): html[:opening]}
        self._sections: dict[str, Section] = {}

    def section(self, source: str) -> Section:
        """The section of one child, its slots numbered from 0. Raises `DesignError`, `NotSections`."""
        found = self._sections.get(source)
        if found is None:
            head, html = self._cut(self._compiled((source,)))
            if head not in self._numbers:
                self._numbers[head] = len(self._examples)
                self._heads[(len(self._examples),)] = head
                self._examples.append(source)
            if len(self._sections) > MAX_SECTIONS:
                self._sections.clear()
            own = SLOT.sub(lambda match: slot(int(match[1]) - self.slots), html)
            found = self._sections[source] = Section(own, self._numbers[head])
        return found

    def opening(self, heads: Iterable[int | None]) -> str:
        """What stands before the children in a letter whose sections have these heads, in their order."""
        key = tuple(number for number in dict.fromkeys(heads) if number is not None)
        found = self._heads.get(key)
        if found is None:
            found = self._heads[key] = self._cut(self._compiled([self._examples[number] for number in key]))[0]
        return found + self._opening

    closing = _CLOSE

    def _cut(self, html: str) -> tuple[str, str]:
        """What stands before the body, and the children. A slot on the wrong side can't be followed."""
        head, opening, rest = html.partition(self._opening)
        if not opening or not rest.endswith(_CLOSE):
            raise NotSections
        if any(int(number) >= self.slots for number in SLOT.findall(head)):
            raise NotSections
        if any(int(number) < self.slots for number in SLOT.findall(rest)):
            raise NotSections
        return head, rest[: -len(_CLOSE)]

    def _compiled(self, sources: Sequence[str]) -> str:
        """The HTML of the frame around the children, each of whose slots come after the frame's."""
        inner, _ = renumbered("".join(sources), self.slots)
        return html_of(f"{self._before}{inner}{self._after}")


class Frames:
    """The frames of one compiler."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Frame] = {}

    def of(self, before: str, after: str) -> Frame:
        """The frame of a document's two ends. Raises `DesignError`, `NotSections`."""
        frame = self._known.get((before, after))
        if frame is None:
            if len(self._known) > MAX_FRAMES:
                self._known.clear()
            frame = self._known[before, after] = Frame(before, after)
        return frame


def html_of(source: str, file: str = "letter.mjml") -> str:
    """`to_html` of a source with slots."""
    texts = SLOT.split(source)
    markers = Markers(texts[::2])
    texts[1::2] = [markers.marker(int(number)) for number in texts[1::2]]
    return markers.pattern.sub("\0\\1\0", to_html("".join(texts), file=file))
