"""What a provider gives back: tried again, held for its retry, or left out for who has left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.models import Delivery, DeliveryState, IssueState, Retry
from newsletter.providers.base import Outcome, SendResult
from subscribers.models import Subscription, SubscriptionState
from tests.flow.deliver.providers import Holding, Late, Returning
from tests.flow.deliver.running import begun, recipients, run
from tests.sending import Clock, addresses

pytestmark = pytest.mark.django_db


def test_a_message_that_came_back_is_tried_again_at_once(clock: Clock) -> None:
    issue = begun(5, clock)
    provider = Returning(clock, "r1@box.test", times=2)
    assert run(issue, clock, provider=provider).clean
    assert provider.seen["r1@box.test"] == 3 and sorted(recipients()) == [f"r{n}@box.test" for n in range(5)]


def test_who_leaves_while_their_message_waits_in_the_providers_hands_does_not_get_it(clock: Clock) -> None:
    issue = begun(5, clock)

    def leave() -> None:
        Subscription.objects.filter(subscriber__address="r1@box.test").update(state=SubscriptionState.UNSUBSCRIBED)
        clock.at += timedelta(seconds=2)

    outcome = run(issue, clock, provider=Holding(clock, leave))
    assert outcome.counts.accepted == 4 and outcome.counts.excluded == 1 and outcome.clean
    assert sorted(recipients()) == ["r0@box.test", "r2@box.test", "r3@box.test", "r4@box.test"]
    assert Delivery.objects.get(address="r1@box.test").reason == "unsubscribed"


def test_a_message_that_always_comes_back_waits_for_its_retry_and_holds_up_no_other(clock: Clock) -> None:
    issue = begun(5, clock)
    provider = Returning(clock, "r1@box.test", times=3)
    outcome = run(issue, clock, provider=provider)
    assert provider.seen["r1@box.test"] == 3 and outcome.counts.accepted == 4 and outcome.counts.waiting == 1
    assert Retry.objects.get().reply == "the connection ended" and outcome.next_try is not None
    clock.at = outcome.next_try
    assert run(issue, clock, provider=provider).clean and recipients().count("r1@box.test") == 1


def test_who_leaves_while_their_message_comes_back_does_not_get_it(clock: Clock) -> None:
    issue = begun(5, clock)

    def leave() -> None:
        Subscription.objects.filter(subscriber__address="r1@box.test").update(state=SubscriptionState.UNSUBSCRIBED)
        clock.at += timedelta(seconds=2)

    provider = Returning(clock, "r1@box.test", times=1, then=leave)
    assert run(issue, clock, provider=provider).state == IssueState.SENT
    assert provider.seen["r1@box.test"] == 1 and addresses(issue, DeliveryState.EXCLUDED) == ["r1@box.test"]
    assert Delivery.objects.get(state="excluded").reason == "unsubscribed"


def test_what_comes_back_last_of_all_is_sent_in_the_same_run(clock: Clock) -> None:
    issue = begun(3, clock)
    assert run(issue, clock, provider=Late(clock, back="r1@box.test")).clean
    assert recipients() == ["r0@box.test", "r2@box.test", "r1@box.test"]


def test_the_providers_own_number_of_a_message_is_kept_with_its_acceptance(clock: Clock) -> None:
    issue = begun(3, clock)
    outcome = run(issue, clock, lambda to: SendResult(Outcome.ACCEPTED, 200, "OK", provider_id=f"id-of-{to}"))
    assert outcome.clean and outcome.sent_now == 3
    found = dict(Delivery.objects.values_list("address", "reason"))
    assert found == {f"r{n}@box.test": f"id-of-r{n}@box.test" for n in range(3)}
