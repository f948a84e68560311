"""What the tracing compiler defers, asks and refuses, row by row."""

from __future__ import annotations

import re
from datetime import date

import jinja2.runtime
import pytest
from jinja2.exceptions import SecurityError

from newsletter.core.errors import TraceError
from newsletter.core.trace import StockEnvironment
from tests.tracing.asking import ANA, asked, letters
from tests.tracing.judge import Jinja

DEFERS = [
    "{{ subscriber.name }}",
    "{{ subscriber['name'] }}",
    "{{ subscriber.attributes.city }}",
    "{{ subscriber.attributes.get('plan', 'none') }}",
    "{{ subscriber.name[:3] }}{{ subscriber.name.upper() }}{{ subscriber.name.split(' ')[0] }}",
    "{{ subscriber.follows('movie') }}",
    "{{ subscriber.attributes.n + 1 }}{{ -subscriber.attributes.n }}{{ 2 ** subscriber.attributes.n }}",
    "{{ 'Dear ' ~ subscriber.name ~ '!' }}{{ '%s,' % subscriber.name }}{{ '{}'.format(subscriber.name) }}",
    "{{ '<b>%s</b>'|safe % subscriber.name }}",
    "{{ subscriber.language == 'de' }}{{ subscriber.attributes.n < 2 }}{{ 1 >= subscriber.attributes.n }}",
    "{{ {'de': 'Hallo', 'en': 'Hello'}[subscriber.language] }}{{ hello[subscriber.language] }}",
    "{{ hello.get(subscriber.language, '?') }}",
    "{{ subscriber.name|upper|truncate(4) }}{{ subscriber.name|default('x', true) }}",
    "{{ 'a-b'|replace('-', subscriber.name) }}",
    "{{ subscriber.topics|join(', ') }}{{ [subscriber.name, 'x']|join('+') }}",
    "{{ subscriber.name is string }}{{ subscriber.attributes.city is defined }}",
    "{% set x = subscriber.name %}{{ x }}{% with y = x %}{{ y }}{% endwith %}",
    "{% set x %}<i>{{ subscriber.name }}</i>{% endset %}{{ x }}{{ x|length }}",
    "{% filter upper %}a {{ subscriber.name }}{% endfilter %}",
    "{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m(subscriber.name) }}{{ m(subscriber.name)|striptags }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ subscriber.name }}{% endcall %}",
    "{% set ns = namespace(x='') %}{% set ns.x = subscriber.name %}{{ ns.x }}",
    "{% for x in [subscriber.name, 'b'] %}{{ loop.index }}{{ x }}{% endfor %}",
    "{{ dict(a=subscriber.name).a }}{{ {'a': subscriber.name}['a'] }}",
    "{% set c = cycler(subscriber.name, 'x') %}{{ c.next() }}{{ c.next() }}",
    "{% set j = joiner(subscriber.name) %}{{ j() }}{{ j() }}",
    "{{ [subscriber.name] }}{{ (subscriber.name, 1) }}{{ {'a': subscriber.name} }}",
    "{{ subscriber.joined_on|default('never') }}",
    "{{ ['b', 'a']|first ~ subscriber.name }}{{ subscriber.name in 'Ana Núñez Bob' }}",
    "{{ [3, subscriber.attributes.n]|max }}{{ subscriber.name|wordwrap(3) }}{{ subscriber.name|tojson }}",
    "{% block b %}{{ subscriber.name }}{% endblock %}{{ self.b() }}",
]


@pytest.mark.parametrize("source", DEFERS)
def test_this_is_deferred_and_costs_no_letter(source: str) -> None:
    assert asked(source) == []
    assert letters(source) == 1


ASKS = [
    ("{% if subscriber.name %}x{% endif %}", ["truth of subscriber.name"], 2),
    ("{{ 'a' if subscriber.plain_text else 'b' }}", ["truth of subscriber.plain_text"], 1),
    ("{{ subscriber.name or 'reader' }}", ["truth of subscriber.name"], 2),
    ("{% if subscriber.follows('book') %}x{% endif %}", ["truth of subscriber.follows('book')"], 2),
    ("{% if 'book' in subscriber.topics %}x{% endif %}", ["truth of 'book' is in(subscriber.topics)"], 2),
    ("{% if 'book' not in subscriber.topics %}x{% endif %}", ["truth of 'book' is in(subscriber.topics)"], 2),
    ("{% if subscriber.language == 'de' %}x{% endif %}", ["truth of subscriber.language == 'de'"], 2),
    ("{% if subscriber.name|length > 5 %}x{% endif %}", ["truth of subscriber.name|length > 5"], 2),
    ("{{ 1 if subscriber.attributes.plan is defined }}", ["truth of subscriber.attributes.plan is defined"], 2),
    ("{% for t in subscriber.topics %}{{ t }}{% endfor %}", ["items of subscriber.topics"], 3),
    (
        "{% for t in subscriber.topics %}{{ loop.length }}{% endfor %}",
        ["items of subscriber.topics", "length of subscriber.topics"],
        3,
    ),
    ("{{ lookup([subscriber.language, {'a': subscriber.plain_text}]) }}",
     ["value of subscriber.language", "value of subscriber.plain_text"], 2),
    ("{% for i in range(subscriber.attributes.n) %}x{% endfor %}", ["value of subscriber.attributes.n"], 3),
    ("{{ subscriber.topics|reverse|join }}", ["value of subscriber.topics"], 3),
    ("{{ subscriber.topics|unique|join }}", ["value of subscriber.topics"], 3),
    ("{{ subscriber.topics|map('upper')|join }}", ["value of subscriber.topics"], 3),
    ("{% for k, v in subscriber.attributes.items() %}{{ v }}{% endfor %}", ["value of subscriber.attributes"], 3),
    ("{% autoescape subscriber.plain_text %}{{ title }}{% endautoescape %}", ["truth of subscriber.plain_text"], 1),
    ("{{ {subscriber.language: 'x'} }}", ["value of subscriber.language"], 2),
    ("{{ ['a', 'b'][:subscriber.attributes.n] }}", ["value of subscriber.attributes.n"], 3),
    ("{{ 1 < 2 in subscriber.topics }}", ["value of subscriber.topics"], 3),
]  # fmt: skip


@pytest.mark.parametrize(("source", "questions", "count"), ASKS)
def test_this_asks_and_splits_the_tree(source: str, questions: list[str], count: int) -> None:
    assert asked(source) == questions
    assert letters(source) == count


def test_a_loop_over_reviews_asks_for_each_once() -> None:
    source = (
        "{% for r in reviews if subscriber.follows(r.topic) %}{{ loop.index }}{{ r.title }}{{ loop.last }}{% endfor %}"
    )
    assert asked(source) == [f"truth of subscriber.follows('{topic}')" for topic in ("movie", "book", "concert")]
    assert letters(source) == 3


def test_selecting_reviews_by_a_readers_topics_asks_item_by_item() -> None:
    source = "{{ reviews|selectattr('topic', 'in', subscriber.topics)|map(attribute='title')|join(', ') }}"
    assert asked(source)[0] == "truth of 'movie' is in(subscriber.topics)"
    assert letters(source) == 3


REFUSALS = [
    (
        "\n{% for c in subscriber.first_name %}{% endfor %}",
        "t.mjml:2: subscriber.first_name can't decide this: every reader would need a letter of their own. "
        "Print it, or test whether it is there.",
    ),
    ("{{ {subscriber.name: 1} }}", "t.mjml:1: subscriber.name can't decide this"),
    ("{% include subscriber.name %}", "t.mjml:1: subscriber.name can't decide this"),
    ("{{ subscriber }}", "t.mjml:1: subscriber prints an object (Reader), not text. Print one of its fields"),
    ("{{ subscriber.follows }}", "t.mjml:1: subscriber.follows prints an object (method), not text."),
    ("\n\n{{ reviews|map('upper') }}", "t.mjml:3: this prints an object (generator), not text. Add |list or |join."),
    ("{{ subscriber.name is sameas(1) }}", "t.mjml:1: sameas compares objects, which a letter doesn't have. Use ==."),
    ("{% set ns = namespace() %}{{ [ns, subscriber.name] }}", "t.mjml:1: a Namespace can't be combined"),
    ("{% for x in [1] %}{{ loop ~ subscriber.name }}{% endfor %}", "t.mjml:1: a LoopContext can't be combined"),
    ("{{ lookup(dict(a=subscriber.language).values()) }}", "t.mjml:1: a dict_values can't hold a subscriber's value"),
    ("{{ [lookup, subscriber.name] }}", "t.mjml:1: a function can't be combined with a subscriber's value"),
    ("{{ [subscriber.language.upper] }}", "t.mjml:1: [subscriber.language.upper] prints an object (list), not text."),
    ("{{ {subscriber.follows: 1} }}", "t.mjml:1: subscriber.follows can't decide this: it is a method."),
    ("{{ dict(a=subscriber.name).values()|join }}", "t.mjml:1: a dict_values can't hold a subscriber's value here."),
    ("{{ subscriber.attributes.n is eq(joiner()) }}", "t.mjml:1: a Joiner can't be combined"),
]


@pytest.mark.parametrize(("source", "message"), REFUSALS)
def test_this_is_refused_with_file_line_field_and_way_out(source: str, message: str) -> None:
    jinja = Jinja({"t.mjml": source})
    with pytest.raises(TraceError, match=re.escape(message)):
        jinja.trace(ANA)


def test_private_attributes_are_out_of_reach() -> None:
    with pytest.raises(SecurityError):
        Jinja({"t.mjml": "{{ subscriber.topics.__iter__ }}"}).trace(ANA)


def test_a_refusal_names_the_part_that_it_stands_in() -> None:
    files = {"t.mjml": "\n{% include 'foot.mjml' %}", "foot.mjml": "\n\n{% for c in subscriber.name %}{% endfor %}"}
    with pytest.raises(TraceError) as caught:
        Jinja(files).trace(ANA)
    assert (caught.value.file, caught.value.line, caught.value.field) == ("foot.mjml", 3, "subscriber.name")


def test_chance_and_clock_are_not_there() -> None:
    stock = StockEnvironment({}, {})
    for source in ("{{ [1, 2]|random }}", "{{ lipsum() }}"):
        with pytest.raises(jinja2.TemplateError):
            stock.from_string(source).render()
    for source in ("{{ day.today() }}", "{{ day.fromtimestamp(1) }}"):
        with pytest.raises(SecurityError):
            stock.from_string(source).render(day=date(2026, 1, 1))
