"""Colours and whether text can be read on them."""

from __future__ import annotations

import pytest

from newsletter.core.colors import ENOUGH, contrast, is_color, text_on


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#abc", "#AABBCC") == pytest.approx(1)


@pytest.mark.parametrize(
    "value", ["red", "#12", "#12345", "#1234567", "rgb(0,0,0)", "", None, 7, "#GGGGGG", "#123456\n"]
)
def test_only_what_every_mail_program_knows_is_a_color(value: object) -> None:
    assert not is_color(value)


@pytest.mark.parametrize("ground", ["#C4003F", "#FFD23F", "#808080", "#000", "#FFF", "#767676"])
def test_there_is_always_a_text_that_can_be_read(ground: str) -> None:
    assert contrast(text_on(ground, "#FF0000", ground), ground) >= ENOUGH
