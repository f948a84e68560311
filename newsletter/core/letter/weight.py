"""How many bytes of HTML each block of a letter costs, by the file of the design that writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.core.letter.sections import Frames, NotSections, html_of, take_apart
from newsletter.core.trace.positions import written_by

HEAD = "head and styles"
REST = "letter"

_TAG = re.compile(r"<mj-[a-z]")


@dataclass(frozen=True, slots=True)
class Weight:
    """`bytes` of HTML that `count` pieces of one block come to. `block` is the name of its file ("card")."""

    block: str
    count: int
    bytes: int

    def __str__(self) -> str:
        many = f" × {self.count}" if self.count > 1 else ""
        return f"{self.block}{many} {self.bytes / 1024:.1f} KB"


def weights(
    source: str,
    files: Mapping[str, str],
    filters: Mapping[str, Callable[..., Any]],
    context: Mapping[str, object],
    *,
    name: str,
) -> list[Weight]:
    """The blocks of a rendered MJML document, the heaviest first; together they are the whole letter.

    `source` is what the template `name` of `files` renders to in `context`. A letter that can't be taken apart is one
    block. Raises `DesignError` where MJML refuses it.
    """
    try:
        before, children, after = take_apart(source)
        frame = Frames().of(before, after)
        sections = [(child, frame.section(child)) for child in children if not child.startswith("<!--")]
    except NotSections:
        return [Weight(REST, 1, len(html_of(source).encode()))]
    places, position = [], len(before)
    for child, _ in sections:
        position = source.index(child, position)
        # What opens the section may be written by one file and filled by another: the first inner element tells.
        inner = _TAG.search(child, 1)
        places.append(position + (inner.start() if inner else 0))
        position += len(child)
    writers = written_by(source, name, files, filters, context, places)
    found: dict[str, list[int]] = {}
    for writer, (_, section) in zip(writers, sections, strict=True):
        stem = writer.rpartition("/")[2].removesuffix(".mjml") or REST
        found.setdefault(stem, []).append(len(section.html.encode()))
    opening = frame.opening(section.head for _, section in sections) + frame.closing
    found[HEAD] = [len(opening.encode())]
    made = [Weight(block, len(sizes), sum(sizes)) for block, sizes in found.items()]
    return sorted(made, key=lambda weight: (-weight.bytes, weight.block))
