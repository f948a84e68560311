"""Small designs, compiled, with two readers for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from newsletter.core.letter import Compiler, Design, Headers, Mailbox
from newsletter.core.reader import Reader

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
