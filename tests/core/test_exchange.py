from __future__ import annotations

import pytest

from newsletter.core.context import Exchange
from newsletter.core.exchange import first_exchange

INTRO = "<p>We met under the hole in the roof.</p>"


def read(html: str, text: str = "") -> Exchange | None:
    return first_exchange(html, text, "en")


def test_a_bold_question_stands_before_its_answer() -> None:
    found = read(
        f"{INTRO}<p><strong>Why a bucket?</strong> Because it drips.</p><p><strong>And a hat?</strong> Also.</p>"
    )
    assert found == Exchange("Why a bucket?", "Because it drips.")


def test_a_bold_question_stands_over_an_answer_of_several_paragraphs() -> None:
    found = read(
        "<p><strong>Why a <em>tin</em> bucket?</strong></p><p>Because it drips.</p><p>On B flat.</p>"
        "<p><strong>And a hat, then?</strong></p><p>Also.</p>"
    )
    assert found == Exchange("Why a tin bucket?", "Because it drips. On B flat.")


@pytest.mark.parametrize(
    "html",
    [
        "<p><strong>LANTERN:</strong> Why a bucket?</p><p><strong>Varga:</strong> Because it drips.</p>"
        "<p><strong>LANTERN:</strong> And a hat?</p>",
        "<p>Q: Why a bucket?</p><p>A: Because it drips.</p><p>Q: And a hat?</p><p>A: Also.</p>",
    ],
)
def test_two_speak_by_turns(html: str) -> None:
    lines = html.replace("</p>", "\n").replace("<p>", "").replace("<strong>", "").replace("</strong>", "")
    assert read(html, lines) == Exchange("Why a bucket?", "Because it drips.")


def test_a_long_answer_ends_with_a_sentence() -> None:
    answer = "It drips on B flat when the wind is from the west. " * 20
    found = read(f"<p><b>Why a bucket?</b> {answer}</p><p><b>And a hat?</b> Also.</p>".replace("b>", "strong>"))
    assert found and found.answer.endswith("west.")
    assert 24 <= len(found.answer.split()) <= 60


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        (INTRO, "We met under the hole in the roof."),
        ("<p><strong>One strong beginning alone.</strong> And prose.</p><p>More prose.</p>", ""),
        ("<p><strong>Unclosed", ""),
        ("<p>Note: three words.</p>", "Note: three words.\nWarning: do not read: this."),
        ("<p><strong>Dates</strong> Monday.</p><p><strong>Place</strong> Hall.</p>", ""),
    ],
)
def test_prose_has_no_exchange(html: str, text: str) -> None:
    assert read(html, text) is None
