"""SMTP and one recipient: whose answer it is, and which addresses and bodies a server can take."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.providers.base import Outcome
from tests.providers.dispatching import MESSAGE, send


@pytest.mark.parametrize(
    ("to", "outcome", "code"),
    [
        ("hard@box.test", Outcome.REFUSED, 550),
        ("grey@box.test", Outcome.DEFERRED, 451),
        ("busy@box.test", Outcome.DEFERRED, 421),
    ],
)
def test_a_recipients_answer_is_theirs_and_the_connection_goes_on(
    to: str, outcome: Outcome, code: int, serve: Any, connect: Any
) -> None:
    server = serve()
    provider = connect(server)
    result = send(provider, to)
    assert (result.outcome, result.code) == (outcome, code) and str(code) in result.reply
    assert send(provider).outcome is Outcome.ACCEPTED
    assert [taken.recipient for taken in server.taken] == ["ada@box.test"]


@pytest.mark.parametrize(
    "to",
    [
        "nobody",
        "@box.test",
        "a b@box.test",
        "a@b@box.test",
        "a,b@box.test",
        "a@box.test\n",
        "a>\r\nRCPT TO:<x@y.test@box.test",
        "a@box..test",
        "a@-box.test",
        "a@\u2028.test",
        "a@\udcff.test",
        "\udcff@box.test",
        "x" * 65 + "@box.test",
        "ü" * 33 + "@box.test",
        "a@" + "b" * 64 + ".test",
        "a@" + ".".join(["b" * 60] * 5) + ".test",
        "x" * 60 + "@" + ".".join(["b" * 60] * 4) + ".test",
    ],
)
def test_an_address_that_no_server_could_take_is_refused_here(to: str, serve: Any, connect: Any) -> None:
    server = serve()
    provider = connect(server)
    result = send(provider, to)
    assert result.outcome is Outcome.REFUSED and result.reply.startswith("Not sent: ") and not server.taken


def test_an_international_domain_goes_as_its_a_label(serve: Any, connect: Any) -> None:
    server = serve(utf8=False)
    assert send(connect(server), "ada@BÜCHER.test").outcome is Outcome.ACCEPTED
    assert send(connect(server), "ada@straße.test").outcome is Outcome.ACCEPTED
    assert [taken.recipient for taken in server.taken] == ["ada@xn--bcher-kva.test", "ada@xn--strae-oqa.test"]


def test_smtputf8_is_used_where_it_is_needed_and_offered(serve: Any, connect: Any) -> None:
    server = serve()
    provider = connect(server)
    assert send(provider, "ünal@box.test").outcome is Outcome.ACCEPTED
    assert send(provider, "ada@box.test").outcome is Outcome.ACCEPTED
    first, second = server.taken
    assert first.recipient == "ünal@box.test" and "SMTPUTF8" in first.options and "BODY=8BITMIME" in first.options
    assert "SMTPUTF8" not in second.options


def test_a_local_part_that_needs_smtputf8_is_refused_cleanly_without_it(serve: Any, connect: Any) -> None:
    server = serve(utf8=False)
    provider = connect(server)
    result = send(provider, "ünal@box.test")
    assert result.outcome is Outcome.REFUSED and "SMTPUTF8" in result.reply
    assert send(provider).outcome is Outcome.ACCEPTED


def test_eight_bit_bodies_need_8bitmime(serve: Any, connect: Any) -> None:
    body = MESSAGE + "Grüße\r\n".encode()
    server = serve(utf8=False)
    assert send(connect(server), message=body).outcome is Outcome.ACCEPTED
    assert "BODY=8BITMIME" in server.taken[0].options
    old = serve(utf8=False, without=("8BITMIME",))
    result = send(connect(old), message=body)
    assert result.outcome is Outcome.REFUSED and "8BITMIME" in result.reply


def test_a_message_too_large_is_refused_before_it_is_sent(serve: Any, connect: Any) -> None:
    server = serve(size=1000)
    provider = connect(server)
    result = send(provider, message=MESSAGE + b"x" * 70 + b"\r\n" * 1000)
    assert result.outcome is Outcome.REFUSED and "1000" in result.reply
    assert send(provider).outcome is Outcome.ACCEPTED
    assert f"SIZE={len(MESSAGE)}" in server.taken[0].options
