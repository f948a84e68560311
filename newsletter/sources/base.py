"""The port every source adapter implements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from newsletter.core.content import EntryContent


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What an adapter needs to know of a source: a value made from the Source row.

    `location` is an address (feed, wordpress, page), a folder path (folder) or pasted text (paste). `etag` and
    `last_modified` are the validators of the last answer, exactly as received. `timezone` is an IANA name for dates
    without one. `rubric_map` maps category, tag, path or title suffix to a rubric key, first match wins.
    """

    name: str
    kind: str
    location: str
    language: str = ""
    timezone: str = "UTC"
    etag: str = ""
    last_modified: str = ""
    rubric_map: tuple[tuple[str, str], ...] = ()
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One poll's outcome. `unchanged` means the server said so (304): not the same as an empty answer.

    `raw_hash` is the SHA-256 of the body; `final_url` is set when a permanent redirect should update the source;
    `warnings` are parse problems that cost nothing but should be seen ("entry 4 has no title: left out").
    """

    entries: tuple[EntryContent, ...] = ()
    unchanged: bool = False
    etag: str = ""
    last_modified: str = ""
    raw_hash: str = ""
    final_url: str = ""
    warnings: tuple[str, ...] = field(default=())


class Source(Protocol):
    """One kind of source. Stateless: the same adapter serves every source of its kind."""

    kind: str

    def gather(self, spec: SourceSpec) -> Gathered:
        """Read the source once. Raises `SourceError` (or its `FetchError`) when it can't be read at all."""
        ...
