"""The promise of the tracing compiler, on made-up designs: what is filled is what stock Jinja2 and MJML render."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.errors import DesignError, LetterMismatchError
from newsletter.core.letter import Compiler, Headers, Mailbox, Rendered
from newsletter.core.letter.sections import Frame
from newsletter.core.reader import Reader
from newsletter.core.trace import Tracer, TracingEnvironment, deferred, environment, places
from newsletter.core.trace.blocks import Blocks
from newsletter.core.trace.sites import Sites
from tests.conftest import COMPILER_CASES
from tests.tracing import magazines
from tests.tracing.documents import Documents, mjml_reader
from tests.tracing.judge import DifferentError, Jinja, judge, judge_letters, lookup, shout
from tests.tracing.magazines import Magazines
from tests.tracing.people import ISSUE, reader
from tests.tracing.templates import Templates

seeds = st.integers(0, 2**64)


def check_templates(seed: int) -> Counter[str]:
    """Layer one: Jinja2 alone, autoescaped or not."""
    rnd = Random(seed)
    readers = [reader(rnd) for _ in range(rnd.randint(2, 6))]
    name = rnd.choice(["t.mjml", "t.txt"])
    jinja = Jinja(Templates(rnd, readers).files(name), name)
    try:
        jinja.stock.get_template(name)
    except Exception:
        # Jinja2's optimiser can't fold some nonsense (`words[1][1:]` of a number); nothing to compare.
        return Counter(nonsense=1)
    return judge(jinja, readers)


def check_documents(seed: int) -> Counter[str]:
    """Layer two: MJML documents, and layer three: the whole message as a mail program reads it."""
    rnd = Random(seed)
    readers = [mjml_reader(rnd) for _ in range(rnd.randint(2, 6))]
    compiler = Compiler(Documents(rnd).design(), ISSUE, self_check_every=0)

    def check(reader: Reader, truth: Rendered) -> None:
        if compiler.render(reader) != truth:
            raise DifferentError(f"stock gave {truth!r}")
        if read(compiler.message(reader, headers_for(reader))) != wanted_of(reader, truth):
            raise DifferentError("the message reads differently")

    return judge_letters(compiler, readers, check)


def check_magazines(seed: int) -> Counter[str]:
    """Layer three on designs of blocks: many subscribers, so that blocks are put together in new ways."""
    rnd = Random(seed)
    readers = [mjml_reader(rnd) for _ in range(rnd.choice([2, 4, 6]))]
    design = Magazines(rnd, readers).design()
    links = rnd.choice([{}, {"unsubscribe_url": "https://news.example.test/u/"}])

    def compiler(bound: int) -> Compiler:
        context = {**ISSUE, "lookup": lookup}
        filters = {"shout": shout}
        return Compiler(design, context, self_check_every=0, max_letters=bound, filters=filters, links=links)

    try:
        first, second = compiler(rnd.choice([1, 3, 5000])), compiler(5000)
    except DesignError:
        # Jinja2's optimiser can't fold some nonsense.
        return Counter(nonsense=1)
    messages: dict[int, bytes] = {}

    def check(reader: Reader, truth: Rendered) -> None:
        if first.render(reader) != truth:
            raise DifferentError(f"stock gave {truth!r}")
        raw = messages[id(reader)] = first.message(reader, headers_for(reader))
        if read(raw) != wanted_of(reader, truth):
            raise DifferentError("the message reads differently")

    seen = judge_letters(first, readers, check)
    seen["blocks"] += sum(len(tree) for tree in first._blocks.trees())
    for one in readers[::-1]:
        if id(one) in messages and second.message(one, headers_for(one)) != messages[id(one)]:
            raise DifferentError("the bytes depend on who was compiled before")
    return seen


def headers_for(reader: Reader) -> Headers:
    return Headers(
        from_=Mailbox("editors@news.example.test", "The editors"),
        to=Mailbox(reader.address, reader.name),
        message_id="<1.2@news.example.test>",
        date=datetime(2026, 11, 5, 13, 0, tzinfo=UTC),
        list_unsubscribe="https://news.example.test/u/abc",
    )


def read(raw: bytes) -> Rendered:
    """What a mail program reads, by the standard library's parser; with the rules for lines on the way."""
    assert b"\0" not in raw and raw.replace(b"\r\n", b"").count(b"\n") == raw.replace(b"\r\n", b"").count(b"\r") == 0
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 76, max(lines, key=len)
    assert not any(line.startswith(b".") or line.startswith(b"From ") for line in lines)
    assert body == Relaxed.canonicalize_body(body), "DKIM's body hash is that of the bytes themselves"
    assert body.isascii() and max(map(len, head.split(b"\r\n"))) <= 998
    message: Any = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    if message.get_content_type() == "text/plain":
        return Rendered(str(message["Subject"] or ""), "", _text(message))
    plain, html = message.get_payload()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return Rendered(str(message["Subject"] or ""), *[_text(part) for part in (html, plain)])


def wanted_of(reader: Reader, letter: Rendered) -> Rendered:
    """What a reader gets of a letter: all of it, or its text alone, without empty lines at the end."""
    if not reader.plain_text:
        return letter
    words = letter.text.rstrip("\n")
    return Rendered(letter.subject, "", f"{words}\n" if words else "")


def _text(part: Any) -> str:
    assert part.get_content_charset() == "utf-8"
    return str(part.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n"))


@settings(max_examples=COMPILER_CASES)
@given(seeds)
def test_a_filled_template_is_what_stock_jinja2_renders(seed: int) -> None:
    check_templates(seed)


@settings(max_examples=COMPILER_CASES)
@given(seeds)
def test_a_filled_message_is_what_stock_jinja2_and_mjml_render(seed: int) -> None:
    check_documents(seed)


@settings(max_examples=max(COMPILER_CASES // 5, 20))
@given(seeds)
def test_a_message_of_blocks_is_what_stock_jinja2_and_mjml_render(seed: int) -> None:
    check_magazines(seed)


def test_most_of_what_is_drawn_is_compared_and_little_is_refused() -> None:
    templates = sum((check_templates(seed) for seed in range(40)), Counter())
    documents = sum((check_documents(seed) for seed in range(40)), Counter())
    assert templates["equal"] > templates.total() / 2
    assert templates.total() - templates["equal"] - templates["both raise"] < templates.total() / 10
    assert documents["equal"] > documents.total() * 0.6


# --- seeded faults ----------------------------------------------------------------------------------------------------


def noticed(check: Callable[[int], object], *, within: int) -> bool:
    """Whether the property's judge objects to any of the first seeds."""
    for seed in range(within):
        try:
            check(seed)
        except (DifferentError, LetterMismatchError):
            return True
    return False


def test_a_dropped_filter_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = TracingEnvironment._defer

    def forgetful(self: Any, kind: str, name: str, tracer: Any, given: Any, values: Any, kwargs: Any) -> Any:
        if name == "upper" and kind == "filter":
            return values[0]
        return proper(self, kind, name, tracer, given, values, kwargs)

    monkeypatch.setattr(TracingEnvironment, "_defer", forgetful)
    assert noticed(check_templates, within=150)


def test_a_question_that_is_not_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = Tracer.ask
    monkeypatch.setattr(
        Tracer,
        "ask",
        lambda self, kind, value: self.values[value.node] if kind == deferred.TRUTH else proper(self, kind, value),
    )
    assert noticed(check_templates, within=50)


def test_answers_that_forget_their_type_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[Any] = [1, True, 1.0, 0.0, -0.0]
    readers = [Reader("a@example.org", attributes={"count": count}) for count in counts]
    source = "{% for rv in [subscriber.attributes.count]|batch(1) %}{{ rv[0] }}{% endfor %}"
    assert judge(Jinja({"t.mjml": source}), readers) == {"equal": 10}
    monkeypatch.setattr(deferred, "freeze", lambda value: ("any", value))
    with pytest.raises(DifferentError):
        judge(Jinja({"t.mjml": source}), readers)


def test_a_forgotten_escape_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = environment.HOOKS["escape"]

    def careless(value: Any) -> Any:
        found = environment.find(value)
        return found.tracer.print(environment.TEXT, value) if found is not None else proper(value)

    monkeypatch.setattr(environment, "HOOKS", {**environment.HOOKS, "escape": careless})
    assert noticed(check_templates, within=50)


def test_a_failing_expression_that_nobody_prints_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tracer, "unused", lambda self, used: [])
    assert noticed(check_templates, within=300)


def test_a_blank_text_that_mjml_drops_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.core.letter.parts.Place", _Careless)
    assert noticed(check_documents, within=200)


class _Careless:
    """The places, as if blank texts were like any other."""

    ATTRIBUTE, TITLE, STRUCTURE = places.Place.ATTRIBUTE, places.Place.TITLE, places.Place.STRUCTURE
    ONLY_TITLE = ONLY_TEXT = BARE_TEXT = None


def test_an_attribute_that_mjml_reads_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_attribute_place", lambda *_: (places.Place.ATTRIBUTE, ""))
    assert noticed(check_documents, within=200)


def test_nothing_is_noticed_without_a_fault() -> None:
    assert not noticed(check_templates, within=60)
    assert not noticed(check_documents, within=60)


def test_a_tree_is_the_same_whatever_the_order_of_readers() -> None:
    rnd = Random(5)
    readers = [reader(rnd) for _ in range(40)]
    files = {"t.mjml": "{% for t in subscriber.topics %}{{ t }}{% endfor %}{% if subscriber.plain_text %}x{% endif %}"}
    letters = []
    for order in (readers, readers[::-1]):
        jinja = Jinja(files)
        for one in order:
            jinja.filled(one)
        letters.append(len(jinja.tree))
    assert letters[0] == letters[1]


# --- seeded faults in blocks ------------------------------------------------------------------------------------------


def test_a_block_that_forgets_a_name_it_reads_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = Blocks._part
    monkeypatch.setattr(
        Blocks, "_part", lambda self, name, value, named: None if name == "rv" else proper(self, name, value, named)
    )
    assert noticed(check_magazines, within=60)


def test_a_block_that_forgets_what_its_macros_read_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sites, "_macro_reads", lambda self, name, seen: frozenset())
    assert noticed(check_magazines, within=60)


def test_a_head_that_forgets_its_sections_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = Frame.opening
    monkeypatch.setattr(Frame, "opening", lambda self, heads: proper(self, list(heads)[:1]))
    assert noticed(check_magazines, within=60)


def test_a_head_that_forgets_the_order_of_its_sections_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = Frame.opening
    monkeypatch.setattr(
        Frame, "opening", lambda self, heads: proper(self, sorted(heads, key=lambda head: (head is None, -(head or 0))))
    )
    assert noticed(check_magazines, within=60)


def test_a_question_of_a_block_that_is_not_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = Tracer.ask

    def forgetful(self: Tracer, kind: str, value: Any) -> Any:
        known = set(self._span.asked)
        found = proper(self, kind, value)
        if self.within_block and kind == deferred.TRUTH:
            self._span.asked = known
            self._span.path[:] = [step for step in self._span.path if step[0].key in known]
        return found

    monkeypatch.setattr(Tracer, "within_block", property(lambda self: self._span is not self.whole), raising=False)
    begin = Tracer.__init__

    def remembering(self: Any, *args: Any) -> None:
        begin(self, *args)
        self.whole = self._span

    monkeypatch.setattr(Tracer, "__init__", remembering)
    monkeypatch.setattr(Tracer, "ask", forgetful)
    assert noticed(check_magazines, within=60)


def test_a_failing_expression_of_a_block_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proper = Tracer.apart

    @contextmanager
    def careless(self: Tracer, span: Any = None) -> Iterator[Any]:
        with proper(self, span) as found:
            yield found
            found.made.clear()

    monkeypatch.setattr(Tracer, "apart", careless)
    monkeypatch.setattr(magazines, "WORDS", [*magazines.WORDS, *magazines.FAILING_WORDS * 5])
    assert noticed(check_magazines, within=60)


def test_many_magazines_are_made_of_blocks() -> None:
    seen = sum((check_magazines(seed) for seed in range(20)), Counter())
    assert seen["blocks"] > 40
    assert seen["equal"] > seen["in full"] * 2
    assert seen["equal"] > seen["both raise"]
