"""What every way out promises, proven once and for each: smtp, esp, outbox and memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ProviderError
from newsletter.providers import KINDS
from newsletter.providers.base import Outcome, Outgoing, Provider, SendResult, send_one
from tests.providers.dispatching import SENDER, Book
from tests.providers.rigs import RIGS, TEXT, wire


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = RIGS[request.param](tmp_path)
    yield made
    made.stop()


@pytest.fixture
def provider(rig: Any) -> Iterator[Provider]:
    made = rig.provider()
    yield made
    made.close()


# What asks another server can be refused by it; a folder refuses nobody.
asks_a_server = pytest.mark.parametrize("rig", ["memory", "smtp", "esp"], indirect=True)


def send(provider: Provider, to: str = "ada@box.test", **options: Any) -> SendResult:
    return send_one(provider, Outgoing(1, SENDER, to, wire(to, **options)))


def test_every_kind_of_account_is_here() -> None:
    from newsletter.models import Account

    assert set(RIGS) == set(KINDS) == set(Account.Kind.values)


def test_it_says_its_kind(rig: Any, provider: Provider) -> None:
    assert provider.kind == rig.kind


def test_a_message_arrives_as_it_was_made(rig: Any, provider: Provider) -> None:
    provider.open()
    result = send(provider)
    assert result.outcome is Outcome.ACCEPTED
    ((recipient, found),) = rig.received()
    assert recipient == "ada@box.test"
    assert found["subject"] == "Fünf neue, „Licht“"
    assert found["text"] == TEXT and found["html"] == "<p>Grüße</p>\n"
    assert (found["from"], found["from_name"]) == (SENDER, "LANTERN, the weekly")
    assert found["to_name"] == "Ünal, the Boss" and found["reply_to"] == "editors@example.org"
    assert found["headers"]["message-id"] == f"<{1:030x}@news.example.test>"
    assert found["headers"]["list-unsubscribe"] == "<https://news.example.test/u/" + "A" * 24 + ">"
    assert found["headers"]["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert found["headers"]["list-id"] == "LANTERN Weekly <weekly.news.example.test>"
    assert found["headers"]["feedback-id"] == "2026-11-05:weekly:issue:lantern"


def test_it_opens_when_first_needed_and_again_after_closing(rig: Any, provider: Provider) -> None:
    assert send(provider).outcome is Outcome.ACCEPTED
    provider.close()
    provider.close()
    provider.open()
    provider.open()
    assert send(provider, "bob@box.test", number=2).outcome is Outcome.ACCEPTED
    assert [recipient for recipient, _ in rig.received()] == ["ada@box.test", "bob@box.test"]


def test_twenty_messages_are_twenty_messages(rig: Any, provider: Provider) -> None:
    wanted = [f"r{number:02}@box.test" for number in range(20)]
    for number, address in enumerate(wanted):
        assert send(provider, address, number=number).outcome is Outcome.ACCEPTED
    assert sorted(recipient for recipient, _ in rig.received()) == wanted


def test_a_second_copy_is_seen_as_one(rig: Any, provider: Provider) -> None:
    send(provider)
    send(provider)
    first, second = rig.received()
    assert first == second


@pytest.mark.parametrize("name", ['"quoted" \\ back', "a@b.test, c@d.test", "Анна Ñandú 漢字", "x" * 200, ""])
def test_any_name_arrives_and_makes_no_second_recipient(name: str, rig: Any, provider: Provider) -> None:
    assert send(provider, name=name).outcome is Outcome.ACCEPTED
    ((recipient, found),) = rig.received()
    assert recipient == "ada@box.test" and found["to_name"] == name


def test_a_plus_and_a_dash_in_an_address_are_kept(rig: Any, provider: Provider) -> None:
    send(provider, "ada+movies=all_x-y@box-1.test")
    assert rig.received()[0][0] == "ada+movies=all_x-y@box-1.test"


@asks_a_server
def test_a_refusal_is_this_recipients_alone(rig: Any) -> None:
    rig.refuse()
    provider = rig.provider()
    result = send(provider, "hard@box.test")
    assert result.outcome is Outcome.REFUSED and result.code in (422, 550) and result.reply
    assert send(provider, "ada@box.test").outcome is Outcome.ACCEPTED
    provider.close()


@asks_a_server
def test_not_now_is_deferred(rig: Any) -> None:
    rig.later()
    provider = rig.provider()
    result = send(provider, "grey@box.test")
    assert result.outcome is Outcome.DEFERRED and result.code in (429, 451)
    assert send(provider, "ada@box.test").outcome is Outcome.ACCEPTED
    provider.close()


@asks_a_server
def test_no_answer_after_the_message_was_out_is_unknown(rig: Any) -> None:
    rig.silence()
    provider = rig.provider()
    result = send(provider)
    assert result.outcome is Outcome.UNKNOWN and result.reply
    provider.close()


@pytest.mark.parametrize("rig", KINDS, indirect=True)
def test_an_account_that_may_not_send_is_an_error_that_waiting_does_not_mend(rig: Any) -> None:
    rig.lock()
    provider = rig.provider()
    with pytest.raises(ProviderError) as caught:
        provider.open()
        send(provider)
    assert caught.value.permanent
    assert "sesame" not in str(caught.value) and "token-of-postmark" not in str(caught.value)
    provider.close()


@asks_a_server
def test_a_server_that_is_away_is_an_error_that_may_pass(rig: Any) -> None:
    rig.leave()
    provider = rig.provider()
    with pytest.raises(ProviderError) as caught:
        provider.open()
        send(provider)
    assert not caught.value.permanent
    provider.close()


def batch(*addresses: str) -> list[Outgoing | float | Exception]:
    return [Outgoing(key, SENDER, to, wire(to, number=key)) for key, to in enumerate(addresses)]


def test_a_batch_ends_message_by_message_and_keeps_the_waits_it_is_given(rig: Any, provider: Provider) -> None:
    items = batch(*(f"r{number:02}@box.test" for number in range(12)))
    items[5:5] = [0.05, 0.05]
    book = Book(items)
    provider.run(book)
    assert book.outcomes() == [Outcome.ACCEPTED] * 12 and not book.back
    assert sorted(recipient for recipient, _ in rig.received()) == [f"r{number:02}@box.test" for number in range(12)]


@asks_a_server
def test_a_batch_with_trouble_in_it_gives_each_message_its_own_answer(rig: Any) -> None:
    rig.refuse()
    rig.later()
    provider = rig.provider()
    book = Book(batch("ada@box.test", "hard@box.test", "bob@box.test", "grey@box.test", "eve@box.test"))
    provider.run(book)
    yes, no, later = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.DEFERRED
    assert book.outcomes() == [yes, no, yes, later, yes]
    provider.close()


def test_an_account_that_may_not_send_ends_everything_it_took(rig: Any) -> None:
    rig.lock()
    provider = rig.provider()
    book = Book(batch(*["ada@box.test"] * 9))
    with pytest.raises(ProviderError):
        provider.run(book)
    assert not book.open and len(book.back) == len(book.taken) < 9
    provider.close()


def test_what_must_not_leave_does_not_and_the_rest_is_answered(rig: Any, provider: Provider) -> None:
    book = Book(batch(*(f"r{number}@box.test" for number in range(6))))
    book.hold = {3}
    with pytest.raises(RuntimeError, match="must not go"):
        provider.run(book)
    assert book.left <= set(book.results) and 3 not in book.results
    assert "r3@box.test" not in [recipient for recipient, _ in rig.received()]
    assert len(rig.received()) == len(book.results)


def test_a_reader_who_left_at_the_last_moment_gets_nothing_and_the_others_get_theirs(
    rig: Any, provider: Provider
) -> None:
    book = Book(batch(*(f"r{number}@box.test" for number in range(8))))
    book.withdrawn = {0, 3, 4, 7}
    provider.run(book)
    assert sorted(book.results) == [1, 2, 5, 6] and set(book.outcomes()) == {Outcome.ACCEPTED, None}
    assert sorted(recipient for recipient, _ in rig.received()) == [f"r{number}@box.test" for number in (1, 2, 5, 6)]
    assert set(book.back.values()) == {"withdrawn"} and not book.open


def test_a_fault_of_the_dispatch_goes_through_once_all_that_left_is_answered(rig: Any, provider: Provider) -> None:
    book = Book([*batch("ada@box.test", "bob@box.test"), RuntimeError("the database is gone")])
    with pytest.raises(RuntimeError, match="the database is gone"):
        provider.run(book)
    assert book.left <= set(book.results) and not book.open
    assert send(provider, "eve@box.test").outcome is Outcome.ACCEPTED, "it can run again"


def test_it_says_for_how_long_it_may_be_silent(provider: Provider) -> None:
    assert 0 < provider.longest_silence < 900
