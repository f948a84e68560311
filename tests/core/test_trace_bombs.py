"""Templates that would fill the memory or never end, and those that only look so."""

from __future__ import annotations

import pytest
from jinja2.exceptions import SecurityError

from tests.tracing.asking import ANA, letters
from tests.tracing.judge import Jinja

BOMBS = [
    "{{ 'x' * 10000000 }}",
    "{{ 10000000 * [1] }}",
    "{{ 9 ** 9999999 }}",
    "{{ '%9999999d' % 1 }}",
    "{{ '%*d' % (9999999, 1) }}",
    "{{ '{:9999999}'.format(1) }}",
    "{{ '{:{}}'.format(1, 9999999) }}",
    "{{ 'x'.ljust(9999999) }}",
    "{{ 'x'|center(9999999) }}",
    "{{ 'x'|indent(9999999) }}",
    "{{ [1]|batch(9999999, 0)|list }}",
    "{% set x = 2 ** 9000 %}{% for i in range(12) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "{% for i in range(10 ** 6) %}{% endfor %}",
    # Doubled again and again.
    "{% set ns.x = 'x' * 1000 %}{% for i in range(20) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns.x = 'x' * 1000 %}{% for i in range(20) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns.x = [1] * 1000 %}{% for i in range(20) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    # One long text for each part of another.
    "{{ ('x' * 9999)|list|join('y' * 9999) }}",
    "{{ ('y' * 9999).join(('x' * 9999)|list) }}",
    "{{ ('x' * 9999)|replace('x', 'y' * 9999) }}",
    "{{ ('x' * 9999).replace('x', 'y' * 9999) }}",
    "{{ ('x ' * 9999)|wordwrap(1, true, 'y' * 99999) }}",
    "{{ ('x\\n' * 9999)|indent('y' * 99999) }}",
    "{{ ('%s' * 9999) % ('y' * 9999) }}",
    "{{ ('%s' * 9999)|format('y' * 9999) }}",
    "{{ ('{0}' * 9999).format('y' * 9999) }}",
    "{{ '%9999999d'|format(1) }}",
    # Loops in loops.
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% macro m() %}{% for b in range(9999) %}{% endfor %}{% endmacro %}{% for a in range(999) %}{{ m() }}{% endfor %}",
    "{% for a in 'x' * 9999 %}{% for b in 'x' * 9999 if loop.first %}{% endfor %}{% endfor %}",
    # Taken up and printed.
    "{% set t %}{% for a in range(99) %}{{ 'x' * 999999 }}{% endfor %}{% endset %}",
    "{% macro m() %}{{ 'x' * 999999 }}{% endmacro %}{% set t %}{% for a in range(99) %}{{ m() }}{% endfor %}"
    "{% endset %}",
    "{% set ns.x = 2 ** 9999 %}{% set ns.x = ns.x * ns.x %}{{ ns.x ** 9 }}",
]


@pytest.mark.parametrize("source", BOMBS)
def test_a_template_bomb_is_defused_in_both_ways(source: str) -> None:
    source = "{% set ns = namespace(x=2 ** 9000) %}" + source
    jinja = Jinja({"t.mjml": source})
    for run in (jinja.truth, jinja.trace):
        with pytest.raises((SecurityError, OverflowError)):
            run(ANA)


def test_loops_are_counted_for_each_rendering_anew() -> None:
    jinja = Jinja({"t.mjml": "{% for a in range(99999) %}{% endfor %}fine"})
    for _ in range(12):
        jinja.stock.begin()
        assert jinja.truth(ANA) == "fine"


def test_ordinary_joining_and_filling_is_left_alone() -> None:
    source = (
        "{{ [1, 2]|join(', ') }}{{ 'abc'|map('upper')|join('-') }}{{ ', '.join(['a', subscriber.name]) }}"
        "{{ 'a-b'|replace('-', subscriber.name) }}{{ '%s!' % subscriber.name }}{{ '{}?'.format(subscriber.name) }}"
        "{{ '{a}'.format_map({'a': 1}) }}{{ 'a' ~ (1 + 2) }}{{ [1] + [2] }}{{ 'a b'|wordwrap(1) }}{{ '%s'|format(1) }}"
    )
    assert letters(source) == 1


def test_ordinary_repetition_is_left_alone() -> None:
    assert letters("{{ '-' * 72 }}{{ 2 ** 10 }}{{ '%5d' % 3 }}{{ 'x'.center(20) }}{{ [1] * 3 }}{{ 3 * 4 }}") == 1
