"""What a provider's HTTP answers mean, in the shape of Postmark's documentation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.providers import build
from newsletter.providers.base import Outcome, Outgoing, SendResult
from newsletter.providers.esp import KEY_NAMES, EspProvider, rebuild
from tests.providers import dispatching
from tests.providers.dispatching import SENDER, Book
from tests.providers.rigs import wire
from tests.providers.servers import (
    BROKEN,
    INACTIVE,
    INVALID,
    NO_SIGNATURE,
    RATE_LIMIT,
    SENT,
    PostmarkServer,
)


@pytest.fixture
def server() -> Iterator[PostmarkServer]:
    made = PostmarkServer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def provider(server: PostmarkServer) -> Iterator[EspProvider]:
    settings = {"esp": "postmark", "api_key_env": "TOKEN", "api_url": server.url, "timeout": 0.5}
    made = build("esp", settings, folder=Path(), environ={"TOKEN": server.TOKEN})
    assert isinstance(made, EspProvider)
    yield made
    made.close()


def send(provider: EspProvider, to: str = "ada@box.test") -> SendResult:
    return dispatching.send(provider, to, wire(to))


def test_sent_carries_the_providers_own_id(provider: EspProvider) -> None:
    result = send(provider)
    assert (result.outcome, result.code, result.provider_id) == (Outcome.ACCEPTED, 200, SENT["MessageID"])


def test_links_and_message_id_go_out_untouched(provider: EspProvider, server: PostmarkServer) -> None:
    send(provider)
    (request,) = server.requests
    headers = {each["Name"]: each["Value"] for each in request["Headers"]}
    assert headers["X-PM-KeepID"] == "true" and headers["Message-ID"].endswith("@news.example.test>")
    assert request["TrackLinks"] == "None" and request["TrackOpens"] is False
    assert not {"Date", "MIME-Version", "Content-Type", "To", "Subject"} & set(headers)


@pytest.mark.parametrize(
    ("status", "body", "headers", "outcome", "words"),
    [
        (422, INACTIVE, {}, Outcome.REFUSED, "inactive"),
        (422, INVALID, {}, Outcome.REFUSED, "Invalid 'To'"),
        (422, {"ErrorCode": 300, "Message": "Invalid metadata content."}, {}, Outcome.REFUSED, "metadata"),
        (413, b"", {}, Outcome.REFUSED, "413"),
        (429, RATE_LIMIT, {"Retry-After": "17"}, Outcome.DEFERRED, "Rate limit"),
        (503, b"<html>busy</html>", {}, Outcome.DEFERRED, "503"),
        (422, {"ErrorCode": 100, "Message": "Maintenance."}, {}, Outcome.DEFERRED, "Maintenance"),
        (500, BROKEN, {}, Outcome.UNKNOWN, "Internal"),
        (502, b"bad gateway", {}, Outcome.UNKNOWN, "502"),
        (504, b"", {}, Outcome.UNKNOWN, "504"),
        (200, b"not json", {}, Outcome.UNKNOWN, "200"),
        (200, {"ErrorCode": 0, "Message": "OK"}, {}, Outcome.UNKNOWN, "200"),
    ],
)
def test_an_answer_means(
    status: int,
    body: Any,
    headers: dict[str, str],
    outcome: Outcome,
    words: str,
    provider: EspProvider,
    server: PostmarkServer,
) -> None:
    server.answers["ada"] = (status, body, headers)
    result = send(provider)
    assert result.outcome is outcome and words in result.reply, result
    assert result.retry_after == (17.0 if headers else None)
    assert send(provider, "bob@box.test").outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, b""), (403, b"forbidden"), (402, b"pay"), (404, b"no such page"), (422, NO_SIGNATURE),
     (422, {"ErrorCode": 405, "Message": "Not allowed to send."}), (422, {"ErrorCode": 412, "Message": "Pending."})],
)  # fmt: skip
def test_what_is_wrong_with_the_account_stops_everybody(
    status: int, body: Any, provider: EspProvider, server: PostmarkServer
) -> None:
    server.answers["ada"] = (status, body, {})
    with pytest.raises(ProviderError) as caught:
        send(provider)
    assert caught.value.permanent and "--resume" in str(caught.value)


def test_a_read_time_out_is_unknown(provider: EspProvider, server: PostmarkServer) -> None:
    server.slow = 0.8
    result = send(provider)
    assert result.outcome is Outcome.UNKNOWN and len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("Thu, 05 Nov 2026 13:02:00 GMT", 120.0), ("soon", None), ("", None), ("Thu, 05 Nov 2026 12:00:00 GMT", 0.0)],
)
def test_a_date_to_try_again_is_read_by_the_servers_own_clock(value: str, seconds: float | None) -> None:
    from types import SimpleNamespace

    from newsletter.providers.esp import _retry_after

    response = SimpleNamespace(headers={"Retry-After": value, "Date": "Thu, 05 Nov 2026 13:00:00 GMT"})
    assert _retry_after(response) == seconds
    assert _retry_after(SimpleNamespace(headers={"Retry-After": value})) is None


def test_queued_is_accepted_too(provider: EspProvider, server: PostmarkServer) -> None:
    server.answers["ada"] = (200, {**SENT, "Message": "Message accepted, but delivery may be delayed."}, {})
    result = send(provider)
    assert result.outcome is Outcome.ACCEPTED and result.reply == "queued"


def test_bytes_that_are_no_message_with_a_text_are_refused_here(provider: EspProvider, server: PostmarkServer) -> None:
    raw = b"From: a@b.test\r\nTo: c@d.test\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n"
    result = dispatching.send(provider, "c@d.test", raw)
    assert result.outcome is Outcome.REFUSED and "no text part" in result.reply
    plain = b"From: a@b.test\r\nTo: c@d.test\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    assert dispatching.send(provider, "c@d.test", plain).outcome is Outcome.ACCEPTED
    assert "HtmlBody" not in server.requests[0]


@pytest.mark.parametrize("to", ["a b@box.test", "nobody", "x@y@z.test, d@e.test"])
def test_an_address_that_cannot_be_sent_to_fails_alone(to: str, provider: EspProvider) -> None:
    result = dispatching.send(provider, to, wire())
    assert result.outcome is Outcome.REFUSED, result
    assert send(provider).outcome is Outcome.ACCEPTED


def test_a_key_in_an_answer_never_reaches_a_reply(provider: EspProvider, server: PostmarkServer) -> None:
    server.answers["ada"] = (422, {"ErrorCode": 300, "Message": f"Header {server.TOKEN} is odd"}, {})
    assert server.TOKEN not in send(provider).reply


def test_the_message_is_for_the_envelopes_recipient_whatever_to_says() -> None:
    fields = rebuild(wire("ada@box.test", name="Ada, the First"), "ada@box.test")
    assert fields.to == ['"Ada, the First" <ada@box.test>']
    assert rebuild(wire("ada@box.test"), "test@example.org").to == ["test@example.org"]


@pytest.mark.parametrize("esp", sorted(KEY_NAMES))
def test_every_provider_that_anymail_knows_can_be_built_and_fails_cleanly_when_away(esp: str) -> None:
    options = {"mailgun": {"sender_domain": "news.example.test"}, "scaleway": {"project_id": "p"}}.get(esp, {})
    settings = {
        "esp": esp, "api_key_env": "KEY", "api_url": "http://127.0.0.1:9/", "options": options,
        **({"secret_key_env": "KEY"} if esp == "mailjet" else {}),
    }  # fmt: skip
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        provider = build("esp", settings, folder=Path(), environ={"KEY": "a-key"})
    with pytest.raises(ProviderError) as caught:
        dispatching.send(provider, "ada@box.test", wire())
    assert not caught.value.permanent and "can't be reached" in str(caught.value)
    provider.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, '"esp" is missing'),
        ({"esp": "pigeon"}, "One of"),
        ({"esp": "postmark"}, "There is no key"),
        ({"esp": "postmark", "api_key_env": "NOT_SET"}, "NOT_SET is not set"),
        ({"esp": "postmark", "api_key_env": "KEY", "options": 5}, "takes a table"),
        ({"esp": "mailjet", "api_key_env": "KEY"}, "not complete"),
    ],
)
def test_settings_that_will_not_do_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build("esp", settings, folder=Path(), environ={"KEY": "very secret words"})
    assert words in str(caught.value) and "very secret" not in str(caught.value)


def test_several_calls_go_at_once_and_no_more_than_it_was_told(server: PostmarkServer) -> None:
    settings = {"esp": "postmark", "api_key_env": "TOKEN", "api_url": server.url, "calls": 3}
    provider = build("esp", settings, folder=Path(), environ={"TOKEN": server.TOKEN})
    server.slow = 0.1
    book = Book([Outgoing(key, SENDER, f"r{key}@box.test", wire(f"r{key}@box.test")) for key in range(9)])
    began = time.monotonic()
    provider.run(book)
    assert book.outcomes() == [Outcome.ACCEPTED] * 9 and book.most == 3
    assert 0.29 < time.monotonic() - began < 0.85, "nine calls of 0.1 s, three at a time"
    provider.close()


def test_it_looks_up_from_a_call_that_takes_its_time(server: PostmarkServer) -> None:
    server.slow = 1.3
    slow = build(
        "esp", {"esp": "postmark", "api_key_env": "TOKEN", "api_url": server.url}, folder=Path(),
        environ={"TOKEN": server.TOKEN},
    )  # fmt: skip
    book = Book([Outgoing(1, SENDER, "ada@box.test", wire())])
    slow.run(book)
    assert book.outcomes() == [Outcome.ACCEPTED] and book.ticks >= 2
    slow.close()
