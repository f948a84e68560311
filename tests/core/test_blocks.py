"""Blocks: questions of a letter's parts add up, and what is no block is traced with its letter."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from newsletter.core.errors import DesignError, LetterMismatchError, TraceError
from newsletter.core.letter import Compiler, Design
from newsletter.core.letter import compiler as compiler_module
from newsletter.core.letter.sections import Frame, Section
from newsletter.core.reader import Reader

ANA = Reader("ana@example.org", name="Ana", language="de", topics=("t0",), attributes={"plan": "gold"})
SECTION = "<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>"


@dataclass(frozen=True)
class Card:
    title: str
    topic: str
    width: str = "100%"


def cards(count: int) -> tuple[Card, ...]:
    return tuple(Card(f"Card {number}", f"t{number}", ["100%", "50%"][number % 2]) for number in range(count))


def section(text: str) -> str:
    return SECTION.format(text=text)


def design(body: str, text: str = "Hi", *, top: str = "", subject: str = "S", **parts: str) -> Design:
    page = f'{top}<mjml lang="en" dir="ltr"><mj-head></mj-head><mj-body>\n{body}\n</mj-body></mjml>'
    named = {name.replace("_", "."): source for name, source in parts.items()}
    return Design("test", {"letter.mjml": page, "letter.txt": text, "subject.txt": subject, **named})


CARDS = (
    "{% for card in cards %}{% if subscriber.follows(card.topic) %}"
    '<mj-section><mj-column width="{{ card.width }}"><mj-text>{{ card.title }}</mj-text></mj-column></mj-section>'
    "{% endif %}{% endfor %}"
)
LINES = "{% for card in cards if subscriber.follows(card.topic) %}* {{ card.title }}\n{% endfor %}"


def compiled(made: Design, count: int = 3, **options: Any) -> Compiler:
    context: Mapping[str, object] = {"cards": cards(count), "title": "T"}
    return Compiler(made, context, **{"self_check_every": 0, **options})


def agree(compiler: Compiler, *readers: Reader) -> None:
    for reader in (*readers, *reversed(readers)):
        assert compiler.render(reader) == compiler.full_render(reader)


def followers(topics: list[str]) -> list[Reader]:
    """One who follows each of these, and one who follows all."""
    return [*[replace(ANA, topics=(topic,)) for topic in topics], replace(ANA, topics=tuple(topics))]


# --- how many ---------------------------------------------------------------------------------------------------------


def crowd(topics: int, count: int) -> list[Reader]:
    rnd = Random(7)
    names = [f"t{number}" for number in range(topics)]
    return [
        Reader(
            f"r{number}@example.org",
            name=rnd.choice(["", "Ana", "Bob Stone"]),
            language=rnd.choice(["en", "de", "fr"]),
            topics=tuple(name for name in names if rnd.random() < 0.5) or ("none",),
            attributes={"plan": rnd.choice(["free", "plus", "gold"])},
        )
        for number in range(count)
    ]


MAGAZINE = design(
    section(
        "{% if subscriber.name %}Hello {{ subscriber.first_name }}{% else %}Hello{% endif %}"
        "{% if subscriber.attributes.plan == 'gold' %} Gold!"
        "{% elif subscriber.attributes.plan == 'plus' %} +{% endif %}"
    )
    + CARDS,
    "{% if subscriber.name %}Dear {{ subscriber.name }}{% endif %}\n" + LINES,
    subject="{% if subscriber.name %}{{ subscriber.first_name }}: {% endif %}{{ title }}",
)


def test_eight_topics_names_and_plans_compile_fewer_than_a_hundred_things() -> None:
    compiler = compiled(MAGAZINE, 8)
    readers = crowd(8, 10_000)
    for reader in readers:
        compiler.compose(reader, b"", b"")
    assert compiler.stats.letters < 100
    # Each self-check is of something new: nobody else is rendered in full.
    assert compiler.stats.full_renders == compiler.stats.self_checks < 100
    agree(compiler, *readers[::500])


def test_twenty_topics_spread_over_everybody_cost_what_they_are_not_what_they_multiply_to() -> None:
    compiler = compiled(MAGAZINE, 20)
    readers = crowd(20, 1_500)
    assert len({(reader.topics, bool(reader.name)) for reader in readers}) > 1_400
    for reader in readers:
        compiler.compose(reader, b"", b"")
    assert compiler.stats.letters < 100
    assert compiler.stats.full_renders < 100
    agree(compiler, *readers[::100])


def test_a_letter_that_comes_up_again_is_found_by_one_walk() -> None:
    compiler = compiled(MAGAZINE, 8, max_letters=10)
    readers = crowd(8, 40)
    for _ in range(3):
        agree(compiler, *readers)
    assert len(compiler._tree) == 10
    assert compiler.stats.evicted == 0


# --- what is a block, and what is not ---------------------------------------------------------------------------------

FILTERED = "{% for card in cards if subscriber.follows(card.topic) %}"
ONE = "{% if subscriber.follows('t1') %}" + section("c") + "{% endif %}"
FOUR = ["t0", "t1", "t2", "x"]


@pytest.mark.parametrize(
    ("body", "text", "most"),
    [
        (CARDS, "", 7),
        (CARDS, LINES, 13),
        (FILTERED + section("{{ card.title }}") + "{% endfor %}", "", 7),
        ("{% if subscriber.follows('t0') %}" + section("a") + "{% else %}" + section("b") + "{% endif %}" + ONE, "", 5),
        ("{% if cards %}" + CARDS + "{% endif %}", "", 7),
        ("{% for card in cards %}{% include 'card.mjml' %}{% endfor %}", "", 7),
        ("{% include 'all.mjml' %}", "", 7),
        ("{% with a = 1 %}" + CARDS + "{% endwith %}", "", 7),
        # Two macros that set a name of their own, one of them that of the other's parameter.
        (
            "{% macro hi(v) %}{% set w = v ~ '!' %}{{ w }}{% endmacro %}"
            "{% macro ho(x) %}{% set v = x ~ '?' %}{% set w = hi(v) %}{{ w }}{% endmacro %}"
            + CARDS.replace("{{ card.title }}", "{{ ho(card.title) }}"),
            "",
            7,
        ),
        # A loop that stops at the first is one block.
        (FILTERED + section("h") + "{% break %}{% endfor %}" + CARDS, "", 11),
    ],
)  # fmt: skip
def test_questions_of_blocks_add_up(body: str, text: str, most: int) -> None:
    parts = {
        "card_mjml": "{% if subscriber.follows(card.topic) %}" + section("{{ card.title }}") + "{% endif %}",
        "all_mjml": CARDS,
    }
    compiler = compiled(design(body, text, **parts))
    agree(compiler, *[replace(ANA, topics=topics) for topics in _subsets(FOUR)])
    assert compiler.stats.letters <= most
    assert compiler.stats.in_full == 0


def _subsets(names: list[str]) -> list[tuple[str, ...]]:
    return [tuple(name for at, name in enumerate(names) if bits >> at & 1) for bits in range(1, 2 ** len(names))]


@pytest.mark.parametrize(
    "body",
    [
        # The number of the reviews before.
        "{% for card in cards if subscriber.follows(card.topic) %}" + section("{{ loop.index }}") + "{% endfor %}",
        # Half a section each.
        "{% for card in cards %}{% if subscriber.follows(card.topic) %}<mj-section><mj-column>{% endif %}"
        "{% if subscriber.follows(card.topic) %}</mj-column></mj-section>{% endif %}{% endfor %}",
        # Words where only sections belong.
        "{% for card in cards %}{% if subscriber.follows(card.topic) %}"
        + section("a")
        + "words{% endif %}{% endfor %}",
        # Components that number themselves through the letter.
        "{% for card in cards %}{% if subscriber.follows(card.topic) %}<mj-section><mj-column><mj-carousel>"
        "<mj-carousel-image src='a' alt='' /></mj-carousel></mj-column></mj-section>{% endif %}{% endfor %}",
        # A counter.
        "{% set ns = namespace(n=0) %}{% for card in cards %}"
        "{% if subscriber.follows(card.topic) %}{% set ns.n = ns.n + 1 %}"
        + section("{{ ns.n }}")
        + "{% endif %}{% endfor %}",
        "{% set ns = namespace(n=0) %}{% for card in cards %}{% set ns.n = ns.n + 1 %}"
        "{% if subscriber.follows(card.topic) %}" + section("{{ ns.n }}") + "{% endif %}{% endfor %}",
        # Taken up and printed.
        "{% set page %}" + CARDS + "{% endset %}{{ page }}",
        "{% macro all() %}{% include 'all.mjml' %}{% endmacro %}{{ all() }}",
        # Inside a section.
        section(
            "{% for card in cards %}{% if subscriber.follows(card.topic) %}{{ card.title }}{% endif %}{% endfor %}"
        ),
        "<mj-wrapper>{% include 'all.mjml' %}</mj-wrapper>",
        # Set in a condition and read after it.
        "{% set v = 1 %}{% if subscriber.follows('t0') %}{% set v = 2 %}{% endif %}" + section("{{ v }}"),
        # A macro reads what the letter sets anew for each card, and another sets a name like it for itself.
        "{% macro own() %}{% set v = 1 %}{{ v }}{% endmacro %}{% macro m() %}{{ v }}{% endmacro %}"
        "{% for card in cards %}{% set v = card.title %}{% if subscriber.follows(card.topic) %}"
        + section("{{ own() }}")
        + "{% endif %}{% endfor %}",
        # A macro whose variable changes.
        "{% set v = 1 %}{% macro m() %}{{ v }}{% endmacro %}{% for card in cards %}{% set v = card.title %}"
        "{% if subscriber.follows(card.topic) %}" + section("{{ m() }}") + "{% endif %}{% endfor %}",
    ],
)
def test_what_is_no_block_is_traced_with_its_letter(body: str) -> None:
    compiler = compiled(design(body, all_mjml=CARDS))
    agree(compiler, *[replace(ANA, topics=topics) for topics in _subsets(FOUR)])


def test_a_block_knows_the_values_it_reads() -> None:
    body = (
        "{% set greet = subscriber.first_name or 'you' %}{% macro hi(x) %}{{ x }} {{ greet }}{% endmacro %}"
        "{% for card in cards %}{% set n = card.title|length %}"
        "{% if subscriber.follows(card.topic) %}" + section("{{ hi(card.title) }} {{ n }}") + "{% endif %}{% endfor %}"
    )
    compiler = compiled(design(body))
    agree(
        compiler, *followers(FOUR), replace(ANA, name=""), replace(ANA, name="", topics=("t1",)), replace(ANA, name="B")
    )


def test_another_head_makes_other_sections_of_a_block() -> None:
    made = design(CARDS)
    size = "{{ 20 if subscriber.plain_text else 10 }}px"
    head = f"<mj-head><mj-attributes><mj-text font-size='{size}' /></mj-attributes></mj-head>"
    page = made.files["letter.mjml"].replace("<mj-head></mj-head>", head)
    compiler = compiled(replace(made, files={**made.files, "letter.mjml": page}))
    agree(compiler, *followers(FOUR), *[replace(one, plain_text=True) for one in followers(FOUR)])


# --- care -------------------------------------------------------------------------------------------------------------


def test_each_new_leaf_is_compared_with_a_full_render_before_it_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = compiled(design(CARDS))
    compiler.render(replace(ANA, topics=("t0",)))
    compiler.render(replace(ANA, topics=("t1",)))
    proper = Frame.section

    def wrong(self: Frame, source: str) -> Section:
        made = proper(self, source)
        return replace(made, html=made.html.replace("Card 2", "Card 3"))

    monkeypatch.setattr(Frame, "section", wrong)
    compiler.render(replace(ANA, topics=("t0", "t1")))
    for _ in range(2):
        with pytest.raises(LetterMismatchError):
            compiler.render(replace(ANA, topics=("t0", "t1", "t2")))
    compiler.render(replace(ANA, topics=("t0", "t1")))


def test_a_new_order_of_heads_is_compared_too() -> None:
    compiler = compiled(design(CARDS))
    for topics in (("t0",), ("t1",)):
        compiler.render(replace(ANA, topics=topics))
    before = compiler.stats.self_checks
    compiler.render(replace(ANA, topics=("t0", "t1")))  # both widths: a head that nobody had
    assert compiler.stats.self_checks == before + 1
    compiler.render(replace(ANA, topics=("t0", "t1")))
    assert compiler.stats.self_checks == before + 1


def test_a_reader_for_whom_the_page_breaks_does_not_end_blocks_for_others() -> None:
    body = (
        "{% if subscriber.attributes.tag %}<mj-section><{{ subscriber.attributes.tag }} /></mj-section>{% endif %}"
        + CARDS
    )
    compiler = compiled(design(body))
    fine = [replace(one, attributes={"tag": ""}) for one in followers(FOUR)]
    agree(compiler, *fine)
    with pytest.raises(DesignError, match="no element"):
        compiler.render(replace(ANA, attributes={"tag": "mj-nosuch"}))
    before = compiler.stats.letters
    agree(compiler, *fine)
    assert compiler.stats.letters == before and not compiler._blocks.refused


def test_a_reader_for_whom_a_block_fails_fails_alone() -> None:
    body = "{% for card in cards %}{% if subscriber.follows(card.topic) %}{% set z = 10 // subscriber.attributes.n %}"
    compiler = compiled(design(body + section("{{ card.title }}") + "{% endif %}{% endfor %}"))
    fine, broken = replace(ANA, attributes={"n": 1}), replace(ANA, attributes={"n": 0})
    agree(compiler, fine)
    with pytest.raises(DesignError, match="ZeroDivisionError"):
        compiler.render(broken)
    agree(compiler, fine, replace(broken, topics=("x",)))


def test_a_unique_value_is_refused_inside_a_block_with_its_line() -> None:
    compiler = compiled(
        design("{% for card in cards %}\n{% if {subscriber.name: 1} %}" + section("a") + "{% endif %}{% endfor %}")
    )
    with pytest.raises(TraceError, match="can't decide this") as caught:
        compiler.render(ANA)
    assert (caught.value.file, caught.value.line) == ("letter.mjml", 3)


def test_leaves_of_a_block_are_bounded_and_so_are_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "{% for card in cards %}{% if subscriber.language == 'de' or subscriber.name == 'B' %}"
    body += (
        section("{{ subscriber.topics|length }}{% for t in subscriber.topics %}{{ t }}{% endfor %}")
        + "{% endif %}{% endfor %}"
    )
    compiler = compiled(design(body), max_letters=2)
    readers = [replace(ANA, topics=topics) for topics in (("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d"))]
    agree(compiler, *readers, *readers)
    assert compiler.stats.evicted > 0
    assert all(len(tree) <= 2 for tree in compiler._blocks.trees())
    monkeypatch.setattr(compiler_module, "MAX_BLOCKS", 1)
    agree(compiler, *readers)


def test_a_value_of_a_captured_text_is_asked_where_mjml_reads_it() -> None:
    made = design(
        "{% set page %}" + section("<p style='color:{{ subscriber.language }}'>x</p>y") + "{% endset %}{{ page }}"
    )
    compiler = compiled(made)
    agree(compiler, ANA, replace(ANA, language="en"))
    assert compiler.stats.letters == 2


def test_threads_share_blocks() -> None:
    compiler = compiled(MAGAZINE, 8, max_letters=6, self_check_every=50)
    readers = crowd(8, 60)
    truth = [compiler.full_render(reader) for reader in readers]
    failures: list[BaseException] = []

    def work(order: int) -> None:
        try:
            for at in range(len(readers))[::order]:
                assert compiler.render(readers[at]) == truth[at]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_the_same_part_in_another_design_is_cut_by_what_that_design_says_of_it() -> None:
    taken = design("{% set all %}{% include 'all.mjml' %}{% endset %}{{ all }}", **{"all_mjml": CARDS})
    plain = design("{% include 'all.mjml' %}", **{"all_mjml": CARDS})
    for made, parted in ((taken, False), (plain, True), (taken, False)):
        compiler = compiled(made)
        agree(compiler, *[replace(ANA, topics=topics) for topics in _subsets(FOUR)])
        assert (len(compiler._blocks) > 0) is parted
