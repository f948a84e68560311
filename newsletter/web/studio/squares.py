"""A text as the squares that a phone's camera reads (QR code, ISO/IEC 18004), drawn by one SVG path."""

from __future__ import annotations

import segno

QUIET = 4
"""Light modules around, which readers need."""


def squares(text: str) -> tuple[int, str]:
    """The side of the picture in modules, light edge included, and the path of the dark ones."""
    made = segno.make(text, error="m", micro=False)
    rows = [
        f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(made.matrix) for x, dark in enumerate(row) if dark
    ]
    return len(made.matrix) + 2 * QUIET, "".join(rows)
