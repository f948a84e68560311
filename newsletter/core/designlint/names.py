"""Names that a template prints and nobody gives: found in its syntax tree, with what was probably meant.

What a name holds is inferred where the design itself says so: `{% for card in cards %}`, `{% set t = tokens %}`. What
is not understood is left to the rendering of sample issues.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.environment import Environment

from newsletter.core import context
from newsletter.core.mjml import Problem
from newsletter.core.reader import Reader
from newsletter.core.sentence import sentence

_SPECIAL = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs", "true", "false", "none"})


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is: fields by name (a thing of the context, or a table), or the items of a list; else unknown."""

    name: str = ""
    members: Mapping[str, Kind] | None = None
    item: Kind | None = None


UNKNOWN = Kind()
TEXT = Kind("text")


def known_names(tokens: Mapping[str, Any]) -> dict[str, Kind]:
    """The names of the context with what they hold."""
    content = typing.get_type_hints(context.IssueContent)
    found = {
        name: _kind(content[name], {})
        for name in (
            "magazine", "newsletter", "issue", "lead", "quote", "cards", "pairs", "sponsor", "lines", "corrections",
            "also_like", "more", "promo",
        )
    }  # fmt: skip
    # What both cards and lines have could be asked of either; a card's own must be tested first.
    found["reviews"] = Kind("list", item=_kind(context.Card, {}))
    found["sections"] = Kind("list", item=_kind(context.Section, {}))
    spoken = typing.cast(Mapping[str, Any], context.build_context(_BLANK, {})["words"])
    found["words"] = Kind("words", dict.fromkeys(spoken, TEXT))
    urls = typing.cast(Mapping[str, Any], context.build_context(_BLANK, {})["urls"])
    found["urls"] = Kind("urls", dict.fromkeys(urls, TEXT))
    found["tokens"] = found["design"] = Kind("tokens", dict.fromkeys(tokens, UNKNOWN))
    found["months"] = Kind("list", item=TEXT)
    found |= {"language": TEXT, "dir": TEXT}
    reader = {each.name: UNKNOWN for each in fields(Reader)} | {"first_name": UNKNOWN, "follows": UNKNOWN}
    found["subscriber"] = Kind("subscriber", reader)
    return found


_BLANK = context.IssueContent("en", context.Magazine(""), context.Newsletter("", ""), context.Issue("", "", "", "", ""))


def _kind(hint: Any, seen: dict[type, Kind]) -> Kind:
    if isinstance(hint, types.UnionType):
        return next((_kind(each, seen) for each in typing.get_args(hint) if each is not type(None)), UNKNOWN)
    if typing.get_origin(hint) is tuple:
        return Kind("list", item=_kind(typing.get_args(hint)[0], seen))
    if isinstance(hint, type) and is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return Kind(hint.__name__, {each.name: _kind(hints[each.name], seen) for each in fields(hint)})
    return TEXT if hint is str else UNKNOWN


@dataclass(slots=True)
class _File:
    text: str
    tree: nodes.Template
    found: list[Problem] = field(default_factory=list)


def undefined(
    files: Mapping[str, str], environment: Environment, known: Mapping[str, Kind]
) -> Iterator[tuple[str, Problem]]:
    """(file, problem) for each name, field, filter, test, file that does not exist, and for what is not Jinja2."""
    parsed: dict[str, _File] = {}
    for name, text in sorted(files.items()):
        try:
            parsed[name] = _File(text, environment.parse(text, name))
        except TemplateSyntaxError as error:
            message = sentence("this is not Jinja2: {reason}", reason=(error.message or "").rstrip("."))
            yield name, Problem(message, sentence("Mend the template."), error.lineno or 1, 1)
    bound = _bindings(parsed.values(), known)
    for name, file in parsed.items():
        walk = _Walk(file.text, environment, files, {**bound, **known})
        walk.body(file.tree.body)
        for problem in sorted(walk.found, key=lambda each: (each.line, each.column)):
            yield name, problem


def _bindings(files: Any, known: Mapping[str, Kind]) -> dict[str, Kind]:
    """What the files set, loop over, import and define, for all of them: an included file sees what surrounds it."""
    bound: dict[str, Kind] = {}
    for _ in range(3):  # a name may be set from another that is set further down
        again: dict[str, list[Kind]] = {}
        infer = _Inference({**bound, **known})
        for file in files:
            for target, kind in _targets(file.tree, infer):
                again.setdefault(target, []).append(kind)
        bound = {name: kinds[0] if _agree(kinds) else UNKNOWN for name, kinds in again.items()}
    return bound


def _agree(kinds: list[Kind]) -> bool:
    return all(kind == kinds[0] for kind in kinds)


def _targets(tree: nodes.Node, infer: _Inference) -> Iterator[tuple[str, Kind]]:
    local = {id(name) for macro in tree.find_all(nodes.Macro) for name in macro.find_all(nodes.Name)}
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Assign | nodes.AssignBlock | nodes.For):
            value = infer.of(node.node) if isinstance(node, nodes.Assign) else UNKNOWN
            if isinstance(node, nodes.For):
                value = infer.of(node.iter).item or UNKNOWN
            for name, kind in _unpacked(node.target, value):
                if id(name) not in local:
                    yield name.name, kind
        elif isinstance(node, nodes.Macro):
            yield node.name, UNKNOWN
        elif isinstance(node, nodes.Import):
            yield node.target, UNKNOWN
        elif isinstance(node, nodes.FromImport):
            for each in node.names:
                yield (each if isinstance(each, str) else each[1]), UNKNOWN
        elif isinstance(node, nodes.With):
            for target, given in zip(node.targets, node.values, strict=True):
                for name, kind in _unpacked(target, infer.of(given)):
                    yield name.name, kind
        elif isinstance(node, nodes.CallBlock):
            for name in node.args:
                yield name.name, UNKNOWN


def _unpacked(target: nodes.Node, kind: Kind) -> Iterator[tuple[nodes.Name, Kind]]:
    if isinstance(target, nodes.Name):
        yield target, kind
    elif isinstance(target, nodes.Tuple | nodes.List):
        for each in target.items:
            yield from _unpacked(each, UNKNOWN)


class _Inference:
    """What an expression holds, as far as it says so."""

    def __init__(self, names: Mapping[str, Kind]) -> None:
        self.names = dict(names)

    def of(self, node: nodes.Node) -> Kind:
        if isinstance(node, nodes.Name):
            return self.names.get(node.name, UNKNOWN)
        if isinstance(node, nodes.Getattr | nodes.Getitem):
            owner = self.of(node.node)
            if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
                return owner
            key = node.attr if isinstance(node, nodes.Getattr) else _constant(node.arg)
            return owner.item or UNKNOWN if isinstance(key, int) else (owner.members or {}).get(str(key), UNKNOWN)
        if isinstance(node, nodes.CondExpr):
            one, other = self.of(node.expr1), self.of(node.expr2) if node.expr2 else UNKNOWN
            return one if one == other else UNKNOWN
        return UNKNOWN


def _constant(node: nodes.Expr | None) -> Any:
    return node.value if isinstance(node, nodes.Const) else None


class _Walk:
    """One file, with the scopes of its macros."""

    def __init__(
        self, text: str, environment: Environment, files: Mapping[str, str], names: Mapping[str, Kind]
    ) -> None:
        self._lines = text.splitlines()
        self._environment, self._files = environment, files
        self._infer = _Inference(names)
        self.found: list[Problem] = []

    def body(self, body: list[nodes.Node]) -> None:
        for node in body:
            self.visit(node)

    def visit(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Macro | nodes.CallBlock):
            self._scoped(node)
            return
        match node:
            case nodes.Name() if node.ctx == "load":
                self._name(node)
            case nodes.Getattr():
                self._member(node, node.attr)
            case nodes.Getitem() if isinstance(_constant(node.arg), str):
                self._member(node, _constant(node.arg))
            case nodes.Filter():
                self._listed(node, node.name, self._environment.filters, "filter")
            case nodes.Test():
                self._listed(node, node.name, self._environment.tests, "test")
            case nodes.Include() | nodes.Import() | nodes.FromImport() | nodes.Extends():
                name = _constant(node.template)
                if isinstance(name, str) and name not in self._files and not getattr(node, "ignore_missing", False):
                    self._say(
                        node, sentence("there is no file {name} in this design", name=repr(name)), name, self._files
                    )
        for child in node.iter_child_nodes():
            self.visit(child)

    def _scoped(self, node: nodes.Macro | nodes.CallBlock) -> None:
        before = dict(self._infer.names)
        if isinstance(node, nodes.CallBlock):
            self.visit(node.call)
        for default in node.defaults:
            self.visit(default)
        for each in node.args:
            self._infer.names[each.name] = UNKNOWN
        for inner in node.find_all(nodes.Node):
            if isinstance(inner, nodes.Assign | nodes.AssignBlock | nodes.For):
                for name, _ in _unpacked(inner.target, UNKNOWN):
                    self._infer.names[name.name] = UNKNOWN
        self.body(node.body)
        self._infer.names = before

    def _name(self, node: nodes.Name) -> None:
        if node.name not in self._infer.names and node.name not in _SPECIAL | self._environment.globals.keys():
            self._say(node, sentence("nothing is called {name}", name=repr(node.name)), node.name, self._infer.names)

    def _member(self, node: nodes.Getattr | nodes.Getitem, name: str) -> None:
        owner = self._infer.of(node.node)
        if owner.members is not None and name not in owner.members:
            if owner.name in ("words", "urls", "tokens", "subscriber"):
                text = sentence("{owner} has no {name}", owner=owner.name, name=repr(name))
            else:
                text = sentence("a {owner} has no {name}", owner=owner.name, name=repr(name))
                if owner.name[0] in "AEIOU":
                    text = sentence("an {owner} has no {name}", owner=owner.name, name=repr(name))
            self._say(node, text, name, owner.members)

    def _listed(self, node: nodes.Node, name: str, known: Mapping[str, Any], what: str) -> None:
        if name not in known:
            self._say(node, sentence("Jinja2 has no {what} {name} here", what=what, name=repr(name)), name, known)

    def _say(self, node: nodes.Node, text: str, name: str, known: Mapping[str, Any]) -> None:
        near = get_close_matches(name, list(known), n=1)
        hint = (
            sentence("Did you mean {near}?", near=near[0])
            if near
            else sentence("docs/reference/design-context.md lists what there is.")
        )
        line = self._lines[node.lineno - 1] if node.lineno <= len(self._lines) else ""
        place = re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", line)
        self.found.append(Problem(text, hint, node.lineno, place.start() + 1 if place else 1))
