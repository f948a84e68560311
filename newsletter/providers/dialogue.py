"""What both sides of an account said, for a person to read: kept where somebody asks for it, and without secrets."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from enum import StrEnum

HIDDEN = "(hidden)"
MOST_LINES = 400
LONGEST_LINE = 1000
_LEAST_SECRET = 4  # a shorter one would blank half of every line, and tell itself by that


class Side(StrEnum):
    """Who says a line; a note is ours about what cannot be said in words."""

    WE = "we"
    THEY = "they"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """One line, printable, without a secret."""

    side: Side
    text: str


@dataclass(slots=True)
class Dialogue:
    """The lines of one try, the first first; what comes after `MOST_LINES` is dropped."""

    lines: list[Line] = field(default_factory=list)
    _secrets: list[str] = field(default_factory=list, repr=False)

    def hide(self, *secrets: str) -> None:
        """Never keep these, plain or in base64, wherever they turn up: a server may say them back."""
        for secret in filter(None, secrets):
            plain = secret if len(secret) >= _LEAST_SECRET else ""
            coded = b64encode(secret.encode()).decode()
            self._secrets += [each for each in (plain, coded, coded.rstrip("=")) if each]
        self._secrets.sort(key=len, reverse=True)

    def add(self, side: Side, text: str) -> None:
        """Keep one line."""
        if len(self.lines) >= MOST_LINES:
            return
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        shown = "".join(letter if letter.isprintable() else "�" for letter in text)
        self.lines.append(Line(side, shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]} …"))

    def note(self, text: str) -> None:
        self.add(Side.NOTE, text)

    def text(self, side: Side, text: str) -> None:
        """Several lines of one side."""
        for line in text.splitlines():
            self.add(side, line)
