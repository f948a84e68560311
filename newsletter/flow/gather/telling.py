"""What the entries of one poll have to say for themselves, in words that name the entry."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.core.content import EntryContent
from newsletter.models import Source

MOST_WARNINGS = 20
_LONGEST = 300
_LONGEST_NAME = 60


def entry_warnings(kind: str, contents: Sequence[EntryContent]) -> list[str]:
    """The warnings of all entries of a source of `kind`, each with its file (a folder's have it already) or its title
    before it; at most 20, then how many more there are.
    """
    told = [
        warning if kind == Source.Kind.FOLDER else f"{_name(content)}: {warning}"
        for content in contents
        for warning in content.warnings
    ]
    shown = [warning[:_LONGEST] for warning in told[:MOST_WARNINGS]]
    more = len(told) - len(shown)
    return [*shown, f"{more} more warnings of entries are not shown."] if more else shown


def _name(content: EntryContent) -> str:
    title = content.title
    return f"“{title}”" if len(title) <= _LONGEST_NAME else f"“{title[: _LONGEST_NAME - 1].rstrip()}…”"
