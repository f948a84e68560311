"""What each answer of a provider means for its row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.models import Delivery, DeliveryState, IssueState, Retry
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from subscribers.models import Subscription, SubscriptionState
from tests.flow.deliver.running import recipients, run, send
from tests.sending import Clock, addresses, make_approved, states

pytestmark = pytest.mark.django_db


def test_a_refusal_is_final_and_the_others_go_on(clock: Clock) -> None:
    issue = make_approved(10)
    outcome = send(
        issue,
        clock,
        lambda to: SendResult(Outcome.REFUSED, 550, "550 5.1.1 no such user") if to == "r3@box.test" else None,
    )
    assert outcome.state == IssueState.SENT and not outcome.clean
    failed = Delivery.objects.get(state="failed")
    assert (failed.address, failed.reason) == ("r3@box.test", "refused (address): 550 5.1.1 no such user")
    assert len(mailbox()) == 9


def test_no_answer_is_uncertain_and_never_sent_again_by_itself(clock: Clock) -> None:
    issue = make_approved(3)
    outcome = send(issue, clock, lambda to: SendResult(Outcome.UNKNOWN, reply="cut") if to == "r1@box.test" else None)
    assert outcome.state == IssueState.SENT and not outcome.clean
    assert addresses(issue, DeliveryState.UNCERTAIN) == ["r1@box.test"]
    for _ in range(3):
        clock.at += timedelta(days=1)
        run(issue, clock)
    assert "r1@box.test" not in recipients()


def test_an_unforeseen_error_of_the_provider_is_uncertain_too(clock: Clock) -> None:
    def answer(_: str) -> None:
        raise ValueError("nobody thought of this")

    issue = make_approved(1)
    send(issue, clock, answer)
    assert Delivery.objects.get().reason == "ValueError: nobody thought of this"
    assert states(issue) == {"uncertain": 1}


def test_not_now_waits_and_is_tried_again(clock: Clock) -> None:
    seen: list[str] = []

    def answer(to: str) -> SendResult | None:
        seen.append(to)
        return (
            SendResult(Outcome.DEFERRED, 451, "451 4.7.1 greylisted")
            if seen.count(to) == 1 and to == "r2@box.test"
            else None
        )

    issue = make_approved(4)
    outcome = send(issue, clock, answer)
    assert outcome.state == IssueState.SENDING and outcome.counts.waiting == 1 and outcome.counts.accepted == 3
    assert outcome.next_try is not None and timedelta(seconds=48) <= outcome.next_try - clock.at <= timedelta(
        seconds=72
    )
    run(issue, clock, answer)
    assert seen.count("r2@box.test") == 1, "not before its time"
    clock.at = outcome.next_try
    assert run(issue, clock, answer).state == IssueState.SENT
    assert sorted(recipients()) == [f"r{n}@box.test" for n in range(4)]


def test_while_all_that_is_left_waits_the_provider_is_left_in_peace(clock: Clock) -> None:
    opened: list[int] = []

    class Counting(MemoryProvider):
        def open(self) -> None:
            opened.append(1)

    issue = make_approved(1)
    provider = Counting(answer=lambda _: SendResult(Outcome.DEFERRED, 451, "later"))
    outcome = send(issue, clock, provider=provider)
    assert outcome.next_try is not None and len(opened) == 1
    run(issue, clock, provider=provider)
    assert len(opened) == 1
    clock.at = outcome.next_try
    run(issue, clock, provider=provider)
    assert len(opened) == 2


def test_not_now_for_a_day_has_failed_as_expired(clock: Clock) -> None:
    issue = make_approved(1)
    outcome = send(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 452, "452 4.2.2 mailbox full"))
    tries, begun = 1, clock.at
    while outcome.next_try is not None:
        assert tries < 60
        clock.at = outcome.next_try
        outcome = run(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 452, "452 4.2.2 mailbox full"))
        tries += 1
    assert outcome.state == IssueState.PAUSED and outcome.paused_reason.startswith("All failed (1); the last: expired")
    assert Delivery.objects.get().reason == "expired: 452 4.2.2 mailbox full"
    assert tries >= 4 and timedelta(hours=18) < clock.at - begun < timedelta(hours=24)
    assert not Retry.objects.exists()


def test_a_servers_own_wish_to_wait_is_kept(clock: Clock) -> None:
    issue = make_approved(1)
    outcome = send(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 429, "slow down", retry_after=3600))
    assert outcome.next_try is not None and outcome.next_try - clock.at > timedelta(minutes=59)


def test_who_unsubscribes_while_waiting_is_excluded(clock: Clock) -> None:
    issue = make_approved(1)
    outcome = send(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 451, "later"))
    Subscription.objects.update(state=SubscriptionState.UNSUBSCRIBED)
    assert outcome.next_try is not None
    clock.at = outcome.next_try
    assert run(issue, clock).state == IssueState.SENT
    assert states(issue) == {"excluded": 1} and not Retry.objects.exists() and not mailbox()
