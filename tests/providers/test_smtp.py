"""SMTP at its edges: the final dot is the line between "certainly not taken" and "nobody knows"."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ConfigError
from newsletter.ledger.deliveries import LEASE
from newsletter.providers import build, esp
from newsletter.providers.base import Outcome
from newsletter.providers.smtp import FINAL_SECONDS, LONGEST_FINAL, SmtpProvider, SmtpSettings, replies
from tests.providers.dispatching import MESSAGE, send

# --- before and after the dot ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["rcpt", "data", "body"])
def test_a_connection_lost_before_the_dot_means_not_taken(where: str, serve: Any, connect: Any) -> None:
    server = serve()
    server.faults.cut_at = where
    provider = connect(server)
    # Larger than every buffer on the way, so that the dot can't have left.
    result = send(provider, message=MESSAGE + b"x" * 70 + b"\r\n" * 10_000_000)
    assert result.outcome is Outcome.DEFERRED and "before the end" in result.reply
    server.faults.cut_at = ""
    assert send(provider).outcome is Outcome.ACCEPTED and len(server.taken) == 1


def test_a_connection_lost_after_the_dot_is_unknown_and_not_tried_again(serve: Any, connect: Any) -> None:
    server = serve()
    server.faults.cut_at = "dot"
    provider = connect(server)
    result = send(provider)
    assert result.outcome is Outcome.UNKNOWN and "final dot" in result.reply
    assert len(server.taken) == 1, "it had taken the message, once"
    server.faults.cut_at = ""
    assert send(provider, "bob@box.test").outcome is Outcome.ACCEPTED


def test_no_answer_in_time_after_the_dot_is_unknown(serve: Any, connect: Any) -> None:
    server = serve()
    server.faults.slow = 0.6
    provider = connect(server, final_timeout=0.2)
    result = send(provider)
    assert result.outcome is Outcome.UNKNOWN and "timed out" in result.reply


def test_the_answer_to_the_dot_is_waited_for_ten_minutes(serve: Any, connect: Any) -> None:
    assert FINAL_SECONDS == 600
    server = serve()
    server.faults.slow = 0.6
    assert send(connect(server, timeout=0.2, final_timeout=5)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("250 ok", Outcome.ACCEPTED),
        ("452 4.3.1 no room", Outcome.DEFERRED),
        ("421 4.3.2 shutting down", Outcome.DEFERRED),
        ("554 5.7.1 spam", Outcome.REFUSED),
        ("354 what?", Outcome.UNKNOWN),
        ("gibberish", Outcome.UNKNOWN),
    ],
)
def test_the_answer_to_the_dot_decides(answer: str, outcome: Outcome, serve: Any, connect: Any) -> None:
    server = serve()
    server.faults.data = lambda _: answer
    provider = connect(server)
    result = send(provider)
    assert result.outcome is outcome
    server.faults.data = lambda _: None
    assert send(provider).outcome is Outcome.ACCEPTED, "the next one goes, over a new connection if need be"


def test_dots_are_stuffed_and_the_bytes_are_kept(serve: Any, connect: Any) -> None:
    server = serve()
    send(connect(server))
    assert server.taken[0].message == MESSAGE


def test_a_message_without_a_last_line_end_gets_one(serve: Any, connect: Any) -> None:
    server = serve()
    assert send(connect(server), message=MESSAGE.rstrip(b"\r\n")).outcome is Outcome.ACCEPTED
    assert server.taken[0].message == MESSAGE


# --- settings --------------------------------------------------------------------------------------------------------


def test_half_a_character_in_an_answer_is_not_handed_on() -> None:
    for clean in (replies.clean, esp._clean):
        assert clean("bad \ud83d \x00 end") == "bad ?   end"


@pytest.mark.parametrize(
    ("where", "answer"),
    [
        *((where, "221 2.0.0 closing, too many messages") for where in ("MAIL", "RCPT", "DATA")),
        *((where, "gibberish") for where in ("MAIL", "RCPT", "DATA")),
        ("MAIL", "354 go on"),
        ("RCPT", "354 go on"),
        ("DATA", "250 ok"),
    ],
)
def test_only_the_answer_to_the_end_of_data_says_that_a_message_was_taken(where: str, answer: str) -> None:
    # One connection per entry: the first answers as told, the second as it should.
    with scripted({where: answer}, {}) as (port, commands):
        provider = SmtpProvider(SmtpSettings(host="127.0.0.1", port=port, timeout=5, final_timeout=5))
        result = send(provider)
        assert result.outcome is Outcome.DEFERRED and "." not in commands
        assert send(provider).outcome is Outcome.ACCEPTED, "over a new connection"
        provider.close()


@contextmanager
def scripted(*connections: dict[str, str]) -> Iterator[tuple[int, list[str]]]:
    """A server that says what it is told to each verb. Yields its port and what it has heard."""
    heard: list[str] = []

    def serve() -> None:
        for script in connections:
            connection, _ = listening.accept()
            # The other side may close first, and should.
            with connection, connection.makefile("rwb", buffering=0) as stream, suppress(OSError):
                stream.write(b"220 hello\r\n")
                in_data = False
                for line in stream:
                    word = line.decode().strip()
                    if in_data and word != ".":
                        continue
                    heard.append(word)
                    verb = word.partition(" ")[0].upper()
                    answer = script.get(verb, "354 go on" if verb == "DATA" else "250 ok")
                    in_data = verb == "DATA" and answer.startswith("354")
                    stream.write(f"{answer}\r\n".encode())
                    if answer.startswith("221"):
                        break

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join(5)


def test_the_loop_is_never_silent_for_as_long_as_a_claim_lasts() -> None:
    assert timedelta(seconds=SmtpProvider.longest_silence) < LEASE


def test_waiting_for_the_answer_has_an_end() -> None:
    assert FINAL_SECONDS < LONGEST_FINAL
    with pytest.raises(ConfigError, match=r'"final_timeout" is 900; it takes a number from .* to 840'):
        build("smtp", {"host": "localhost", "final_timeout": 900}, folder=Path(), environ={})
