"""The stock Jinja2 environment, whose output is the truth, with limits where a template could fill the memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from jinja2 import DictLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.core.trace.codes import Codes

MAX_REPEAT = 1_000_000
"""Characters or items that one repetition, padding or power may make: a template can't fill the memory."""

CLOCK = frozenset({"today", "now", "utcnow", "fromtimestamp", "utcfromtimestamp"})

REMOVED_FILTERS = frozenset({"random"})
REMOVED_GLOBALS = frozenset({"lipsum"})

CODES = Codes()


class StockEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 as it comes, sandboxed and strict, with limits on repetition and without clock and chance."""

    intercepted_binops = frozenset({"*", "**", "%"})
    keeps_code = True
    """Whether the same source always becomes the same code."""

    def __init__(self, files: Mapping[str, str], filters: Mapping[str, Callable[..., Any]]) -> None:
        """`files` are the design's templates by name; `filters` are further pure filters."""
        super().__init__(
            loader=DictLoader(dict(files)),
            undefined=StrictUndefined,
            autoescape=_autoescape,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols"],
            bytecode_cache=CODES if self.keeps_code and not filters else None,
        )
        for name in REMOVED_FILTERS:
            del self.filters[name]
        for name in REMOVED_GLOBALS:
            del self.globals[name]
        for name in ("center", "indent", "batch", "slice"):
            self.filters[name] = _limited(self.filters[name])
        self.filters.update(filters)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        _guard_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(__obj, "__name__", "") in ("center", "ljust", "rjust", "zfill", "expandtabs"):
            _guard_numbers(args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and re.search(r":[^{}]*(?:\d{5}|\{)", value.__self__):
            raise SecurityError("this format makes too long a text")
        return wrapped

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if attr in CLOCK and (isinstance(obj, date) or (isinstance(obj, type) and issubclass(obj, date))):
            return False
        return super().is_safe_attribute(obj, attr, value)


def _autoescape(name: str | None) -> bool:
    """Everything but plain text is escaped."""
    return name is None or not name.endswith(".txt")


def _limited(function: Callable[..., Any]) -> Callable[..., Any]:
    def limited(*args: Any, **kwargs: Any) -> Any:
        _guard_numbers(args[1:], kwargs)
        return function(*args, **kwargs)

    limited.__name__ = function.__name__
    return limited


def _guard_numbers(args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    for value in (*args, *kwargs.values()):
        if isinstance(value, int) and value > MAX_REPEAT // 100:
            raise SecurityError(f"{value} is too much here")


def _guard_operator(operator: str, left: Any, right: Any) -> None:
    if operator == "*":
        for sequence, times in ((left, right), (right, left)):
            repeats = isinstance(sequence, str | list | tuple) and isinstance(times, int)
            if repeats and len(sequence) * times > MAX_REPEAT:
                raise SecurityError(f"this repeats a text or list {times} times")
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > MAX_REPEAT:
            raise SecurityError("this number is too large")
    elif operator == "**":
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > MAX_REPEAT // 100:
            raise SecurityError("this power is too large")
    elif isinstance(left, str) and re.search(r"%[^%a-zA-Z]*(?:\d{5}|\*)", left):
        raise SecurityError("this format makes too long a text")
