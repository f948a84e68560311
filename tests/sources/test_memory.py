"""The source that gives what it was told to."""

from __future__ import annotations

import pytest

from newsletter.core.content import EntryContent
from newsletter.core.errors import SourceError
from newsletter.sources import KINDS, build
from newsletter.sources.base import SourceSpec
from newsletter.sources.fetch import Fetcher
from newsletter.sources.memory import MemorySource

ENTRY = EntryContent(title="A", title_clean="A")


def spec(location: str) -> SourceSpec:
    return SourceSpec(name="m", kind="memory", location=location)


def test_a_shelf_gives_its_entries_and_an_error_is_raised() -> None:
    source = MemorySource({"full": (ENTRY,), "broken": SourceError("The server is on fire.")})
    assert source.gather(spec("full")).entries == (ENTRY,)
    assert source.gather(spec("empty")).entries == ()
    with pytest.raises(SourceError, match="on fire"):
        source.gather(spec("broken"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_built_and_says_its_name(kind: str) -> None:
    assert build(kind, Fetcher()).kind == kind
