"""From a traced letter to finished bytes: plans, the leaves of their blocks, and the letters put together from both.

A *plan* is a letter without its blocks, a *leaf* one outcome of a block; each is compiled once. A *letter* is a plan
with a leaf at each block: a list of references to bytes that other letters hold too, so that it costs no compiling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from newsletter.core import mime
from newsletter.core.errors import DesignError
from newsletter.core.letter.parts import BORDER, Fill, Filler, Fillers, Inset, Links, Parts, Pieces, subject_of
from newsletter.core.letter.sections import (
    BLOCK,
    SLOT,
    Frame,
    Frames,
    NotSections,
    children,
    hole,
    html_of,
    numbered,
    renumbered,
    slot,
    take_apart,
)
from newsletter.core.trace.blocks import Block, Misplaced, Reference
from newsletter.core.trace.deferred import VALUE, Question, Tracer
from newsletter.core.trace.nodes import Node, Nodes, State
from newsletter.core.trace.output import Slot, flat, scrub
from newsletter.core.trace.places import Place, places

Check = Callable[[State], Any]
Path = list[tuple[Question, object]]
Output = str | Slot | Reference["Leaf"]
Slots = list[tuple[Node, Place]]

HTML_PART, TEXT_PART = "html", "text"
_BODY = ("mjml", "mj-body")


@dataclass(slots=True)
class Wire:
    """Finished bytes, or the function that makes them; `heads` are those of its sections. `checks` are slots that MJML
    dropped. `checked` says that a letter with it was compared with a full render.
    """

    data: bytes
    filler: Filler | None = None
    heads: tuple[int | None, ...] = ()
    checks: tuple[Check, ...] = ()
    checked: bool = False


@dataclass(slots=True, eq=False)
class Leaf:
    """The end of a path of one block: its children of mj-body with their slots, or, for the text part, its items."""

    path: Path
    checks: tuple[Check, ...]
    children: list[tuple[str, Slots]] = field(default_factory=list)
    wires: dict[Frame | None, Wire] = field(default_factory=dict)


@dataclass(slots=True)
class Letter:
    """The end of a path: `parts` are finished bytes with an empty place at each hole; `fillers` make the holes.

    `fresh` is what no comparison with a full render has seen yet.
    """

    subject: bytes | Callable[[State], str]
    subject_text: str
    parts: list[bytes]
    html_from: int
    fillers: Fill
    checks: tuple[Check, ...]
    fresh: list[Plan | Wire]

    def body(self, state: State) -> list[bytes]:
        """The parts with their holes filled; raises what a value raises, and `FullRenderNeeded`."""
        parts = self.parts.copy()
        for check in self.checks:
            check(state)
        for filler, positions in self.fillers:
            value = filler(state)
            for position in positions:
                parts[position] = value
        return parts

    def subject_for(self, state: State) -> str:
        """The subject's words."""
        return self.subject_text if isinstance(self.subject, bytes) else self.subject(state)

    def seen(self) -> None:
        """A comparison with a full render came out equal."""
        for each in self.fresh:
            each.checked = True
        self.fresh = []


@dataclass(slots=True, eq=False)
class Plan:
    """A letter with places for its blocks. With blocks in the page, what stands before its body depends on them:
    `opening` is where it goes, `order` the heads of sections and the numbers of blocks as they follow each other.
    """

    path: Path
    subject: bytes | Callable[[State], str]
    subject_text: str
    parts: list[bytes]
    html_from: int
    fillers: Fill
    checks: tuple[Check, ...]
    blocks: list[tuple[int, Block[Leaf], bool]] = field(default_factory=list)
    frame: Frame | None = None
    opening: int = 0
    opening_slots: Slots = field(default_factory=list)
    order: list[tuple[bool, int | None]] = field(default_factory=list)
    openings: dict[str, Wire] = field(default_factory=dict)
    checked: bool = False


class Assembler:
    """Makes plans, leaves and letters for one compiler."""

    def __init__(self, nodes: Nodes, links: Links, boundary: str) -> None:
        self.nodes, self.boundary = nodes, boundary
        self._pieces, self._frames = Pieces(), Frames()
        self._fillers = Fillers(nodes, links)

    # Letters.

    def letter(self, plan: Plan, leaves: Sequence[Leaf]) -> Letter:
        """The letter of a plan with these leaves in its blocks. Raises `Misplaced` when MJML refuses the pieces."""
        parts, fillers, checks = plan.parts.copy(), list(plan.fillers), list(plan.checks)
        wires: list[tuple[int, Wire]] = []
        try:
            pages: list[Wire] = []
            for (at, _, page), leaf in zip(plan.blocks, leaves, strict=True):
                wire = self._wire(leaf, plan.frame if page else None)
                wires.append((at, wire))
                checks += leaf.checks
                if page:
                    pages.append(wire)
            if plan.frame is not None:
                wires.append((plan.opening, self._opening(plan, plan.frame, pages)))
        except (NotSections, DesignError) as error:
            raise Misplaced([block.site for _, block, _ in plan.blocks], broken=True) from error
        for at, wire in wires:
            checks += wire.checks
            if wire.filler is None:
                parts[at] = wire.data
            else:
                fillers.append((wire.filler, (at,)))
        every: list[Plan | Wire] = [plan, *[wire for _, wire in wires]]
        fresh = [each for each in every if not each.checked]
        return Letter(plan.subject, plan.subject_text, parts, plan.html_from, tuple(fillers), tuple(checks), fresh)

    def _opening(self, plan: Plan, frame: Frame, pages: Sequence[Wire]) -> Wire:
        heads: list[int | None] = []
        for is_block, number in plan.order:
            if is_block:
                heads += pages[number or 0].heads
            else:
                heads.append(number)
        html = frame.opening(heads)
        wire = plan.openings.get(html)
        if wire is None:
            made = Parts(self._fillers, self._pieces)
            made.html(html, plan.opening_slots)
            wire = plan.openings[html] = self._finished(made, plan.opening_slots)
        return wire

    def _wire(self, leaf: Leaf, frame: Frame | None) -> Wire:
        wire = leaf.wires.get(frame)
        if wire is None:
            assert frame is not None
            made = Parts(self._fillers, self._pieces)
            heads: list[int | None] = []
            for source, slots in leaf.children:
                section = frame.section(source)
                heads.append(section.head)
                made.flush()
                made.html(section.html, slots)
            wire = self._finished(made, [each for _, slots in leaf.children for each in slots])
            wire.heads = tuple(dict.fromkeys(heads))
            leaf.wires[frame] = wire
        return wire

    def _finished(self, made: Parts, slots: Iterable[tuple[Node, Place]] = ()) -> Wire:
        made.flush()
        parts, fill = made.parts, made.fill()
        used = set(made.used)
        checks = tuple(self.nodes.closure(node) for node, _ in slots if node not in used)
        if not fill:
            return Wire(b"".join(parts), checks=checks)
        return Wire(b"", Inset(parts, fill), checks=checks)

    # Plans and leaves.

    def plan(
        self, tracer: Tracer, subject: list[Output], html: list[Output], text: list[Output]
    ) -> tuple[Plan, list[Leaf], int]:
        """The plan of a trace, the leaves of its blocks for the reader at hand, and how many of those are new.

        Raises `Misplaced`, `DesignError`, and what a trace raises.
        """
        source, slots, references = self._settle(tracer, html)
        made = Parts(self._fillers, self._pieces)
        blocks: list[tuple[int, Block[Leaf], bool]] = []
        leaves: list[Leaf] = []
        new = 0
        made.raw(mime.opening(self.boundary, "plain", first=True))
        for item in [*text, "\n"]:
            if isinstance(item, str):
                made.text(item)
            elif isinstance(item, Slot):
                made.slot(item.node, None)
            else:
                leaf, is_new = self._leaf(tracer, item, page=False)
                blocks.append((made.place(), item.block, False))
                leaves.append(leaf)
                new += is_new
        made.flush()
        html_from = len(made.parts)
        made.raw(mime.opening(self.boundary, "html"))
        line, words = subject_of(self.nodes, [item for item in subject if not isinstance(item, Reference)])
        plan = Plan(tracer.path, line, words, made.parts, html_from, (), (), blocks)
        if references:
            self._with_blocks(plan, made, source, slots, references)
            for reference in references:
                leaf, is_new = self._leaf(tracer, reference, page=True)
                leaves.append(leaf)
                new += is_new
        else:
            self._html(made, source, slots)
        made.text("\n")
        made.raw(mime.closing(self.boundary))
        used = [*made.used, *(item.node for item in subject if isinstance(item, Slot))]
        used += [node for node, _ in plan.opening_slots]
        plan.checks = tuple(self.nodes.closure(node) for node in tracer.unused(used))
        plan.fillers = made.fill()
        return plan, leaves, new

    def _html(self, made: Parts, source: str, slots: Slots) -> None:
        """The page of a letter without blocks: by sections where it can be taken apart, else as a whole."""
        try:
            before, kids, after = take_apart(source)
            before, numbers = renumbered(before)
            frame = self._frames.of(before, after)
            sections = [(frame.section(kid), own) for kid, own in map(renumbered, kids)]
            opening = frame.opening(section.head for section, _ in sections)
        except (NotSections, DesignError):
            # (The whole document says better what is wrong, and where.)
            first, *others = BORDER.split(html_of(source))
            made.html(first, slots)
            for other in others:
                made.flush()
                made.html(other, slots)
        else:
            made.html(opening, [slots[number] for number in numbers])
            for section, own in sections:
                made.flush()
                made.html(section.html, [slots[number] for number in own])
            made.flush()
            made.text(frame.closing)

    def _with_blocks(
        self, plan: Plan, made: Parts, source: str, slots: Slots, references: Sequence[Reference[Leaf]]
    ) -> None:
        """The page of a letter with blocks between its sections."""
        every = [reference.block.site for reference in references]
        try:
            before, kids, after = take_apart(source)
        except NotSections as error:
            raise Misplaced(every) from error
        inside = [int(n) for part in (before, *kids, after) if not BLOCK.fullmatch(part) for n in BLOCK.findall(part)]
        if inside:
            raise Misplaced([every[number] for number in inside])
        try:
            before, numbers = renumbered(before)
            plan.frame = self._frames.of(before, after)
            plan.opening_slots = [slots[number] for number in numbers]
            plan.opening = made.place()
            for kid in kids:
                found = BLOCK.fullmatch(kid)
                if found:
                    number = int(found[1])
                    plan.order.append((True, number))
                    plan.blocks.append((made.place(), references[number].block, True))
                    continue
                kid, own = renumbered(kid)
                section = plan.frame.section(kid)
                plan.order.append((False, section.head))
                made.flush()
                made.html(section.html, [slots[number] for number in own])
        except (NotSections, DesignError) as error:
            raise Misplaced(every, broken=True) from error
        made.flush()
        made.text(plan.frame.closing)

    def _leaf(self, tracer: Tracer, reference: Reference[Leaf], *, page: bool) -> tuple[Leaf, bool]:
        """The leaf of a block for the reader at hand, and whether it is new."""
        block = reference.block
        leaf = reference.leaf or block.tree.find(State(tracer.reader))
        if leaf is not None:
            return leaf, False
        assert reference.span is not None
        output = reference.output
        with tracer.apart(reference.span):
            items: list[Output] = [scrub(str(output))] if isinstance(output, str) else [*flat(output, output.node)]
            leaf = self._page_leaf(tracer, block, items) if page else self._text_leaf(tracer, items)
        block.tree.insert(leaf.path, leaf)
        return leaf, True

    def _page_leaf(self, tracer: Tracer, block: Block[Leaf], items: list[Output]) -> Leaf:
        source, slots, _ = self._settle(tracer, items, _BODY)
        try:
            kids = [renumbered(kid) for kid in children(source)]
        except NotSections as error:
            raise Misplaced([block.site]) from error
        if numbered(source):
            raise Misplaced([block.site])
        checks = self._checks(tracer, [node for node, _ in slots])
        return Leaf(tracer.path, checks, [(kid, [slots[number] for number in own]) for kid, own in kids])

    def _text_leaf(self, tracer: Tracer, items: list[Output]) -> Leaf:
        made = Parts(self._fillers, self._pieces)
        for item in items:
            if isinstance(item, str):
                made.text(item)
            elif isinstance(item, Slot):
                made.slot(item.node, None)
        wire = self._finished(made)
        return Leaf(tracer.path, self._checks(tracer, made.used), wires={None: wire})

    def _checks(self, tracer: Tracer, used: Iterable[Node]) -> tuple[Check, ...]:
        return tuple(self.nodes.closure(node) for node in tracer.unused(used))

    def _settle(
        self, tracer: Tracer, items: list[Output], inside: Sequence[str] = ()
    ) -> tuple[str, Slots, list[Reference[Leaf]]]:
        """Ask for the values that stand where MJML reads them, until none is left: the document with its slots and
        blocks by number, and what they are.
        """
        references = [item for item in items if isinstance(item, Reference)]
        while True:
            slots = [item for item in items if isinstance(item, Slot)]
            numbers, holes = iter(range(len(slots))), iter(range(len(references)))
            source = "".join(
                [
                    item
                    if isinstance(item, str)
                    else slot(next(numbers))
                    if isinstance(item, Slot)
                    else hole(next(holes))
                    for item in items
                ]
            )
            found = places(source, SLOT, inside)
            if all(found[number][0] is not Place.STRUCTURE for number in range(len(slots))):
                return source, [(each.node, found[number][0]) for number, each in enumerate(slots)], references
            numbers = iter(range(len(slots)))
            settled: list[Output] = []
            for item in items:
                if isinstance(item, Slot) and found[next(numbers)][0] is Place.STRUCTURE:
                    settled.append(scrub(str(tracer.ask(VALUE, item.deferred))))
                else:
                    settled.append(item)
            items = settled
