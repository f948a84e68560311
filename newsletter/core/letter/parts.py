"""What a compiled letter is made of: finished bytes, shared between letters, and the holes between them.

A hole is free (any text, on lines of its own between soft breaks) or a link's: a token of fixed width, for which the
lines around it are already wrapped, so that it goes in as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from markupsafe import escape

from newsletter.core import mime
from newsletter.core.letter.sections import SLOT
from newsletter.core.mjml import norm_attribute
from newsletter.core.tokens import SHAPE, TOKEN_WIDTH
from newsletter.core.trace.nodes import Node, Nodes, State
from newsletter.core.trace.output import Slot, scrub
from newsletter.core.trace.places import Place

MAX_PIECES = 50_000

BORDER = re.compile(r"(?=<!--\[if mso \| IE\]><table)")
"""Where MJML begins a section: pieces are cut here, so that letters share them."""

MAX_KNOWN, MAX_KNOWN_LENGTH = 1024, 100
"""Values whose encoded form is kept, a hole, and the longest: first names and cities come again and again."""

LINK = "link"
"""The place of a link's token."""

Filler = Callable[[State], bytes]
Fill = tuple[tuple[Filler, tuple[int, ...]], ...]

_RISKY = re.compile("[<>\"']|&(?!#?[0-9A-Za-z]+;)")
_SAFE_PREFIX = re.compile(r"https?://[A-Za-z0-9:/._~-]+", re.ASCII)


class FullRenderNeeded(Exception):
    """This reader's values can't be joined into the compiled letter."""


class Pieces:
    """The encoded pieces of one compiler, each kept once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[bytes, ...]] = {}

    def encoded(self, texts: tuple[str, ...]) -> tuple[bytes, ...]:
        """The texts with a token between each two, in wire form."""
        found = self._known.get(texts)
        if found is None:
            if len(self._known) > MAX_PIECES:
                self._known.clear()
            one = len(texts) == 1
            found = (mime.piece(texts[0]),) if one else tuple(mime.piece_around(texts, TOKEN_WIDTH))
            self._known[texts] = found
        return found


class Links:
    """The fields of a reader that are an address and a token: `prefixes` by field, what stands before the token."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        # A prefix that a step on its way would change, or that could be cut, stays an ordinary value.
        self._prefixes = {field: prefix for field, prefix in prefixes.items() if _SAFE_PREFIX.fullmatch(prefix)}

    def prefix(self, node: Node, root: Node) -> str | None:
        """What stands before the token when a printed `node` is such a field."""
        inner = node.operands[0] if node.kind in ("print", "text") else node
        if inner.kind == "attribute" and inner.operands[0] is root:
            return self._prefixes.get(inner.operation.name)
        return None

    def filler(self, node: Node) -> LinkHole:
        """The function that makes the token's bytes; `FullRenderNeeded` for an address of another shape."""
        field = node.operation.name
        return LinkHole(field, self._prefixes[field])


class LinkHole:
    """Makes the bytes of a link's token."""

    __slots__ = ("_get", "_match", "field", "prefix")

    def __init__(self, field: str, prefix: str) -> None:
        self.field, self.prefix = field, prefix
        self._get = attrgetter(field)
        self._match = re.compile(re.escape(prefix) + f"({SHAPE})", re.ASCII).fullmatch

    def __call__(self, state: State) -> bytes:
        found = self._match(self._get(state.reader))
        if found is None:
            raise FullRenderNeeded
        return found[1].encode("ascii")


class Hole:
    """Makes the bytes of a free hole; `field` is the field of a reader that it prints, "" for anything else."""

    __slots__ = ("_encode", "_get", "_known", "field")

    def __init__(self, field: str, get: Callable[[State], Any], encode: Callable[[Any], bytes]) -> None:
        self.field = field
        self._get, self._encode = get, encode
        self._known: dict[str, bytes] = {}

    def __call__(self, state: State) -> bytes:
        return self.encoded(self._get(state))

    def encoded(self, value: Any) -> bytes:
        """The bytes of a value; `FullRenderNeeded` for one that can't be joined into a letter."""
        if type(value) is not str:
            return self._encode(value)
        # By the exact type: Markup that equals a text is escaped in another way.
        found = self._known.get(value)
        if found is None:
            found = self._encode(value)
            if len(self._known) < MAX_KNOWN and len(value) < MAX_KNOWN_LENGTH:
                self._known[value] = found
        return found


class Inset:
    """Makes the bytes of a part that has holes of its own."""

    __slots__ = ("fill", "parts")

    def __init__(self, parts: Sequence[bytes], fill: Fill) -> None:
        self.parts, self.fill = list(parts), fill

    def __call__(self, state: State) -> bytes:
        filled = self.parts.copy()
        for one, positions in self.fill:
            value = one(state)
            for position in positions:
                filled[position] = value
        return b"".join(filled)


class Fillers:
    """The functions that make the bytes of holes; letters share them, and what they remember."""

    def __init__(self, nodes: Nodes, links: Links) -> None:
        self.nodes, self.links = nodes, links
        self._known: dict[tuple[Node, str | None], Filler] = {}

    def of(self, node: Node, place: str | None) -> Filler:
        """The function for a hole; `place` is None in plain text."""
        filler = self._known.get((node, place))
        if filler is None:
            filler = self._known[node, place] = self._made(node, place)
        return filler

    def _made(self, node: Node, place: str | None) -> Filler:
        if place == LINK:
            return self.links.filler(node)
        # A printed node is `escape` or `str` of its operand (`flat` takes everything else apart).
        value = node.operands[0] if place is not None or node.kind in ("print", "text") else node
        own = value.kind == "attribute" and value.operands[0] is self.nodes.root
        encode = _plain_encoder(node) if place is None else _markup_encoder(node, place)
        return Hole(value.operation.name if own else "", self.nodes.closure(value), encode)


def _plain_encoder(node: Node) -> Callable[[Any], bytes]:
    printed = escape if node.kind == "print" else str
    return lambda value: mime.hole(scrub(str(printed(value))))


def _markup_encoder(node: Node, place: str) -> Callable[[Any], bytes]:
    printed = escape if node.kind == "print" else str
    only, bare = place in (Place.ONLY_TITLE, Place.ONLY_TEXT), place is Place.BARE_TEXT
    norm = norm_attribute if place in (Place.ATTRIBUTE, Place.TITLE, Place.ONLY_TITLE) else None

    def encode(value: Any) -> bytes:
        if type(value) is str:
            encoded = mime.fast_hole(value)
            if encoded is not None:
                return encoded
        text: str = printed(value)
        if (printed is str or hasattr(value, "__html__")) and _RISKY.search(text):
            # Markup of the reader's own could change what MJML makes of the document.
            raise FullRenderNeeded
        if (only and not text.strip()) or (bare and text.isspace() and text.strip(" ")):
            # MJML drops such text, and sometimes its neighbours.
            raise FullRenderNeeded
        text = scrub(text)
        return mime.hole(norm(text) if norm else text)

    return encode


class Parts:
    """A list of parts in the making: texts and slots go in, in order; `parts` and `holes` come out."""

    def __init__(self, fillers: Fillers, pieces: Pieces) -> None:
        self.parts: list[bytes] = []
        self.holes: dict[tuple[Node, str | None], list[int]] = {}
        self.used: list[Node] = []
        self._fillers, self._pieces = fillers, pieces
        self._texts = [""]
        self._tokens: list[Node] = []

    def text(self, text: str) -> None:
        """Further text of the part at hand."""
        # (Joined, not added: Markup would escape what it is added to.)
        self._texts[-1] = "".join((self._texts[-1], text))

    def slot(self, node: Node, place: Place | None) -> None:
        """A hole; `place` is None in plain text."""
        prefix = self._fillers.links.prefix(node, self._fillers.nodes.root)
        if prefix is None:
            self.flush()
            self._hole(node, place)
        else:
            self._texts[-1] += prefix
            self._texts.append("")
            self._tokens.append(node)

    def html(self, html: str, slots: Sequence[tuple[Node, Place]]) -> None:
        """HTML with slots by number."""
        for index, part in enumerate(SLOT.split(html)):
            if index % 2:
                self.slot(*slots[int(part)])
            else:
                self.text(part)

    def place(self) -> int:
        """An empty part for a block, and its place in the list."""
        self.flush()
        self.parts.append(b"")
        return len(self.parts) - 1

    def raw(self, data: bytes) -> None:
        """Finished bytes."""
        self.flush()
        self.parts.append(data)

    def flush(self) -> None:
        """End the part at hand, so that it can be shared with letters that go on in another way."""
        if self._texts == [""]:
            return
        first, *others = self._pieces.encoded(tuple(self._texts))
        self.parts.append(first)
        for node, data in zip(self._tokens, others, strict=True):
            self._hole(node, LINK)
            self.parts.append(data)
        self._texts, self._tokens = [""], []

    def _hole(self, node: Node, place: str | None) -> None:
        self.used.append(node)
        if place == LINK and node.kind != "attribute":
            # However it is printed: one token, whatever stands around it.
            node = node.operands[0]
        self.holes.setdefault((node, place), []).append(len(self.parts))
        self.parts.append(b"")

    def fill(self) -> Fill:
        """The functions that make the holes' bytes, and where each goes."""
        return tuple((self._fillers.of(node, place), tuple(at)) for (node, place), at in self.holes.items())


def subject_of(nodes: Nodes, items: Sequence[str | Slot]) -> tuple[bytes | Callable[[State], str], str]:
    """The finished Subject header and its words; for a personal one the function that makes the words, and ""."""
    if not any(isinstance(item, Slot) for item in items):
        words = " ".join("".join(str(item) for item in items).split())
        return mime.subject_line(words), words
    parts = [nodes.constant(item) if isinstance(item, str) else item.node for item in items]
    getters: list[Callable[[State], Any]] = [nodes.closure(node) for node in parts]
    return lambda state: " ".join(scrub("".join([get(state) for get in getters])).split()), ""
