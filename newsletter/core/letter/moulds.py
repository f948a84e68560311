"""Moulds: letters that hold nothing of a reader but name, address and links, filled without a `Reader` and its tree.

The long way to a message makes a `Reader`, walks the questions of the tree, calls a function for each hole and joins 50
pieces. Where all of a letter's questions are about language, topics and whether there is a name, readers equal in those
three share the letter, so a table finds it; and where its holes take name, address and links alone, each is filled with
bytes at hand. That is a quarter of the work, for nearly every letter of a plain newsletter. For any other letter there
is no mould, and the long way is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from newsletter.core import mime
from newsletter.core.letter.assembly import Letter
from newsletter.core.letter.parts import MAX_KNOWN, MAX_KNOWN_LENGTH, Filler, FullRenderNeeded, Hole, Inset, LinkHole
from newsletter.core.reader import clean_line
from newsletter.core.trace.deferred import TRUTH, Question
from newsletter.core.trace.nodes import Node

NAME, FIRST_NAME, ADDRESS, UNSUBSCRIBE, PREFERENCES = (
    "name", "first_name", "address", "unsubscribe_url", "preferences_url",
)  # fmt: skip
_SHARED = frozenset({"language", "topics", "follows", "plain_text"})


class NoMould(Exception):
    """This letter asks or holds what only the long way can answer, and so will every letter on its path."""


class Named(NamedTuple):
    """What a name means for a mould: the To header around a plain address of at most `room` octets, and the bytes that
    go into its holes.
    """

    before: bytes
    after: bytes
    room: int
    filled: tuple[tuple[int, bytes], ...]


class Mould:
    """The pieces of one letter with an empty place at each hole; the first place is the headers'."""

    __slots__ = ("_names", "addresses", "known", "parts", "preferences", "subject", "unsubscribe")

    def __init__(self, letter: Letter, prefixes: Mapping[str, str]) -> None:
        """`prefixes` are what stands before the token in the links of the readers to come. Raises `NoMould`."""
        if not isinstance(letter.subject, bytes) or letter.checks:
            raise NoMould
        self.subject = letter.subject
        self.parts: list[bytes] = [b""]
        self.known: dict[str, Named] = {}
        places: dict[str, list[int]] = {ADDRESS: [], UNSUBSCRIBE: [], PREFERENCES: []}
        names: list[tuple[Hole, int]] = []
        run: list[bytes] = []
        for piece in _pieces(letter.parts, letter.fillers):
            if isinstance(piece, bytes):
                run.append(piece)
                continue
            # What stands between two holes is one piece: a write takes longer for each.
            self.parts += [b"".join(run), b""]
            run = []
            at = len(self.parts) - 1
            if isinstance(piece, LinkHole) and prefixes.get(piece.field) == piece.prefix:
                places[piece.field].append(at)
            elif isinstance(piece, Hole) and piece.field == ADDRESS:
                places[ADDRESS].append(at)
            elif isinstance(piece, Hole) and piece.field in (NAME, FIRST_NAME):
                names.append((piece, at))
            else:
                raise NoMould
        self.parts.append(b"".join(run))
        self.addresses, self.unsubscribe, self.preferences = map(tuple, places.values())
        self._names = tuple(names)

    def named(self, name: str) -> Named:
        """What is not in `known` yet. Raises `FullRenderNeeded` for a name that can't be joined into a letter."""
        clean = clean_line(name)
        if name and not clean:
            raise FullRenderNeeded  # a name of blanks is none, and its letter is another
        first = clean.split(" ", 1)[0]
        filled = tuple((at, hole.encoded(clean if hole.field == NAME else first)) for hole, at in self._names)
        found = Named(*mime.around_address("To", clean), filled)
        if len(self.known) < MAX_KNOWN and len(name) < MAX_KNOWN_LENGTH:
            self.known[name] = found
        return found


def _pieces(parts: Sequence[bytes], fill: Iterable[tuple[Filler, tuple[int, ...]]]) -> Iterator[bytes | Filler]:
    """Bytes and holes as they follow each other, those inside a block's page too."""
    holes = {at: filler for filler, places in fill for at in places}
    for at, part in enumerate(parts):
        filler = holes.get(at)
        if filler is None:
            yield part
        elif isinstance(filler, Inset):
            yield from _pieces(filler.parts, filler.fill)
        else:
            yield filler


def shared(question: Question, root: Node) -> bool:
    """Whether readers of the same language and topics who both have a name, or both have none, answer it alike.
    (Who reads plain text never comes here.)
    """
    node = question.node
    if question.kind == TRUTH and node.kind == "attribute" and node.operands[0] is root:
        return node.operation.name in _SHARED or node.operation.name in (NAME, FIRST_NAME)
    return _shared(node, root)


def _shared(node: Node, root: Node) -> bool:
    if node is root:
        return False
    if node.kind == "attribute" and node.operands[0] is root:
        return node.operation.name in _SHARED
    return all(_shared(operand, root) for operand in node.operands)
