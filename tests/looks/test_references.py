"""A dozen reference pictures, four a design: what was drawn once is drawn again, on whatever renderer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.looks.letters import DESIGNS, reference
from tests.looks.reference import SHOTS, Shot, differences, load, taken
from tests.looks.window import Mode, Window

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parent / "references"


def shot(window: Window, html: str, width: int = 600, mode: Mode = "light") -> Shot:
    window.show(html, width=width, mode=mode)
    return taken(window)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("issue", "width", "mode"), SHOTS)
def test_a_design_is_drawn_as_before(window: Window, design: str, issue: str, width: int, mode: Mode) -> None:
    now = shot(window, reference(design, issue).html, width, mode)
    # Meant to change? `python -m tests.looks references`, then look at the pictures.
    assert differences(now, load(f"{design}-{issue}-{width}-{mode}", FOLDER)) == []


def restyled(html: str, rule: str) -> str:
    return html.replace("<body", f"<style>{rule}</style><body", 1)


@pytest.mark.parametrize(
    "rule",
    [
        "[role=article] { position: relative; left: 1px; top: 1px }",
        "* { letter-spacing: .2px !important }",
        "* { -webkit-font-smoothing: none; text-rendering: geometricPrecision }",
        "* { font-family: 'Noto Sans', sans-serif !important }",
    ],
    ids=["a pixel aside", "looser letters", "other edges", "another face"],
)
@pytest.mark.parametrize("design", DESIGNS)
def test_another_font_renderer_is_no_change(window: Window, design: str, rule: str) -> None:
    html = reference(design, "thin").html
    assert differences(shot(window, restyled(html, rule)), shot(window, html)) == []


def without_block(html: str) -> str:
    """The letter without its last section."""
    start = html.rindex("<div", 0, html.rindex("max-width:600px"))
    return html[:start] + html[start:].replace("<div ", "<div hidden ", 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_block, "blocks, where there were"),
        (lambda html: html.replace("/media/sunday", "/nothing/x"), "from afar"),
        (lambda html: html.replace("text-align:left", "text-align:center"), "lines begin at"),
        (lambda html: restyled(html, "[role=article] { max-width: 520px; margin: 0 auto }"), "width is"),
        (lambda html: restyled(html, "p, h1, h2, h3 { margin-bottom: 90px !important }"), "height is"),
    ],
    ids=["block gone", "picture gone", "centred", "narrower", "longer"],
)
@pytest.mark.parametrize("design", DESIGNS)
def test_a_real_change_is_seen(window: Window, design: str, change: object, said: str) -> None:
    html = reference(design, "thin").html
    assert callable(change)
    changed = change(html)
    assert changed != html
    assert any(said in each for each in differences(shot(window, changed), shot(window, html)))


@pytest.mark.parametrize("design", DESIGNS)
def test_every_fill_of_a_design_is_held(window: Window, design: str) -> None:
    """Each colour that fills anything turns the picture red when it becomes another."""
    before = shot(window, reference(design, "rich").html)
    fills = {colour for block in before.blocks for colour, share in block.fills.items() if share > 0.02}
    assert len(fills) > 1
    for colour in fills:
        html = re.sub(colour, "#13a89e", reference(design, "rich").html, flags=re.IGNORECASE)
        assert any("#13a89e fills" in each for each in differences(shot(window, html), before)), colour
