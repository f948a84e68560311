"""Draws templates: expressions and statements of the whole language."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any
from warnings import catch_warnings, simplefilter

from newsletter.core.reader import Reader
from newsletter.core.trace import StockEnvironment
from tests.tracing.judge import Jinja, lookup
from tests.tracing.people import ISSUE, REVIEWS

FIELDS = [
    "subscriber.name",
    "subscriber.first_name",
    "subscriber.language",
    "subscriber.topics",
    "subscriber.attributes.city",
    "subscriber.attributes.city",
    "subscriber.attributes['count']",
    "subscriber.attributes.plan",
    "subscriber.plain_text",
    "subscriber.joined_on",
    "subscriber.unsubscribe_url",
    "subscriber.follows('movie')",
    "subscriber.follows(rv.topic)",
    "subscriber.missing",
    "subscriber['language']",
]
CONSTANTS = [
    "'Ana'", "''", "'a'", "1", "0", "3", "1.5", "true", "none", "'movie'", "title", "html", "n", "words", "'<u>'",
    "['movie', 'x']", "('en', 'de')", "{'en': 'E', 'de': 'D'}", "reviews", "rv.title", "rv.rating", "'%s'", "'{}'|safe",
    "'b'|safe", "hello", "'city'",
]  # fmt: skip
FILTERS = [
    "upper", "lower", "title", "capitalize", "trim", "center(9)", "indent(2)", "truncate(5, true, '…', 0)",
    "wordwrap(4)", "replace('a', 'b')", "replace('b', {0})", "default({0})", "d({0}, true)", "e", "forceescape", "safe",
    "string", "striptags", "urlencode", "urlize", "tojson", "format({0})", "int", "float", "round", "abs",
    "filesizeformat", "wordcount", "length", "count", "sum", "min", "max", "sort", "join({0})", "list", "first", "last",
    "attr('name')", "reverse", "unique|list", "map('upper')|join", "select('in', {0})|list", "batch(2)|list",
    "reject('eq', {0})|list", "selectattr('topic', 'in', {0})|map(attribute='title')|join(',')", "pprint",
    "xmlattr", "dictsort", "groupby('topic')|length", "items|list", "slice(2)|list", "center({0})", "shout",
]  # fmt: skip
TESTS = [
    "defined", "undefined", "none", "string", "number", "mapping", "sequence", "iterable", "boolean", "true", "odd",
    "eq({0})", "ne({0})", "gt({0})", "le({0})", "in({0})", "sameas(none)", "lower", "upper", "divisibleby(2)",
    "escaped", "callable", "integer",
]  # fmt: skip
METHODS = [
    "upper()", "lower()", "strip()", "split(' ')", "split(' ')[0]", "replace('a', {0})", "startswith('A')", "title()",
    "strftime('%d %b')", "get('city', {0})", "get({0})", "isoformat()", "year", "count('a')", "format({0})",
    "join({0})", "index('movie')", "items()|list", "keys()|join", "encode()|string", "find({0})",
]  # fmt: skip
OPERATORS = [" + ", " - ", " * ", " / ", " // ", " % ", " ** ", " ~ ", " ~ ", " ~ "]
COMPARISONS = [" == ", " != ", " < ", " >= ", " in ", " not in "]


_MACROS = (
    "{% import 'm' as m %}"
    "{% macro hi(x, y='-') %}<b>{{ x }}{{ y }}</b>{% endmacro %}"
    "{% macro box(x) %}[{{ x }}:{{ caller() }}]{% endmacro %}"
)
_PARTS = {
    "part": "<p>{{ subscriber.first_name }}</p>{{ v|default('') }}",
    "m": "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% macro plain(x) %}{% if x %}y{% endif %}{% endmacro %}",
}


@cache
def _probe() -> tuple[StockEnvironment, dict[str, Any]]:
    """An environment to try expressions in, and the names they may use."""
    stock = Jinja({"t.mjml": "", **_PARTS}).stock
    imported: Any = stock.get_template("m").module
    macros: Any = stock.from_string(_MACROS).module
    names = {**ISSUE, "lookup": lookup, "rv": REVIEWS[0], "v": "v", "hi": macros.hi, "m": imported}
    return stock, names


class Templates:
    """Draws expressions and statements of the language."""

    def __init__(self, rnd: Random, readers: list[Reader]) -> None:
        """Most expressions that fail for all of `readers` are drawn again: they tell little."""
        self.rnd = rnd
        self.variables = ["rv", "v"]
        self._stock, self._names = _probe()
        self._readers = readers[:2]

    def works(self, expression: str) -> bool:
        with catch_warnings():
            simplefilter("error")
            try:
                run = self._stock.compile_expression(expression, undefined_to_none=False)
            except Exception:
                return False
            for reader in self._readers:
                try:
                    str(run({**self._names, "subscriber": reader}))
                except Exception:
                    continue
                return True
        return False

    def sound(self, draw: Callable[[int], str], depth: int) -> str:
        for _ in range(4):
            expression = draw(depth)
            if self.works(expression) or self.rnd.random() < 0.02:
                return expression
        return self.rnd.choice(["subscriber.name", "subscriber.language", "subscriber.topics"])

    def field(self) -> str:
        return self.rnd.choice([*FIELDS, *self.variables])

    def expression(self, depth: int = 3) -> str:
        rnd, r = self.rnd, self.rnd.random()
        if depth <= 0 or r < 0.25:
            return self.field() if rnd.random() < 0.7 else rnd.choice(CONSTANTS)
        inner = depth - 1
        if r < 0.45:
            return f"({self.expression(inner)})|{rnd.choice(FILTERS).format(self.expression(inner))}"
        if r < 0.55:
            return f"({self.expression(inner)}).{rnd.choice(METHODS).format(self.expression(inner))}"
        if r < 0.65:
            return f"({self.expression(inner)}{rnd.choice(OPERATORS)}{self.expression(inner)})"
        if r < 0.72:
            return self.condition(inner)
        if r < 0.80:
            other = f" else {self.expression(inner)}" if rnd.random() < 0.8 else ""
            return f"({self.expression(inner)} if {self.condition(inner)}{other})"
        if r < 0.86:
            return f"({self.expression(inner)}{rnd.choice([' or ', ' and '])}{self.expression(inner)})"
        if r < 0.90:
            table = rnd.choice(["hello", "{'en': 'E', 'de': subscriber.name}", "words", "subscriber.topics"])
            return f"{table}[{self.expression(inner)}]"
        if r < 0.94:
            return f"({self.expression(inner)})[{rnd.choice(['0', '-1', ':2', '1:', '::2', ':n'])}]"
        if r < 0.97:
            return rnd.choice(["[{0}, {1}]", "({0}, {1})", "{{'k': {0}, 'j': {1}}}", "-({0})"]).format(
                self.expression(inner), self.expression(inner)
            )
        return rnd.choice(["hi({0})", "m.twice({0})", "m.plain({0})", "range({0}|length)|list", "lookup({0})"]).format(
            self.expression(inner)
        )

    def condition(self, depth: int = 2) -> str:
        rnd, r = self.rnd, self.rnd.random()
        if depth <= 0 or r < 0.3:
            return self.field()
        inner = depth - 1
        if r < 0.5:
            negation = rnd.choice(["is ", "is ", "is not "])
            return f"({self.expression(inner)} {negation}{rnd.choice(TESTS).format(self.expression(inner))})"
        if r < 0.8:
            return f"({self.expression(inner)}{rnd.choice(COMPARISONS)}{self.expression(inner)})"
        if r < 0.9:
            return f"(not {self.condition(inner)})"
        return f"({self.condition(inner)}{rnd.choice([' or ', ' and '])}{self.condition(inner)})"

    def block(self, depth: int) -> str:
        return "".join(self.statement(depth) for _ in range(self.rnd.choice([1, 1, 2, 3])))

    def statement(self, depth: int = 3) -> str:
        rnd, r = self.rnd, self.rnd.random()
        if depth <= 0 or r < 0.35:
            return rnd.choice(["{{ %s }}", "{{ %s }} ", " {{- %s }}", "a {{ %s }}\n"]) % self.sound(self.expression, 3)
        inner = depth - 1
        body = self.block(inner)
        if r < 0.50:
            other = "{% else %}" + self.block(inner) if rnd.random() < 0.5 else ""
            return f"{{% if {self.sound(self.condition, 2)} %}}{body}{other}{{% endif %}}"
        if r < 0.62:
            over = rnd.choice(
                [
                    "reviews",
                    "subscriber.topics",
                    "words",
                    self.sound(self.expression, 1),
                    "[subscriber.name, 'z']",
                    "range(3)",
                ]
            )
            when = f" if {self.sound(self.condition, 2)}" if rnd.random() < 0.4 else ""
            leave = f"{{% if {self.sound(self.condition, 2)} %}}{{% break %}}{{% endif %}}"
            extra = rnd.choice(
                [
                    "",
                    "",
                    "{{ loop.index }}",
                    "{{ loop.last }}",
                    "{% if loop.changed(rv) %}C{% endif %}",
                    "{{ loop.cycle('o', subscriber.language) }}",
                    "{% if loop.first %}{% continue %}{% endif %}",
                    leave,
                ]
            )
            other = "{% else %}none" if rnd.random() < 0.3 else ""
            return f"{{% for rv in {over}{when} %}}{extra}{body}{other}{{% endfor %}}"
        if r < 0.70:
            return f"{{% set v = {self.sound(self.expression, 3)} %}}{body}"
        if r < 0.76:
            return f"{{% set v %}}{body}{{% endset %}}{{{{ v }}}}{{{{ v|length }}}}"
        if r < 0.80:
            name = rnd.choice(["upper", "wordwrap(5)", "trim", "replace({0}, {0})"]).format(self.field())
            return f"{{% filter {name} %}}{body}{{% endfilter %}}"
        if r < 0.84:
            return f"{{% call box({self.field()}) %}}{body}{{% endcall %}}"
        if r < 0.88:
            on = rnd.choice(["true", "false", "subscriber.plain_text"])
            return f"{{% autoescape {on} %}}{body}{{% endautoescape %}}"
        if r < 0.92:
            return f"{{% with v = {self.sound(self.expression, 2)} %}}{body}{{% endwith %}}"
        if r < 0.95:
            return (
                "{% set ns = namespace(c=0) %}{% for rv in reviews %}{% if "
                + self.sound(self.condition, 2)
                + (" %}{% set ns.c = ns.c + 1 %}{% endif %}{% endfor %}{{ ns.c }}" + body)
            )
        return rnd.choice(["{% include 'part' %}", "{% include ['none', 'part'] %}", "{{ self.blk() }}"]) + body

    def files(self, name: str = "t.mjml") -> dict[str, str]:
        """A template with what it includes, imports and extends."""
        head = _MACROS + "{% set rv = reviews[0] %}{% set v = 'v' %}"
        block = "{% block blk %}({{ subscriber.language }}" + self.rnd.choice(["", "{{ super() }}"]) + "){% endblock %}"
        body = head + self.block(3)
        if self.rnd.random() < 0.2:
            top = "{% extends 'base' %}" + block + "{% block body %}" + body + "{% endblock %}"
        else:
            top = body + block.replace("{{ super() }}", "")
        return {
            name: top,
            **_PARTS,
            "base": "<h1>{% block blk %}base {{ subscriber.name }}{% endblock %}</h1>{% block body %}{% endblock %}",
        }
