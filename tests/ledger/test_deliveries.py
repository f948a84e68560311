"""The ledger's own promises: one audience, one owner, one decision a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from newsletter.core.errors import ClaimLostError, IssueError, LedgerError
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import LEASE, Decision, freezing
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue, IssueState, Retry
from subscribers.models import Subscriber, Subscription, SubscriptionState, Suppression
from tests.ledger.claiming import LATER, ME, OTHER, alive, begin, failed, later, nothing_left, settle, take
from tests.sending import SLOT, addresses, make_approved, make_people, states

pytestmark = pytest.mark.django_db


# --- the freeze ------------------------------------------------------------------------------------------------------


def test_the_audience_is_one_unbroken_range_cut_into_batches() -> None:
    make_people(["not-in@box.test"], state=SubscriptionState.UNSUBSCRIBED)
    issue = begin(45)
    numbers = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + 45))
    cuts = list(Batch.objects.order_by("pk").values_list("lo", "hi"))
    assert cuts == [(numbers[0], numbers[19]), (numbers[20], numbers[39]), (numbers[40], numbers[44])]
    issue.refresh_from_db()
    assert issue.audience_count == 45 and issue.state == IssueState.SENDING
    assert addresses(issue, DeliveryState.PENDING) == [f"r{n}@box.test" for n in range(45)]


def test_a_broken_range_freezes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    issue = make_approved(3)
    insert = freezing._insert_deliveries
    monkeypatch.setattr(freezing, "_insert_deliveries", lambda *arguments: insert(*arguments) + 1)
    with pytest.raises(LedgerError, match="not one range"):
        deliveries.start(issue.pk, now=SLOT)
    issue.refresh_from_db()
    assert issue.state == IssueState.APPROVED and not Delivery.objects.exists() and not Batch.objects.exists()


def test_one_issue_is_started_once() -> None:
    issue = begin(3)
    with pytest.raises(IssueError):
        deliveries.start(issue.pk, now=SLOT)
    assert Delivery.objects.count() == 3


# --- claims ----------------------------------------------------------------------------------------------------------


def test_a_batch_has_one_owner_and_all_are_claimed_in_order() -> None:
    issue = begin(45)
    claims = [take(issue, owner) for owner in (ME, OTHER, ME)]
    assert [claim.batch for claim in claims] == list(Batch.objects.order_by("pk").values_list("pk", flat=True))
    assert deliveries.claim(issue.pk, owner=ME, now=SLOT) is None
    assert [len(claim.rows) for claim in claims] == [20, 20, 5]
    assert [row.address for row in claims[2].rows] == [f"r{n}@box.test" for n in range(40, 45)]


@pytest.mark.parametrize("state", [IssueState.PAUSED, IssueState.SENT, IssueState.APPROVED])
def test_nothing_is_claimed_unless_the_issue_is_sending(state: IssueState) -> None:
    issue = begin(3)
    Issue.objects.update(state=state)
    assert deliveries.claim(issue.pk, owner=ME, now=SLOT) is None


def test_the_batches_of_another_issue_are_left_alone() -> None:
    begin(3)
    other = Issue.objects.create(
        newsletter=Issue.objects.get().newsletter, slot="special", slot_at=SLOT, cutoff_at=SLOT, number=2,
        created_at=SLOT, state=IssueState.SENDING,
    )  # fmt: skip
    assert deliveries.claim(other.pk, owner=ME, now=SLOT) is None


def test_a_row_holds_what_a_letter_needs_of_the_person_and_why_none_may_go() -> None:
    issue = make_approved(["a@box.test", "left@box.test", "gone@box.test", "barred@box.test", "moved@box.test"])
    Subscriber.objects.filter(address="a@box.test").update(
        name="Ada", language="pt", plain_text=True, attributes={"city": "Lisbon"}
    )
    Subscription.objects.filter(subscriber__address="a@box.test").update(topics=["book", "movie"])
    deliveries.start(issue.pk, now=SLOT)
    Subscription.objects.filter(subscriber__address="left@box.test").update(state=SubscriptionState.UNSUBSCRIBED)
    Subscriber.objects.filter(address="gone@box.test").delete()
    Suppression.objects.create(address_key="barred@box.test", reason="bounce", at=SLOT)
    Subscriber.objects.filter(address="moved@box.test").update(address="new@box.test", address_key="new@box.test")
    Suppression.objects.create(address_key="moved@box.test", reason="complaint", at=SLOT)
    claim = take(issue)
    first, *others = claim.rows
    assert (first.name, first.language, first.topics, first.attributes, first.plain_text) == (
        "Ada", "pt", ("book", "movie"), {"city": "Lisbon"}, True,
    )  # fmt: skip
    assert first.joined_on == Subscription.objects.get(subscriber__address="a@box.test").joined_at.date()
    assert [row.excluded for row in others] == ["unsubscribed", "erased", "suppressed", "suppressed"]
    assert deliveries.leavers(claim) == {row.delivery: row.excluded for row in others}


def test_who_leaves_after_the_claim_is_found_in_a_batch_and_among_retries() -> None:
    issue = begin(2)
    claim = take(issue)
    assert deliveries.leavers(claim) == {}
    later(claim, *claim.rows)
    claim = take(issue, now=SLOT + timedelta(minutes=5))
    assert not claim.batch and len(claim.rows) == 2 and deliveries.leavers(claim) == {}
    Subscription.objects.filter(subscriber__address="r1@box.test").update(state=SubscriptionState.UNSUBSCRIBED)
    assert deliveries.leavers(claim) == {claim.rows[1].delivery: "unsubscribed"}


def test_a_settled_batch_is_open_for_the_rest_and_settled_when_nothing_is_left() -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = claim.rows
    found = settle(claim, accepted=[first])
    assert found.accepted == 1 and Batch.objects.get().state == BatchState.OPEN
    claim = take(issue)
    assert [row.delivery for row in claim.rows] == [second.delivery]
    settle(claim, {second.delivery: failed("poison")})
    assert Batch.objects.get().state == BatchState.SETTLED
    assert deliveries.finish_if_complete(issue.pk, now=SLOT) and not deliveries.finish_if_complete(issue.pk, now=SLOT)


def test_the_yeses_of_a_batch_are_written_around_those_that_stay_pending() -> None:
    issue = begin(20)
    claim = take(issue)
    rows = claim.rows
    decisions = {
        rows[3].delivery: LATER,
        rows[4].delivery: failed("no"),
        rows[5].delivery: Decision(DeliveryState.UNCERTAIN, "cut"),
        rows[6].delivery: Decision(DeliveryState.ACCEPTED, "provider's id"),
        rows[19].delivery: Decision(DeliveryState.EXCLUDED, "unsubscribed"),
    }
    untouched = [rows[0], rows[10], rows[11]]
    found = settle(
        claim, decisions, accepted=[row for row in rows if row.delivery not in decisions and row not in untouched]
    )
    assert (found.accepted, found.failed, found.uncertain, found.excluded, found.waiting) == (13, 1, 1, 1, 1)
    assert states(issue) == {"accepted": 13, "failed": 1, "uncertain": 1, "excluded": 1, "pending": 4}
    again = take(issue)
    assert {row.delivery for row in again.rows} == {row.delivery for row in untouched}
    settle(again, accepted=again.rows)
    assert states(issue)["pending"] == 1 == Retry.objects.count(), "one that waits is not among the yeses of a range"
    assert Delivery.objects.filter(reason="provider's id").get().state == DeliveryState.ACCEPTED


def test_every_write_of_a_lost_claim_is_refused_and_writes_nothing() -> None:
    issue = begin(3)
    old = take(issue)
    assert deliveries.recover(issue.pk, now=SLOT, journal=nothing_left, dead=lambda owner: owner == ME) == 0
    new = take(issue, OTHER)
    assert new.batch == old.batch and new.fence > old.fence
    before = list(Delivery.objects.order_by("pk").values_list())
    with pytest.raises(ClaimLostError):
        settle(old, {old.rows[0].delivery: failed("x"), old.rows[1].delivery: LATER},
               accepted=old.rows[2:])  # fmt: skip
    with pytest.raises(ClaimLostError):
        deliveries.hold([old], now=SLOT)
    assert list(Delivery.objects.order_by("pk").values_list()) == before and not Retry.objects.exists()
    assert Batch.objects.get().owner == OTHER


def test_a_claim_of_the_same_owner_under_an_older_fence_is_lost_too() -> None:
    issue = begin(1)
    old = take(issue)
    deliveries.recover(issue.pk, now=SLOT + LEASE * 2, journal=nothing_left, dead=alive)
    new = take(issue)
    assert new.owner == old.owner
    with pytest.raises(ClaimLostError):
        settle(old, accepted=old.rows)
    assert states(issue) == {"pending": 1}


def test_a_row_is_decided_once() -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = claim.rows
    Delivery.objects.filter(pk=first.delivery).update(state=DeliveryState.EXCLUDED)
    for how in ({"decisions": {first.delivery: failed("x")}}, {"accepted": [first, second]}):
        with pytest.raises(LedgerError), transaction.atomic():
            settle(claim, **how)
    assert states(issue) == {"excluded": 1, "pending": 1}
    assert Batch.objects.get().state == BatchState.CLAIMED, "all of it or nothing"


def test_what_is_not_pending_is_not_claimable() -> None:
    issue = begin(1)
    assert deliveries.claimable(issue.pk, now=SLOT)
    claim = take(issue)
    assert not deliveries.claimable(issue.pk, now=SLOT)
    later(claim, *claim.rows)
    assert not deliveries.claimable(issue.pk, now=SLOT)
    assert deliveries.claimable(issue.pk, now=SLOT + timedelta(minutes=5))


def test_a_reason_longer_than_its_column_is_cut() -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = claim.rows
    settle(
        claim,
        {
            first.delivery: failed("x" * 9000),
            second.delivery: replace(LATER, reason="y" * 9000),
        },
    )
    assert len(Delivery.objects.get(state="failed").reason) == 500 == len(Retry.objects.get().reply)


@pytest.mark.parametrize("reply", ["half a \ud83d", "a \x00 in it"])
def test_a_reply_that_no_column_can_hold_does_not_lose_the_answer(reply: str) -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = claim.rows
    settle(
        claim,
        {
            first.delivery: failed(reply),
            second.delivery: replace(LATER, reason=reply),
        },
    )
    assert states(issue) == {"failed": 1, "pending": 1} and Retry.objects.get().reply


def test_a_deferral_that_is_over_ends_as_it_says() -> None:
    issue = begin(2)
    claim, now = take(issue), SLOT
    policy, doubt = claim.rows
    decisions = {
        policy.delivery: Decision(DeliveryState.PENDING, "5.7.1", tries=2),
        doubt.delivery: Decision(DeliveryState.PENDING, "cut", then=DeliveryState.UNCERTAIN),
    }
    settle(claim, decisions)
    while Retry.objects.exists():
        now += timedelta(hours=3)
        claim = take(issue, now=now)
        settle(claim, {row.delivery: decisions[row.delivery] for row in claim.rows}, now=now)
    reasons = dict(Delivery.objects.values_list("state", "reason"))
    assert reasons == {"failed": "given up after 2 tries: 5.7.1", "uncertain": "expired: cut"}
