"""Adapters that read a magazine: feed, wordpress, page, folder, paste, memory. None touches the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from newsletter.core.errors import SourceError
from newsletter.core.sentence import sentence
from newsletter.sources.base import Source
from newsletter.sources.feed import FeedSource
from newsletter.sources.fetch import Fetcher
from newsletter.sources.folder import FolderSource
from newsletter.sources.memory import MemorySource
from newsletter.sources.page import PageSource
from newsletter.sources.paste import PasteSource
from newsletter.sources.wordpress import WordPressSource

_MAKERS: Final[dict[str, Callable[[Fetcher], Source]]] = {
    "feed": FeedSource,
    "wordpress": WordPressSource,
    "page": PageSource,
    "folder": lambda fetcher: FolderSource(),
    "paste": lambda fetcher: PasteSource(),
    "memory": lambda fetcher: MemorySource(),
}
KINDS: Final = tuple(_MAKERS)


def build(kind: str, fetcher: Fetcher) -> Source:
    """The adapter for a kind of source. Raises `SourceError` for a kind that does not exist."""
    try:
        return _MAKERS[kind](fetcher)
    except KeyError:
        raise SourceError(
            sentence("There is no kind of source called {kind}.", kind=repr(kind)),
            hint=sentence("Use one of: {kinds}.", kinds=", ".join(KINDS)),
        ) from None
