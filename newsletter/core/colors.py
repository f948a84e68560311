"""Colours as designs write them, and whether text can be read on them (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re

ENOUGH = 4.5
"""Contrast of body text to its ground."""

_HEX = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", re.ASCII)


def is_color(value: object) -> bool:
    """Whether it is a colour in the one form that every mail program knows: #RGB or #RRGGBB."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white). Both as `is_color` wants them."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def text_on(ground: str, *wishes: str) -> str:
    """The first wish that can be read on `ground`; else black or white, whichever is read better."""
    for wish in wishes:
        if contrast(wish, ground) >= ENOUGH:
            return wish
    return max(("#000000", "#FFFFFF"), key=lambda color: contrast(color, ground))


def _luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2, definition)."""
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    red, green, blue = (_linear(int(digits[place : place + 2], 16) / 255) for place in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
