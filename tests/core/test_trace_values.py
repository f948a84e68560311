"""What a deferred value is, and what an answer or a constant is told apart by."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from markupsafe import Markup

from newsletter.core.errors import TraceError
from newsletter.core.trace import Nodes, Tracer
from newsletter.core.trace.deferred import place
from newsletter.core.trace.nodes import NotPlainError, freeze
from tests.tracing.asking import ANA, asked, letters
from tests.tracing.judge import Jinja


def deferred_name() -> Any:
    tracer = Tracer(Nodes(), ANA)
    jinja = Jinja({"t.mjml": ""})
    return jinja.tracing.getattr(tracer.root, "name")


@pytest.mark.parametrize(
    "use",
    [str, repr, "{:>4}".format, Markup, bytes, int, float, open, copy.copy, copy.deepcopy, pickle.dumps, "-".join],
)
def test_a_deferred_value_never_gives_text(use: Any) -> None:
    with pytest.raises((TraceError, TypeError)):
        use(deferred_name())


def test_a_deferred_value_in_foreign_code_fails_loudly() -> None:
    with pytest.raises(TraceError, match=r"subscriber\.name is used where its text is needed at once"):
        f"{deferred_name()}"
    with pytest.raises(TraceError):
        str([deferred_name()])
    with pytest.raises(TraceError):
        "Ana" in deferred_name()  # noqa: B015


def test_a_python_function_of_the_issue_gets_real_values() -> None:
    assert asked("{{ lookup(subscriber.language) }}") == ["value of subscriber.language"]
    assert letters("{{ lookup(subscriber.language) }}{{ lookup(value=subscriber.attributes.city) }}") == 2


def test_equal_expressions_are_one_node_and_are_asked_once() -> None:
    source = "{% if subscriber.name %}a{% endif %}{% if subscriber.name %}b{% endif %}{{ subscriber['name'] }}"
    tracer, items = Jinja({"t.mjml": "{{ subscriber.name|upper }}{{ subscriber.name|upper }}"}).trace(ANA)
    assert items[0] is items[1]
    assert len(asked(source)) == 1
    assert not tracer.path


def test_answers_differ_by_type() -> None:
    values: list[Any] = [1, True, 1.0, 0.0, -0.0, "1", Markup("1"), None, (1,), [1], {"a": 1}, date(2024, 1, 1)]
    assert len({freeze(value) for value in values}) == len(values)
    with pytest.raises(NotPlainError):
        freeze(object())


def test_frozen_objects_are_constants_by_identity_and_others_are_refused() -> None:
    @dataclass(frozen=True)
    class Frozen:
        title: str

    @dataclass
    class Loose:
        title: str

    nodes, one = Nodes(), Frozen("x")
    assert nodes.constant(one) is nodes.constant(one)
    assert nodes.constant(one) is not nodes.constant(Frozen("x"))
    with pytest.raises(NotPlainError):
        nodes.constant(Loose("x"))


def test_there_is_no_place_outside_a_template() -> None:
    assert place() == ("", None)
