"""A site that moved: new guids and new paths, old addresses redirected (R19b). The redirect is the proof."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from newsletter.core.content import EntryContent
from newsletter.core.errors import FetchError
from newsletter.core.identity import guid_key, url_key
from newsletter.models import Entry, Source
from newsletter.sources.fetch import Fetcher

logger = logging.getLogger(__name__)

MOST_LOOKUPS = 20


def find_moved(source: Source, contents: Sequence[EntryContent], fetcher: Fetcher) -> dict[str, str]:
    """For entries whose guid and address are unknown but whose title is not: {new address key: old address key}, where
    the old address redirects to the new one. At most 20 addresses are asked; one that fails proves nothing.
    """
    by_key = {url_key(content.url): content for content in contents if content.url}
    known = set(Entry.objects.filter(url_key__in=by_key).values_list("url_key", flat=True))
    guids = {guid_key(content) for content in by_key.values()}
    known_guids = set(Entry.objects.filter(source=source, guid_key__in=guids).values_list("guid_key", flat=True))
    unknown = {
        key: content for key, content in by_key.items() if key not in known and guid_key(content) not in known_guids
    }
    if not unknown:
        return {}
    old: dict[str, list[Entry]] = {}
    titles = {content.title for content in unknown.values()}
    for entry in Entry.objects.filter(title__in=titles).order_by("-last_seen_at"):
        old.setdefault(entry.title, []).append(entry)
    moved: dict[str, str] = {}
    lookups = 0
    for key, content in unknown.items():
        for entry in old.get(content.title, ()):
            address = str(entry.content.get("url", ""))
            if not address or lookups >= MOST_LOOKUPS:
                continue
            lookups += 1
            try:
                answer = fetcher.get(address)
            except FetchError as error:
                logger.info("An old address could not be asked whether it moved: %s", error)
                continue
            if url_key(answer.url) == key:
                moved[key] = entry.url_key
                break
    return moved
