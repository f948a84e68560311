"""`Compiler`: each new letter, and each new outcome of a block, costs one trace and one comparison with a full render.

After that a subscriber costs a walk down the tree and one join of bytes; a new combination of known blocks costs a walk
down each block's tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from quopri import decodestring
from threading import Lock
from typing import Any, NoReturn

from newsletter.core import mime
from newsletter.core.errors import DesignError, LetterMismatchError, NewsletterError, TraceError
from newsletter.core.letter.assembly import Assembler, Leaf, Letter, Output, Plan
from newsletter.core.letter.moulds import Mould, NoMould, shared
from newsletter.core.letter.parts import Links
from newsletter.core.letter.weight import Weight, weights
from newsletter.core.mime import Headers
from newsletter.core.mjml import to_html
from newsletter.core.reader import Reader
from newsletter.core.sentence import sentence
from newsletter.core.trace.blocks import Blocks, Misplaced, Reference
from newsletter.core.trace.deferred import Question, Tracer
from newsletter.core.trace.environment import TracingEnvironment
from newsletter.core.trace.nodes import Nodes, State
from newsletter.core.trace.output import design_errors, flat, scrub, template_place
from newsletter.core.trace.positions import blamed
from newsletter.core.trace.stock import StockEnvironment, within
from newsletter.core.trace.tree import Split, Tree, merged

SUBJECT, HTML, TEXT = "subject.txt", "letter.mjml", "letter.txt"

MAX_NODES = 200_000
"""Expressions kept; past it the tree starts anew. Only designs that ask for many values ever come near."""

MAX_BLOCKS = 5000

MAX_MET = 20_000
"""Letters of blocks remembered as met once."""


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
    """Things compiled: letters, and outcomes of blocks."""
    full_renders: int = 0
    self_checks: int = 0
    evicted: int = 0
    in_full: int = 0
    """Subscribers whose values don't fit a compiled letter and who were rendered one by one."""


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
        self_check_every: int = 4000,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        """`context` is plain frozen data, all that a template sees besides `subscriber` (and `design`, the tokens).
        `max_letters` bounds the compiled letters kept, and the outcomes of each block; `self_check_every` compares one
        message in so many with its full render (0: none but the first of each letter and outcome). `filters` are
        further pure filters. `links` names fields of a reader that are a fixed address and a token
        (`{"unsubscribe_url": "https://news.example.test/u/"}`): they go into lines already wrapped; a reader whose
        field is anything else is rendered in full.

        Raises `DesignError` for a template that is missing or can't be parsed.
        """
        self.design = design
        self.stats = Stats()
        self._context = {"design": design.tokens, **context}
        self._filters = filters or {}
        self._stock = StockEnvironment(design.files, self._filters)
        self._tracing = TracingEnvironment(design.files, self._filters, self._stock)
        self.self_check_every = self._countdown = self_check_every
        self._links = Links(links or {})
        self._bound, self._gone = max_letters, 0
        self._lock = Lock()
        names = "\0".join((design.name, *sorted(design.files)))
        # "=_" can't stand in quoted-printable: no body can hold the boundary (RFC 2045 section 6.7).
        self.boundary = f"=_{sha256(names.encode()).hexdigest()[:24]}"
        self._nodes = Nodes()
        self._assembler = Assembler(self._nodes, self._links, self.boundary)
        self._met: set[int] = set()
        self._tree: Tree[Letter] = Tree(self._nodes, max_letters)
        self._plans: Tree[Plan] = Tree(self._nodes, max_letters)
        self._blocks: Blocks[Leaf] = Blocks(lambda: Tree(self._nodes, max_letters), self._context)
        self._tracing.blocks = self._blocks
        with design_errors():
            for name in (SUBJECT, HTML, TEXT):
                self._stock.get_template(name)
                self._tracing.get_template(name)

    # The truth.

    def full_render(self, reader: Reader, *, with_text: bool = True) -> Rendered:
        """The letter by stock Jinja2 and MJML. Raises `DesignError` with file and line. Without its text, which takes a
        quarter of the time, for whoever looks at the page alone.
        """
        self.stats.full_renders += 1
        context = {**self._context, "subscriber": reader}
        subject, source = (self._run(name, context) for name in (SUBJECT, HTML))
        text = self._run(TEXT, context) if with_text else ""
        try:
            html = to_html(source, file=HTML)
        except DesignError as error:
            raise blamed(error, source, self.design.files, self._filters, context) from error
        return Rendered(" ".join(subject.split()), html + "\n", text + "\n")

    def weights(self, reader: Reader) -> list[Weight]:
        """What each block of this reader's letter costs, the heaviest first. Raises `DesignError`."""
        context = {**self._context, "subscriber": reader}
        return weights(self._run(HTML, context), self.design.files, self._filters, context, name=HTML)

    def _run(self, name: str, context: Mapping[str, object]) -> str:
        with design_errors():
            template = self._stock.get_template(name)
            self._stock.begin()
            return scrub(within(template.root_render_func(template.new_context(dict(context)))))

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
        (`mime.around_subject`). Who reads plain text gets the text part alone.
        """
        state = State(reader)
        letter, body = self._fill(state)
        if letter is None:
            self.stats.in_full += 1
            full = self.full_render(reader)
            line = mime.subject_line(full.subject)
            if reader.plain_text:
                return b"".join((before, line, self._without_html(after), mime.text_body(full.text)))
            return b"".join((before, line, after, mime.whole_body(full.text, full.html, self.boundary)))
        if self.self_check_every:
            self._countdown -= 1
            if self._countdown <= 0:
                self._countdown = self.self_check_every
                self._compare(letter, state, body)
        subject = letter.subject
        line = subject if isinstance(subject, bytes) else mime.subject_line(subject(state))
        if reader.plain_text:
            # Encoded anew: alone, a text may not end as it does in front of another part.
            text = self._decoded(letter, state, body).text
            return b"".join((before, line, self._without_html(after), mime.text_body(text)))
        body[0] = b"".join((before, line, after, body[0]))
        return b"".join(body)

    def mould(self, reader: Reader, prefixes: Mapping[str, str]) -> Mould | None:
        """The mould of this reader's letter; None while the letter has not come up often enough. `prefixes` are those
        of the readers' links (`Mould`). Raises `NoMould`.
        """
        state = State(reader)
        letter = self._tree.find(state)
        if letter is None or letter.fresh:
            return None
        if not all(shared(question, self._nodes.root) for question in self._tree.asked(state)):
            raise NoMould
        return Mould(letter, prefixes)

    def check_next(self) -> None:
        """Compare the next message with its full render, whenever one was compared last."""
        self._countdown = min(self._countdown, 1)

    def _without_html(self, after: bytes) -> bytes:
        """The last headers of a letter of text alone."""
        return after.removesuffix(mime.content_type(self.boundary)) + mime.TEXT_ONLY

    def splits(self) -> list[Split]:
        """What the design asked of its subscribers so far, and how many answers there were."""
        return merged([self._tree, self._plans, *self._blocks.trees()])

    def _fill(self, state: State) -> tuple[Letter | None, list[bytes]]:
        """The letter of this reader and its filled parts; None where only a full render is exact."""
        try:
            letter = self._tree.find(state)
            if letter is None:
                with self._lock:
                    letter = self._composed(state)
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
        if letter.fresh:
            self._compare(letter, state, body)
            letter.seen()
        return letter, body

    def _compare(self, letter: Letter, state: State, body: Sequence[bytes]) -> None:
        self.stats.self_checks += 1
        if self._decoded(letter, state, body) != self.full_render(state.reader):
            raise LetterMismatchError(
                sentence("the letter for this subscriber would differ from its preview; nothing was sent to them."),
                where=self.design.name,
                hint=sentence(
                    "Report it with the design: the fault is the compiler's, or the template changes by itself."
                ),
            )

    def _decoded(self, letter: Letter, state: State, body: Sequence[bytes]) -> Rendered:
        """What a mail program makes of the bytes."""
        at = letter.html_from
        text, html = (
            decodestring(b"".join(part)).decode("utf-8", "replace").replace("\r\n", "\n")
            for part in (body[1:at], body[at + 1 : -1])
        )
        return Rendered(letter.subject_for(state), html, text)

    # Compiling a letter.

    def _composed(self, state: State) -> Letter | None:
        """The letter of this reader from a plan and leaves that are known; None when something must be compiled."""
        plan = self._plans.find(state)
        if plan is None:
            return None
        leaves: list[Leaf] = []
        for _, block, _ in plan.blocks:
            leaf = block.tree.find(state)
            if leaf is None:
                return None
            leaves.append(leaf)
        letter = self._assembler.letter(plan, leaves)
        self._keep(state, plan, leaves, letter)
        return letter

    def _keep(self, state: State, plan: Plan, leaves: Sequence[Leaf], letter: Letter) -> None:
        """Put a letter where one walk finds it; one of blocks, which is quickly made again, when it came up before and
        nobody has to go for it.
        """
        if plan.blocks:
            key = hash((plan, *leaves))
            if key not in self._met:
                if len(self._met) < MAX_MET:
                    self._met.add(key)
                return
            if len(self._tree) >= self._bound:
                return
        if self._tree.find(state) is not None:
            return
        path: dict[object, tuple[Question, object]] = {}
        for question, given in chain(plan.path, *[leaf.path for leaf in leaves]):
            path.setdefault(question.key, (question, given))
        self._tree.insert(list(path.values()), letter)

    def _compile(self, reader: Reader) -> Letter:
        state = State(reader)
        try:
            known = self._tree.find(state) or self._composed(state)
            if known is not None:
                return known
            if len(self._nodes) > MAX_NODES:
                self._nodes = Nodes()
                self._assembler = Assembler(self._nodes, self._links, self.boundary)
                self._begin_anew()
            elif len(self._blocks) > MAX_BLOCKS:
                self._begin_anew()
            plan, leaves, letter = self._traced(reader)
        except Exception as error:
            self._explain(reader, error)
        self._keep(state, plan, leaves, letter)
        trees: tuple[Tree[Any], ...] = (self._tree, self._plans, *self._blocks.trees())
        self.stats.evicted = self._gone + sum(tree.evicted for tree in trees)
        return letter

    def _begin_anew(self) -> None:
        """Drop what is compiled. Letters being filled stay whole: they hold what they need."""
        self._gone = self.stats.evicted
        self._tree, self._plans = Tree(self._nodes, self._bound), Tree(self._nodes, self._bound)
        self._blocks.forget()
        self._met.clear()

    def _traced(self, reader: Reader) -> tuple[Plan, list[Leaf], Letter]:
        """A new plan, its leaves for this reader, and the letter of both."""
        while True:
            tracer = Tracer(self._nodes, reader)
            try:
                subject, html, text = (self._trace(tracer, name) for name in (SUBJECT, HTML, TEXT))
                plan, leaves, new = self._assembler.plan(tracer, subject, html, text)
                letter = self._assembler.letter(plan, leaves)
            except Misplaced as misplaced:
                if misplaced.broken:
                    # One reader for whom the design fails is no reason to give up blocks.
                    self.full_render(reader)
                self._blocks.refused |= misplaced.sites
                self._begin_anew()
            else:
                known = self._plans.find(State(reader))
                self.stats.letters += new + (known is None)
                if known is not None:
                    # Only a leaf was missing.
                    plan, letter = known, self._assembler.letter(known, leaves)
                elif plan.blocks:
                    self._plans.insert(plan.path, plan)
                return plan, leaves, letter

    def _explain(self, reader: Reader, error: Exception) -> NoReturn:
        """A trace failed: as the stock render does (then that is the error), or where only it can't follow."""
        self.full_render(reader)
        if isinstance(error, NewsletterError):
            raise error
        file, line = template_place(error)
        raise TraceError(
            sentence("this can't be compiled with a subscriber's value: {error}.", error=error),
            file=file,
            line=line,
            hint=sentence("Use the filters, tests and conditions that the design guide lists."),
        ) from error

    def _trace(self, tracer: Tracer, name: str) -> list[Output]:
        template = self._tracing.get_template(name)
        self._tracing.begin()
        context = {**self._context, "subscriber": tracer.root}
        items: list[Output] = []
        if name != SUBJECT:
            self._blocks.begin(tracer, name)
        try:
            for event in template.root_render_func(template.new_context(context)):
                if isinstance(event, str):
                    items.append(scrub(event))
                elif isinstance(event, Reference):
                    items.append(event)
                else:
                    items.extend(flat(event, event.node))
        finally:
            self._blocks.end()
        return items
