"""Nothing in a review or a name gets out of its place."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from newsletter.core.trace.places import Markers
from tests.tracing.compiling import ANA, compiled, design, headers, text_of

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
