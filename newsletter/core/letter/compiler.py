"""`Compiler`: each distinct path of answers costs one trace, one MJML run and one comparison with a full render.

After that a subscriber costs a walk down the tree and one join of bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from quopri import decodestring
from threading import Lock
from typing import Any, NoReturn

from newsletter.core import mime
from newsletter.core.errors import DesignError, LetterMismatchError, NewsletterError, TraceError
from newsletter.core.letter.parts import BORDER, Fill, Fillers, Links, Parts, Pieces, subject_of
from newsletter.core.letter.sections import SLOT, Frames, NotSections, html_of, renumbered, slot, take_apart
from newsletter.core.mime import Headers
from newsletter.core.mjml import to_html
from newsletter.core.reader import Reader
from newsletter.core.trace.deferred import VALUE, Tracer
from newsletter.core.trace.environment import TracingEnvironment
from newsletter.core.trace.nodes import Node, Nodes, State
from newsletter.core.trace.output import Slot, design_errors, flat, joined, scrub, template_place
from newsletter.core.trace.places import Place, places
from newsletter.core.trace.positions import blamed
from newsletter.core.trace.stock import StockEnvironment
from newsletter.core.trace.tree import Split, Tree

SUBJECT, HTML, TEXT = "subject.txt", "letter.mjml", "letter.txt"

MAX_NODES = 200_000
"""Expressions kept; past it the tree starts anew. Only designs that ask for many values ever come near."""


@dataclass(frozen=True, slots=True)
class Design:
    """Templates by file name (`letter.mjml`, `letter.txt`, `subject.txt`, and parts that they include)."""

    name: str
    files: Mapping[str, str]
    tokens: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished letter: one line of subject; HTML and text with LF line ends, each ending in one."""

    subject: str
    html: str
    text: str


@dataclass(slots=True)
class Stats:
    """What a compiler has done so far."""

    letters: int = 0
    full_renders: int = 0
    self_checks: int = 0
    evicted: int = 0
    in_full: int = 0
    """Subscribers whose values don't fit a compiled letter and who were rendered one by one."""


@dataclass(slots=True)
class _Letter:
    """The end of a path: `parts` are finished bytes with an empty place at each hole; `fillers` make the holes."""

    subject: bytes | Callable[[State], str]
    subject_text: str
    parts: list[bytes]
    html_from: int
    fillers: Fill
    checks: tuple[Callable[[State], Any], ...]
    checked: bool = False

    def body(self, state: State) -> list[bytes]:
        parts = self.parts.copy()
        for check in self.checks:
            check(state)
        for filler, positions in self.fillers:
            value = filler(state)
            for position in positions:
                parts[position] = value
        return parts

    def subject_for(self, state: State) -> str:
        return self.subject_text if isinstance(self.subject, bytes) else self.subject(state)


class Compiler:
    """Renders one issue in one design for any subscriber; the same bytes for the same inputs, for ever.

    One compiler serves one thread at a time for filling; compiling a new letter takes a lock.
    """

    def __init__(
        self,
        design: Design,
        context: Mapping[str, object],
        *,
        max_letters: int = 5000,
        self_check_every: int = 1000,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        """`context` is plain frozen data, all that a template sees besides `subscriber` (and `design`, the tokens).
        `max_letters` bounds the compiled letters kept; `self_check_every` compares one message in so many with its
        full render (0: none but the first of each letter). `filters` are further pure filters. `links` names fields of
        a reader that are a fixed address and a token (`{"unsubscribe_url": "https://news.example.test/u/"}`): they go
        into lines already wrapped; a reader whose field is anything else is rendered in full.

        Raises `DesignError` for a template that is missing or can't be parsed.
        """
        self.design = design
        self.stats = Stats()
        self._context = {"design": design.tokens, **context}
        self._filters = filters or {}
        self._stock = StockEnvironment(design.files, self._filters)
        self._tracing = TracingEnvironment(design.files, self._filters, self._stock)
        self._every = self_check_every
        self._countdown = self_check_every
        self._nodes = Nodes()
        self._tree: Tree[_Letter] = Tree(self._nodes, max_letters)
        self._pieces, self._links = Pieces(), Links(links or {})
        self._fillers = Fillers(self._nodes, self._links)
        self._frames = Frames()
        self._lock = Lock()
        names = "\0".join((design.name, *sorted(design.files)))
        # "=_" can't stand in quoted-printable: no body can hold the boundary (RFC 2045 section 6.7).
        self.boundary = f"=_{sha256(names.encode()).hexdigest()[:24]}"
        with design_errors():
            for name in (SUBJECT, HTML, TEXT):
                self._stock.get_template(name)
                self._tracing.get_template(name)

    # The truth.

    def full_render(self, reader: Reader) -> Rendered:
        """The letter by stock Jinja2 and MJML. Raises `DesignError` with file and line."""
        self.stats.full_renders += 1
        context = {**self._context, "subscriber": reader}
        subject, source, text = (self._run(name, context) for name in (SUBJECT, HTML, TEXT))
        try:
            html = to_html(source, file=HTML)
        except DesignError as error:
            raise blamed(error, source, self.design.files, self._filters, context) from error
        return Rendered(" ".join(subject.split()), html + "\n", text + "\n")

    def _run(self, name: str, context: Mapping[str, object]) -> str:
        with design_errors():
            template = self._stock.get_template(name)
            return scrub("".join(template.root_render_func(template.new_context(dict(context)))))

    # The compiled way.

    def render(self, reader: Reader) -> Rendered:
        """The same letter as `full_render`, from the compiled one. Raises as `message` does."""
        state = State(reader)
        letter, body = self._fill(state)
        if letter is None:
            self.stats.in_full += 1
            return self.full_render(reader)
        return self._decoded(letter, state, body)

    def message(self, reader: Reader, headers: Headers) -> bytes:
        """The finished message (RFC 5322 bytes with CRLF).

        Raises `TraceError` when the design asks what can't be answered exactly, `DesignError` when it can't be
        rendered for this subscriber, `LetterMismatchError` when the compiled letter and its full render differ.
        """
        return self.compose(reader, *mime.around_subject(headers, self.boundary))

    def compose(self, reader: Reader, before: bytes, after: bytes) -> bytes:
        """`message` with finished headers: those before the subject, and those after it with the empty line
        (`mime.around_subject`).
        """
        state = State(reader)
        letter, body = self._fill(state)
        if letter is None:
            self.stats.in_full += 1
            full = self.full_render(reader)
            head = b"".join((before, mime.subject_line(full.subject), after))
            return head + mime.whole_body(full.text, full.html, self.boundary)
        if self._every:
            self._countdown -= 1
            if self._countdown <= 0:
                self._countdown = self._every
                self._compare(letter, state, body)
        subject = letter.subject
        line = subject if isinstance(subject, bytes) else mime.subject_line(subject(state))
        body[0] = b"".join((before, line, after, body[0]))
        return b"".join(body)

    def splits(self) -> list[Split]:
        """What the design asked of its subscribers so far, and how many answers there were."""
        return self._tree.splits()

    def _fill(self, state: State) -> tuple[_Letter | None, list[bytes]]:
        """The letter of this reader and its filled parts; None where only a full render is exact."""
        try:
            letter = self._tree.find(state)
        except Exception:
            # The stock render fails in the same way, or shows that this reader is a case of their own.
            return None, []
        if letter is None:
            with self._lock:
                letter = self._compile(state.reader)
        try:
            body = letter.body(state)
        except Exception:
            return None, []
        if not letter.checked:
            self._compare(letter, state, body)
            letter.checked = True
        return letter, body

    def _compare(self, letter: _Letter, state: State, body: Sequence[bytes]) -> None:
        self.stats.self_checks += 1
        if self._decoded(letter, state, body) != self.full_render(state.reader):
            raise LetterMismatchError(
                "the letter for this subscriber would differ from its preview; nothing was sent to them.",
                where=self.design.name,
                hint="Report it with the design: the fault is the compiler's, or the template changes by itself.",
            )

    def _decoded(self, letter: _Letter, state: State, body: Sequence[bytes]) -> Rendered:
        """What a mail program makes of the bytes."""
        at = letter.html_from
        text, html = (
            decodestring(b"".join(part)).decode("utf-8", "replace").replace("\r\n", "\n")
            for part in (body[1:at], body[at + 1 : -1])
        )
        return Rendered(letter.subject_for(state), html, text)

    # Compiling a letter.

    def _compile(self, reader: Reader) -> _Letter:
        known = self._tree.find(State(reader))
        if known is not None:
            return known
        if len(self._nodes) > MAX_NODES:
            self._nodes = Nodes()
            self._fillers = Fillers(self._nodes, self._links)
            self._tree = Tree(self._nodes, self._tree.bound, self._tree.evicted)
        tracer = Tracer(self._nodes, reader)
        try:
            subject, html, text = (self._trace(tracer, name) for name in (SUBJECT, HTML, TEXT))
            letter = self._assemble(tracer, subject, html, text)
        except Exception as error:
            self._explain(reader, error)
        self._tree.insert(tracer.path, letter)
        self.stats.letters += 1
        self.stats.evicted = self._tree.evicted
        return letter

    def _explain(self, reader: Reader, error: Exception) -> NoReturn:
        """A trace failed: as the stock render does (then that is the error), or where only it can't follow."""
        self.full_render(reader)
        if isinstance(error, NewsletterError):
            raise error
        file, line = template_place(error)
        raise TraceError(
            f"this can't be compiled with a subscriber's value: {error}.",
            file=file,
            line=line,
            hint="Use the filters, tests and conditions that the design guide lists.",
        ) from error

    def _trace(self, tracer: Tracer, name: str) -> list[str | Slot]:
        template = self._tracing.get_template(name)
        context = {**self._context, "subscriber": tracer.root}
        items: list[str | Slot] = []
        for event in template.root_render_func(template.new_context(context)):
            if isinstance(event, str):
                items.append(scrub(event))
            else:
                items.extend(flat(event, event.node))
        return items

    def _assemble(
        self, tracer: Tracer, subject: list[str | Slot], html: list[str | Slot], text: list[str | Slot]
    ) -> _Letter:
        source, slots = self._settle(tracer, html)
        made = Parts(self._fillers, self._pieces)
        made.raw(mime.opening(self.boundary, "plain", first=True))
        for item in joined([*text, "\n"]):
            if isinstance(item, str):
                made.text(item)
            else:
                made.slot(item.node, None)
        made.flush()
        html_from = len(made.parts)
        made.raw(mime.opening(self.boundary, "html"))
        self._html(made, source, slots)
        made.raw(mime.closing(self.boundary))

        line, words = subject_of(self._nodes, subject)
        used = [*made.used, *(item.node for item in subject if isinstance(item, Slot))]
        return _Letter(
            subject=line,
            subject_text=words,
            parts=made.parts,
            html_from=html_from,
            fillers=made.fill(),
            checks=tuple(self._nodes.closure(node) for node in tracer.unused(used)),
        )

    def _html(self, made: Parts, source: str, slots: list[tuple[Node, Place]]) -> None:
        """The document's HTML, by sections where it can be taken apart, else as a whole."""
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
        made.text("\n")

    def _settle(self, tracer: Tracer, items: list[str | Slot]) -> tuple[str, list[tuple[Node, Place]]]:
        """Ask for the values that stand where MJML reads them, until none is left: the document with its slots by
        number, and what they are.
        """
        while True:
            slots = [item for item in items if isinstance(item, Slot)]
            numbers = iter(range(len(slots)))
            source = "".join([item if isinstance(item, str) else slot(next(numbers)) for item in items])
            found = places(source, SLOT)
            if all(found[number][0] is not Place.STRUCTURE for number in range(len(slots))):
                return source, [(each.node, found[number][0]) for number, each in enumerate(slots)]
            numbers = iter(range(len(slots)))
            settled: list[str | Slot] = []
            for item in items:
                if isinstance(item, Slot) and found[next(numbers)][0] is Place.STRUCTURE:
                    settled.append(scrub(str(tracer.ask(VALUE, item.deferred))))
                else:
                    settled.append(item)
            items = settled
