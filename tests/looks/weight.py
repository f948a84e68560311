"""What letters weigh: bytes of each block, a full house of thirty cards, and how long that takes to compile."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

from newsletter.core.context import IssueContent
from tests.letters import odd
from tests.letters.everything import everything
from tests.looks.letters import DESIGNS, READER, compiler, rendered

FULL = 90 * 1024
"""Bytes of HTML that a letter of thirty cards may have. Gmail clips at about 102 KB."""

ROUNDS = 21


def blocks() -> Iterator[tuple[str, IssueContent, int]]:
    """Each block with the rich issue as it is without it, and how many of it there are."""
    rich = everything()
    yield "note", replace(rich, issue=replace(rich.issue, note=(), note_signature="", contents="")), 1
    yield "lead", replace(rich, lead=None), 1
    yield "quote", replace(rich, quote=None), 1
    yield "cards, each", replace(rich, cards=()), len(rich.cards)
    yield "second opinion", replace(rich, pairs=()), 1
    yield "sponsor", replace(rich, sponsor=None), 1
    yield "lines, each", replace(rich, lines=()), len(rich.lines)
    yield "corrections", replace(rich, corrections=()), 1
    yield "also like", replace(rich, also_like=()), 1
    yield "more from", replace(rich, more=()), 1
    yield "print magazine", replace(rich, promo=None), 1
    nothing = replace(
        rich, issue=replace(rich.issue, note=(), note_signature="", contents=""), lead=None, quote=None, cards=(),
        pairs=(), sponsor=None, lines=(), corrections=(), also_like=(), more=(), promo=None,
    )  # fmt: skip
    yield "head, masthead, footer", nothing, 0


def bytes_per_block(design: str) -> dict[str, int]:
    """Bytes of HTML that each block of the rich issue costs in a design, by what is missing without it."""
    whole = size(design, everything())
    found = {}
    for name, without, count in blocks():
        rest = size(design, without)
        found[name] = (whole - rest) // count if count else rest
    return found


def size(design: str, content: IssueContent) -> int:
    """Bytes of HTML of one reader's copy."""
    return len(rendered(design, content).html.encode())


def compile_times(design: str, content: IssueContent) -> tuple[float, float]:
    """Medians in seconds: one full render, and a compiled letter from nothing, its comparison with a full render
    included.
    """
    renders, letters = [], []
    for _ in range(ROUNDS):
        built = compiler(design, content)
        began = time.perf_counter()
        built.full_render(READER)
        renders.append(time.perf_counter() - began)
        began = time.perf_counter()
        compiler(design, content).render(READER)
        letters.append(time.perf_counter() - began)
    return statistics.median(renders), statistics.median(letters)


def weighed() -> int:
    """Print all of it; gives the number of designs that are too heavy."""
    columns = {design: bytes_per_block(design) for design in DESIGNS}
    print(f"{'bytes of HTML':24}" + "".join(f"{design:>12}" for design in DESIGNS))
    for name in columns[DESIGNS[0]]:
        print(f"{name:24}" + "".join(f"{columns[design][name]:12,}" for design in DESIGNS))
    print(f"{'the rich issue':24}" + "".join(f"{size(design, everything()):12,}" for design in DESIGNS))
    full = {design: size(design, odd.thirty_one()) for design in DESIGNS}
    print(
        f"{'30 cards and a line':24}" + "".join(f"{full[design]:12,}" for design in DESIGNS) + f"   (at most {FULL:,})"
    )
    print()
    for design in DESIGNS:
        render, letter = compile_times(design, odd.thirty_one())
        print(f"{design}: 30 cards in {render * 1000:.0f} ms rendered, {letter * 1000:.0f} ms compiled and compared")
    return sum(each > FULL for each in full.values())
