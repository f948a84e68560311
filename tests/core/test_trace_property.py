"""The promise of the tracing compiler, on made-up designs: what is filled is what stock Jinja2 and MJML render."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.errors import LetterMismatchError
from newsletter.core.letter import Compiler, Headers, Mailbox, Rendered
from newsletter.core.reader import Reader
from newsletter.core.trace import Tracer, TracingEnvironment, deferred, environment, places
from tests.conftest import COMPILER_CASES
from tests.tracing.documents import Documents, mjml_reader
from tests.tracing.judge import DifferentError, Jinja, judge, judge_letters
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
        if read(compiler.message(reader, headers_for(reader))) != truth:
            raise DifferentError("the message reads differently")

    return judge_letters(compiler, readers, check)


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
    plain, html = message.get_payload()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return Rendered(str(message["Subject"] or ""), *[_text(part) for part in (html, plain)])


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
