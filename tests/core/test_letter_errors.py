"""A design that can't be made into a letter says where; a reader who fails, fails alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.core.errors import DesignError, TraceError
from newsletter.core.letter import Design
from tests.tracing.compiling import ANA, BOB, GREETING, compiled, design, headers, text_of


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            Design("none", {"letter.mjml": "<mjml/>", "letter.txt": ""}),
            "there is no template 'subject.txt' in this design",
        ),
        (design(text_of("\n{% if %}")), "letter.mjml:2: "),
        (design(text="\n\n{{ x|nosuch }}"), "letter.txt:3: No filter named 'nosuch'"),
    ],
)
def test_a_design_that_can_not_be_parsed_is_refused_at_once(made: Design, message: str) -> None:
    with pytest.raises(DesignError, match=message.replace("(", r"\(")):
        compiled(made)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (design(text_of("\n{{ missing }}")), "letter.mjml:2: this can't be rendered: 'missing' is undefined."),
        (design(text="\n{{ 1 // 0 }}"), "letter.txt:2: this can't be rendered: ZeroDivisionError"),
        (design(text_of("{% include 'foot' %}")), "letter.mjml:1: there is no template 'foot'"),
        (
            design("{% include 'foot.mjml' %}", **{"foot.mjml": "\n\n{{ missing }}"}),
            "foot.mjml:3: this can't be rendered",
        ),
        (design("<mj-nosuch></mj-nosuch>"), "letter.mjml:1:.*has no element"),
        (design(text_of("{{ subscriber.first_nmae }}")), "letter.mjml:1: .*no attribute 'first_nmae'"),
    ],
)
def test_a_design_that_can_not_be_rendered_says_where(made: Design, message: str) -> None:
    compiler = compiled(made)
    for render in (compiler.render, compiler.full_render):
        with pytest.raises(DesignError, match=message):
            render(ANA)
    with pytest.raises(DesignError):
        compiler.message(ANA, headers(ANA))


def test_a_reader_for_whom_the_design_fails_fails_alone() -> None:
    compiler = compiled(design(text_of("x {{ 10 // subscriber.attributes.n }}")))
    fine, broken = replace(ANA, attributes={"n": 3}), replace(ANA, attributes={"n": 0})
    assert "x 3" in compiler.render(fine).html
    with pytest.raises(DesignError, match=r"letter\.mjml:1: this can't be rendered: ZeroDivisionError"):
        compiler.message(broken, headers(broken))
    assert "x 3" in compiler.render(fine).html


def test_a_reader_who_fails_at_a_question_fails_alone() -> None:
    compiler = compiled(design(text_of("{% if subscriber.attributes.n > 1 %}many{% endif %}")))
    fine, broken = replace(ANA, attributes={"n": 3}), replace(ANA, attributes={})
    for _ in range(2):
        assert "many" in compiler.render(fine).html
        with pytest.raises(DesignError, match="has no attribute 'n'"):
            compiler.message(broken, headers(broken))


def test_what_only_the_trace_can_not_do_is_a_refusal_with_its_place() -> None:
    made = design(text_of("{% import 'm' as mod with context %}\n{{ mod }}"), m="{{ subscriber.name }}")
    with pytest.raises(TraceError, match=r"letter\.mjml:2: this can't be compiled with a subscriber's value"):
        compiled(made).message(ANA, headers(ANA))


def test_further_filters_are_pure_and_deferred() -> None:
    made = design(text_of("x {{ subscriber.name|shout }}"))
    compiler = compiled(made, filters={"shout": lambda text: f"{text}!"})
    assert compiler.render(ANA) == compiler.full_render(ANA)
    assert "x Bob!" in compiler.render(BOB).html
    assert compiler.stats.letters == 1


def test_tokens_are_there_as_design_unless_the_issue_says_otherwise() -> None:
    made = replace(design(text_of("{{ design.ink }}")), tokens={"ink": "#111111"})
    assert "#111111" in compiled(made).render(ANA).html
    assert "#222222" in compiled(made, {"design": {"ink": "#222222"}}).render(ANA).html


def test_splits_name_the_lines_that_cost_letters() -> None:
    compiler = compiled(GREETING)
    for reader in (ANA, BOB):
        compiler.render(reader)
    told = {split.question.node.describe(): len(split.answers) for split in compiler.splits()}
    assert told == {"subscriber.first_name": 1, "subscriber.follows('book')": 2, "subscriber.unsubscribe_url": 2}
