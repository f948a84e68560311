"""Ratings: kept as given, never converted for display."""

from __future__ import annotations

import re

from newsletter.core.content import Rating
from newsletter.core.prose import plain

LETTERS = ("F", "D-", "D", "D+", "C-", "C", "C+", "B-", "B", "B+", "A-", "A", "A+")
_STARS = re.compile(r"[★⭐]{1,10}[½]?[☆]*|½")
_OUT_OF = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(?:/|out of|von|sur|de|su|av)\s*(\d+(?:[.,]\d+)?)$", re.IGNORECASE)
_NUMBER = re.compile(r"^-?\d{1,4}(?:[.,]\d{1,3})?$")


def read_rating(value: object, best: object = None, worst: object = None) -> tuple[Rating | None, str]:
    """A rating and "", or None and the reason it was thrown away ("" when there simply is none).

    Numbers, "3.5/5", "83%", "★★★½" and letters A+ to F are understood. The best mark defaults to 5 only when it is
    missing and the value is at most 5; a value above the best, or below the worst, is thrown away: a wrong rating is
    worse than none. A bare 0 is what plugins write for "not rated".
    """
    raw = _text(value)
    if not raw:
        return None, ""
    given, top, bottom = raw, _text(best), _text(worst)
    if raw.upper().replace("−", "-") in LETTERS:
        return Rating(raw.upper().replace("−", "-"), "A+", "F", raw), ""
    if _STARS.fullmatch(raw):
        stars = raw.count("★") + raw.count("⭐")
        given = f"{stars}.5" if "½" in raw and stars else "0.5" if "½" in raw else str(stars)
        top = top or ("5" if stars + raw.count("☆") <= 5 else "")
    elif match := _OUT_OF.match(raw):
        given, top = match[1], top or match[2]
    elif raw.endswith("%"):
        given, top = raw[:-1].strip(), top or "100"
    number, highest, lowest = _number(given), _number(top), _number(bottom)
    if number is None:
        return None, f"rating {raw[:40]!r} is on no scale we know: left out"
    if number == 0 and not bottom:
        return None, ""
    if highest is None:
        if number > 5:
            return None, f"rating {raw[:40]!r} has no best mark: left out"
        highest, top = 5.0, "5"
    if number > highest or number < (lowest or 0.0) or highest <= 0:
        return None, f"rating {raw[:40]!r} lies outside its own scale up to {top[:20]}: left out"
    return Rating(given.replace(",", "."), top.replace(",", "."), bottom.replace(",", "."), raw), ""


def rating_share(rating: Rating | None) -> float | None:
    """The rating as a share of its scale, 0 to 1: for sorting only, never shown."""
    if rating is None:
        return None
    if rating.value in LETTERS:
        return LETTERS.index(rating.value) / (len(LETTERS) - 1)
    number, best = _number(rating.value), _number(rating.best)
    if number is None or not best:
        return None
    worst = _number(rating.worst) or 0.0
    return (number - worst) / (best - worst) if best > worst else None


def _text(value: object) -> str:
    return plain(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _number(text: str) -> float | None:
    return float(text.replace(",", ".")) if _NUMBER.match(text) else None
