"""What an entry is about, kept beside it, so that related reviews are found by plain SQL."""

from __future__ import annotations

from newsletter.core.content import EntryContent
from newsletter.core.kinship import mentions
from newsletter.models import Entry, Mention


def note(entry: Entry, content: EntryContent) -> None:
    """Keep what a new or changed entry mentions. Must run in the transaction that writes the entry."""
    wanted = set(mentions(content))
    known = set(Mention.objects.filter(entry=entry).values_list("key", flat=True))
    if gone := known - wanted:
        Mention.objects.filter(entry=entry, key__in=gone).delete()
    Mention.objects.bulk_create([Mention(entry=entry, key=key) for key in sorted(wanted - known)])
