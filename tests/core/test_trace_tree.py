"""The tree of letters: which go first, and what it notices of its template."""

from __future__ import annotations

import pytest

from newsletter.core.errors import LetterMismatchError
from newsletter.core.trace import State
from newsletter.core.trace.tree import Tree, merged
from tests.tracing.asking import ALL, ANA, BOB, ZOE
from tests.tracing.judge import Jinja, judge


def test_the_least_recently_used_letter_goes_first() -> None:
    jinja = Jinja(
        {"t.mjml": "{% if subscriber.language == 'de' %}{% if subscriber.topics[1:] %}2{% endif %}{% endif %}x"}
    )
    jinja.tree = Tree(jinja.nodes, 2)
    for reader in (ANA, BOB, ANA, ZOE):
        jinja.filled(reader)
    assert (len(jinja.tree), jinja.tree.evicted) == (2, 1)
    assert jinja.tree.find(State(BOB)) is None
    assert jinja.tree.find(State(ANA)) is not None
    assert judge(jinja, ALL) == {"equal": 6}


def test_a_tree_of_one_letter_forgets_its_root() -> None:
    jinja = Jinja({"t.mjml": "{% if subscriber.name %}x{% endif %}"})
    jinja.tree = Tree(jinja.nodes, 1)
    assert judge(jinja, ALL) == {"equal": 6}
    assert len(jinja.tree) == 1


def test_a_template_that_asks_by_itself_is_noticed() -> None:
    coin = iter([False, True])
    jinja = Jinja(
        {"t.mjml": "{% if toss() %}{% if subscriber.name %}a{% endif %}{% elif subscriber.topics %}b{% endif %}"},
        context={"toss": lambda: next(coin)},
    )
    jinja.filled(ANA)
    with pytest.raises(LetterMismatchError, match="asked something else"):
        jinja.filled(BOB)


def test_a_template_that_stops_asking_is_noticed() -> None:
    jinja = Jinja({"t.mjml": "x"})
    jinja.filled(ANA)
    with pytest.raises(LetterMismatchError):
        jinja.tree.insert([], ([], []))


def test_splits_tell_what_was_asked_and_how_many_answers_came() -> None:
    jinja = Jinja(
        {"t.mjml": "\n{% if subscriber.language == 'de' %}x{% endif %}\n{% for t in subscriber.topics %}{% endfor %}"}
    )
    for reader in ALL:
        jinja.filled(reader)
    told = [(split.question.line, split.question.node.describe(), len(split.answers)) for split in merged([jinja.tree])]
    assert told == [(2, "subscriber.language == 'de'", 2), (3, "subscriber.topics", 3)]
