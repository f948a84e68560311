"""SMTP at its edges: the final dot is the line between "certainly not taken" and "nobody knows"."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.ledger.deliveries import LEASE
from newsletter.providers import build, esp
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.smtp import FINAL_SECONDS, LONGEST_FINAL, SmtpProvider, SmtpSettings, replies
from tests.providers import dispatching
from tests.providers.servers import SmtpServer

SENDER = "weekly@news.example.test"
MESSAGE = b"From: a@b.test\r\nTo: c@d.test\r\nSubject: x\r\n\r\nbody\r\n.dot\r\n..two\r\n.\r\nend\r\n"


@pytest.fixture
def servers() -> Iterator[list[SmtpServer]]:
    started: list[SmtpServer] = []
    yield started
    for server in started:
        if server.server is not None:
            server.stop(no_assert=True)


@pytest.fixture
def serve(servers: list[SmtpServer]) -> Any:
    def begin(**options: Any) -> SmtpServer:
        server = SmtpServer(**options)
        server.start()
        servers.append(server)
        return server

    return begin


@pytest.fixture
def connect() -> Iterator[Any]:
    opened: list[SmtpProvider] = []

    def begin(server: SmtpServer, **settings: Any) -> SmtpProvider:
        host, port = server.address
        table = {"host": host, "port": port, "hello": "sender.test", "timeout": 5, "final_timeout": 1, **settings}
        environ = {"SMTP_PASSWORD": "open sesame"}
        provider = build("smtp", table, folder=Path(), environ=environ)
        assert isinstance(provider, SmtpProvider)
        opened.append(provider)
        return provider

    yield begin
    for provider in opened:
        provider.close()


def send(
    provider: SmtpProvider, to: str = "ada@box.test", message: bytes = MESSAGE, sender: str = SENDER
) -> SendResult:
    return dispatching.send(provider, to, message, sender)


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


# --- recipients ------------------------------------------------------------------------------------------------------


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


# --- the account as a whole ------------------------------------------------------------------------------------------


def test_a_refused_sender_stops_the_send_and_not_one_reader_after_the_other(serve: Any, connect: Any) -> None:
    server = serve()
    server.faults.mail = lambda _: "553 5.7.1 sender rejected"
    provider = connect(server)
    with pytest.raises(ProviderError, match="sender rejected") as caught:
        send(provider)
    assert caught.value.permanent
    server.faults.mail = lambda _: None
    assert send(provider).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "outcome"), [("451 4.3.0 later", Outcome.DEFERRED), ("552 5.3.4 too big", Outcome.REFUSED)]
)
def test_other_answers_to_mail_from_are_the_messages_own(
    answer: str, outcome: Outcome, serve: Any, connect: Any
) -> None:
    server = serve()
    server.faults.mail = lambda _: answer
    assert send(connect(server)).outcome is outcome


def test_a_server_that_has_enough_of_a_connection_gets_a_new_one(serve: Any, connect: Any) -> None:
    server = serve()
    server.faults.mail = lambda number: "421 4.7.0 enough on this connection" if number % 4 == 0 else None
    provider = connect(server)
    for number in range(10):
        assert send(provider, f"r{number}@box.test").outcome is Outcome.ACCEPTED
    assert [taken.recipient for taken in server.taken] == [f"r{number}@box.test" for number in range(10)]


@pytest.mark.parametrize("used", [False, True])
def test_a_server_that_takes_nothing_any_more_is_away(used: bool, serve: Any, connect: Any) -> None:
    server = serve()
    provider = connect(server)
    if used:
        send(provider)
    server.faults.mail = lambda _: "421 4.3.2 shutting down"
    with pytest.raises(ProviderError) as caught:
        send(provider)
    assert not caught.value.permanent


def test_a_421_for_a_greeting_is_away_and_a_554_is_final(serve: Any, connect: Any) -> None:
    server = serve()
    server.faults.greeting = "421 4.7.0 too many connections"
    with pytest.raises(ProviderError) as caught:
        connect(server).open()
    assert not caught.value.permanent
    server.faults.greeting = "554 5.7.1 no service for you"
    with pytest.raises(ProviderError) as caught:
        connect(server).open()
    assert caught.value.permanent


def test_a_sender_that_is_no_address_stops_the_send(serve: Any, connect: Any) -> None:
    with pytest.raises(ProviderError, match="envelope sender"):
        send(connect(serve()), sender="not an address")


def test_a_login_that_the_server_does_not_offer_is_final(serve: Any, connect: Any) -> None:
    server = serve(without=("AUTH",))
    with pytest.raises(ProviderError) as caught:
        connect(server, username="weekly", password_env="SMTP_PASSWORD").open()
    assert caught.value.permanent and "sesame" not in str(caught.value)


# --- TLS -------------------------------------------------------------------------------------------------------------


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


def test_starttls_encrypts_logs_in_and_sends(certificate: Path, serve: Any, connect: Any) -> None:
    server = serve(starttls=context(certificate), login=("weekly", "open sesame"))
    provider = connect(
        server, tls="starttls", ca_file=str(certificate), username="weekly", password_env="SMTP_PASSWORD"
    )
    assert send(provider).outcome is Outcome.ACCEPTED


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, serve: Any, connect: Any) -> None:
    server = serve(starttls=context(certificate))
    with pytest.raises(ProviderError, match="certificate") as caught:
        connect(server, tls="starttls").open()
    assert caught.value.permanent and not server.taken


def test_no_silent_fall_back_when_the_server_offers_no_tls(serve: Any, connect: Any) -> None:
    server = serve()
    with pytest.raises(ProviderError) as caught:
        connect(server, tls="starttls").open()
    assert caught.value.permanent and not server.taken


def test_tls_from_the_first_byte(certificate: Path, serve: Any, connect: Any) -> None:
    server = serve(tls=context(certificate))
    assert send(connect(server, tls="tls", ca_file=str(certificate))).outcome is Outcome.ACCEPTED
    with pytest.raises(ProviderError, match="certificate"):
        send(connect(server, tls="tls"))


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, '"host" is missing'),
        ({"host": 5}, "takes a text"),
        ({"host": ""}, "takes a text"),
        ({"host": "h", "prot": 25}, 'Did you mean "port"'),
        ({"host": "h", "per_secnd": 25}, 'Did you mean "per_second"'),
        ({"host": "h", "colour": 1}, "Known here"),
        ({"host": "h", "port": 0}, "from 1 to 65535"),
        ({"host": "h", "port": True}, "takes a number"),
        ({"host": "h", "tls": "maybe"}, "starttls"),
        ({"host": "h", "timeout": "long"}, "takes a number"),
        ({"host": "h", "username": "u"}, "needs a password"),
        ({"host": "h", "password_env": "SECRET"}, "a password a username"),
        ({"host": "h", "username": "u", "password_env": "NOT_SET"}, "NOT_SET is not set"),
        ({"host": "h", "username": "u", "password_env": "SECRET", "password_file": "/x"}, "not both"),
        ({"host": "h", "username": "u", "password_file": "/nowhere/at/all"}, "can't be read"),
        ({"host": "mail.example.org", "username": "u", "password_env": "SECRET"}, "readable on its way"),
    ],
)
def test_settings_that_will_not_do_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build("smtp", settings, folder=Path(), environ={"SECRET": "very secret words"})
    assert words in str(caught.value) and "very secret" not in str(caught.value)


def test_a_password_may_stand_in_a_file_of_the_home(tmp_path: Path) -> None:
    settings = {"host": "localhost", "username": "u", "password_file": "smtp.password"}
    (tmp_path / "smtp.password").write_text("open sesame\n")
    provider = build("smtp", settings, folder=Path(), environ={}, home=tmp_path)
    assert isinstance(provider, SmtpProvider) and "sesame" not in repr(provider.settings)
    assert provider.settings.password == "open sesame"
    for content in (b"", b"\xff\xfe"):
        (tmp_path / "smtp.password").write_bytes(content)
        with pytest.raises(ConfigError, match=r"empty|UTF-8"):
            build("smtp", settings, folder=Path(), environ={}, home=tmp_path)


def test_a_missing_authority_file_is_named(serve: Any, connect: Any) -> None:
    with pytest.raises(ConfigError, match="There is no file"):
        connect(serve(), tls="starttls", ca_file="/nowhere/ca.pem").open()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match='"pigeon"'):
        build("pigeon", {}, folder=Path(), environ={})


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


def test_a_login_may_hold_any_letter(serve: Any) -> None:
    server = serve(login=("weekly", "grün 🗝"))
    host, port = server.address
    provider = SmtpProvider(SmtpSettings(host=host, port=port, username="weekly", password="grün 🗝"))
    assert send(provider).outcome is Outcome.ACCEPTED
    provider.close()


def test_a_host_that_is_no_name_is_a_fault_of_the_account() -> None:
    provider = SmtpProvider(SmtpSettings(host="a" * 70 + ".test", port=25))
    with pytest.raises(ProviderError, match="can't be looked up") as caught:
        provider.open()
    assert caught.value.permanent


def test_the_loop_is_never_silent_for_as_long_as_a_claim_lasts() -> None:
    assert timedelta(seconds=SmtpProvider.longest_silence) < LEASE


def test_waiting_for_the_answer_has_an_end() -> None:
    assert FINAL_SECONDS < LONGEST_FINAL
    with pytest.raises(ConfigError, match=r'"final_timeout" is 900; it takes a number from .* to 840'):
        build("smtp", {"host": "localhost", "final_timeout": 900}, folder=Path(), environ={})
