from __future__ import annotations

import pytest

from newsletter.core.colors import contrast, turned
from newsletter.core.inverted import inverted


@pytest.mark.parametrize(
    ("color", "other"),
    [("#ffffff", "#000000"), ("#000000", "#ffffff"), ("#fff", "#000000"), ("#1A1A1A", "#e4e4e4")],
)
def test_gray_turns_round_the_middle(color: str, other: str) -> None:
    assert turned(color) == other


def test_a_color_keeps_its_hue_and_is_read_as_well_on_the_turned_ground() -> None:
    red = turned("#C8102E")
    assert int(red[1:3], 16) > int(red[3:5], 16)
    assert contrast(red, turned("#FFFFFF")) > 4.5


def test_every_color_of_styles_and_attributes_is_turned() -> None:
    html = (
        '<html><head><meta name="color-scheme" content="light dark" /><style>#abc{color:#000}'
        "@media (prefers-color-scheme: dark) { .a { color: #fff } .b { color: #eee } } .c{background:white}"
        "</style></head>"
        '<body bgcolor="#FFFFFF" style="color: rgb(0, 0, 0); border:1px solid rgba(255,255,255,.5)">#000 white</body>'
    )
    dark = inverted(html)
    assert "#abc{color:#ffffff}" in dark
    assert ".c{background:#000000}" in dark
    assert "prefers" not in dark
    assert ".a" not in dark
    assert 'bgcolor="#000000"' in dark
    assert "color: #ffffff; border:1px solid rgba(0,0,0,.5)" in dark
    assert ">#000 white<" in dark


def test_a_letter_that_says_nothing_of_colors_has_the_turned_paper() -> None:
    assert "background-color:#000000" in inverted("<html><head></head><body>x</body></html>")
    assert inverted("x").endswith("x")
    assert inverted("<style>@media (prefers-color-scheme: dark) { .a {</style>").endswith("<style></style>")
