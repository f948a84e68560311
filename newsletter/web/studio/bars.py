"""A send as one bar: how much of it is accepted, failed, left out, uncertain, and still to go."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.flow.report import Counts

WIDTH = 600


@dataclass(frozen=True, slots=True)
class Bar:
    """One part, drawn from `x` on, `width` wide (of `WIDTH`); the number stands beside it in words."""

    name: str
    number: int
    x: float
    width: float


def bars(counts: Counts) -> list[Bar]:
    """The parts in the order of the glossary. One that counts anybody is never too thin to see."""
    numbers = {
        "accepted": counts.accepted,
        "failed": counts.failed,
        "excluded": counts.excluded,
        "uncertain": counts.uncertain,
        "pending": counts.pending + counts.claimed,
    }
    whole = max(sum(numbers.values()), 1)
    least = {name: max(number / whole * WIDTH, 3.0) if number else 0.0 for name, number in numbers.items()}
    shrink = WIDTH / max(sum(least.values()), 1)
    parts: list[Bar] = []
    x = 0.0
    for name, number in numbers.items():
        width = least[name] * shrink
        parts.append(Bar(name, number, round(x, 1), round(width, 1)))
        x += width
    return parts
