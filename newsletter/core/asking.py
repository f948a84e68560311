"""What a person is asked to type before many people get mail: their number, so that nobody presses by mistake."""

from __future__ import annotations

ABOVE = 1_000
"""People; up to so many, the button alone will do."""
_DRIFT = 0.01


def asks_number(people: int) -> bool:
    """Whether the number has to be typed."""
    return people > ABOVE


def is_number(typed: str, shown: int, people: int) -> bool:
    """Whether `typed` is the number that was `shown`, with or without separators, and `people` still is about that.

    Between looking and pressing some readers come and go: one in a hundred, or ten, changes nothing about the decision.
    """
    digits = "".join(typed.split()).replace(",", "").replace(".", "").replace("’", "").replace("'", "")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 12):
        return False
    return int(digits) == shown and abs(people - shown) <= max(10, shown * _DRIFT)
