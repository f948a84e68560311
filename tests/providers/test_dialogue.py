"""What somebody reads who looks for the fault: everything that was said, and no secret of it."""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ProviderError
from newsletter.providers import build
from newsletter.providers.base import Outcome
from newsletter.providers.dialogue import HIDDEN, LONGEST_LINE, MOST_LINES, Dialogue, Line, Side
from newsletter.providers.listening import LONGEST_BODY
from newsletter.providers.smtp.listening import ListeningWire
from tests.providers import dispatching
from tests.providers.dispatching import MESSAGE
from tests.providers.rigs import wire
from tests.providers.servers import BAD_TOKEN, PostmarkServer

PASSWORD = "open sesame"
CODED = b64encode(f"\0letters\0{PASSWORD}".encode()).decode()


def talk(settings: dict[str, Any], *, kind: str = "smtp", message: bytes = MESSAGE) -> tuple[Dialogue, object]:
    """The dialogue of one mail, and what it came to: an outcome or the error."""
    dialogue = Dialogue()
    environ = {"SMTP_PASSWORD": PASSWORD, "TOKEN": PostmarkServer.TOKEN}
    provider = build(kind, settings, folder=Path(), environ=environ, dialogue=dialogue)
    try:
        provider.open()
        return dialogue, dispatching.send(provider, "ada@box.test", message).outcome
    except ProviderError as error:
        return dialogue, error
    finally:
        provider.close()


def said(dialogue: Dialogue) -> list[str]:
    signs = {Side.WE: "> ", Side.THEY: "< ", Side.NOTE: "- "}
    return [signs[line.side] + line.text for line in dialogue.lines]


def smtp(server: Any, **settings: Any) -> dict[str, Any]:
    host, port = server.address
    return {"host": host, "port": port, "hello": "sender.test", "timeout": 5, "final_timeout": 2, **settings}


def test_a_whole_conversation_is_read_in_its_order_without_the_message(serve: Callable[..., Any]) -> None:
    server = serve()
    dialogue, outcome = talk(smtp(server))
    assert outcome is Outcome.ACCEPTED
    assert said(dialogue) == [
        f"- Connecting to 127.0.0.1, port {server.address[1]}.",
        "- Connected.",
        "< 220 sink.test Python SMTP 1.4.6",
        "> EHLO sender.test",
        "< 250-sink.test",
        "< 250-SIZE 33554432",
        "< 250-8BITMIME",
        "< 250-SMTPUTF8",
        "< 250-AUTH LOGIN PLAIN",
        "< 250 HELP",
        "> MAIL FROM:<weekly@news.example.test> SIZE=71",
        "< 250 2.1.0 ok",
        "> RCPT TO:<ada@box.test>",
        "< 250 2.1.5 ok",
        "> DATA",
        "< 354 End data with <CR><LF>.<CR><LF>",
        "> (the message, 74 octets)",  # with a dot doubled in three lines
        "> .",
        "< 250 2.0.0 queued as 4F2A",
        "> QUIT",
    ]


@pytest.mark.parametrize("right", [True, False])
def test_a_login_is_hidden_whether_it_is_taken_or_not(serve: Callable[..., Any], right: bool) -> None:
    server = serve(login=("letters", PASSWORD if right else "another"))
    dialogue, outcome = talk(smtp(server, username="letters", password_env="SMTP_PASSWORD"))
    lines = said(dialogue)
    assert f"> AUTH PLAIN {HIDDEN}" in lines
    assert PASSWORD not in "".join(lines)
    assert CODED not in "".join(lines)
    answer = lines[lines.index(f"> AUTH PLAIN {HIDDEN}") + 1]
    if right:
        assert outcome is Outcome.ACCEPTED
        assert answer.startswith("< 235")
    else:
        assert isinstance(outcome, ProviderError)
        assert answer.startswith("< 535")


class _Fed(ListeningWire):
    """The wire without its socket."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue, self._heard, self._login, self._text = dialogue, b"", False, False

    we, they = ListeningWire._we, ListeningWire._they


def test_a_server_that_says_the_secret_back_is_not_believed_to_be_discreet() -> None:
    dialogue = Dialogue()
    dialogue.hide(PASSWORD)
    line = _Fed(dialogue)
    line.they(b"250-mx.test\r\n250 AUTH LOGIN\r\n")
    line.we(b"AUTH LOGIN\r\n")
    line.they(b"334 VXNlcm5hbWU6\r\n")
    line.we(b64encode(b"letters") + b"\r\n")
    line.they(b"334 UGFzc3")
    line.they(b"dvcmQ6\r\n")
    line.we(b64encode(PASSWORD.encode()) + b"\r\n")
    line.they(f"535-no {PASSWORD} here\r\n535 nor {b64encode(PASSWORD.encode()).decode()}\r\n".encode())
    line.we(b"QUIT\r\n")
    assert said(dialogue) == [
        "< 250-mx.test", "< 250 AUTH LOGIN", "> AUTH LOGIN", "< 334", f"> {HIDDEN}", "< 334", f"> {HIDDEN}",
        f"< 535-no {HIDDEN} here", f"< 535 nor {HIDDEN}", "> QUIT",
    ]  # fmt: skip


def test_what_is_encrypted_is_read_all_the_same(serve: Callable[..., Any], certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = serve(starttls=context)
    settings = smtp(server, tls="starttls", host="localhost", ca_file=str(certificate))
    dialogue, outcome = talk(settings)
    assert outcome is Outcome.ACCEPTED
    lines = said(dialogue)
    place = lines.index("> STARTTLS")
    assert lines[place + 2].startswith("- Encrypted from here on: TLSv1.")
    assert lines[place + 3] == "> EHLO sender.test"


def test_nobody_there_is_a_line_too() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dialogue, outcome = talk({"host": "127.0.0.1", "port": port, "timeout": 2})
    assert isinstance(outcome, ProviderError)
    assert said(dialogue) == [f"- Connecting to 127.0.0.1, port {port}."]


def test_what_nobody_can_read_or_would_is_cut_and_made_plain() -> None:
    dialogue = Dialogue()
    dialogue.hide("abc", "")
    dialogue.add(Side.THEY, "\x1b[31m\u202eabc\x00" + "x" * 5000)
    for _ in range(MOST_LINES * 2):
        dialogue.note("again")
    assert len(dialogue.lines) == MOST_LINES
    assert dialogue.lines[0] == Line(Side.THEY, "�[31m�abc�" + "x" * (LONGEST_LINE - 10) + " …")


@pytest.fixture
def postmark() -> Iterator[PostmarkServer]:
    made = PostmarkServer()
    made.start()
    yield made
    made.stop()


def test_an_http_exchange_is_read_without_its_key(postmark: PostmarkServer) -> None:
    postmark.answers["ada"] = (422, {**BAD_TOKEN, "Echo": PostmarkServer.TOKEN}, {"X-Secret": "of theirs"})
    settings = {"esp": "postmark", "api_key_env": "TOKEN", "api_url": postmark.url, "timeout": 2}
    dialogue, outcome = talk(settings, kind="esp", message=wire("ada@box.test"))
    assert isinstance(outcome, ProviderError)
    lines = said(dialogue)
    assert lines[0] == f"> POST {postmark.url}email"
    assert f"> X-Postmark-Server-Token: {HIDDEN}" in lines
    assert "< HTTP 422 Unprocessable Entity" in lines
    assert f"< X-Secret: {HIDDEN}" in lines
    whole = "\n".join(lines)
    assert "The Server Token you provided" in whole
    assert PostmarkServer.TOKEN not in whole
    assert len(whole) < 4 * LONGEST_BODY


def test_an_http_interface_that_is_not_there_leaves_what_was_asked() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"esp": "postmark", "api_key_env": "TOKEN", "api_url": f"http://127.0.0.1:{port}/", "timeout": 2}
    dialogue, outcome = talk(settings, kind="esp", message=wire("ada@box.test"))
    assert isinstance(outcome, ProviderError)
    assert said(dialogue)[0] == f"> POST http://127.0.0.1:{port}/email"
    assert said(dialogue)[-1] == "- No answer: ConnectionError."
