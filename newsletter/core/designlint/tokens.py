"""A magazine's own values for a design's tokens: what can stand there, and whether text stays readable with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.core.colors import ENOUGH, contrast, is_color
from newsletter.core.errors import DesignError
from newsletter.core.sentence import sentence

NIGHT = "dark_"
"""How the names of the colours begin that a letter wears after dark."""
MOST_PIXELS = 4000
# Of fonts and words: nothing that could end a style, an attribute or a tag.
_WORDS = re.compile(r"[A-Za-z0-9-][A-Za-z0-9 ,._-]{0,199}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?", re.ASCII)
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Pair:
    """One token (or colour) that is read on another, and how well: from 1 to 21."""

    text: str
    ground: str
    colors: tuple[str, str]
    ratio: float

    @property
    def enough(self) -> bool:
        """Whether a send lets it pass."""
        return self.ratio >= ENOUGH

    @property
    def night(self) -> bool:
        """Whether it is seen after dark."""
        return self.text.startswith(NIGHT) or self.ground.startswith(NIGHT)


def judge(tokens: Mapping[str, Any], pairs: Iterable[Sequence[str]]) -> list[Pair]:
    """Every pair that a design names with its contrast, in its order. What is no pair of colours is left to `lint`."""
    found = []
    for pair in pairs:
        colors = [str(tokens.get(name, name)) for name in pair]
        if len(colors) == 2 and all(map(is_color, colors)):
            found.append(Pair(pair[0], pair[1], (colors[0], colors[1]), contrast(*colors)))
    return found


def read_token(name: str, typed: str, own: Any) -> Any:
    """What somebody typed for a token whose value of the design is `own`, as the design takes it; `own` for nothing.

    Raises `DesignError` with the token as its `field` for what can't stand there.
    """
    typed = typed.strip()
    if not typed:
        return own
    if is_color(own):
        color = typed if typed.startswith("#") else f"#{typed}"
        if not is_color(color):
            raise DesignError(
                sentence("{typed} is no colour.", typed=repr(typed[:40])),
                field=name,
                hint=sentence("Write it like {own}.", own=own),
            )
        return color.upper()
    if isinstance(own, bool):
        if typed not in ("true", "false"):
            raise DesignError(
                sentence("{typed} is neither yes nor no.", typed=repr(typed[:40])),
                field=name,
                hint=sentence("Choose one."),
            )
        return typed == "true"
    if isinstance(own, int | float):
        if not _NUMBER.fullmatch(typed) or float(typed) > MOST_PIXELS:
            raise DesignError(
                sentence("{typed} is no measure.", typed=repr(typed[:40])),
                field=name,
                hint=sentence("Write a number up to {most_pixels}, like {own}.", most_pixels=MOST_PIXELS, own=own),
            )
        return int(typed) if isinstance(own, int) and typed.isdigit() else float(typed)
    if not _WORDS.fullmatch(typed):
        raise DesignError(
            sentence("{typed} can’t stand in a style.", typed=repr(typed[:40])),
            field=name,
            hint=sentence("Write letters, digits, blanks, commas and dashes, like {own}.", own=own),
        )
    return typed


def suggest(tokens: Mapping[str, Any], pairs: Iterable[Sequence[str]], name: str) -> str:
    """The colour nearest to the token's own with which everything can be read that it is part of; "" for none.

    Nearest on the way to black and to white, which keeps its hue.
    """
    color = str(tokens.get(name, ""))
    if not is_color(color):
        return ""
    mine = [pair for pair in pairs if name in pair]
    for step in range(_STEPS + 1):
        for towards in ("#000000", "#FFFFFF"):
            tried = _mixed(color, towards, step / _STEPS)
            if all(pair.enough for pair in judge({**tokens, name: tried}, mine)):
                return tried
    return ""


def _mixed(color: str, other: str, share: float) -> str:
    return "#" + "".join(
        f"{round(one + (two - one) * share):02X}" for one, two in zip(_parts(color), _parts(other), strict=True)
    )


def _parts(color: str) -> Iterator[int]:
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    return (int(digits[place : place + 2], 16) for place in (0, 2, 4))
