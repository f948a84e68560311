"""The report: counts that add up at every moment, names behind each, and what it teaches about people."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from newsletter.flow import deliver as flow
from newsletter.flow.report import names, report, teach
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import Decision, Settlement
from newsletter.models import Delivery, DeliveryState, Issue
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from subscribers.models import Subscriber, Subscription
from tests.sending import SLOT, Clock, here, make_approved

pytestmark = pytest.mark.django_db

ANSWERS = {
    "hard": SendResult(Outcome.REFUSED, 550, "550 5.1.1 no such user"),
    "full": SendResult(Outcome.REFUSED, 552, "552 5.2.2 mailbox full"),
    "cut": SendResult(Outcome.UNKNOWN, reply="No answer after the final dot"),
    "grey": SendResult(Outcome.DEFERRED, 451, "451 4.7.1 later"),
}


@pytest.fixture
def clock() -> Clock:
    mailbox().clear()
    return Clock()


def send(issue: Issue, clock: Clock) -> None:
    provider = MemoryProvider(answer=lambda to: ANSWERS.get(to.partition("@")[0].rstrip("0123456789")))
    flow.deliver(issue, clock=clock, installation=here(), provider=provider, sleep=clock.sleep)


def test_before_the_send_there_is_nothing_to_report(clock: Clock) -> None:
    found = report(make_approved(3))
    assert found.sentence == "Sending has not begun." and found.counts.frozen == 0 and found.counts.adds_up
    assert found.label == "approved" and found.started_at is None


def test_the_counts_add_up_while_a_worker_holds_a_batch(clock: Clock) -> None:
    issue = make_approved(45)
    deliveries.start(issue.pk, now=clock(), size=20)
    claim = deliveries.claim(issue.pk, owner=deliveries.this_worker(), now=clock())
    assert claim is not None
    first, second, *_ = claim.rows
    settlement = Settlement(claim, {first.delivery}, {second.delivery: Decision(DeliveryState.PENDING, "later")})
    deliveries.settle(settlement, now=clock())
    assert deliveries.claim(issue.pk, owner=deliveries.this_worker(), now=clock()) is not None
    counts = report(issue).counts
    assert (counts.accepted, counts.claimed, counts.pending, counts.waiting) == (1, 18, 26, 1)
    assert counts.adds_up and not counts.complete
    assert report(issue).sentence == "Sending: 1 of 45 decided, 1 accepted. 1 waiting for another try."


def test_each_number_has_its_names_and_reasons(clock: Clock) -> None:
    people = ["a@b.test", "hard1@b.test", "hard2@b.test", "full@b.test", "cut@b.test", "grey@b.test", "z@b.test"]
    issue = make_approved(people)
    flow.start(issue, clock())
    Subscriber.objects.filter(address="z@b.test").delete()
    send(issue, clock)
    found = report(issue)
    counts = found.counts
    assert (counts.accepted, counts.failed, counts.uncertain, counts.excluded, counts.waiting) == (1, 3, 1, 1, 1)
    assert counts.adds_up and not counts.complete
    assert found.reasons["failed"] == {
        "refused (address): 550 5.1.1 no such user": 2,
        "refused (full): 552 5.2.2 mailbox full": 1,
    }
    assert [named.address for named in found.names["failed"]] == ["hard1@b.test", "hard2@b.test", "full@b.test"]
    assert [(named.address, named.reason) for named in found.names["excluded"]] == [("", "erased")]
    assert [(named.address, named.reason) for named in found.names["pending"]] == [("grey@b.test", "451 4.7.1 later")]
    assert "3 failed, 1 excluded, 1 uncertain, 1 waiting for another try" in found.sentence
    assert found.next_try is not None and found.next_try > clock.at
    assert [named.address for named in names(issue, DeliveryState.ACCEPTED)] == ["a@b.test"]


def test_finished_is_only_said_when_everything_is_decided(clock: Clock) -> None:
    issue = make_approved(["a@b.test", "hard@b.test"])
    flow.start(issue, clock())
    send(issue, clock)
    found = report(issue)
    assert found.sentence == "Sent to 1 of 2. 1 failed." and found.label == "sent with failures" and not found.clean
    # A row that nobody accounts for must never read as finished, whatever the state says.
    Delivery.objects.filter(state="failed").update(state="pending")
    assert report(issue).sentence.startswith("Stopped at 1 of 2") and not report(issue).counts.complete


def test_json_holds_everything_as_plain_values(clock: Clock) -> None:
    issue = make_approved(["a@b.test", "hard@b.test"])
    flow.start(issue, clock())
    send(issue, clock)
    found = json.loads(json.dumps(report(issue).as_dict()))
    assert found["issue"] == "weekly/2026-11-05" and found["complete"] is True
    assert found["names"]["failed"] == [
        {"address": "hard@b.test", "reason": "refused (address): 550 5.1.1 no such user"}
    ]
    assert found["started_at"].startswith("2026-11-05T13:00:00") and found["next_try"] is None


def test_people_learn_from_a_send_once(clock: Clock) -> None:
    issue = make_approved(["a@b.test", "hard@b.test", "cut@b.test"])
    Subscription.objects.filter(subscriber__address="a@b.test").update(refusals_in_row=3)
    flow.start(issue, clock())
    send(issue, clock)
    for _ in range(3):
        teach(issue, now=clock())
    learned = {
        row.subscriber.address: (row.refusals_in_row, row.last_accepted_at is not None)
        for row in Subscription.objects.select_related("subscriber")
    }
    assert learned == {"a@b.test": (0, True), "hard@b.test": (1, False), "cut@b.test": (0, False)}


def test_a_resend_teaches_about_the_resent_alone(clock: Clock) -> None:
    issue = make_approved(["hard@b.test", "cut@b.test"])
    flow.start(issue, clock())
    send(issue, clock)
    clock.at += timedelta(hours=1)
    flow.settle_uncertain(issue, clock(), resend=True, by="Mara")
    provider = MemoryProvider()
    flow.deliver(issue, clock=clock, installation=here(), provider=provider)
    rows = {row.subscriber.address: row for row in Subscription.objects.select_related("subscriber")}
    assert rows["cut@b.test"].last_accepted_at is not None and rows["cut@b.test"].last_accepted_at > SLOT
    assert rows["hard@b.test"].refusals_in_row == 1


def test_a_message_that_could_not_be_made_is_nobodys_refusal(clock: Clock) -> None:
    issue = make_approved(["a@b.test"])
    flow.start(issue, clock())
    claim = deliveries.claim(issue.pk, owner=deliveries.this_worker(), now=clock())
    assert claim is not None
    decision = Decision(DeliveryState.FAILED, "not composed: x")
    deliveries.settle(Settlement(claim, set(), {claim.rows[0].delivery: decision}), now=clock())
    send(issue, clock)
    assert Subscription.objects.get().refusals_in_row == 0
