"""Bytes per block: they come to the whole letter, and each is the work of one file."""

from __future__ import annotations

import pytest

from newsletter.core.errors import DesignError
from newsletter.core.letter import Compiler, Design, Weight
from newsletter.core.reader import Reader

ANA = Reader("ana@example.org", name="Ana", topics=("t0",))
SECTION = "<mj-section><mj-column><mj-text>{{ card }}</mj-text></mj-column></mj-section>"


def compiled(body: str, **parts: str) -> Compiler:
    page = f'<mjml lang="en" dir="ltr"><mj-head></mj-head><mj-body>\n{body}\n</mj-body></mjml>'
    named = {name.replace("_", ".").replace(".", "/", name.count("__")): text for name, text in parts.items()}
    files = {"letter.mjml": page, "letter.txt": "Hi", "subject.txt": "S", **named}
    return Compiler(Design("test", files), {"cards": ("one", "two" * 200)}, self_check_every=0)


def test_the_blocks_come_to_the_whole_letter_the_heaviest_first() -> None:
    compiler = compiled(
        "{% for card in cards %}{% include 'card.mjml' %}{% endfor %}{% include 'footer.mjml' %}",
        card_mjml=SECTION,
        footer_mjml="<mj-section><mj-column><mj-text>{{ subscriber.name }}</mj-text></mj-column></mj-section>",
    )
    found = compiler.weights(ANA)
    assert [(weight.block, weight.count) for weight in found] == [
        ("card", 2), ("head and styles", 1), ("footer", 1),
    ]  # fmt: skip
    assert sum(weight.bytes for weight in found) == len(compiler.full_render(ANA).html.encode()) - 1


def test_a_section_that_one_file_opens_and_another_fills_is_the_fillers() -> None:
    compiler = compiled(
        "<mj-section>{% include 'note.mjml' %}</mj-section>",
        note_mjml="<mj-column><mj-text>A note</mj-text></mj-column>",
    )
    assert {weight.block for weight in compiler.weights(ANA)} == {"note", "head and styles"}


def test_what_the_letter_itself_holds_is_called_so() -> None:
    compiler = compiled(SECTION.replace("{{ card }}", "x"))
    assert {weight.block for weight in compiler.weights(ANA)} == {"letter", "head and styles"}


def test_a_letter_that_cannot_be_taken_apart_is_one_block() -> None:
    image = "<mj-carousel-image src='a' alt='' />"
    carousel = f"<mj-section><mj-column><mj-carousel>{image}</mj-carousel></mj-column></mj-section>"
    compiler = compiled(carousel * 2)
    assert compiler.weights(ANA) == [Weight("letter", 1, len(compiler.full_render(ANA).html.encode()) - 1)]


def test_a_letter_that_mjml_refuses_is_refused() -> None:
    with pytest.raises(DesignError, match="mj-foo"):
        compiled("<mj-foo></mj-foo>").weights(ANA)


def test_a_weight_reads_as_a_person_says_it() -> None:
    assert str(Weight("card", 29, 61_440)) == "card × 29 60.0 KB"
    assert str(Weight("note", 1, 512)) == "note 0.5 KB"
