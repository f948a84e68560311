"""One try of a source, before it counts: what came, what was odd, or why it can't be read. Nothing is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.core.content import EntryContent
from newsletter.core.errors import SourceError
from newsletter.core.prose import folded
from newsletter.core.sentence import together
from newsletter.flow.gather.telling import entry_warnings
from newsletter.sources import build
from newsletter.sources.base import SourceSpec
from newsletter.sources.fetch import Fetcher


@dataclass(frozen=True, slots=True)
class Tried:
    """What one try gave: `error` says why it could not be read, and is "" when it could."""

    kind: str
    location: str
    entries: tuple[EntryContent, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""


def try_source(spec: SourceSpec, fetcher: Fetcher) -> Tried:
    """Read the source once. Raises nothing that a source does."""
    try:
        found = build(spec.kind, fetcher).gather(spec)
    except SourceError as error:
        return Tried(spec.kind, spec.location, error=together(error.message, error.hint))
    warnings = (*found.warnings, *entry_warnings(spec.kind, found.entries))
    return Tried(spec.kind, found.final_url or spec.location, found.entries, warnings)


def first_that_reads(specs: Iterable[SourceSpec], fetcher: Fetcher) -> Tried:
    """The first that brings entries, and no further one is tried; else the first that can be read at all; else why the
    first can't. `specs` holds at least one.
    """
    tried: list[Tried] = []
    for spec in specs:
        tried.append(try_source(spec, fetcher))
        if tried[-1].entries:
            return tried[-1]
    return next((one for one in tried if not one.error), tried[0])


def name_of(location: str) -> str:
    """What a source is called when nobody says: the host of an address, the last folder of a path."""
    if "://" not in location:
        return Path(location).name
    try:
        return urlsplit(location).hostname or ""
    except ValueError:  # "http://[x": no address at all, which whoever takes it says
        return ""


def slug_from(name: str, otherwise: str = "source") -> str:
    """ "www.lantern.example" is "lantern-example"; a name without a Latin letter or digit gives `otherwise`."""
    words = re.findall(r"[a-z0-9]+", folded(name.removeprefix("www.")))
    return "-".join(words)[:50].strip("-") or otherwise
