"""A reader's value during a trace, and the trace itself: what was asked, what was built.

A `Deferred` is not a string and knows no text. What builds on it (an attribute, a filter, an operator) gives another
one; what needs an answer at once (truth, length, a hash) asks the tracer, which answers for the reader at hand and
remembers the question; what would need text raises. So code that forgets about Deferreds can fail, but not leak.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, NoReturn, SupportsIndex

from jinja2 import Template, Undefined
from markupsafe import Markup, escape

from newsletter.core.errors import TraceError
from newsletter.core.reader import Reader
from newsletter.core.sentence import sentence
from newsletter.core.trace.nodes import Node, Nodes, NotPlainError, Operation, freeze

TRUTH, LENGTH, ITEMS, VALUE = "truth", "length", "items", "value"

_PRINTABLE = (str, int, float, type(None), date, time, timedelta, Decimal, list, tuple, Mapping, Undefined)

_WITHOUT_FAILURE = frozenset({"join_parts", "markup", "display", "element"})
"""Kinds of operation that can't fail once their operands have a value."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of a node; `file` and `line` say where first."""

    kind: str
    node: Node
    file: str = ""
    line: int | None = None

    @property
    def key(self) -> tuple[str, Node]:
        return (self.kind, self.node)


def answer(kind: str, value: Any) -> object:
    """The hashable answer of a value to a question of this kind; two readers with equal answers share the path."""
    if kind == TRUTH:
        return bool(value)
    if kind == LENGTH:
        return (type(value).__name__, len(value))
    if kind == ITEMS and isinstance(value, list | tuple):
        return (type(value).__name__, len(value))
    return freeze(value)


def place() -> tuple[str, int | None]:
    """File and line of the template that is running now, from its Python frame."""
    frame = sys._getframe(1)
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            return template.name or "", template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return "", None


def _operation(kind: str, name: str, run: Callable[..., Any]) -> Operation:
    return Operation(kind, name, run, (kind, name))


def _dict(*flat: Any) -> dict[Any, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


# The parts are texts already: ESCAPE and TEXT ran on each before.
CONCAT = _operation("join_parts", "concat", lambda *parts: "".join(parts))
ESCAPE = _operation("print", "escape", escape)
TEXT = _operation("text", "str", str)
MARKUP = _operation("markup", "Markup", Markup)
ELEMENT = _operation("element", "[]", operator.getitem)
SLICE = _operation("item", "slice", operator.getitem)
LIST = _operation("display", "list", lambda *items: list(items))
TUPLE = _operation("display", "tuple", lambda *items: items)
DICT = _operation("display", "dict", _dict)
COMPARE = {
    name: _operation("compare", name, run)
    for name, run in {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }.items()
}


@dataclass(slots=True)
class Span:
    """What a letter, or a block in it, asked and made: each knows its own, as if the other had never been."""

    path: list[tuple[Question, object]] = field(default_factory=list)
    asked: set[tuple[str, Node]] = field(default_factory=set)
    made: dict[Node, None] = field(default_factory=dict)


class Tracer:
    """One trace, for the reader at hand: evaluates each node as it is made, answers questions, keeps the path."""

    def __init__(self, nodes: Nodes, reader: Reader) -> None:
        self.nodes, self.reader = nodes, reader
        self.values: dict[Node, Any] = {nodes.root: reader}
        self._span = Span()

    @property
    def path(self) -> list[tuple[Question, object]]:
        """The questions and answers so far, of the letter or of the block that is traced apart."""
        return self._span.path

    @contextmanager
    def apart(self, span: Span | None = None) -> Iterator[Span]:
        """Trace a block by itself: what it asks and makes goes into a span of its own (or into one begun earlier)."""
        around = self._span
        self._span = span or Span()
        try:
            yield self._span
        finally:
            self._span = around

    @property
    def root(self) -> Deferred:
        """What `subscriber` is in the template."""
        return Deferred(self, self.nodes.root)

    def value(self, node: Node) -> Any:
        """The node's value for the reader at hand."""
        return node.constant if node.kind == "constant" else self.values[node]

    def apply(self, operation: Operation, *operands: Any) -> Deferred:
        """The deferred result. Raises what the operation raises for the reader at hand, and `TraceError`."""
        inputs = tuple([self.lift(operand) for operand in operands])
        node = self.nodes.node(operation, inputs)
        self._span.made[node] = None
        if node not in self.values:
            value = operation.run(*[self.value(item) for item in inputs])
            if hasattr(value, "__next__") or isinstance(value, _VIEWS):
                self.refuse(node, f"this makes an object ({type(value).__name__}), not a value.", _ADD_LIST)
            self.values[node] = value
        return Deferred(self, node)

    def print(self, operation: Operation, value: Any) -> Deferred:
        """The deferred text (`ESCAPE` or `TEXT`) of a value that is or holds Deferreds."""
        deferred = self.apply(operation, value)
        printed = self.value(deferred.node.operands[0])
        address = not isinstance(printed, str) and " at 0x" in str(self.value(deferred.node))
        if address or not isinstance(printed, _PRINTABLE):
            message = sentence(
                "{field} prints an object ({name}), not text.",
                field=deferred.node.describe(),
                name=type(printed).__name__,
            )
            self.refuse(deferred.node, message, "Print one of its fields, or add |list or |join.")
        return deferred

    def lift(self, value: Any) -> Node:
        """The node of an operand: a Deferred's own, a display for a container that holds some, else a constant."""
        if isinstance(value, Deferred):
            return value.node
        if find(value) is not None:
            if isinstance(value, slice):
                parts = (value.start, value.stop, value.step)
                return self.apply(_operation("display", "slice", slice), *parts).node
            if type(value) is list:
                return self.apply(LIST, *value).node
            if type(value) is tuple:
                return self.apply(TUPLE, *value).node
            if type(value) is dict:
                return self.apply(DICT, *[part for pair in value.items() for part in pair]).node
            self.fail(f"a {type(value).__name__} can't hold a subscriber's value here.", "Add |list first.")
        try:
            return self.nodes.constant(value)
        except NotPlainError as error:
            self.fail(
                f"a {error} can't be combined with a subscriber's value: it changes while the letter is written.",
                "Copy what you need with set first, or add |list.",
            )

    def ask(self, kind: str, deferred: Deferred) -> Any:
        """Put a question: returns the value for the reader at hand, with the answer kept on the path."""
        node = deferred.node
        value = self.value(node)
        if (kind, node) not in self._span.asked:
            if kind != TRUTH and node.unique:
                self.refuse(
                    node,
                    f"{node.describe()} can't decide this: every reader would need a letter of their own.",
                    "Print it, or test whether it is there.",
                    deferred,
                )
            try:
                given = answer(kind, value)
            except NotPlainError as error:
                self.refuse(node, f"{node.describe()} can't decide this: it is a {error}.", _ADD_LIST, deferred)
            self._span.asked.add((kind, node))
            file, line = place()
            self.path.append((Question(kind, node, file or deferred.file, line or deferred.line), given))
        return value

    def concrete(self, value: Any) -> Any:
        """The value with each Deferred inside replaced by its own, asked for."""
        if isinstance(value, Deferred):
            return self.ask(VALUE, value)
        if find(value) is None:
            return value
        if type(value) is dict:
            return {self.concrete(key): self.concrete(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.concrete(item) for item in value)
        return self.fail(f"a {type(value).__name__} can't hold a subscriber's value here.", "Add |list first.")

    def unused(self, used: Iterable[Node]) -> list[Node]:
        """The nodes of this trace that can fail and feed neither `used` nor a question.

        A full render evaluates them too, so a fill must: else a reader for whom one fails would get a letter.
        """
        reached: set[Node] = set()
        pending = [*used, *(question.node for question, _ in self.path)]
        while pending:
            node = pending.pop()
            if node not in reached:
                reached.add(node)
                pending.extend(node.operands)
        outer: list[Node] = []
        for node in reversed(self._span.made):
            total = node.kind in _WITHOUT_FAILURE
            if node in reached or total or (node.kind == "attribute" and node.operands[0] is self.nodes.root):
                continue
            outer.append(node)
            pending = [node]
            while pending:
                inner = pending.pop()
                reached.add(inner)
                pending.extend(inner.operands)
        return outer[::-1]

    def refuse(self, node: Node, message: str, hint: str, deferred: Deferred | None = None) -> NoReturn:
        """Raise the `TraceError` about a node."""
        file, line = place()
        if deferred is not None:
            file, line = file or deferred.file, line or deferred.line
        raise TraceError(message, file=file, line=line, field=node.describe(), hint=hint)

    def fail(self, message: str, hint: str) -> NoReturn:
        """Raise the `TraceError` about the place."""
        file, line = place()
        raise TraceError(message, file=file, line=line, hint=hint)


_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_CONTAINERS = (list, tuple, *_VIEWS)
_ADD_LIST = "Add |list or |join."


class Deferred:
    """An expression over the reader (module docstring). `file` and `line` are where the template made it."""

    __slots__ = ("file", "line", "node", "tracer")

    def __init__(self, tracer: Tracer, node: Node) -> None:
        self.tracer = tracer
        self.node = node
        self.file, self.line = place()

    def __bool__(self) -> bool:
        return bool(self.tracer.ask(TRUTH, self))

    def __len__(self) -> int:
        return len(self.tracer.ask(LENGTH, self))

    def __iter__(self) -> Iterator[Any]:
        value = self.tracer.ask(ITEMS, self)
        if isinstance(value, list | tuple):
            return (self.tracer.apply(ELEMENT, self, index) for index in range(len(value)))
        return iter(value)

    def __hash__(self) -> int:
        return hash(self.tracer.ask(VALUE, self))

    def __index__(self) -> int:
        return operator.index(self.tracer.ask(VALUE, self))

    def __contains__(self, item: object) -> bool:
        container = self.tracer.ask(VALUE, self)
        return self.tracer.concrete(item) in container

    def __getitem__(self, key: slice) -> Deferred:
        # Only a slice comes this way; items go through the environment.
        return self.tracer.apply(SLICE, self, key)

    def __eq__(self, other: object) -> Any:
        return self.tracer.apply(COMPARE["=="], self, other)

    def __ne__(self, other: object) -> Any:
        return self.tracer.apply(COMPARE["!="], self, other)

    def __lt__(self, other: object) -> Any:
        return self.tracer.apply(COMPARE["<"], self, other)

    def __le__(self, other: object) -> Any:
        return self.tracer.apply(COMPARE["<="], self, other)

    def __gt__(self, other: object) -> Any:
        return self.tracer.apply(COMPARE[">"], self, other)

    def __ge__(self, other: object) -> Any:
        return self.tracer.apply(COMPARE[">="], self, other)

    def _no_text(self, *_: object) -> NoReturn:
        self.tracer.refuse(
            self.node,
            f"{self.node.describe()} is used where its text is needed at once.",
            "Print it, or pass it to a filter.",
            self,
        )

    def __str__(self) -> str:
        self._no_text()

    def __repr__(self) -> str:
        self._no_text()

    def __format__(self, spec: str) -> str:
        self._no_text()

    def __html__(self) -> str:
        self._no_text()

    def __bytes__(self) -> bytes:
        self._no_text()

    def __int__(self) -> int:
        self._no_text()

    def __float__(self) -> float:
        self._no_text()

    def __fspath__(self) -> str:
        self._no_text()

    def __copy__(self) -> NoReturn:
        self._no_text()

    def __deepcopy__(self, memo: object) -> NoReturn:
        self._no_text()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        self._no_text()


def find(value: Any) -> Deferred | None:
    """The first Deferred in a value: itself, or inside lists, tuples, dicts, their views and slices."""
    if isinstance(value, Deferred):
        return value
    if isinstance(value, slice):
        value = (value.start, value.stop, value.step)
    elif isinstance(value, dict):
        value = value.items()
    elif not isinstance(value, _CONTAINERS):
        return None
    for item in value:
        found = find(item)
        if found is not None:
            return found
    return None
