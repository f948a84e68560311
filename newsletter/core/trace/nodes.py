"""Expressions over a reader: pure operations, interned by structure, and compiled to closures for filling.

A node holds no reader's value. Its value for one reader is `operation.run` of its operands' values, and `run` is what
stock Jinja2 would have done at that place, so a deferred expression can't mean anything else than a rendered one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from jinja2 import Undefined

from newsletter.core.reader import Reader

UNIQUE_FIELDS = frozenset({"address", "name", "first_name", "unsubscribe_url", "preferences_url"})
"""Fields that hardly two readers share: asking for their value would need a letter for each reader."""

PLAIN_FIELDS = frozenset({"language", "topics", "attributes", "plain_text", "joined_on"})

COUNTING = frozenset({"length", "count", "wordcount"})
"""Filters whose result says little about a unique field, so that it may be asked for."""

_SCALARS = (str, int, float, bool, type(None), date, time, timedelta, Decimal)


class NotPlainError(Exception):
    """A value can't be an operand or an answer: it is no plain, frozen data."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A pure function of operand values; `kind` and `name` tell people and `intern` what it does."""

    kind: str
    name: str
    run: Callable[..., Any]
    key: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An operation on nodes, or a constant (`kind == "constant"`). Equal expressions are one object.

    `unique` says that the value is as good as unique to each reader.
    """

    operation: Operation
    operands: tuple[Node, ...] = ()
    constant: Any = None
    unique: bool = False

    @property
    def kind(self) -> str:
        return self.operation.kind

    def describe(self) -> str:
        """The expression as a designer would write it, near enough."""
        return _describe(self)


class State:
    """One reader during one walk and fill; `memo` holds the nodes evaluated so far."""

    __slots__ = ("memo", "reader")

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.memo: dict[Node, Any] = {}


def _nothing(*_: object) -> Any:
    raise AssertionError("the root and constants are never run")


_ROOT = Operation("root", "subscriber", _nothing, ("root",))
_CONSTANT = Operation("constant", "", _nothing, ("constant",))


@dataclass(slots=True)
class Nodes:
    """The table of all nodes of one compiler."""

    root: Node = field(default_factory=lambda: Node(_ROOT, unique=True))
    _table: dict[tuple[object, ...], Node] = field(default_factory=dict)
    _closures: dict[Node, Callable[[State], Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._table)

    def constant(self, value: object) -> Node:
        """The node of a plain value. Raises `NotPlainError` for what can change after the trace."""
        key = ("constant", freeze(value, identity=True))
        node = self._table.get(key)
        if node is None:
            # The node holds the value: an object known by its identity must outlive its key.
            node = self._table[key] = Node(_CONSTANT, constant=value)
        return node

    def node(self, operation: Operation, operands: tuple[Node, ...]) -> Node:
        """The one node of this operation on these operands."""
        key = (operation.key, *map(id, operands))
        node = self._table.get(key)
        if node is None:
            node = self._table[key] = Node(operation, operands, unique=_is_unique(operation, operands, self.root))
        return node

    def closure(self, node: Node) -> Callable[[State], Any]:
        """The function from a state to the node's value for its reader; raises whatever stock Jinja2 would raise."""
        closure = self._closures.get(node)
        if closure is None:
            closure = self._closures[node] = self._compile(node)
        return closure

    def _compile(self, node: Node) -> Callable[[State], Any]:
        if node.kind == "constant":
            constant = node.constant
            return lambda state: constant
        if node is self.root:
            return attrgetter("reader")
        first, *others = node.operands
        if first is self.root and node.kind == "attribute" and node.operation.name in UNIQUE_FIELDS | PLAIN_FIELDS:
            # The sandbox's getattr costs more than a whole hole; these names need no check.
            return attrgetter(f"reader.{node.operation.name}")
        run = node.operation.run
        if node.kind == "call" and self._is_follows(first) and len(others) == 1 and others[0].kind == "constant":
            topic = others[0].constant
            return lambda state: state.reader.follows(topic)
        if node.kind == "item" and type(first.constant) is dict and first.kind == "constant":
            return _lookup(first.constant, self.closure(others[0]), run)
        get = self.closure(first)
        if not others:

            def unary(state: State) -> Any:
                memo = state.memo
                if node in memo:
                    return memo[node]
                value = memo[node] = run(get(state))
                return value

            return unary
        if all(other.kind == "constant" for other in others):
            constants = [other.constant for other in others]

            def leading(state: State) -> Any:
                memo = state.memo
                if node in memo:
                    return memo[node]
                value = memo[node] = run(get(state), *constants)
                return value

            return leading
        getters = [self.closure(operand) for operand in node.operands]

        def general(state: State) -> Any:
            memo = state.memo
            if node in memo:
                return memo[node]
            value = memo[node] = run(*[getter(state) for getter in getters])
            return value

        return general

    def _is_follows(self, node: Node) -> bool:
        return node.kind == "attribute" and node.operation.name == "follows" and node.operands[0] is self.root


def _lookup(table: dict[Any, Any], get: Callable[[State], Any], run: Callable[..., Any]) -> Callable[[State], Any]:
    """A constant table by a reader's key: Jinja2 tries the item first, and so can we without its sandbox."""

    def look_up(state: State) -> Any:
        try:
            return table[get(state)]
        except (TypeError, LookupError):
            return run(table, get(state))

    return look_up


def _is_unique(operation: Operation, operands: tuple[Node, ...], root: Node) -> bool:
    if operation.kind in ("test", "compare", "not") or (operation.kind == "filter" and operation.name in COUNTING):
        return False
    if operands and operands[0] is root and operation.kind in ("attribute", "item"):
        return (operation.name or operands[1].constant) in UNIQUE_FIELDS
    return any(operand.unique for operand in operands)


def freeze(value: object, *, identity: bool = False) -> tuple[object, ...]:
    """A hashable that is equal for two values only if no template can tell them apart: by type and value, so that
    `True`, `1` and `1.0` differ, and a float by its repr. Containers go by their items, in order.

    With `identity`, frozen objects of the issue and undefined values go by identity: as constants, never as answers.
    Raises `NotPlainError` for anything else.
    """
    kind = type(value).__name__
    if isinstance(value, _SCALARS):
        return (kind, repr(value) if isinstance(value, float) else str(value) if isinstance(value, str) else value)
    if isinstance(value, list | tuple | slice):
        items = (value.start, value.stop, value.step) if isinstance(value, slice) else value
        return (kind, *(freeze(item, identity=identity) for item in items))
    if isinstance(value, Mapping):
        return (kind, *((freeze(k, identity=identity), freeze(v, identity=identity)) for k, v in value.items()))
    if isinstance(value, Undefined):
        return (kind, value._undefined_name, value._undefined_message, value._undefined_obj is None)
    parameters = getattr(type(value), "__dataclass_params__", None)
    if identity and parameters is not None and parameters.frozen:
        return (kind, "at", id(value))
    raise NotPlainError(kind)


def _describe(node: Node) -> str:
    kind, name, operands = node.kind, node.operation.name, node.operands
    if kind == "constant":
        return repr(str(node.constant)) if isinstance(node.constant, str) else repr(node.constant)
    if kind == "root":
        return "subscriber"
    inner = [_describe(operand) for operand in operands]
    if kind == "attribute":
        return f"{inner[0]}.{name}"
    if kind in ("item", "element"):
        return f"{inner[0]}[{inner[1]}]"
    if kind == "display" and name in ("list", "tuple"):
        return f"[{', '.join(inner)}]"
    if kind == "call":
        return f"{inner[0]}({', '.join(inner[1:])})"
    if kind == "filter":
        return f"{inner[0]}|{name}" + (f"({', '.join(inner[1:])})" if inner[1:] else "")
    if kind == "test":
        return f"{inner[0]} is {name}" + (f"({', '.join(inner[1:])})" if inner[1:] else "")
    if kind in ("text", "print"):
        return inner[0]
    if kind in ("binary", "compare"):
        return f"{inner[0]} {name} {inner[1]}"
    if kind == "join":
        return " ~ ".join(inner)
    return f"{name}({', '.join(inner)})"
