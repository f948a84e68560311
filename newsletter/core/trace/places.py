"""What a value may do at its place in an MJML document, and the markers that hold the places.

A marker stands for one occurrence of a reader's value while MJML runs. It is lower-case ASCII of fixed length, has no
word break and nothing to escape, and its digits are a hash of everything that is not a marker: no review and no
template can hold one, and no reader's value ever shares a string with one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

_TOKEN = re.compile(
    r"""<!--(?P<comment>.*?)(?:-->|\Z)
      | <(?P<end>/?)(?P<name>[A-Za-z][\w:.-]*+)(?P<attributes>(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>
      | (?P<odd><)""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""(?P<name>[^\s=/"'<>]++)\s*+=\s*+(?P<value>"[^"]*+"|'[^']*+')""")

_PLAIN_ATTRIBUTES = {
    "mj-button": frozenset({"href", "title", "rel", "target", "name"}),
    "mj-image": frozenset({"href", "src", "alt", "title", "rel", "target", "name", "srcset", "usemap"}),
    "mj-navbar-link": frozenset({"href", "rel", "target", "name"}),
    "mj-social-element": frozenset({"href", "alt", "title", "rel", "target"}),
}
"""Attributes that MJML copies unread, per element. (`name` and `src` of mj-social-element pick a network.)"""

_COPIED_TEXT = frozenset({"mj-text", "mj-button", "mj-table", "mj-raw"})
"""Elements whose text MJML copies, unless it is blank and has a line end. Elsewhere any blank text may be dropped."""

_OPAQUE = frozenset({"mj-style", "style", "mj-attributes", "script"})


class Place(StrEnum):
    """Where a marker stands."""

    TEXT = "text"
    ATTRIBUTE = "attribute"
    TITLE = "title"
    """Text that MJML also copies into an attribute."""
    BARE_TEXT = "bare-text"
    """Text that MJML would drop if it were blank with a line end: nothing else stands between two tags."""
    ONLY_TITLE = "only-title"
    ONLY_TEXT = "only-text"
    """A title, and text, that MJML would drop or build differently if it were blank."""
    STRUCTURE = "structure"
    """Anywhere that MJML reads: the value must be asked for."""


class Markers:
    """The markers of one document."""

    def __init__(self, fixed: Sequence[str]) -> None:
        """`fixed` is all text that is not a marker."""
        text = "".join(fixed)
        digits = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        while f"zq{digits}" in text:
            digits = sha256(digits.encode("ascii")).hexdigest()[:8]
        self._lead = f"zq{digits}x"
        self.pattern = re.compile(f"{self._lead}([0-9]{{5}})z")

    def marker(self, number: int) -> str:
        """The marker of an occurrence (0 to 99,999)."""
        return f"{self._lead}{number:05d}z"


def places(source: str, pattern: re.Pattern[str], inside: Sequence[str] = ()) -> dict[int, tuple[Place, str]]:
    """The place of each marker in an MJML document, or in a part of one `inside` those elements, with the words for a
    note (`width="…"`, `<mj-style>`).

    Whatever can't be told for certain is `Place.STRUCTURE`.
    """
    found: dict[int, tuple[Place, str]] = {}
    open_elements: list[str] = list(inside)
    position = 0

    def mark(text: str, place: Place, words: str) -> None:
        for match in pattern.finditer(text):
            found[int(match[1])] = (place, words)

    def mark_text(text: str) -> None:
        name = open_elements[-1] if open_elements else ""
        words = f"<{name}>" if name else "text"
        beside = pattern.sub("", text)
        fixed = bool(beside.strip())
        if not _OPAQUE.isdisjoint(open_elements):
            mark(text, Place.STRUCTURE, words)
        elif name == "mj-title":
            mark(text, Place.TITLE if fixed else Place.ONLY_TITLE, words)
        elif fixed and (name in _COPIED_TEXT or name == "mj-preview"):
            mark(text, Place.TEXT, words)
        elif name in _COPIED_TEXT and not beside.strip(" "):
            mark(text, Place.BARE_TEXT, words)
        else:
            mark(text, Place.ONLY_TEXT, words)

    for token in _TOKEN.finditer(source):
        mark_text(source[position : token.start()])
        position = token.end()
        if token["odd"]:
            mark(source[token.start() :], Place.STRUCTURE, "a tag")
            return found
        if token["comment"] is not None:
            mark(token["comment"], Place.STRUCTURE, "a comment")
            continue
        name, attributes = token["name"], token["attributes"]
        # The whole tag first; then the values that are known to pass.
        mark(token.group(), Place.STRUCTURE, "a tag")
        watched = name.startswith("mj") or name in _OPAQUE
        if token["end"]:
            if watched and name in open_elements:
                while open_elements.pop() != name:
                    pass
            continue
        for attribute in _ATTRIBUTE.finditer(attributes):
            mark(attribute["value"], *_attribute_place(name, attribute["name"], open_elements))
        if watched and not attributes.endswith("/"):
            open_elements.append(name)
    mark_text(source[position:])
    return found


def _attribute_place(element: str, attribute: str, open_elements: Sequence[str]) -> tuple[Place, str]:
    words = f'{attribute}="…" of <{element}>'
    if not _OPAQUE.isdisjoint(open_elements):
        return Place.STRUCTURE, words
    if element.startswith("mj"):
        plain = attribute in _PLAIN_ATTRIBUTES.get(element, ())
    else:
        plain = attribute.isascii() and attribute.replace("-", "").isalnum() and attribute.lower() != "style"
    return (Place.ATTRIBUTE if plain else Place.STRUCTURE), words
