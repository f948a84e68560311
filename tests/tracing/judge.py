"""Both ways side by side: stock Jinja2 (and MJML) against the tracing compiler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from newsletter.core.errors import DesignError, TraceError
from newsletter.core.letter import Compiler, Rendered
from newsletter.core.reader import Reader
from newsletter.core.trace import Node, Nodes, State, StockEnvironment, Tracer, TracingEnvironment
from newsletter.core.trace.output import Slot, flat
from newsletter.core.trace.tree import Tree
from tests.tracing.people import ISSUE


def shout(value: Any, end: str = "!") -> str:
    """A further pure filter."""
    return f"{value}{end}"


def lookup(value: Any) -> str:
    """A Python function of the issue that looks at types."""
    return "text" if isinstance(value, str) else "other"


class Jinja:
    """Layer one: traced templates against stock ones, without MJML and MIME."""

    def __init__(self, files: dict[str, str], name: str = "t.mjml", context: dict[str, Any] | None = None) -> None:
        self.stock = StockEnvironment(files, {"shout": shout})
        self.tracing = TracingEnvironment(files, {"shout": shout}, self.stock)
        self.name = name
        self.context = {**ISSUE, "lookup": lookup, **(context or {})}
        self.nodes = Nodes()
        self.tree: Tree[tuple[list[Any], list[Any]]] = Tree(self.nodes, 1000)

    def truth(self, reader: Reader) -> str:
        template = self.stock.get_template(self.name)
        context = template.new_context({**self.context, "subscriber": reader})
        return "".join(template.root_render_func(context))

    def trace(self, reader: Reader) -> tuple[Tracer, list[str | Node]]:
        tracer = Tracer(self.nodes, reader)
        template = self.tracing.get_template(self.name)
        items: list[str | Node] = []
        for event in template.root_render_func(template.new_context({**self.context, "subscriber": tracer.root})):
            for item in [event] if isinstance(event, str) else flat(event, event.node):
                items.append(item.node if isinstance(item, Slot) else item)
        return tracer, items

    def filled(self, reader: Reader) -> str:
        state = State(reader)
        leaf = self.tree.find(state)
        if leaf is None:
            tracer, items = self.trace(reader)
            used = [item for item in items if isinstance(item, Node)]
            parts = [item if isinstance(item, str) else self.nodes.closure(item) for item in items]
            leaf = (parts, [self.nodes.closure(node) for node in tracer.unused(used)])
            self.tree.insert(tracer.path, leaf)
        parts, checks = leaf
        for check in checks:
            check(state)
        return "".join(part if isinstance(part, str) else str(part(state)) for part in parts)


class DifferentError(AssertionError):
    """The traced output is not the stock output."""


def judge(jinja: Jinja, readers: list[Reader]) -> Counter[str]:
    """Compare both ways for each reader, in both orders, so that letters are used by others than their first.

    Counts what came out: equal, both raise, refused (a `TraceError`), unsupported (only the trace raises, which the
    compiler turns into a refusal). Raises `DifferentError` for anything else.
    """
    seen: Counter[str] = Counter()
    for reader in [*readers, *reversed(readers)]:
        truth = error = None
        try:
            truth = jinja.truth(reader)
        except Exception as caught:
            error = caught
        if truth is not None and " at 0x" in truth:
            seen["address"] += 1
            continue
        try:
            ours = jinja.filled(reader)
        except TraceError:
            seen["refused"] += 1
        except Exception as caught:
            if error is None:
                if jinja.tree and _walks(jinja, reader):
                    raise DifferentError(f"a fill raised {caught!r}; stock gave {truth!r}") from caught
                seen[f"unsupported {type(caught).__name__}"] += 1
            else:
                seen["both raise"] += 1
        else:
            if error is not None:
                raise DifferentError(f"stock raised {error!r}; ours gave {ours!r}")
            if ours != truth:
                raise DifferentError(f"stock gave {truth!r}; ours {ours!r}")
            seen["equal"] += 1
    return seen


def _walks(jinja: Jinja, reader: Reader) -> bool:
    """Whether the reader's path is in the tree: then a failure is one of filling."""
    try:
        return jinja.tree.find(State(reader)) is not None
    except Exception:
        return True


def judge_letters(compiler: Compiler, readers: list[Reader], check: Callable[[Reader, Rendered], None]) -> Counter[str]:
    """`judge` for whole letters: `check` compares the compiled letter of a reader with its full render."""
    seen: Counter[str] = Counter()
    for reader in [*readers, *reversed(readers)]:
        before = compiler.stats.in_full
        truth = error = None
        try:
            truth = compiler.full_render(reader)
        except DesignError as caught:
            error = caught
        try:
            if truth is None:
                compiler.render(reader)
            else:
                check(reader, truth)
        except TraceError as caught:
            seen[f"refused {caught.hint}"] += 1
        except DesignError as caught:
            if error is None:
                raise DifferentError(f"ours raised {caught}") from caught
            seen["both raise"] += 1
        else:
            if error is not None:
                raise DifferentError(f"only the full render raised {error}")
            seen["in full" if compiler.stats.in_full > before else "equal"] += 1
    return seen
