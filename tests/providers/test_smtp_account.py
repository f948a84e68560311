"""SMTP and the account as a whole: its sender, login, TLS and settings."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.providers import build
from newsletter.providers.base import Outcome
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from tests.providers.dispatching import send

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
