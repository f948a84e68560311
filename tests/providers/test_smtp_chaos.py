"""Faults at random points of many connections: nobody twice, nobody lost, nothing without an end."""

from __future__ import annotations

import random
import ssl
from pathlib import Path

import pytest

from newsletter.core.errors import ProviderError
from newsletter.providers.base import Outcome, Outgoing
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from tests.providers.dispatching import SENDER, Book
from tests.providers.rough import EHLO, RoughServer, at_random

MESSAGE = b"Subject: x\r\n\r\n" + b"a line of the letter\r\n" * 40


class Insisting(Book):
    """Gives again what came back."""

    def returned(self, outgoing: Outgoing, why: str) -> None:
        super().returned(outgoing, why)
        del self.taken[outgoing.key], self.back[outgoing.key]
        self.left.discard(outgoing.key)
        self.items.append(outgoing)


@pytest.mark.parametrize(
    ("seed", "pipelining", "encrypted"),
    [(1, True, False), (2, True, False), (3, True, True), (4, False, False), (5, False, True)],
)
def test_what_the_server_took_is_what_was_answered_yes_and_some_of_the_unknown(
    seed: int, pipelining: bool, encrypted: bool, certificate: Path
) -> None:
    tls = None
    if encrypted:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    ehlo = tuple(word for word in (*EHLO, *(["STARTTLS"] if encrypted else [])) if pipelining or word != "PIPELINING")
    count = 300
    chance = random.Random(seed)
    items: list[Outgoing | float | Exception] = [
        Outgoing(key, SENDER, f"r{key}@box.test", MESSAGE, wire_form=chance.random() < 0.5) for key in range(count)
    ]
    for _ in range(5):
        items.insert(chance.randrange(count), 0.01)
    with RoughServer(at_random(seed, 0.03), ehlo=ehlo, tls=tls) as server:
        server.split = random.Random(seed)
        settings = SmtpSettings(
            host="127.0.0.1", port=server.port, tls="starttls" if encrypted else "none", timeout=0.5, final_timeout=0.5,
            connections=6, hello="sender.test", ca_file=str(certificate),
        )  # fmt: skip
        provider = SmtpProvider(settings)
        book = Insisting(items)
        runs = 0
        while True:
            runs += 1
            assert runs < 100
            try:
                provider.run(book)
                # What came back after the last was taken waits for the next run.
                if not book.items:
                    break
            except ProviderError as error:
                assert not error.permanent, error
                assert not book.open, "everything taken has an end before the error"
        provider.close()
    assert len(book.results) == count and not book.open
    outcomes = {key: result.outcome for key, result in book.results.items()}
    for key, outcome in outcomes.items():
        taken = server.accepted[f"r{key}@box.test"]
        assert taken == 1 if outcome is Outcome.ACCEPTED else taken <= (outcome is Outcome.UNKNOWN), (key, outcome)
    assert set(outcomes.values()) == set(Outcome), "every kind of end was met"
    assert server.most <= 6 + 1, "never more connections than it was told (one may still be closing)"
    assert all(text.replace(b"\r\n.\r\n", b"\r\n") == MESSAGE for text in server.texts if text != b".\r\n")
