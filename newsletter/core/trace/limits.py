"""How much a template may make of little: without these a design could fill the memory or run for ever.

Every way in which Jinja2 multiplies texts, lists and numbers is measured before it is done. What a template prints and
how often its loops run is counted (`StockEnvironment.begin`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import markup_join, str_join

from newsletter.core.sentence import sentence

MAX_REPEAT = 1_000_000
"""Characters or items that one repetition, padding, joining or power may make."""

MAX_ROUNDS = 1_000_000
"""Rounds that all loops of one rendering may run."""

MAX_OUTPUT = 10_000_000
"""Characters that one rendering may put out: a hundred times the heaviest letter."""

PADDED = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})
_FIELD = re.compile(r"\{")
_PERCENT = re.compile("%")


def guard_operator(operator: str, left: Any, right: Any) -> None:
    """Raises `SecurityError` for a `+ * ** %` whose result would be too much."""
    if operator == "*":
        for sequence, times in ((left, right), (right, left)):
            repeats = isinstance(sequence, str | list | tuple) and isinstance(times, int)
            if repeats and len(sequence) * times > MAX_REPEAT:
                raise SecurityError(sentence("this repeats a text or list {times} times", times=times))
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > MAX_REPEAT:
            raise SecurityError(sentence("this number is too large"))
    elif operator == "**":
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > MAX_REPEAT // 100:
            raise SecurityError(sentence("this power is too large"))
    elif operator == "+":
        if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            _guard_total((left, right))
    elif isinstance(left, str):
        guard_percent(left, right if isinstance(right, tuple) else (right,))


def guard_percent(text: str, values: Iterable[Any]) -> None:
    """The same for `"%s" % value`."""
    if re.search(r"%[^%a-zA-Z]*(?:\d{5}|\*)", text):
        raise SecurityError(sentence("this format makes too long a text"))
    _guard_filled(len(_PERCENT.findall(text)), values)


def guard_format(text: str, values: Iterable[Any]) -> None:
    """The same for `"{}".format(value)`."""
    if re.search(r":[^{}]*(?:\d{5}|\{)", text):
        raise SecurityError(sentence("this format makes too long a text"))
    _guard_filled(len(_FIELD.findall(text)), values)


def guard_call(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """The same for a method of a text."""
    name, text = getattr(function, "__name__", ""), getattr(function, "__self__", None)
    if name in PADDED:
        guard_sizes(args, kwargs)
    elif name == "join" and isinstance(text, str) and args and isinstance(args[0], list | tuple):
        _guard_joined(args[0], text)
    elif name == "replace" and isinstance(text, str) and len(args) > 1:
        _guard_replaced(text, args[0], args[1])


def guard_sizes(args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse a width or a filling that is itself too much."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, int) and value > MAX_REPEAT // 100:
            raise SecurityError(sentence("{value} is too much here", value=value))
        if isinstance(value, str) and len(value) > MAX_REPEAT // 100:
            raise SecurityError(sentence("a text of {number} characters is too much here", number=len(value)))


def limited(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, measured before it runs; the others as they are."""
    guard = _GUARDS.get(name)
    if guard is None:
        return function
    # Jinja2 may hand the filter its context first.
    first = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0

    @wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Any:
        return function(*args[:first], *guard(args[first:], kwargs), **kwargs)

    return measured


def guarded_str_join(items: Iterable[Any]) -> str:
    """`a ~ b` in a text."""
    parts = list(items)
    _guard_total(parts)
    return str_join(parts)


def guarded_markup_join(items: Iterable[Any]) -> str:
    """`a ~ b` where it is escaped."""
    parts = list(items)
    _guard_total(parts)
    return markup_join(parts)


def guarded_concat(items: Iterable[str]) -> str:
    """What a block, a macro or a capture puts out, as one text."""
    parts = list(items)
    if sum(map(len, parts)) > MAX_OUTPUT:
        raise SecurityError(sentence("this puts out too long a text"))
    return "".join(parts)


Guard = Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[Any, ...]]


def _sizes(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    guard_sizes(args[1:], kwargs)
    return args


def _join(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    value, *rest = args
    items = value if isinstance(value, str | list | tuple) else list(value)  # a generator can be read once
    separator = rest[0] if rest else kwargs.get("d", "")
    _guard_joined(items, separator)
    return (items, *rest)


def _replace(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    if len(args) > 2:
        _guard_replaced(*args[:3])
    return args


def _format(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    guard_percent(str(args[0]), (*args[1:], *kwargs.values()))
    return args


_GUARDS: Mapping[str, Guard] = {
    **dict.fromkeys(("center", "indent", "batch", "slice", "wordwrap", "truncate"), _sizes),
    "join": _join,
    "replace": _replace,
    "format": _format,
}


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 1


def _guard_total(parts: Iterable[Any]) -> None:
    if sum(map(_length, parts)) > MAX_REPEAT:
        raise SecurityError(sentence("this makes too long a text or list"))


def _guard_joined(items: Any, separator: Any) -> None:
    between = _length(separator) * len(items)
    inside = len(items) if isinstance(items, str) else sum(map(_length, items))
    if between + inside > MAX_REPEAT:
        raise SecurityError(sentence("this joins too long a text"))


def _guard_replaced(text: Any, old: Any, new: Any) -> None:
    text, old = str(text), str(old)
    if (text.count(old) if old else len(text) + 1) * _length(new) > MAX_REPEAT:
        raise SecurityError(sentence("this replaces by too long a text"))


def _guard_filled(fields: int, values: Iterable[Any]) -> None:
    if fields * max((_length(value) for value in values), default=1) > MAX_REPEAT:
        raise SecurityError(sentence("this format makes too long a text"))
