"""Plots as plain shapes for SVG: numbers in, places out. The words and numbers stand beside them in the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600.0, 160.0


@dataclass(frozen=True, slots=True)
class Column:
    """One column of two parts, the lower first: `accepted` from the ground up, `failed` on top of it."""

    x: float
    width: float
    accepted_y: float
    accepted_height: float
    failed_y: float
    failed_height: float
    label: str


def columns(rows: Sequence[tuple[str, int, int]]) -> list[Column]:
    """One column for each (label, accepted, failed); the highest is as high as the plot. () gives none."""
    most = max((accepted + failed for _, accepted, failed in rows), default=0)
    if not most:
        return []
    step = WIDTH / len(rows)
    # A third of the room between two, and never so wide that one lonely minute fills the plot.
    width = min(step * 0.75, 48.0)
    made = []
    for place, (label, accepted, failed) in enumerate(rows):
        low, high = accepted / most * HEIGHT, failed / most * HEIGHT
        # One that counts anybody is never too thin to see.
        low, high = (max(one, 2.0) if number else 0.0 for one, number in ((low, accepted), (high, failed)))
        made.append(
            Column(
                round(place * step + (step - width) / 2, 1), round(width, 1), round(HEIGHT - low, 1), round(low, 1),
                round(max(HEIGHT - low - high, 0.0), 1), round(high, 1), label,
            )
        )  # fmt: skip
    return made


def line(values: Sequence[float], width: float = WIDTH, height: float = HEIGHT) -> str:
    """The points of a polyline through `values`, from left to right; the smallest lies on the ground. "" for none."""
    if not values:
        return ""
    low, high = min(values), max(values)
    reach = (high - low) or 1.0
    step = width / max(len(values) - 1, 1)
    pad = 3.0  # half a line's width, so that neither edge cuts it
    ground = height - pad if high > low else height / 2
    points = [
        f"{place * step:.1f},{ground - (value - low) / reach * (height - 2 * pad):.1f}"
        for place, value in enumerate(values)
    ]
    if len(points) == 1:
        points.append(f"{width:.1f},{points[0].partition(',')[2]}")
    return " ".join(points)


@dataclass(frozen=True, slots=True)
class Row:
    """One bar of a list of bars: `width` of 100."""

    name: str
    number: int
    width: float


def bars_of(rows: Sequence[tuple[str, int]]) -> list[Row]:
    """A horizontal bar for each (name, number), the longest as long as there is room."""
    most = max((number for _, number in rows), default=0) or 1
    return [Row(name, number, round(max(number / most * 100, 1.0), 1) if number else 0.0) for name, number in rows]
