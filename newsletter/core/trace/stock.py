"""The stock Jinja2 environment, whose output is the truth, with limits where a template could fill the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import date
from functools import wraps
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.core.sentence import sentence
from newsletter.core.trace import limits
from newsletter.core.trace.codes import Codes

CLOCK = frozenset({"today", "now", "utcnow", "fromtimestamp", "utcfromtimestamp"})

REMOVED_FILTERS = frozenset({"random"})
REMOVED_GLOBALS = frozenset({"lipsum"})

CODES = Codes()


class StockTemplate(Template):
    """A template that measures what `~` makes."""

    @classmethod
    def _from_namespace(
        cls, environment: Any, namespace: MutableMapping[str, Any], names: MutableMapping[str, Any]
    ) -> Template:
        namespace["str_join"] = limits.guarded_str_join
        namespace["markup_join"] = limits.guarded_markup_join
        return super()._from_namespace(environment, namespace, names)


class StockEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 as it comes, sandboxed and strict, with limits on repetition and without clock and chance."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    template_class: type[Template] = StockTemplate
    concat: Any = staticmethod(limits.guarded_concat)
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
        for name, function in self.filters.items():
            self.filters[name] = limits.limited(name, function)
        self.filters.update(filters)
        self._rounds = limits.MAX_ROUNDS

    def begin(self) -> None:
        """One rendering begins: its loops are counted from here."""
        self._rounds = limits.MAX_ROUNDS

    @property
    def round(self) -> None:
        """Counted once a round by every loop (see `_generate`). Raises `SecurityError` past the limit."""
        self._rounds -= 1
        if self._rounds < 0:
            raise SecurityError(sentence("the loops of this design run more than {most} times", most=limits.MAX_ROUNDS))

    def _generate(self, source: nodes.Template, name: str | None, *args: Any, **kwargs: Any) -> str:
        for loop in source.find_all(nodes.For):
            place: dict[str, Any] = {"lineno": loop.lineno, "environment": self}
            # A statement that reads `environment.round`: nothing is cheaper in the code that Jinja2 makes.
            loop.body.insert(0, nodes.ExprStmt(nodes.EnvironmentAttribute("round", **place), **place))
        return super()._generate(source, name, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        limits.guard_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        limits.guard_call(__obj, args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None
        text, inner = str(value.__self__), wrapped

        @wraps(value)
        def measured(*args: Any, **kwargs: Any) -> str:
            # `format_map` takes its values in one table.
            tables = [each for each in args if isinstance(each, Mapping)]
            limits.guard_format(text, (*args, *kwargs.values(), *(one for table in tables for one in table.values())))
            return inner(*args, **kwargs)

        return measured

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if attr in CLOCK and (isinstance(obj, date) or (isinstance(obj, type) and issubclass(obj, date))):
            return False
        return super().is_safe_attribute(obj, attr, value)


def within(parts: Iterable[str]) -> str:
    """The output of a template as one text. Raises `SecurityError` before it would fill the memory."""
    found: list[str] = []
    left = limits.MAX_OUTPUT
    for part in parts:
        left -= len(part)
        if left < 0:
            raise SecurityError(sentence("this design puts out more than {most} characters", most=limits.MAX_OUTPUT))
        found.append(part)
    return "".join(found)


def _autoescape(name: str | None) -> bool:
    """Everything but plain text is escaped."""
    return name is None or not name.endswith(".txt")
