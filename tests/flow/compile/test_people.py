"""The composer makes, at speed, the very bytes that the compiler makes of a reader and headers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.errors import ConfigError, LetterMismatchError
from newsletter.core.letter import Design
from newsletter.core.reader import Reader
from newsletter.core.tokens import PREFERENCES, UNSUBSCRIBE, Keys, dated_token, read_token, token
from newsletter.flow.compile import Composer, Frozen, Recipient, Sender, find_design, headers_for
from newsletter.flow.compile.freezing import build
from tests.letters import issues
from tests.tracing.people import CITIES, LANGUAGES, NAMES, TOPICS

NOW = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
KEYS = Keys(b"new" * 11, b"old" * 11)
SENDER = Sender(
    "The Lantern, Weekly", "weekly@news.bücher.example", "letters@lantern.example", "Weekly <w.example>", "1:2:3:4"
)
MARQUEE = find_design("marquee", [Path(__file__).parents[3] / "templates"])
PERSONAL = Design(
    "personal",
    {
        "subject.txt": "{{ subscriber.first_name }}: {{ issue.subject }}",
        "letter.txt": "Dear {{ subscriber.name }} of {{ subscriber.attributes.city }},\n"
        "{{ subscriber.unsubscribe_url }}{{ subscriber.unsubscribe_url }} {{ subscriber.topics|join(', ') }}\n",
        "letter.mjml": '<mjml lang="en" dir="ltr"><mj-body><mj-section><mj-column><mj-text>'
        '{% for n in range(30) %}<a href="{{ subscriber.unsubscribe_url }}?{{ "x" * n }}">{{ subscriber.name }}</a>'
        "{{ 'é' * n }}{{ subscriber.unsubscribe_url }}{{ subscriber.preferences_url }}{% endfor %}"
        "{{ subscriber.joined_on }} {{ subscriber.address }}"
        "</mj-text></mj-column></mj-section></mj-body></mjml>",
    },
)

PLAIN = Design(
    "plain",
    {
        "subject.txt": "{{ issue.subject }}",
        "letter.txt": "{% if subscriber.name %}Dear {{ subscriber.first_name }} ({{ subscriber.name }}){% else %}Hello"
        "{% endif %}, {{ subscriber.address }}.\n{{ subscriber.unsubscribe_url }} {{ subscriber.preferences_url }}\n",
        "letter.mjml": '<mjml lang="en" dir="ltr"><mj-body>'
        "{% for topic in ['book', 'film'] if subscriber.follows(topic) %}<mj-section><mj-column>"
        "<mj-text>{{ topic }} for {{ subscriber.first_name or 'you' }}, {{ subscriber.address }}</mj-text>"
        "</mj-column></mj-section>{% endfor %}"
        '<mj-section><mj-column><mj-text><a href="{{ subscriber.unsubscribe_url }}">{{ subscriber.name }}</a>'
        "{% if subscriber.language == 'de' %}{{ subscriber.preferences_url }}{% endif %}"
        "</mj-text></mj-column></mj-section></mj-body></mjml>",
    },
)


def frozen(design: Design = MARQUEE, base_url: str = "https://news.example.test", sender: Sender = SENDER) -> Frozen:
    return Frozen(issues.rich(), design, sender, base_url)


def own_token(recipient: Recipient) -> str:
    generation = recipient.generation
    return dated_token(KEYS, PREFERENCES, recipient.subscription, day=NOW.date(), generation=generation)


def slow(inputs: Frozen, compiler: Any, recipient: Recipient, *, one_click: bool = True) -> bytes:
    """The way of a reader and headers, each made by itself."""
    reader = Reader(
        address=recipient.address,
        name=recipient.name,
        language=recipient.language,
        topics=tuple(sorted(recipient.topics)),
        attributes=recipient.attributes,
        plain_text=recipient.plain_text,
        joined_on=recipient.joined_on,
        unsubscribe_url=f"{inputs.base_url}/u/{token(KEYS, UNSUBSCRIBE, recipient.subscription)}",
        preferences_url=f"{inputs.base_url}/p/{own_token(recipient)}",
    )
    number, mark = recipient.subscription, inputs.fingerprint
    headers = headers_for(inputs, reader, subscription_id=number, fingerprint=mark, now=NOW)
    return bytes(compiler.message(reader, headers if one_click else replace(headers, list_unsubscribe="")))


ADDRESSES = ["a@example.org", "b+c@bücher.example", " d@example.org\n", "jürgen@example.org", "x" * 70]
MORE_NAMES = ["  spaced  out ", "Ana\r\nBcc: evil@evil.test", "\u2028", "a" * 60, "Jr. Stone", "=?x"]


def recipient(rnd: Random) -> Recipient:
    return Recipient(
        subscription=rnd.randrange(2**32),
        address=rnd.choice(ADDRESSES),
        name=rnd.choice(
            [*NAMES, "  spaced  out ", "Ana\r\nBcc: evil@evil.test", "\u2028", "a" * 60, "Jr. Stone", "=?x"]
        ),
        language=rnd.choice([*LANGUAGES, " de\n"]),
        topics=tuple(rnd.sample([*TOPICS, "b\nook"], rnd.choice([0, 1, 2, 4]))),
        attributes={"city": rnd.choice(CITIES), "ci\nty": rnd.choice([1, None, True, float("nan"), "a\r\nb"])},
        plain_text=rnd.random() < 0.3,
        joined_on=rnd.choice([date(2020, 2, 29), date(2026, 11, 3)]),
    )


@settings(max_examples=8)
@given(st.integers(0, 2**64), st.booleans())
def test_a_composed_message_is_that_of_the_reader_and_the_headers(seed: int, one_click: bool) -> None:
    rnd = Random(seed)
    inputs = frozen(rnd.choice([MARQUEE, PERSONAL]), rnd.choice(["https://news.example.test", "http://a.test:8000"]))
    composer = Composer(inputs, build(inputs), KEYS, NOW, one_click=one_click)
    compiler = build(inputs)
    for _ in range(30):
        one = recipient(rnd)
        assert composer.message(one) == slow(inputs, compiler, one, one_click=one_click)


@settings(max_examples=8)
@given(st.integers(0, 2**64), st.booleans())
def test_a_message_in_pieces_is_the_message_whether_there_is_a_mould_or_not(seed: int, by_mail: bool) -> None:
    rnd = Random(seed)
    inputs = frozen(rnd.choice([PLAIN, PLAIN, MARQUEE, PERSONAL]))
    inputs = replace(inputs, sender=replace(inputs.sender, return_path="back@news.example.test"))
    composer = Composer(inputs, build(inputs, self_check_every=7), KEYS, NOW, one_click=True, by_mail=by_mail)
    for _ in range(60):
        one = recipient(rnd)
        if rnd.random() < 0.7:
            address = f"{rnd.choice('abc')}{rnd.choice(['', '.', '+', '_', '='])}{'d' * rnd.randrange(50)}@example.org"
            one = one._replace(address=address, topics=rnd.choice([(), ("book",)]), language=rnd.choice(["", "de"]))
        assert b"".join(composer.parts(one)) == composer.message(one)


def test_letters_of_name_address_and_links_have_moulds_and_others_have_none() -> None:
    one = recipient(Random(1))._replace(address="ada@example.org", name="Ada Marlow", topics=(), plain_text=False)
    for design, moulded in ((PLAIN, True), (PERSONAL, False)):
        inputs = frozen(design)
        composer = Composer(inputs, build(inputs), KEYS, NOW, one_click=True)
        for _ in range(4):
            pieces = composer.parts(one)
        assert (len(pieces) > 10) is moulded, design.name
        # Readers whose values do not stand as they are take the long way, whatever their letter.
        for other in (one._replace(address="jürgen@example.org"), one._replace(plain_text=True)):
            assert len(composer.parts(other)) == 1


def test_a_mould_that_would_differ_from_the_letter_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = frozen(PLAIN)
    composer = Composer(inputs, build(inputs, self_check_every=5), KEYS, NOW, one_click=True)
    one = recipient(Random(1))._replace(address="ada@example.org", name="Ada", topics=(), plain_text=False)
    for _ in range(4):
        composer.parts(one)
    monkeypatch.setattr(composer, "_common", b"X-Wrong: 1\r\n")
    with pytest.raises(LetterMismatchError, match="from its mould"):
        for _ in range(5):
            monkeypatch.setattr(composer, "_key", lambda number: b"w" * 24)
            composer.parts(one)


def test_the_link_of_every_copy_is_its_own_and_never_cut() -> None:
    inputs = frozen(PERSONAL)
    compiler = build(inputs)
    composer = Composer(inputs, compiler, KEYS, NOW, one_click=True)
    rnd = Random(4)
    for number in range(20):
        one = recipient(rnd)._replace(subscription=number)
        raw = composer.message(one)
        key = token(KEYS, UNSUBSCRIBE, number)
        # One in the header, two in the text, sixty in the page; none cut by a soft break.
        assert raw.count(key.encode()) == (3 if one.plain_text else 63)
        assert raw.count(own_token(one).encode()) == (0 if one.plain_text else 30)
        assert f"List-Unsubscribe: <https://news.example.test/u/{key}>\r\n".encode() in raw
        assert read_token(KEYS, UNSUBSCRIBE, key) == number
    assert compiler.stats.in_full < 20


def test_a_link_of_another_shape_costs_a_full_render_and_is_right() -> None:
    inputs = frozen(PERSONAL)
    compiler = build(inputs)
    prefs = "https://news.example.test/p/" + "x" * 24
    good = Reader(
        "a@example.org", name="Ana", attributes={"city": "Rome"}, joined_on=date(2026, 1, 1), preferences_url=prefs
    )
    for url in ("", "https://other.test/u/" + "x" * 24, "https://news.example.test/u/" + "x" * 23 + "="):
        reader = replace(good, unsubscribe_url=url)
        before = compiler.stats.in_full
        assert compiler.render(reader) == compiler.full_render(reader)
        assert compiler.stats.in_full == before + 1
    reader = replace(good, unsubscribe_url="https://news.example.test/u/" + "x" * 24)
    assert compiler.render(reader) == compiler.full_render(reader)
    assert compiler.stats.in_full == before + 1


def test_without_one_click_no_button_goes_out() -> None:
    inputs = frozen()
    composer = Composer(inputs, build(inputs), KEYS, NOW, one_click=False)
    head = composer.message(recipient(Random(1))).partition(b"\r\n\r\n")[0]
    assert b"List-Unsubscribe" not in head and b"Message-ID: <" in head


def test_the_mail_way_out_stands_beside_the_button_only_where_it_is_read() -> None:
    plain = frozen(PERSONAL)
    returned = replace(plain, sender=replace(plain.sender, return_path="bou=nce%@news.example.test"))
    for inputs, by_mail, mailto in ((returned, True, True), (returned, False, False), (plain, True, False)):
        composer = Composer(inputs, build(inputs), KEYS, NOW, one_click=True, by_mail=by_mail)
        for number in (1, 2**32 - 1):
            head = composer.message(recipient(Random(4))._replace(subscription=number)).partition(b"\r\n\r\n")[0]
            key = token(KEYS, UNSUBSCRIBE, number)
            line = f"List-Unsubscribe: <https://news.example.test/u/{key}>"
            if mailto:
                line += f", <mailto:bou%3Dnce%25+{key}@news.example.test?subject=unsubscribe>"
            assert f"\r\n{line}\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode() in head
    composer = Composer(returned, build(returned), KEYS, NOW, one_click=False, by_mail=True)
    assert b"List-Unsubscribe" not in composer.message(recipient(Random(4))).partition(b"\r\n\r\n")[0]


def test_headers_that_no_copy_can_have_are_refused_at_once() -> None:
    inputs = frozen(base_url="https://news .example")
    with pytest.raises(ConfigError, match="not one https address"):
        Composer(inputs, build(inputs), KEYS, NOW, one_click=True)
