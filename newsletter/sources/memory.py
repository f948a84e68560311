"""A source that gives what it was told to: for tests, and for playing a week by hand."""

from __future__ import annotations

from newsletter.core.content import EntryContent
from newsletter.core.errors import SourceError
from newsletter.sources.base import Gathered, SourceSpec


class MemorySource:
    """Entries by location. An error put in the place of entries is raised, as a broken source would."""

    kind = "memory"

    def __init__(self, shelves: dict[str, tuple[EntryContent, ...] | SourceError] | None = None) -> None:
        """`shelves` maps a location to its entries, or to the error that gathering it raises."""
        self.shelves = shelves if shelves is not None else {}

    def gather(self, spec: SourceSpec) -> Gathered:
        """The entries of `spec.location`; none for a location that nobody filled."""
        shelf = self.shelves.get(spec.location, ())
        if isinstance(shelf, SourceError):
            raise shelf
        return Gathered(entries=shelf)
