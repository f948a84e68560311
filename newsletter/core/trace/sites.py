"""Where a template can be cut into blocks: parts with a tree of their own, so that questions add up, not multiply.

A site is a `{% for %}` iteration or an `{% if %}` whose output depends on nothing but the names it reads. Its body
becomes a call block, `{% call block(site, name, ...) %}body{% endcall %}`: Jinja2's own closure, which `blocks` may
run under a trace of its own or just run. Whether the output is whole children of mj-body shows only then. What is
analysed here errs on the safe side: a body that is not understood stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import nodes
from jinja2.environment import Environment
from jinja2.nodes import Node

BLOCK = "_newsletter_block"
"""The name of the call block's function."""

_OWN = frozenset({"self", "super", "caller", "varargs", "kwargs", BLOCK})
_CAPTURES = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)
_UNKNOWN = (
    nodes.Block,
    nodes.Extends,
    nodes.Import,
    nodes.FromImport,
    nodes.NSRef,
    nodes.ContextReference,
    nodes.DerivedContextReference,
    nodes.ExtensionAttribute,
    nodes.InternalName,
    nodes.ScopedEvalContextModifier,
    nodes.EvalContextModifier,
)
_TAG = re.compile(
    r"<!--.*?-->|(?P<body></?mj-body)|(?P<end></mj-)|(?P<begin><mj-)|</?[A-Za-z]|(?P<empty>/>)|>", re.DOTALL
)


class _NotUnderstood(Exception):
    """A body may depend on more than the names it reads."""


@dataclass(frozen=True, slots=True)
class _Store:
    """Where a name gets a value: by an unconditional set at the top of a file or not, and at which nodes. What a macro
    sets for itself (`local`) is seen by nobody else.
    """

    top: bool
    inside: frozenset[int]
    local: bool = False


class Sites:
    """What a design's files say about each other, and the pass over one of them."""

    def __init__(self, environment: Environment, files: Mapping[str, str]) -> None:
        self._files: dict[str, nodes.Template] = {}
        for name, text in files.items():
            try:
                self._files[name] = environment.parse(text, name)
            except Exception:
                # What can't be parsed is never run; the environment says so to whoever asks for it.
                continue
        self._stores: dict[str, list[_Store]] = {}
        self._macros: dict[str, list[nodes.Macro]] = {}
        for tree in self._files.values():
            self._collect(tree)
        self._captured = self._find_captured()
        self.macros = frozenset(name for name in self._macros if self._macro_reads(name, frozenset()) is not None)

    def mark(self, tree: nodes.Template, name: str) -> nodes.Template:
        """The template with its sites as call blocks."""
        if name in self._captured or not name.endswith((".mjml", ".txt")) or BLOCK in self._stores:
            return tree
        page = any("<mj-body" in data.data for data in tree.find_all(nodes.TemplateData))
        tree.body = _Marker(self, name).walk(tree.body, _Depth(None if page else 0))
        return tree

    # What a body reads.

    def reads(self, body: Sequence[Node]) -> frozenset[str]:
        """The names that a body reads, through what it includes and the macros it calls. Raises `_NotUnderstood`."""
        found = self._names(body, set())
        for name in sorted(found):
            if name in self._macros:
                more = self._macro_reads(name, frozenset())
                # (A macro that is not understood has no key: the body will simply be run.)
                found |= more or frozenset()
        if found & _OWN:
            raise _NotUnderstood
        return frozenset(found)

    def _names(self, body: Sequence[Node], seen: set[str]) -> set[str]:
        found: set[str] = set()
        for part in body:
            for node in (part, *part.find_all(Node)):
                if isinstance(node, _UNKNOWN):
                    raise _NotUnderstood
                if isinstance(node, nodes.Name) and node.ctx == "load":
                    found.add(node.name)
                elif isinstance(node, nodes.Include):
                    name = _included(node)
                    if name is None or name not in self._files:
                        raise _NotUnderstood
                    if name not in seen:
                        seen.add(name)
                        inner = self._names(self._files[name].body, seen)
                        if "loop" in inner:
                            # Its own, or that of a loop around: not told apart.
                            raise _NotUnderstood
                        found |= inner
        return found

    def _macro_reads(self, name: str, seen: frozenset[str]) -> frozenset[str] | None:
        """What a macro reads beside its parameters; None when a block that calls it couldn't know its values.

        Each such name must mean the same wherever the macro is called: set never, or once, at the top of a file.
        """
        defined = self._macros.get(name, [])
        if len(defined) != 1 or any(not store.local for store in self._stores.get(name, [])):
            return None
        macro = defined[0]
        own = frozenset(map(id, macro.find_all(nodes.Name)))
        parameters = {each.name for each in macro.args}
        if any(isinstance(node, (*_UNKNOWN, nodes.Include)) for node in macro.find_all(Node)):
            return None
        found: set[str] = set()
        for node in macro.find_all(nodes.Name):
            read = node.name
            if node.ctx != "load" or read in parameters or read in ("caller", "varargs", "kwargs"):
                continue
            if read in self._macros:
                if read not in seen | {name}:
                    more = self._macro_reads(read, seen | {name})
                    if more is None:
                        return None
                    found |= more
            else:
                stores = [store for store in self._stores.get(read, []) if not store.local or store.inside & own]
                for store in stores:
                    if not (store.inside & own) and not (len(stores) == 1 and store.top):
                        return None
            found.add(read)
        return frozenset(found)

    # What the files say.

    def _collect(self, tree: nodes.Template) -> None:
        for node in tree.body:
            if isinstance(node, nodes.Macro):
                self._macros.setdefault(node.name, []).append(node)
        tops = {id(node.target) for node in tree.body if isinstance(node, nodes.Assign | nodes.AssignBlock)}
        top_macros = {id(node) for node in tree.body if isinstance(node, nodes.Macro)}
        local = {id(name) for macro in tree.find_all(nodes.Macro) for name in macro.find_all(nodes.Name)}
        for node in tree.find_all(Node):
            if isinstance(node, nodes.Name) and node.ctx in ("store", "param"):
                self._store(node.name, _Store(id(node) in tops, frozenset({id(node)}), id(node) in local))
            elif isinstance(node, nodes.Import):
                self._store(node.target, _Store(False, frozenset()))
            elif isinstance(node, nodes.FromImport):
                for each in node.names:
                    self._store(each if isinstance(each, str) else each[1], _Store(False, frozenset()))
            elif isinstance(node, nodes.Macro) and id(node) not in top_macros:
                self._store(node.name, _Store(False, frozenset()))

    def _store(self, name: str, store: _Store) -> None:
        self._stores.setdefault(name, []).append(store)

    def _find_captured(self) -> frozenset[str]:
        """The files whose output may be taken up by something else than the letter."""
        captured: set[str] = set()
        includes: dict[str, set[str]] = {name: set() for name in self._files}
        for name, tree in self._files.items():
            for other in tree.find_all(Node):
                if isinstance(other, nodes.Import | nodes.FromImport | nodes.Extends):
                    captured |= _targets(other.template, self._files)
            for node in tree.find_all(nodes.Include):
                includes[name] |= _targets(node.template, self._files)
            for capture in tree.find_all(_CAPTURES):
                for node in capture.find_all(nodes.Include):
                    captured |= _targets(node.template, self._files)
        pending = list(captured)
        while pending:
            for name in includes.get(pending.pop(), ()):
                if name not in captured:
                    captured.add(name)
                    pending.append(name)
        return frozenset(captured)

    def has_loop(self, body: Sequence[Node], depth: _Depth, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a loop stands in a body where it could be a site itself."""
        for node in body:
            if isinstance(node, nodes.Output):
                depth.read(node)
            elif isinstance(node, nodes.For):
                if not depth.elements:
                    return True
            elif isinstance(node, nodes.Include):
                name = _included(node)
                here = name in self._files and name not in seen and not depth.elements
                if here and self.has_loop(self._files[str(name)].body, _Depth(0), seen | {str(name)}):
                    return True
            elif any(self.has_loop(inner, depth, seen) for inner in _inner(node)):
                return True
        return False


class _Depth:
    """How many elements of MJML are open, from 0 in mj-body; None before it. Only a guess, since expressions stand in
    the tags: a site in the wrong place is found out when it is run.
    """

    def __init__(self, elements: int | None) -> None:
        self.elements = elements
        self._in_tag = False

    def read(self, output: nodes.Output) -> None:
        """Go on past the output's own texts."""
        for data in output.nodes:
            if isinstance(data, nodes.TemplateData):
                for tag in _TAG.finditer(data.data):
                    self._tag(tag)

    def _tag(self, tag: re.Match[str]) -> None:
        if tag["body"]:
            self.elements = None if tag["body"].startswith("</") else 0
        elif self.elements is not None:
            self.elements += (tag["begin"] is not None) - (tag["end"] is not None)
            self.elements -= tag["empty"] is not None and self._in_tag
        self._in_tag = tag["begin"] is not None


class _Marker:
    """The pass over one file."""

    def __init__(self, sites: Sites, file: str) -> None:
        self._sites, self._file = sites, file
        self._mjml = file.endswith(".mjml")
        self._count = 0

    def walk(self, body: Sequence[Node], depth: _Depth) -> list[Node]:
        """The statements with sites among them and in them."""
        out: list[Node] = []
        fresh = True  # at the start of a line
        for node in body:
            if isinstance(node, nodes.Output):
                if self._mjml:
                    depth.read(node)
                last = node.nodes[-1] if node.nodes else None
                fresh = isinstance(last, nodes.TemplateData) and last.data.endswith("\n")
            elif depth.elements != 0:
                pass
            elif isinstance(node, nodes.For):
                node = self._loop(node)
                fresh = True
            elif isinstance(node, nodes.If):
                node = self._choice(node, fresh)
            elif isinstance(node, nodes.With):
                node.body = self.walk(node.body, _Depth(0))
            out.append(node)
        return out

    def _loop(self, node: nodes.For) -> Node:
        inner = self._mjml and self._sites.has_loop(node.body, _Depth(0))
        if not inner:
            names = self._iteration(node)
            if names is not None:
                body = node.body
                if node.test is not None:
                    body = [nodes.If(node.test, body, [], [], **_at(node))]
                    node.test = None
                node.body = [self._wrapped(body, names, node)]
                return node
            names = self._unit(node, [node.iter], [*node.body, *node.else_, *([node.test] if node.test else [])])
            if names is not None:
                return self._wrapped([node], names, node)
        node.body = self.walk(node.body, _Depth(0))
        return node

    def _choice(self, node: nodes.If, fresh: bool) -> Node:
        branches = _inner(node)
        if not any(self._sites.has_loop(branch, _Depth(0)) for branch in branches):
            if (fresh or self._mjml) and not any(_leaks(branch) for branch in branches):
                names = self._unit(node, [node], [])
                if names is not None:
                    return self._wrapped([node], names, node)
            return node
        node.body = self.walk(node.body, _Depth(0))
        for other in node.elif_:
            other.body = self.walk(other.body, _Depth(0))
        node.else_ = self.walk(node.else_, _Depth(0))
        return node

    def _iteration(self, node: nodes.For) -> frozenset[str] | None:
        """The names that one iteration reads, when it can be a block."""
        if node.else_ or node.recursive or _breaks(node.body):
            return None
        try:
            names = self._sites.reads([*node.body, *([node.test] if node.test else [])])
        except _NotUnderstood:
            return None
        return None if "loop" in names else names

    def _unit(self, node: Node, around: list[Node], inside: list[Node]) -> frozenset[str] | None:
        """The names that a statement reads, when it can be a block as a whole; `inside` has a loop of its own."""
        if isinstance(node, nodes.For) and node.recursive:
            return None
        if isinstance(node, nodes.If) and _breaks([node]):
            return None
        try:
            names = self._sites.reads(around)
            if "loop" in names:
                return None
            return names | (self._sites.reads(inside) - {"loop"})
        except _NotUnderstood:
            return None

    def _wrapped(self, body: Sequence[Node], names: frozenset[str], node: Node) -> Node:
        self._count += 1
        read = tuple(sorted(names))
        at = _at(node)
        site = nodes.Const((self._file, self._count, read), **at)
        call = nodes.Call(
            nodes.Name(BLOCK, "load", **at),
            [site, *[nodes.Name(name, "load", **at) for name in read]],
            [],
            None,
            None,
            **at,
        )
        return nodes.CallBlock(call, [], [], list(body), **at)


def _at(node: Node) -> dict[str, object]:
    return {"lineno": node.lineno, "environment": node.environment}


def _inner(node: Node) -> list[list[Node]]:
    """The bodies that a statement may run where it stands."""
    if isinstance(node, nodes.If):
        return [node.body, *[each.body for each in node.elif_], node.else_]
    if isinstance(node, nodes.For | nodes.With):
        return [node.body]
    return []


def _leaks(body: Sequence[Node]) -> bool:
    """Whether a body sets a name that what follows could read."""
    return any(
        isinstance(node, nodes.Assign | nodes.AssignBlock | nodes.Macro)
        or (isinstance(node, nodes.If) and any(_leaks(inner) for inner in _inner(node)))
        for node in body
    )


def _breaks(body: Iterable[Node]) -> bool:
    """Whether a break or continue in a body is one of the loop around it."""
    for node in body:
        if isinstance(node, nodes.Break | nodes.Continue):
            return True
        if _breaks(node.else_ if isinstance(node, nodes.For) else node.iter_child_nodes()):
            return True
    return False


def _included(node: nodes.Include) -> str | None:
    return node.template.value if isinstance(node.template, nodes.Const) and node.with_context else None


def _targets(template: nodes.Expr, files: Mapping[str, object]) -> set[str]:
    """The files that an expression may name: all of them unless it is constant."""
    try:
        value = template.as_const()
    except nodes.Impossible:
        return set(files)
    return {value} if isinstance(value, str) else set(value) if isinstance(value, list | tuple) else set(files)
