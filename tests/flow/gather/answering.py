"""A source that gives what a test wants, and all that gathering made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from newsletter.models import Entry, Event, Placement, Review
from newsletter.sources.base import Gathered, SourceSpec

MONDAY = "2015-11-02 10:00"
DAY = timedelta(days=1)


class Answering:
    """A source of any kind that gives what a test wants."""

    def __init__(self, kind: str, answer: Callable[[SourceSpec], Gathered]) -> None:
        self.kind = kind
        self.gather = answer


def snapshot() -> list[Any]:
    """Everything that gathering made, but for when it was last seen."""
    reviews = list(Review.objects.order_by("pk").values())
    entries = list(Entry.objects.order_by("pk").values())
    for row in entries:
        row.pop("last_seen_at")
    return [reviews, entries, list(Placement.objects.order_by("pk").values()), list(Event.objects.values())]
