"""A trace does what stock Jinja2 does, errors included; and where Jinja2 is held."""

from __future__ import annotations

import re

import jinja2.runtime
import pytest

from newsletter.core.trace import StockEnvironment
from newsletter.core.trace.environment import DEFERRED_FILTERS, HOOKS
from tests.tracing.asking import ALL, ANA, BOB, letters
from tests.tracing.judge import Jinja, judge

# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_failing_expression_fails_for_its_reader_alone_even_when_nothing_is_printed() -> None:
    jinja = Jinja({"t.mjml": "{% set z = 10 // subscriber.attributes.n %}fine"})
    assert jinja.filled(ANA) == "fine"
    with pytest.raises(ZeroDivisionError):
        jinja.filled(BOB)
    assert judge(jinja, ALL) == {"equal": 4, "both raise": 2}


@pytest.mark.parametrize(
    "source",
    [
        "{% set z = subscriber.attributes.plan|upper %}x",
        "{% set z %}{{ subscriber.attributes.plan }}{% endset %}x",
        "{% macro m(x) %}{{ x }}{% endmacro %}{% set z = m(subscriber.attributes.plan) %}x",
        "{{ subscriber.attributes.plan }}",
        "{% for c in subscriber.attributes.plan %}{{ c }}{% endfor %}",
    ],
)
def test_a_missing_attribute_raises_as_in_stock_jinja2(source: str) -> None:
    assert judge(Jinja({"t.mjml": source}), ALL) == {"equal": 2, "both raise": 4}


def test_a_trace_that_raises_stores_no_letter() -> None:
    jinja = Jinja({"t.mjml": "{% if subscriber.name %}{{ 1 // subscriber.attributes.n }}{% endif %}"})
    with pytest.raises(ZeroDivisionError):
        jinja.filled(BOB)
    assert len(jinja.tree) == 0


def test_one_shot_iterators_are_spent_as_in_stock_jinja2() -> None:
    assert letters("{% set m = subscriber.topics|map('upper') %}{{ m|join }}{{ m|join }}") == 3


@pytest.mark.parametrize("name", ["t.mjml", "t.txt"])
def test_a_filter_keeps_the_autoescape_of_its_place(name: str) -> None:
    joined = "{{ ['<b>', subscriber.name, html]|join(' & ') }}"
    source = f"{{% autoescape false %}}{joined}{{% endautoescape %}}{joined}"
    jinja = Jinja({name: source}, name)
    assert judge(jinja, ALL) == {"equal": 6}
    assert len(jinja.tree) == 1


def test_super_and_inheritance_carry_values_along() -> None:
    files = {
        "t.mjml": "{% extends 'base' %}{% block b %}[{{ super() }}|{{ super.super() }}]{% endblock %}",
        "base": "{% extends 'root' %}{% block b %}<{{ subscriber.name }}>{% endblock %}",
        "root": "{% block b %}root {{ subscriber.city }}{{ subscriber.attributes.city }}{% endblock %}",
    }
    files["root"] = files["root"].replace("{{ subscriber.city }}", "")
    jinja = Jinja(files)
    assert judge(jinja, ALL) == {"equal": 6}
    assert len(jinja.tree) == 1


def test_an_imported_macro_defers() -> None:
    files = {
        "t.mjml": "{% from 'm' import b with context %}{{ b(subscriber.name) }}",
        "m": "{% macro b(x) %}{{ x }}{{ subscriber.language }}{% endmacro %}",
    }
    jinja = Jinja(files)
    assert judge(jinja, ALL) == {"equal": 6}
    assert len(jinja.tree) == 1


def test_recursive_loops_and_changed_are_exact() -> None:
    source = (
        "{% for t in subscriber.topics %}"
        "{% if loop.changed(t) %}{{ t }}{% endif %}{{ loop.nextitem|default('-') }}{% endfor %}"
        "{% for x in [[1, [subscriber.name]]] recursive %}"
        "{{ x if x is not iterable or x is string else loop(x) }}{% endfor %}"
    )
    assert letters(source) >= 2


# --- where Jinja2 is held ---------------------------------------------------------------------------------------------


SAMPLE = """
{% extends 'b' %}{% import 'm' as m %}
{% block x scoped %}{{ super() }}
{% for a in b if a recursive %}{{ loop(a) }}{{ a ~ b }}{% set c %}{{ a }}{% endset %}
{% else %}{{ self.x() }}{% endfor %}
{% macro q(z=1) %}{{ z }}{% endmacro %}{% filter upper %}{{ a|e }}{% endfilter %}
{% autoescape q %}{{ a ~ b }}{% endautoescape %}{% call q() %}{% endcall %}
{% set ns.x = 1 %}{% include 'i' ignore missing %}{{ -a + b[1:2] }}{% endblock %}
"""


def test_compiled_templates_use_no_name_of_jinja2_that_we_do_not_know() -> None:
    """A new route in a new Jinja2 must be looked at, not used unseen."""
    assert sorted(jinja2.runtime.exported) == sorted(
        ["LoopContext", "TemplateReference", "Macro", "Markup", "TemplateRuntimeError", "missing", "escape",
         "markup_join", "str_join", "identity", "TemplateNotFound", "Namespace", "Undefined", "internalcode"]
    )  # fmt: skip
    assert len(HOOKS) == 7
    tracing = Jinja({"t.mjml": ""}).tracing
    code = tracing.compile(SAMPLE, name="t.mjml", raw=True) + tracing.compile(SAMPLE, name="t.txt", raw=True)
    assert set(re.findall(r"\benvironment\.(\w+)", code)) == {
        "call", "call_binop", "call_unop", "concat", "filters", "get_template", "getattr", "round", "undefined",
    }  # fmt: skip
    assert set(re.findall(r"\bcontext\.(\w+)", code)) == {
        "blocks", "eval_ctx", "exported_vars", "get_all", "resolve_or_missing", "super", "vars",
    }  # fmt: skip
    code = re.sub(r"from jinja2.runtime import.*", "", code)
    assert {name for name in HOOKS if re.search(rf"\b{name}\b", code)} == HOOKS.keys()
    called = set(re.findall(r"(?<![\w.'])([A-Za-z_]+)\(", code)) - {"block_x", "block", "root", "macro", "loop"}
    assert {name for name in called if not re.fullmatch(r"[lt]_\d.*", name)} == {
        *HOOKS, "LoopContext", "TemplateRuntimeError", "concat", "isinstance", "resolve", "undefined",
    }  # fmt: skip


def test_every_deferred_filter_exists_and_is_pure() -> None:
    stock = StockEnvironment({}, {})
    assert stock.filters.keys() >= DEFERRED_FILTERS
    asking = {"batch", "slice", "unique", "items", "map", "reverse", "select", "reject", "selectattr", "rejectattr"}
    assert stock.filters.keys() - DEFERRED_FILTERS == asking
