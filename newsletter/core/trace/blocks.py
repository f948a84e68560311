"""Blocks: parts of a letter traced apart, each with a tree of its own (`sites` says where they may stand).

The key of a block is its site and every name that it reads: a value of the issue that never changes, an expression over
the reader, or plain data by type and value. So a block can depend on nothing that its key lacks; with a value that has
no key (a namespace, a generator) the body just runs, as part of its letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jinja2.runtime import Macro, Undefined

from newsletter.core.trace.deferred import Deferred, Span, Tracer
from newsletter.core.trace.nodes import NotPlainError, State, freeze
from newsletter.core.trace.tree import Tree

Leaf = TypeVar("Leaf")

Site = tuple[str, int, tuple[str, ...]]
"""File, number in it, and the names that the body reads."""


class Misplaced(Exception):
    """Sites that can't be blocks after all: their output does not stand on its own in the letter."""

    def __init__(self, sites: Iterable[Site], *, broken: bool = False) -> None:
        """`broken`: MJML refuses the pieces; it may be the letter that is wrong, and not its parting."""
        super().__init__("misplaced blocks")
        self.sites, self.broken = frozenset(sites), broken


class Block(Generic[Leaf]):
    """One body with one set of values; `values` keeps alive what the key knows by identity."""

    __slots__ = ("site", "tree", "values")

    def __init__(self, site: Site, values: tuple[Any, ...], tree: Tree[Leaf]) -> None:
        self.site, self.values, self.tree = site, values, tree


@dataclass(frozen=True, slots=True, eq=False)
class Reference(Generic[Leaf]):
    """A block in a letter's output: its leaf for the reader at hand, or the trace of a leaf to be made."""

    block: Block[Leaf]
    leaf: Leaf | None
    span: Span | None = None
    output: Any = None


class Blocks(Generic[Leaf]):
    """All blocks of one compiler, and the runs of their bodies during a trace."""

    def __init__(self, tree: Callable[[], Tree[Leaf]], context: Mapping[str, Any]) -> None:
        """`tree` makes an empty tree; `context` is the issue's, the same for all traces."""
        self.refused: set[Site] = set()
        self._tree, self._context = tree, context
        self._known: dict[object, Block[Leaf]] = {}
        self._tracer: Tracer | None = None
        self._kind = ""
        self._inside = False

    def __len__(self) -> int:
        return len(self._known)

    def trees(self) -> list[Tree[Leaf]]:
        """The trees of all blocks."""
        return [block.tree for block in self._known.values()]

    def forget(self) -> None:
        """Drop all blocks."""
        self._known.clear()

    def begin(self, tracer: Tracer, kind: str) -> None:
        """From now on bodies are run for this tracer; blocks of another `kind` of output are others."""
        self._tracer, self._kind, self._inside = tracer, kind, False

    def end(self) -> None:
        """From now on bodies just run."""
        self._tracer = None

    def call(
        self, site: Site, values: tuple[Any, ...], run: Callable[[], Any], named: Callable[[str, Any], object | None]
    ) -> Any:
        """What the call block of a site puts out. `named` gives the key of a value that its name stands for."""
        tracer = self._tracer
        if tracer is None or self._inside or site in self.refused:
            return run()
        try:
            parts = [self._part(name, value, named) for name, value in zip(site[2], values, strict=True)]
        except NotPlainError:
            return run()
        key = (self._kind, site, *parts)
        block = self._known.get(key)
        if block is None:
            block = self._known[key] = Block(site, values, self._tree())
        leaf = block.tree.find(State(tracer.reader))
        if leaf is not None:
            return Reference(block, leaf)
        self._inside = True
        try:
            with tracer.apart() as span:
                return Reference(block, None, span, run())
        finally:
            self._inside = False

    def _part(self, name: str, value: Any, named: Callable[[str, Any], object | None]) -> object:
        if isinstance(value, Deferred):
            return ("deferred", value.node)
        if name in self._context and value is self._context[name]:
            return "context"
        if isinstance(value, Undefined):
            # It says where it came from, so its name is its value.
            return ("undefined", name, freeze(value))
        known = named(name, value)
        if known is not None:
            return known
        if isinstance(value, Macro):
            raise NotPlainError("Macro")
        return freeze(value, identity=True)
