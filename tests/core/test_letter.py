"""Compiled letters: bounded, self-checked, and nothing in a review or a name gets out of its place."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from newsletter.core import mime
from newsletter.core.errors import DesignError, LetterMismatchError, TraceError
from newsletter.core.letter import Compiler, Design, Headers, Mailbox
from newsletter.core.letter import compiler as letter_module
from newsletter.core.letter import parts as parts_module
from newsletter.core.reader import Reader
from newsletter.core.trace.places import Markers, Place, places
from tests.tracing.documents import mjml_reader

ANA = Reader(
    "ana@example.org",
    name="Ana Núñez",
    language="de",
    topics=("movie",),
    unsubscribe_url="https://news.example.test/u/abcdefghijklmnopqrstuvwx",
)
BOB = Reader("bob@example.org", name="Bob", language="en")


def design(body: str = "", *, head: str = "", subject: str = "The week", text: str = "Hi", **parts: str) -> Design:
    mjml = (
        f'<mjml lang="en" dir="ltr"><mj-head>{head}</mj-head>'
        f"<mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
    )
    return Design("test", {"letter.mjml": mjml, "letter.txt": text, "subject.txt": subject, **parts})


def text_of(body: str) -> str:
    return f"<mj-text>{body}</mj-text>"


def compiled(made: Design, context: Mapping[str, object] | None = None, **options: Any) -> Compiler:
    return Compiler(made, context or {}, **options)


def headers(reader: Reader) -> Headers:
    return Headers(
        from_=Mailbox("editors@news.example.test", "The Lantern"),
        to=Mailbox(reader.address, reader.name),
        message_id="<1.2@news.example.test>",
        date=datetime(2026, 11, 5, 13, 0, tzinfo=UTC),
        list_unsubscribe=reader.unsubscribe_url,
    )


GREETING = design(
    text_of("Hello {{ subscriber.first_name or 'reader' }}! {% if subscriber.follows('book') %}Books{% endif %}")
    + "{% if subscriber.unsubscribe_url %}"
    '<mj-button href="{{ subscriber.unsubscribe_url }}">Leave</mj-button>{% endif %}',
    subject="{{ subscriber.first_name }}, the week",
    text="Hello {{ subscriber.name }}\n.\n{{ subscriber.unsubscribe_url }}\n",
)


def test_one_letter_serves_all_readers_of_a_path() -> None:
    compiler = compiled(GREETING, self_check_every=0)
    readers = [replace(BOB, name=name) for name in ("Bob", "Zoë", "李雷", "<b>", "x" * 500)]
    for reader in readers:
        assert compiler.render(reader) == compiler.full_render(reader)
    assert compiler.stats.letters == 1
    assert compiler.stats.self_checks == 1
    assert compiler.stats.in_full == 0


def test_a_message_reads_back_as_the_full_render() -> None:
    compiler = compiled(GREETING)
    raw = compiler.message(ANA, headers(ANA))
    read: Any = email.message_from_bytes(raw, policy=email.policy.default)
    truth = compiler.full_render(ANA)
    plain, html = [part.get_content().replace("\r\n", "\n") for part in read.get_payload()]
    assert (read["Subject"], plain, html) == (truth.subject, truth.text, truth.html)
    assert "Hello Ana!" in html and truth.subject == "Ana, the week"
    assert max(map(len, raw.split(b"\r\n"))) <= 120


def test_the_same_reader_gets_the_same_bytes_whatever_was_compiled_before() -> None:
    readers = [mjml_reader(Random(seed)) for seed in range(30)]
    orders = (readers, readers[::-1])
    results = []
    for order, bound in zip(orders, (5000, 1), strict=True):
        compiler = compiled(GREETING, max_letters=bound, self_check_every=0)
        results.append({id(reader): compiler.message(reader, headers(reader)) for reader in order})
    assert results[0] == results[1]


def test_letters_are_bounded_and_the_oldest_makes_room() -> None:
    compiler = compiled(
        design(text_of("{{ subscriber.topics|length }}{% for t in subscriber.topics %}{{ t }}{% endfor %}")),
        max_letters=3,
    )
    topics = ["a", "b", "c", "d", "e", "f"]
    for _ in range(2):
        for count in range(6):
            reader = replace(ANA, topics=tuple(topics[:count]))
            assert compiler.render(reader) == compiler.full_render(reader)
    assert len(compiler._tree) == 3
    assert compiler.stats.letters == 12
    assert compiler.stats.evicted == 9


def test_too_many_expressions_start_the_tree_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_module, "MAX_NODES", 3)
    monkeypatch.setattr(parts_module, "MAX_PIECES", 3)
    compiler = compiled(GREETING)
    for reader in (ANA, BOB, ANA):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert len(compiler._tree) == 1


# --- self-check -------------------------------------------------------------------------------------------------------


def test_a_letter_that_differs_from_its_full_render_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mime, "piece", lambda text: text.replace("Hello", "Hallo").encode() + b"=\r\n")
    compiler = compiled(GREETING)
    for _ in range(2):
        with pytest.raises(LetterMismatchError, match="would differ from its preview"):
            compiler.message(BOB, headers(BOB))


def test_one_message_in_so_many_is_checked_during_the_send() -> None:
    compiler = compiled(GREETING, self_check_every=10)
    for _ in range(40):
        compiler.message(BOB, headers(BOB))
    assert compiler.stats.self_checks == 1 + 4


def test_a_difference_that_comes_up_during_the_send_stops_it() -> None:
    compiler = compiled(GREETING, self_check_every=3)
    compiler.message(BOB, headers(BOB))
    parts = compiler._tree.find(letter_module.State(BOB)).parts  # type: ignore[union-attr]
    parts[1] = b"Hallo =\r\n"
    compiler.message(BOB, headers(BOB))
    with pytest.raises(LetterMismatchError):
        compiler.message(BOB, headers(BOB))


def test_a_letter_whose_first_reader_needs_a_full_render_is_checked_with_the_next() -> None:
    compiler = compiled(design(head="<mj-title>{{ subscriber.name }}</mj-title>", body=text_of("x")))
    nobody = replace(BOB, name="")
    assert compiler.render(nobody) == compiler.full_render(nobody)
    assert (compiler.stats.self_checks, compiler.stats.in_full) == (0, 1)
    assert compiler.render(BOB) == compiler.full_render(BOB)
    assert (compiler.stats.self_checks, compiler.stats.letters) == (1, 1)


# --- values that need a full render -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "reader"),
    [
        (design(head="<mj-title> {{ subscriber.name }}</mj-title>"), replace(ANA, name="")),
        (design(head="<mj-preview>{{ subscriber.name }}</mj-preview>"), replace(ANA, name="")),
        (design(text_of("<p>x</p>\n{{ subscriber.name }}<p>x</p>")), replace(ANA, name="")),
        (design(text_of("<b>{{ subscriber.attributes.a }}</b>")), replace(ANA, attributes={"a": "\n"})),
        (design(text_of("x {{ subscriber.name|safe }}")), replace(ANA, name="<b>Ana</b>")),
        (design(text_of("x {{ '<b>%s</b>'|safe % subscriber.name }}")), ANA),
        (design(text_of("{% autoescape false %}x {{ subscriber.name }}{% endautoescape %}")), replace(ANA, name="a&b")),
    ],
)
def test_a_value_that_could_change_the_document_is_rendered_in_full(made: Design, reader: Reader) -> None:
    compiler = compiled(made)
    compiler.render(BOB if not BOB.attributes and "attributes" not in made.files["letter.mjml"] else reader)
    before = compiler.stats.in_full
    assert compiler.render(reader) == compiler.full_render(reader)
    assert compiler.stats.in_full == before + 1
    assert compiler.message(reader, headers(reader)).endswith(b"--\r\n")


def test_a_blank_name_beside_words_costs_nothing() -> None:
    compiler = compiled(
        design(text_of("Hello {{ subscriber.name }}"), head="<mj-title>For {{ subscriber.name }}</mj-title>")
    )
    for reader in (ANA, replace(ANA, name=""), replace(ANA, name='"\\<é>')):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert (compiler.stats.letters, compiler.stats.in_full) == (1, 0)


def test_captures_and_macros_with_markup_stay_compiled() -> None:
    made = design(
        text_of(
            "{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}"
            "{% set c %}<i>{{ m(subscriber.name) }}</i>{% endset %}x {{ c }}"
        )
    )
    compiler = compiled(made)
    for reader in (ANA, replace(ANA, name="<&>")):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert (compiler.stats.letters, compiler.stats.in_full) == (1, 0)


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('<mj-button href="{{ subscriber.language }}">x</mj-button>', 1),
        ('<mj-image src="{{ subscriber.language }}" alt="{{ subscriber.language }}" />', 1),
        ('<mj-image src="a.png" alt="" width="{{ subscriber.language }}" />', 2),
        ('<mj-text css-class="{{ subscriber.language }}">x</mj-text>', 2),
        (text_of('<p class="{{ subscriber.language }}">x</p>'), 1),
        (text_of('<p style="color:{{ subscriber.language }}">x</p>'), 2),
        (text_of("<p {{ 'hidden' if subscriber.plain_text else '' }}>x</p>"), 1),
        (text_of("x<!-- {{ subscriber.language }} -->"), 2),
        ('<mj-social><mj-social-element name="{{ subscriber.language }}">x</mj-social-element></mj-social>', 2),
        ("<mj-raw><i>{{ subscriber.language }}</i></mj-raw>", 1),
    ],
)
def test_a_value_that_mjml_reads_costs_a_letter_each(body: str, count: int) -> None:
    compiler = compiled(design(body))
    for reader in (ANA, BOB, ANA):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert compiler.stats.letters == count


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (design('\n<mj-text color="{{ subscriber.name }}">x</mj-text>'), 2),
        (design(head="\n\n<mj-style>.a { color: {{ subscriber.name }} }</mj-style>"), 3),
        (design(text_of("\n<p {{ subscriber.name }}>x</p>")), 2),
    ],
)
def test_a_name_where_mjml_reads_is_refused_with_its_line(made: Design, line: int) -> None:
    with pytest.raises(TraceError, match="can't decide this") as caught:
        compiled(made).message(ANA, headers(ANA))
    assert (caught.value.file, caught.value.line, caught.value.field) == ("letter.mjml", line, "subscriber.name")


PLACES = [
    ("<mj-title>T @</mj-title>", Place.TITLE),
    ("<mj-title>@</mj-title>", Place.ONLY_TITLE),
    ("<mj-preview>P @</mj-preview>", Place.TEXT),
    ("<mj-preview>@</mj-preview>", Place.ONLY_TEXT),
    ("<mj-style>@</mj-style>", Place.STRUCTURE),
    ("<mj-attributes><mj-text href='@' /></mj-attributes>", Place.STRUCTURE),
    ("<mj-body>@<mj-section></mj-section></mj-body>", Place.ONLY_TEXT),
    ("<mj-body>a @</mj-body>", Place.ONLY_TEXT),
    ("<mj-text>a @</mj-text>", Place.TEXT),
    ("<mj-text><b>@</b></mj-text>", Place.BARE_TEXT),
    ("<mj-text><b> @</b></mj-text>", Place.BARE_TEXT),
    ("<mj-text><b>\n@</b></mj-text>", Place.ONLY_TEXT),
    ("<mj-text><a href='x@'>x</a></mj-text>", Place.ATTRIBUTE),
    ('<mj-text><a data-x="@">x</a></mj-text>', Place.ATTRIBUTE),
    ("<mj-text><a style='@'>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text><a STYLE='@'>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text><a @='x'>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text><a href=@>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text></b @></mj-text>", Place.STRUCTURE),
    ("<mj-text><!-- @ --></mj-text>", Place.STRUCTURE),
    ("<mj-text><!-- @", Place.STRUCTURE),
    ("<mj-text><style>@</style></mj-text>", Place.STRUCTURE),
    ("<mj-text>1 < 2 @</mj-text>", Place.STRUCTURE),
    ("<mj-image alt='@' />", Place.ATTRIBUTE),
    ("<mj-image width='@' />", Place.STRUCTURE),
    ("<mj-social-element name='@'>x</mj-social-element>", Place.STRUCTURE),
    ("<mj-navbar-link>a @</mj-navbar-link>", Place.ONLY_TEXT),
    ("<mj-wrapper></mj-text>@</mj-wrapper>", Place.ONLY_TEXT),
    ("@", Place.ONLY_TEXT),
]


@pytest.mark.parametrize(("source", "place"), PLACES)
def test_places_are_told_apart(source: str, place: Place) -> None:
    markers = Markers([source])
    found = places(source.replace("@", markers.marker(7)), markers.pattern)
    assert {number: where for number, (where, _) in found.items()} == {7: place}


# --- what is only data ------------------------------------------------------------------------------------------------

HOSTILE = [
    "{{ 7*7 }}",
    "{% for x in y %}",
    "{# comment #}",
    "</mj-text><mj-raw><script>x</script></mj-raw>",
    "<mj-include path='/etc/passwd' />",
    "zq00000000x00000z",
    "\r\nBcc: evil@evil.test\r\n\r\nbody",
    "\0\x01\u2028\x0b\ufffe",
    "--=_boundary",
    "]]> --> <!--",
    "&#123;&#123;",
    ".\r\n.\r\n",
    "é > €> 😀>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_review_or_a_name_is_never_more_than_text(text: str) -> None:
    made = design(
        text_of('<h1 title="{{ title }}">{{ title }}</h1>{{ subscriber.name }}, {{ title ~ subscriber.name }}'),
        head="<mj-title>{{ title }}</mj-title><mj-preview>P {{ title }}{{ subscriber.name }}</mj-preview>",
        subject="{{ title }} {{ subscriber.name }}",
        text="{{ title }} {{ subscriber.name }}",
    )
    reader = replace(ANA, name=text)
    compiler = compiled(made, {"title": text})
    for one in (ANA, reader):
        assert compiler.render(one) == compiler.full_render(one)
        raw = compiler.message(one, headers(one))
        read: Any = email.message_from_bytes(raw, policy=email.policy.default)
        assert set(read.keys()) == {"From", "Date", "MIME-Version", "To", "Subject", "Message-ID", "List-Unsubscribe",
                                    "List-Unsubscribe-Post", "Content-Type"}  # fmt: skip
        assert len(read.get_payload()) == 2
        html = read.get_payload()[1].get_content()
        assert "<script" not in html and "49" not in compiler.full_render(one).text
        assert not set(html) & set("\0\x01\u2028\x0b\ufffe")


def test_a_marker_can_not_be_forged() -> None:
    first = Markers(["text"])
    taken = first.marker(0)
    assert Markers(["text", taken]).marker(0) not in f"text{taken}"
    reader = replace(ANA, name=taken)
    compiler = compiled(design(text_of("{{ title }} {{ subscriber.name }}")), {"title": taken})
    assert compiler.render(reader) == compiler.full_render(reader)
    assert taken in compiler.render(reader).html


def test_a_text_that_holds_the_digits_of_its_own_hash_gets_others(monkeypatch: pytest.MonkeyPatch) -> None:
    real = sha256
    monkeypatch.setattr(
        "newsletter.core.trace.places.sha256", lambda data: real(b"x" if data.startswith(b"a text") else data)
    )
    digits = real(b"x").hexdigest()[:8]
    assert Markers(["a text"]).marker(0) == f"zq{digits}x00000z"
    assert f"zq{digits}" not in Markers([f"a text with zq{digits} in it"]).marker(0)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            Design("none", {"letter.mjml": "<mjml/>", "letter.txt": ""}),
            "there is no template 'subject.txt' in this design",
        ),
        (design(text_of("\n{% if %}")), "letter.mjml:2: "),
        (design(text="\n\n{{ x|nosuch }}"), "letter.txt:3: No filter named 'nosuch'"),
    ],
)
def test_a_design_that_can_not_be_parsed_is_refused_at_once(made: Design, message: str) -> None:
    with pytest.raises(DesignError, match=message.replace("(", r"\(")):
        compiled(made)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (design(text_of("\n{{ missing }}")), "letter.mjml:2: this can't be rendered: 'missing' is undefined."),
        (design(text="\n{{ 1 // 0 }}"), "letter.txt:2: this can't be rendered: ZeroDivisionError"),
        (design(text_of("{% include 'foot' %}")), "letter.mjml:1: there is no template 'foot'"),
        (
            design("{% include 'foot.mjml' %}", **{"foot.mjml": "\n\n{{ missing }}"}),
            "foot.mjml:3: this can't be rendered",
        ),
        (design("<mj-nosuch></mj-nosuch>"), "letter.mjml:1:.*has no element"),
        (design(text_of("{{ subscriber.first_nmae }}")), "letter.mjml:1: .*no attribute 'first_nmae'"),
    ],
)
def test_a_design_that_can_not_be_rendered_says_where(made: Design, message: str) -> None:
    compiler = compiled(made)
    for render in (compiler.render, compiler.full_render):
        with pytest.raises(DesignError, match=message):
            render(ANA)
    with pytest.raises(DesignError):
        compiler.message(ANA, headers(ANA))


def test_a_reader_for_whom_the_design_fails_fails_alone() -> None:
    compiler = compiled(design(text_of("x {{ 10 // subscriber.attributes.n }}")))
    fine, broken = replace(ANA, attributes={"n": 3}), replace(ANA, attributes={"n": 0})
    assert "x 3" in compiler.render(fine).html
    with pytest.raises(DesignError, match=r"letter\.mjml:1: this can't be rendered: ZeroDivisionError"):
        compiler.message(broken, headers(broken))
    assert "x 3" in compiler.render(fine).html


def test_a_reader_who_fails_at_a_question_fails_alone() -> None:
    compiler = compiled(design(text_of("{% if subscriber.attributes.n > 1 %}many{% endif %}")))
    fine, broken = replace(ANA, attributes={"n": 3}), replace(ANA, attributes={})
    for _ in range(2):
        assert "many" in compiler.render(fine).html
        with pytest.raises(DesignError, match="has no attribute 'n'"):
            compiler.message(broken, headers(broken))


def test_what_only_the_trace_can_not_do_is_a_refusal_with_its_place() -> None:
    made = design(text_of("{% import 'm' as mod with context %}\n{{ mod }}"), m="{{ subscriber.name }}")
    with pytest.raises(TraceError, match=r"letter\.mjml:2: this can't be compiled with a subscriber's value"):
        compiled(made).message(ANA, headers(ANA))


def test_further_filters_are_pure_and_deferred() -> None:
    made = design(text_of("x {{ subscriber.name|shout }}"))
    compiler = compiled(made, filters={"shout": lambda text: f"{text}!"})
    assert compiler.render(ANA) == compiler.full_render(ANA)
    assert "x Bob!" in compiler.render(BOB).html
    assert compiler.stats.letters == 1


def test_tokens_are_there_as_design_unless_the_issue_says_otherwise() -> None:
    made = replace(design(text_of("{{ design.ink }}")), tokens={"ink": "#111111"})
    assert "#111111" in compiled(made).render(ANA).html
    assert "#222222" in compiled(made, {"design": {"ink": "#222222"}}).render(ANA).html


def test_splits_name_the_lines_that_cost_letters() -> None:
    compiler = compiled(GREETING)
    for reader in (ANA, BOB):
        compiler.render(reader)
    told = {split.question.node.describe(): len(split.answers) for split in compiler.splits()}
    assert told == {"subscriber.first_name": 1, "subscriber.follows('book')": 2, "subscriber.unsubscribe_url": 2}


def test_threads_share_a_compiler() -> None:
    compiler = compiled(GREETING, max_letters=2, self_check_every=7)
    readers = [mjml_reader(Random(seed)) for seed in range(20)]
    truth = [compiler.full_render(reader) for reader in readers]
    failures: list[BaseException] = []

    def work() -> None:
        try:
            assert [compiler.render(reader) for reader in readers] == truth
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
