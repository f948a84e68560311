"""The tracing environment: stock Jinja2, held at every place where it combines values.

Those places are the names that compiled templates import from `jinja2.runtime`, `Environment.concat`, `getattr`,
`getitem`, `call`, all operators, each filter and test, the loading of templates by name, and `super()`. Where no
Deferred takes part, stock code runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Any

import markupsafe
from jinja2 import Template, nodes
from jinja2.nodes import EvalContext
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.utils import Cycler, Joiner, Namespace, _PassArg
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from newsletter.core.errors import TraceError
from newsletter.core.sentence import sentence
from newsletter.core.trace import limits
from newsletter.core.trace.blocks import Blocks, Misplaced, Reference
from newsletter.core.trace.deferred import CONCAT, ESCAPE, MARKUP, TEXT, VALUE, Deferred, Tracer, find, place
from newsletter.core.trace.nodes import Operation
from newsletter.core.trace.sites import BLOCK, Sites
from newsletter.core.trace.stock import StockEnvironment

DEFERRED_FILTERS = frozenset(
    "abs attr capitalize center count d default dictsort e escape filesizeformat first float forceescape format "  # noqa: SIM905
    "groupby indent int join last length list lower max min pprint replace round safe sort string striptags sum title "
    "tojson trim truncate upper urlencode urlize wordcount wordwrap xmlattr".split()
)
"""Filters that are pure functions of their arguments and give plain values. All others ask for their values."""

SELECTING_FILTERS = frozenset({"select", "reject", "selectattr", "rejectattr"})

# --- what compiled templates import from jinja2.runtime --------------------------------------------------------------


def _escape(value: Any) -> Any:
    if isinstance(value, str):
        return markupsafe.escape(value)
    found = find(value)
    return found.tracer.print(ESCAPE, value) if found is not None else _checked(markupsafe.escape(value), value)


def _str(value: Any = "") -> Any:
    if isinstance(value, str):
        return str(value)
    found = find(value)
    return found.tracer.print(TEXT, value) if found is not None else _checked(str(value), value)


def _checked(text: str, value: Any) -> str:
    """The text of a value of the issue, unless it names a memory address: no two renders would agree."""
    if " at 0x" in text:
        file, line = place()
        message = sentence("this prints an object ({name}), not text.", name=type(value).__name__)
        raise TraceError(message, file=file, line=line, hint=sentence("Add |list or |join."))
    return text


def _markup(value: Any = "") -> Any:
    return value.tracer.apply(MARKUP, value) if isinstance(value, Deferred) else Markup(value)


def _concat(parts: Iterable[Any]) -> Any:
    items = list(parts)
    held = [item.block.site for item in items if isinstance(item, Reference)]
    if held:
        raise Misplaced(held)
    for item in items:
        if isinstance(item, Deferred):
            return item.tracer.apply(CONCAT, *items)
    return limits.guarded_concat(items)


def _joiner(function: Callable[[Iterable[Any]], str]) -> Callable[[Iterable[Any]], Any]:
    operation = Operation("join", "~", lambda *items: function(items), ("join", function.__name__))

    def join(items: Iterable[Any]) -> Any:
        items = list(items)
        found = find(items)
        return found.tracer.apply(operation, *items) if found is not None else function(items)

    return join


class TracingMacro(Macro):
    """A macro whose output may be deferred."""

    def _invoke(self, arguments: list[Any], autoescape: bool) -> Any:
        output: Any = self._func(*arguments)
        return _markup(output) if autoescape else output


class TracingBlockReference(BlockReference):
    """`super()` and `self.block()` with output that may be deferred."""

    @property
    def super(self) -> Any:
        return _block(super().super)

    def __call__(self) -> Any:
        output = _concat(self._stack[self._depth](self._context))
        return _markup(output) if self._context.eval_ctx.autoescape else output


def _block(reference: Any) -> Any:
    if not isinstance(reference, BlockReference):
        return reference
    return TracingBlockReference(reference.name, reference._context, reference._stack, reference._depth)


class TracingTemplateReference(TemplateReference):
    """`self` in templates."""

    def __getitem__(self, name: str) -> Any:
        return _block(super().__getitem__(name))


class TracingContext(Context):
    """The context of a trace."""

    def super(self, name: str, current: Callable[[Context], Any]) -> Any:
        return _block(super().super(name, current))


HOOKS: Mapping[str, Any] = {
    "escape": _escape,
    "str": _str,
    "Markup": _markup,
    "markup_join": _joiner(limits.guarded_markup_join),
    "str_join": _joiner(limits.guarded_str_join),
    "Macro": TracingMacro,
    "TemplateReference": TracingTemplateReference,
}


class TracingTemplate(Template):
    """A template whose compiled code uses our names in place of `jinja2.runtime`'s."""

    @classmethod
    def _from_namespace(
        cls, environment: Any, namespace: MutableMapping[str, Any], names: MutableMapping[str, Any]
    ) -> Template:
        namespace.update(HOOKS)
        return super()._from_namespace(environment, namespace, names)


class _Membership(NodeTransformer):
    """`a in b` as the test `in`: C code would answer it at once. (Chains stay: they ask, or fail loudly.)"""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        if len(node.ops) != 1 or node.ops[0].op not in ("in", "notin"):
            return node
        place = {"lineno": node.lineno, "environment": node.environment}
        test = nodes.Test(node.expr, "in", [node.ops[0].expr], [], None, None, **place)
        return test if node.ops[0].op == "in" else nodes.Not(test, **place)


@lru_cache(maxsize=8)
def sites_of(files: tuple[tuple[str, str], ...]) -> Sites:
    """What a design's files say, once for all compilers of a design: it takes longer than to parse them."""
    return Sites(StockEnvironment(dict(files), {}), dict(files))


# --- the tracing environment -----------------------------------------------------------------------------------------


class TracingEnvironment(StockEnvironment):
    """Builds nodes wherever a Deferred takes part; everything else runs as in `StockEnvironment`."""

    intercepted_binops = frozenset(StockEnvironment.default_binop_table)
    intercepted_unops = frozenset(StockEnvironment.default_unop_table)
    template_class = TracingTemplate
    context_class = TracingContext
    concat = staticmethod(_concat)

    def __init__(self, files: Mapping[str, str], filters: Mapping[str, Callable[..., Any]], stock: StockEnvironment):
        super().__init__(files, filters)
        self._stock = stock
        self._blank = Context(stock, {}, None, {})
        self._operations: dict[tuple[object, ...], Operation] = {}
        self._deferred_filters = DEFERRED_FILTERS | filters.keys()
        self.blocks: Blocks[Any] | None = None
        named = tuple(sorted(files.items()))
        self._sites = sites_of(named)
        # Where a file is cut into blocks depends on what the others say about it.
        self.code_mark = sha256(repr(named).encode("utf-8", "surrogatepass")).hexdigest()
        self.globals[BLOCK] = block_body
        for name, function in self.filters.items():
            self.filters[name] = self._filter(name, function)
        for name, function in self.tests.items():
            self.tests[name] = self._test(name, function)

    def _generate(self, source: nodes.Template, name: str | None, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Membership().visit(self._sites.mark(source, name or "")), name, *args, **kwargs)

    # Names, items, calls and operators.

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Deferred):
            return obj.tracer.apply(self._attribute(attribute), obj)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        found = obj if isinstance(obj, Deferred) else find(argument)
        if found is None:
            return super().getitem(obj, argument)
        return found.tracer.apply(self._operation("item", "", self._stock.getitem), obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        found = find((left, right))
        if found is None:
            return super().call_binop(context, operator, left, right)
        stock = self._stock
        run = self._operation("binary", operator, lambda *two: stock.call_binop(self._blank, operator, *two))
        return found.tracer.apply(run, left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        found = find(arg)
        if found is None:
            return super().call_unop(context, operator, arg)
        return found.tracer.apply(self._operation("unary", operator, self._stock.unop_table[operator]), arg)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        if __obj is block_body:
            return __self._block(__context, args[0], args[1:], kwargs["caller"])
        return __self._call(__context, __obj, args, kwargs)

    def _block(self, context: Context, site: Any, values: tuple[Any, ...], caller: Macro) -> Any:
        def run() -> Any:
            return caller(context.eval_ctx)

        return run() if self.blocks is None else self.blocks.call(site, values, run, self._named)

    def _named(self, name: str, value: Any) -> object | None:
        """The key of a value that is always the same under its name: a global, a macro that reads no others."""
        if isinstance(value, Macro):
            return "macro" if value.name == name and name in self._sites.macros else None
        return "global" if name in self.globals and value is self.globals[name] else None

    def _call(self, context: Context, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = function if isinstance(function, Deferred) else find((args, kwargs))
        if found is None or (function is not found and _passes_through(function, args)):
            return super().call(context, function, *args, **kwargs)
        kwargs = {name: value for name, value in kwargs.items() if name not in ("_loop_vars", "_block_vars")}
        tracer = found.tracer
        if isinstance(function, Deferred):
            node = function.node
            if node.kind == "attribute" and node.operation.name in ("items", "keys", "values"):
                # Their result is a view, which no node can hold.
                owner = tracer.ask(VALUE, Deferred(tracer, node.operands[0]))
                return super().call(context, super().getattr(owner, node.operation.name), *args, **kwargs)
        else:
            method = getattr(function, "__wrapped__", function)
            owner = getattr(method, "__self__", None)
            if not isinstance(owner, str | dict | list | tuple | date | int | float):
                args, kwargs = tracer.concrete(args), tracer.concrete(kwargs)
                return super().call(context, function, *args, **kwargs)
            function = tracer.apply(self._attribute(method.__name__), owner)
        return tracer.apply(self._call_operation(tuple(kwargs)), function, *args, *kwargs.values())

    def _call_operation(self, names: tuple[str, ...]) -> Operation:
        stock, blank, count = self._stock, self._blank, len(names)

        def run(function: Any, *values: Any) -> Any:
            positional = values[: len(values) - count]
            return stock.call(blank, function, *positional, **dict(zip(names, values[len(positional) :], strict=True)))

        return self._operation("call", "", run, names)

    def _attribute(self, name: str) -> Operation:
        stock = self._stock
        return self._operation("attribute", name, lambda obj: stock.getattr(obj, name))

    def _operation(self, kind: str, name: str, run: Callable[..., Any], *more: object) -> Operation:
        key = (kind, name, *more)
        operation = self._operations.get(key)
        if operation is None:
            operation = self._operations[key] = Operation(kind, name, run, key)
        return operation

    # Templates by name.

    def get_template(self, name: Any, *args: Any, **kwargs: Any) -> Template:
        return super().get_template(_concrete(name), *args, **kwargs)

    def select_template(self, names: Any, *args: Any, **kwargs: Any) -> Template:
        return super().select_template(_concrete(names), *args, **kwargs)

    def get_or_select_template(self, template_name_or_list: Any, *args: Any, **kwargs: Any) -> Template:
        return super().get_or_select_template(_concrete(template_name_or_list), *args, **kwargs)

    # Filters and tests.

    def _filter(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        passes = _passes(function)
        deferred = name in self._deferred_filters and passes is not _PassArg.context

        def traced(*args: Any, **kwargs: Any) -> Any:
            given, values = (args[:1], args[1:]) if passes else ((), args)
            found = find((values, kwargs))
            if found is None:
                return function(*args, **kwargs)
            if deferred:
                return self._defer("filter", name, found.tracer, given, values, kwargs)
            if name in SELECTING_FILTERS and find(values[0]) is None and not isinstance(values[1], Deferred):
                # Run for real: the traced test asks item by item.
                return function(*args, **kwargs)
            return function(*given, *found.tracer.concrete(values), **found.tracer.concrete(kwargs))

        if passes:
            traced.jinja_pass_arg = passes  # type: ignore[attr-defined]
        return traced

    def _test(self, name: str, function: Any) -> Callable[..., Any]:
        passes = _passes(function)

        def traced(*args: Any, **kwargs: Any) -> Any:
            given, values = (args[:1], args[1:]) if passes else ((), args)
            found = find((values, kwargs))
            if found is None:
                return function(*args, **kwargs)
            if name == "sameas" and not any(values[-1] is constant for constant in (None, True, False)):
                found.tracer.fail("sameas compares objects, which a letter doesn't have.", "Use ==.")
            return self._defer("test", name, found.tracer, given, values, kwargs)

        if passes:
            traced.jinja_pass_arg = passes  # type: ignore[attr-defined]
        return traced

    def _defer(
        self,
        kind: str,
        name: str,
        tracer: Tracer,
        given: tuple[Any, ...],
        values: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Deferred:
        """The node of a stock filter or test. One that takes the evaluation context gets a copy of its own: the
        shared one is changed and restored around `{% autoescape %}`.
        """
        stock = self._stock
        known: Mapping[str, Any] = stock.filters if kind == "filter" else stock.tests
        function = known[name]
        names, passes = tuple(kwargs), _passes(function)
        first: tuple[Any, ...] = ()
        escaping: object = None
        if passes is _PassArg.eval_context:
            escaping = bool(given[0].autoescape)
            frozen = EvalContext(stock)
            frozen.autoescape = escaping
            first = (frozen,)
        elif passes is _PassArg.environment:
            first = (stock,)

        def run(*operands: Any) -> Any:
            positional = operands[: len(operands) - len(names)]
            named = dict(zip(names, operands[len(positional) :], strict=True))
            return function(*first, *positional, **named)

        operation = self._operation(kind, name, run, escaping, names)
        return tracer.apply(operation, *values, *kwargs.values())


def block_body(*_: Any) -> None:
    """Stands for `TracingEnvironment._block` in the code of templates."""


def _passes(function: Callable[..., Any]) -> _PassArg | None:
    """What Jinja2 hands a filter or test before its own arguments."""
    return _PassArg.from_obj(function)


def _concrete(name: Any) -> Any:
    found = find(name)
    return found.tracer.concrete(name) if found is not None else name


def _passes_through(function: Any, args: tuple[Any, ...]) -> bool:
    """Whether Jinja2's own machinery only carries its arguments along."""
    if isinstance(function, Macro | BlockReference | LoopContext) or function is Cycler or function is Joiner:
        return True
    if function is dict or function is Namespace:
        return find(args) is None
    return isinstance(getattr(function, "__self__", None), LoopContext | Cycler | Joiner)
