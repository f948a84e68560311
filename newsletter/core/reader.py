"""One subscriber as a design sees it: frozen, cleaned, plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Reader:
    """What `subscriber` is in a template.

    `topics` is a sorted tuple of rubric keys; empty means every topic, future ones too. `attributes` holds strings,
    numbers, booleans and None only. The addresses are absolute https URLs, or "" where no page exists yet.
    """

    address: str
    name: str = ""
    language: str = ""
    topics: tuple[str, ...] = ()
    attributes: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    plain_text: bool = False
    joined_on: date | None = None
    unsubscribe_url: str = ""
    preferences_url: str = ""

    @property
    def first_name(self) -> str:
        """The first word of the name, "" when there is none."""
        return self.name.split(" ", 1)[0] if self.name else ""

    def follows(self, topic: str) -> bool:
        """Whether this subscriber wants the rubric `topic`."""
        return not self.topics or topic in self.topics
