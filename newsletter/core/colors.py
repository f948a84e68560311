"""Colours as designs write them, and whether text can be read on them (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from functools import lru_cache

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


@lru_cache(maxsize=1024)
def turned(color: str) -> str:
    """The colour with its lightness turned round: L becomes 100 - L in CIELAB (D65), a and b stay; what no screen shows
    is clipped.
    """
    red, green, blue = _channels(color)
    xyz = (
        0.4124564 * red + 0.3575761 * green + 0.1804375 * blue,
        0.2126729 * red + 0.7151522 * green + 0.0721750 * blue,
        0.0193339 * red + 0.1191920 * green + 0.9503041 * blue,
    )
    x, y, z = (_root(value / white) for value, white in zip(xyz, _WHITE, strict=True))
    # L = 116 y - 16, a = 500 (x - y), b = 200 (y - z): with L turned, y becomes what 100 - L asks for.
    other = (100 - (116 * y - 16) + 16) / 116
    x, y, z = (
        _cube(value) * white for value, white in zip((other + x - y, other, other - (y - z)), _WHITE, strict=True)
    )
    made = (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )
    return "#" + "".join(f"{round(_encoded(value) * 255):02x}" for value in made)


_WHITE = (0.95047, 1.0, 1.08883)
_KNEE, _SLOPE = 216 / 24389, 24389 / 27


def _root(value: float) -> float:
    return float(value ** (1 / 3)) if value > _KNEE else (_SLOPE * value + 16) / 116


def _cube(value: float) -> float:
    return value**3 if value**3 > _KNEE else (116 * value - 16) / _SLOPE


def _luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2, definition)."""
    red, green, blue = _channels(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(color: str) -> tuple[float, float, float]:
    """Red, green and blue, linear, from 0 to 1."""
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    red, green, blue = (_linear(int(digits[place : place + 2], 16) / 255) for place in (0, 2, 4))
    return red, green, blue


def _encoded(value: float) -> float:
    coded = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return min(1.0, max(0.0, coded))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
