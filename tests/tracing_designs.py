"""Made-up templates, subscribers and issues for the property of the tracing compiler, and its judge.

Everything is drawn from a `random.Random`, which Hypothesis can hand out (and shrink) as well as a plain seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from random import Random
from typing import Any
from warnings import catch_warnings, simplefilter

from markupsafe import Markup

from newsletter.core.errors import DesignError, TraceError
from newsletter.core.letter import Compiler, Design, Rendered
from newsletter.core.mjml_schema import ELEMENTS
from newsletter.core.reader import Reader
from newsletter.core.trace import Node, Nodes, State, StockEnvironment, Tracer, TracingEnvironment
from newsletter.core.trace.output import Slot, flat
from newsletter.core.trace.tree import Tree

NAMES = [
    "Ana",
    "",
    "Bob Stone",
    "Ünal, the Boss",
    "<b>&\"'",
    "{{ 7*7 }}",
    "{% raw %}",
    "zq00000000x00000z",
    "😀👩‍💻 Zoë",
    "مرحبا بك",
    "e\u0301 ne\u0308",
    "a\u00a0b",
    "x" * 300,
    "&amp;&#34;",
    "%s {0} \\n %(a)s",
    "-->",
    "]]>",
    "12",
    "upper",
    "title",
    "left",
    "x",
    "100%",
    ". dot",
    "From me",
    "=?utf-8?q?a?=",
    "[1] a=b",
    "full-width",
]
CITIES = ["", "  ", "Paris", "New\nYork", "line\r\nend", "<i>", "0", "A\\B", "\ttab", "\u2028", "é >", "&lt;"]
TOPICS = ["movie", "book", "concert", "play"]
LANGUAGES = ["en", "de", "fr", "ar", ""]


@dataclass(frozen=True)
class Review:
    title: str
    topic: str
    rating: int | None = None
    tags: tuple[str, ...] = ()


_REVIEWS = (
    Review("Dune & Co <3", "movie", 4, ("a", "b")),
    Review("{{ subscriber.name }}", "book", None),
    Review("Ångström", "concert", 2, ("b",)),
)
ISSUE: dict[str, object] = {
    "reviews": _REVIEWS,
    "title": "Weekly “Ünï” <b>",
    "html": Markup("<i>%s &amp; x</i>"),
    "hello": {"en": "Hello", "de": "Hallo", "fr": "Allô", "ar": "مرحبا", "": "Hi"},
    "n": 3,
    "words": ["a", "b", "Ana"],
}


def reader(rnd: Random) -> Reader:
    """A subscriber; many fields are drawn from few values, so that letters are shared."""
    attributes: dict[str, Any] = {"city": rnd.choice(CITIES), "count": rnd.choice([0, 1, 2, True, 1.0, -0.0, 7, "3"])}
    if rnd.random() < 0.5:
        attributes["plan"] = rnd.choice(["free", "gold", None])
    return Reader(
        address=rnd.choice(["a@example.org", "b+c@example.org"]),
        name=rnd.choice(NAMES),
        language=rnd.choice(LANGUAGES),
        topics=tuple(sorted(rnd.sample(TOPICS, rnd.choice([0, 1, 1, 2, 4])))),
        attributes=attributes,
        plain_text=rnd.random() < 0.3,
        joined_on=rnd.choice([None, date(2020, 2, 29), date(2026, 11, 3)]),
        unsubscribe_url=rnd.choice(["", "https://news.example.test/u/abc?x=1&y=2"]),
    )


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
    "eq({0})", "ne({0})", "gt({0})", "le({0})", "in({0})", "sameas(none)", "lower", "upper", "divisibleby(2)", "escaped",
    "callable", "integer",
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
    names = {**ISSUE, "lookup": lookup, "rv": _REVIEWS[0], "v": "v", "hi": macros.hi, "m": imported}
    return stock, names


class Templates:
    """Draws expressions and statements of the language."""

    def __init__(self, rnd: Random, readers: list[Reader]) -> None:
        """Most expressions that fail for all of `readers` are drawn again: a template that always fails tells little."""
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
            extra = rnd.choice(
                ["", "", "{{ loop.index }}", "{{ loop.last }}", "{% if loop.changed(rv) %}C{% endif %}",
                 "{{ loop.cycle('o', subscriber.language) }}", f"{{% if {self.sound(self.condition, 2)} %}}{{% break %}}{{% endif %}}",
                 "{% if loop.first %}{% continue %}{% endif %}"]
            )  # fmt: skip
            other = "{% else %}none" if rnd.random() < 0.3 else ""
            return f"{{% for rv in {over}{when} %}}{extra}{body}{other}{{% endfor %}}"
        if r < 0.70:
            return f"{{% set v = {self.sound(self.expression, 3)} %}}{body}"
        if r < 0.76:
            return f"{{% set v %}}{body}{{% endset %}}{{{{ v }}}}{{{{ v|length }}}}"
        if r < 0.80:
            return f"{{% filter {rnd.choice(['upper', 'wordwrap(5)', 'trim', 'replace({0}, {0})'])} %}}{body}{{% endfilter %}}".replace(
                "{0}", self.field()
            )
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


# --- layers two and three: MJML documents and whole messages ----------------------------------------------------------

MJML_VALUES = [
    "subscriber.name",
    "subscriber.name",
    "subscriber.first_name",
    "subscriber.attributes.city",
    "subscriber.attributes['count']",
    "subscriber.attributes.word",
    "subscriber.attributes.word",
    "subscriber.unsubscribe_url",
    "subscriber.language",
    "subscriber.topics|join(' ')",
    "hello[subscriber.language]",
    "'<b>%s</b>'|safe % subscriber.name",
    "subscriber.attributes.city|safe",
    "subscriber.name|upper",
    "subscriber.name|urlencode",
    "subscriber.joined_on",
    "subscriber.name|truncate(3)",
    "title ~ subscriber.name",
]
COMMON_VALUES = [
    "subscriber.attributes.word",
    "subscriber.attributes.word",
    "subscriber.language",
    "subscriber.plain_text",
]
"""Values that may be asked for."""
WORDS_OF_MJML = [
    "x",
    "left",
    "100%",
    "1px solid red",
    "full-width",
    "",
    " ",
    "facebook",
    "#ff0000",
    "300px",
    "none",
    "a b",
]
STATIC = ["left", "100px", "#333333", "10px", "https://x.test/a b", "Ärger & so", "single'quote"]


class Documents:
    """Draws MJML documents with a subscriber's values in every kind of place."""

    def __init__(self, rnd: Random) -> None:
        self.rnd = rnd

    def value(self) -> str:
        return "{{ " + self.rnd.choice(MJML_VALUES) + " }}"

    def words(self) -> str:
        rnd = self.rnd
        lead, tail = rnd.choice(["", "", "Hi ", "é", "€ ", "\n"]), rnd.choice(["", "", "!", " é", "\n"])
        return lead + self.value() + tail

    def attribute(self, name: str, rate: float = 0.5) -> str:
        plain = name in ("href", "src", "alt", "title", "srcset", "class", "content") or self.rnd.random() < 0.05
        value = self.words() if plain else "{{ " + self.rnd.choice(COMMON_VALUES) + " }}"
        text = value if self.rnd.random() < rate else self.rnd.choice(STATIC)
        quote = self.rnd.choice('"""\'') if "'" not in text else '"'
        return f" {name}={quote}{text}{quote}"

    def element(self, name: str, *, rate: float = 0.25, always: str = "") -> str:
        names = sorted(ELEMENTS[name].attributes | {"css-class"})
        # An mj-class that isn't defined, and a hero's size, are refused in both ways: they tell nothing here.
        drawn = [a for a in self.rnd.sample(names, min(len(names), self.rnd.choice([0, 1, 2, 3]))) if a not in always]
        return f"<{name}{always}" + "".join(self.attribute(a, rate) for a in drawn if a != "mj-class")

    def html(self, depth: int = 2) -> str:
        rnd, r = self.rnd, self.rnd.random()
        if depth <= 0 or r < 0.4:
            return rnd.choice([self.words(), self.words(), "plain é text", "a &amp; b", "é &gt; x"])
        inner = self.html(depth - 1)
        if r < 0.55:
            return f"<a{self.attribute('href')}{self.attribute('title')}>{inner}</a>"
        if r < 0.65:
            return f"<p{rnd.choice(['', self.attribute('class'), self.attribute('style', 0.15)])}>{inner}</p>{inner}"
        if r < 0.72:
            return f"<img{self.attribute('src')}{self.attribute('alt')} />"
        if r < 0.77:
            return f"<!-- {'{{ subscriber.language }}' if rnd.random() < 0.2 else 'note'} -->{inner}"
        if r < 0.80:
            return f"<br {'{{ subscriber.language }}' if rnd.random() < 0.1 else ''}/>{inner}"
        if r < 0.90:
            return f"{{% if subscriber.follows('movie') %}}{inner}{{% else %}}{self.html(depth - 1)}{{% endif %}}"
        return f"{inner}<b>{self.html(depth - 1)}</b>"

    def component(self) -> str:
        rnd = self.rnd
        kind = rnd.choice(
            ["text", "text", "text", "button", "button", "image", "image", "divider", "spacer", "table", "raw", "social",
             "navbar", "accordion", "if", "carousel"]
        )  # fmt: skip
        if kind in ("text", "button", "table"):
            inner = self.html() if kind != "table" else f"<tr><td{self.attribute('class')}>{self.html()}</td></tr>"
            return f"{self.element(f'mj-{kind}')}>{inner}</mj-{kind}>"
        if kind == "image":
            return self.element("mj-image", rate=0.4, always=self.attribute("src") + self.attribute("alt")) + " />"
        if kind in ("divider", "spacer"):
            return f"{self.element(f'mj-{kind}', rate=0.15)} />"
        if kind == "raw":
            return f"<mj-raw>{self.html()}</mj-raw>"
        if kind == "social":
            inner = rnd.choice([self.words(), "Follow", ""])
            name = rnd.choice([' name="facebook"', self.attribute("name", 0.3), ""])
            return f"{self.element('mj-social')}>{self.element('mj-social-element', always=name)}>{inner}</mj-social-element></mj-social>"
        if kind == "navbar":
            link = f"{self.element('mj-navbar-link', rate=0.5)}>{rnd.choice([self.words(), 'Link'])}</mj-navbar-link>"
            return f"{self.element('mj-navbar', rate=0.1)}>{link}</mj-navbar>"
        if kind == "accordion":
            title = f"{self.element('mj-accordion-title')}>{self.words()}</mj-accordion-title>"
            text = f"{self.element('mj-accordion-text')}>{self.html()}</mj-accordion-text>"
            return f"<mj-accordion><mj-accordion-element>{title}{text}</mj-accordion-element></mj-accordion>"
        if kind == "carousel":
            image = self.element("mj-carousel-image", always=self.attribute("src", 0.2))
            return f"<mj-carousel>{image} /><mj-carousel-image src='b.png' /></mj-carousel>"
        return f"{{% if subscriber.follows('{rnd.choice(TOPICS)}') %}}{self.component()}{{% endif %}}"

    def section(self) -> str:
        columns = "".join(
            f"{self.element('mj-column', rate=0.1)}>{''.join(self.component() for _ in range(self.rnd.choice([0, 1, 1, 2])))}"
            "</mj-column>"
            for _ in range(self.rnd.choice([1, 1, 2]))
        )
        section = f"{self.element('mj-section', rate=0.1)}>{columns}</mj-section>"
        loop = "{% for t in subscriber.topics %}" + section + "{% endfor %}"
        return self.rnd.choice([section, section, section, loop, f"{section}\n{self.value()}"])

    def mjml(self) -> str:
        rnd = self.rnd
        head = "".join(
            part
            for part in (
                f"<mj-title>{rnd.choice([self.words(), self.value(), 'T: ' + self.value(), 'T'])}</mj-title>",
                f"<mj-preview>{rnd.choice([self.words(), self.value(), 'P ' + self.value(), 'P'])}</mj-preview>",
                f"<mj-style>.a {{ color: {rnd.choice(['red', '{{ subscriber.attributes.word }}'])} }}</mj-style>",
                f"<mj-attributes><mj-text{self.attribute('color', 0.3)} /></mj-attributes>",
                f"<mj-raw><meta{self.attribute('content')} /></mj-raw>",
            )
            if rnd.random() < 0.3
        )
        body = "".join(self.section() for _ in range(rnd.choice([1, 1, 2])))
        return f'<mjml lang="en" dir="ltr"><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>'

    def design(self) -> Design:
        rnd = self.rnd
        return Design(
            "made-up",
            {
                "subject.txt": rnd.choice(["{{ title }}", self.words() + " {{ title }}", self.value()]),
                "letter.txt": rnd.choice(["", "Hi "]) + self.words() + "\n.\nFrom here {{ title }}\n" + self.value(),
                "letter.mjml": self.mjml(),
            },
        )


def mjml_reader(rnd: Random) -> Reader:
    """A subscriber for documents: values that MJML could take for its own."""
    plain = reader(rnd)
    return replace(plain, attributes={**plain.attributes, "word": rnd.choice(WORDS_OF_MJML)})


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
