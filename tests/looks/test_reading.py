"""Every reference issue, odd week and service mail in every design, drawn by Chromium: it fits, and it can be read."""

from __future__ import annotations

import pytest

from tests.letters.odd import ODD
from tests.looks.letters import DESIGNS, REFERENCES, SERVICE, reference
from tests.looks.window import MODES, WIDTHS, Window, too_faint

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("design", DESIGNS)]
EVERYTHING = [*REFERENCES, *ODD, *SERVICE]
WIDELY = ["rich", "no-pictures", "rich-arabic", "welcome"]
"""Between them every block and colour of a design. `make prove` asks the others in all modes, too, and axe of each."""


@pytest.mark.parametrize("issue", EVERYTHING)
def test_nothing_sticks_out_lies_on_something_else_or_breaks_a_short_word(
    window: Window, design: str, issue: str
) -> None:
    html = reference(design, issue).html
    for width in WIDTHS:
        window.show(html, width=width)
        assert (width, window.overflow(), window.collisions(), window.broken()) == (width, [], [], [])


@pytest.mark.parametrize("issue", EVERYTHING)
def test_every_text_can_be_read_however_a_client_darkens_it(window: Window, design: str, issue: str) -> None:
    html = reference(design, issue).html
    for mode in MODES if issue in WIDELY else ("dark", "outlook"):
        window.show(html, mode=mode)
        pairs = window.pairs()
        assert len(pairs) > 5
        assert (mode, [str(pair) for pair in too_faint(pairs)]) == (mode, [])


@pytest.mark.parametrize("issue", WIDELY)
def test_a_screen_reader_finds_no_fault(window: Window, design: str, issue: str) -> None:
    window.show(reference(design, issue).html)
    assert window.faults() == []
