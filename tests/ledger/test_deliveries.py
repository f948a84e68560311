"""The ledger's own promises: one audience, one owner, one decision a row, and nothing lost with a dead worker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from newsletter.core.errors import ClaimLostError, IssueError, LedgerError
from newsletter.journal import ACCEPTED, ANSWERED, ON_THE_WIRE, UNTOUCHED, Entry
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import LEASE, Claim, Decision, Row, Settled, Settlement, freezing
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue, IssueState, Retry
from subscribers.models import Subscriber, Subscription, SubscriptionState, Suppression
from tests.factories import make_newsletter
from tests.sending import SLOT, addresses, make_approved, make_people, states

pytestmark = pytest.mark.django_db

ME, OTHER = "here:1:1", "elsewhere:2:2"
LATER = Decision(DeliveryState.PENDING, "later")


def failed(reason: str) -> Decision:
    return Decision(DeliveryState.FAILED, reason)


def alive(owner: str) -> bool:
    return False


def begin(people: int = 45) -> Issue:
    issue = make_approved(people)
    deliveries.start(issue.pk, now=SLOT, size=20)
    return issue


def one_claim(issue: Issue, owner: str = ME, now: datetime = SLOT) -> Claim | None:
    with transaction.atomic():
        return deliveries.claim(issue.pk, owner=owner, now=now)


def take(issue: Issue, owner: str = ME, now: datetime = SLOT) -> Claim:
    claim = one_claim(issue, owner, now)
    assert claim is not None
    return claim


def settle(
    claim: Claim, decisions: Mapping[int, Decision] | None = None, *, accepted: Iterable[Row] = (), now: datetime = SLOT
) -> Settled:
    numbers = {row.delivery for row in accepted}
    return deliveries.settle(Settlement(claim, numbers, dict(decisions or {})), now=now)


def later(claim: Claim, *rows: Row, now: datetime = SLOT) -> None:
    settle(claim, {row.delivery: LATER for row in rows}, now=now)


def nothing_left(*_: Any) -> dict[int, Entry]:
    """The journal of a worker that had sent nothing of its claim."""
    return {}


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


# --- the dead --------------------------------------------------------------------------------------------------------


def test_a_living_owner_within_its_lease_keeps_its_batch() -> None:
    issue = begin(3)
    claim = take(issue)
    assert deliveries.recover(issue.pk, now=SLOT + LEASE - timedelta(seconds=1), dead=alive) == 0
    assert Batch.objects.get().owner == ME
    deliveries.hold([claim], now=SLOT + LEASE)
    assert deliveries.recover(issue.pk, now=SLOT + LEASE * 1.5, dead=alive) == 0, "holding renews the lease"
    assert claim.lease_until == SLOT + LEASE * 2


def test_when_the_lease_has_run_out_the_journal_tells_what_became_of_each() -> None:
    issue = begin(5)
    claim = take(issue)
    accepted, wire, refused, torn, untouched = claim.rows
    refusal = failed("refused (address): 550 5.1.1")
    marks = {
        accepted.delivery: Entry(ACCEPTED),
        wire.delivery: Entry(ON_THE_WIRE),
        refused.delivery: Entry(ANSWERED, refusal.as_words()),
        torn.delivery: Entry(ANSWERED, None),
        untouched.delivery: Entry(UNTOUCHED),
    }
    asked: list[tuple[str, str, int, int]] = []

    def journal(*marks_of: Any) -> Any:
        asked.append(marks_of)
        return marks

    now = SLOT + LEASE + timedelta(seconds=1)
    assert deliveries.recover(issue.pk, now=now, journal=journal, dead=alive) == 2
    assert asked == [(ME, deliveries.BATCH, claim.batch, claim.fence)]
    assert addresses(issue, DeliveryState.UNCERTAIN) == [wire.address, torn.address]
    assert addresses(issue, DeliveryState.ACCEPTED) == [accepted.address]
    assert Delivery.objects.get(state="failed").reason == refusal.reason
    assert [row.delivery for row in take(issue, OTHER).rows] == [untouched.delivery]


@pytest.mark.parametrize("resend", [False, True])
def test_without_a_journal_all_that_was_claimed_is_in_doubt_by_name(resend: bool) -> None:
    issue = begin(3)
    take(issue)
    assert deliveries.recover(issue.pk, now=SLOT, resend=resend, dead=lambda owner: True) == 3
    assert states(issue) == ({"pending": 3} if resend else {"uncertain": 3})
    assert Retry.objects.count() == (3 if resend else 0) and Batch.objects.get().state == BatchState.SETTLED


@pytest.mark.parametrize("words", [{}, {"state": "nonsense"}, {"state": "failed", "reason": None}])
def test_words_that_no_journal_of_ours_holds_leave_the_row_in_doubt(words: dict[str, Any]) -> None:
    issue = begin(1)
    (row,) = take(issue).rows
    deliveries.recover(
        issue.pk, now=SLOT, journal=lambda *_: {row.delivery: Entry(ANSWERED, words)}, dead=lambda owner: True
    )
    assert states(issue) == {"uncertain": 1}


def test_the_retry_of_a_dead_worker_is_uncertain_or_waits_again() -> None:
    issue = begin(2)
    claim = take(issue)
    later(claim, *claim.rows)
    now = SLOT + timedelta(minutes=10)
    claim = take(issue, now=now)
    wire, untouched = claim.rows
    assert not claim.batch and deliveries.claim(issue.pk, owner=OTHER, now=now) is None
    marks = {wire.delivery: Entry(ON_THE_WIRE)}
    assert deliveries.recover(issue.pk, now=now, journal=lambda *_: marks, dead=lambda owner: True) == 1
    assert states(issue) == {"uncertain": 1, "pending": 1}
    again = take(issue, OTHER, now=now)
    assert [row.delivery for row in again.rows] == [untouched.delivery]
    assert again.fences[untouched.delivery] > claim.fences[untouched.delivery]
    with pytest.raises(ClaimLostError):
        settle(claim, accepted=claim.rows, now=now)
    with pytest.raises(ClaimLostError):
        deliveries.hold([claim], now=now)


def test_a_retry_in_good_hands_is_not_doubted_with_the_batch_it_came_from() -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = claim.rows
    settle(claim, {first.delivery: LATER})
    mine = take(issue)
    assert [row.delivery for row in mine.rows] == [second.delivery] and mine.waiting == (first.delivery,)
    now = SLOT + timedelta(minutes=5)
    retry = take(issue, OTHER, now=now)
    assert [row.delivery for row in retry.rows] == [first.delivery]
    assert deliveries.recover(issue.pk, now=now, journal=nothing_left, dead=lambda owner: owner == ME) == 0
    settle(retry, accepted=retry.rows, now=now)
    assert states(issue) == {"accepted": 1, "pending": 1}


def test_stop_never_excludes_what_may_be_on_the_wire() -> None:
    issue = begin(3)
    claim = take(issue)
    with pytest.raises(IssueError, match="on their way"):
        deliveries.stop(issue.pk, now=SLOT)
    assert states(issue) == {"pending": 3}
    settle(claim, accepted=claim.rows[:1])
    assert deliveries.stop(issue.pk, now=SLOT) == 2
    assert states(issue) == {"accepted": 1, "excluded": 2}


def test_an_issue_with_something_claimed_or_waiting_is_not_finished() -> None:
    issue = begin(1)
    claim = take(issue)
    assert not deliveries.finish_if_complete(issue.pk, now=SLOT)
    later(claim, *claim.rows)
    assert not deliveries.finish_if_complete(issue.pk, now=SLOT)
    assert Issue.objects.get().state == IssueState.SENDING


def test_owners_are_those_who_hold_a_batch_or_a_retry() -> None:
    issue = begin(40)
    claim = take(issue)
    take(issue, OTHER)
    later(claim, claim.rows[0])
    take(issue, "third:3:3")
    assert deliveries.owners() == {OTHER, "third:3:3"}
    take(issue, "fourth:4:4", now=SLOT + timedelta(minutes=5))
    assert deliveries.owners() == {OTHER, "third:3:3", "fourth:4:4"}


# --- owners ----------------------------------------------------------------------------------------------------------


def test_this_process_lives_and_a_killed_one_is_dead() -> None:
    assert not deliveries.is_dead(deliveries.this_worker())
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host = deliveries.this_worker().rsplit(":", 2)[0]
    from newsletter.ledger.deliveries.owner import _start

    owner = f"{host}:{child.pid}:{_start(child.pid)}"
    assert not deliveries.is_dead(owner)
    child.kill()
    # Not waited for yet: a zombie sends nothing any more.
    for _ in range(500):
        if deliveries.is_dead(owner):
            break
        threading.Event().wait(0.01)
    assert deliveries.is_dead(owner)
    child.wait()
    assert deliveries.is_dead(owner)


@pytest.mark.parametrize(
    "owner",
    ["", "elsewhere:1:1", "nonsense", pytest.param(f"otherhost:{os.getpid()}:1", id="our own number elsewhere")],
)
def test_of_other_hosts_only_the_lease_can_tell(owner: str) -> None:
    assert not deliveries.is_dead(owner)


def test_a_number_that_another_process_has_now_is_dead() -> None:
    host, pid, start = deliveries.this_worker().partition("#")[0].rsplit(":", 2)
    assert deliveries.is_dead(f"{host}:{pid}:{int(start) - 1}#1")


def test_each_run_of_a_process_has_a_name_of_its_own_and_lives_with_it() -> None:
    first, second = deliveries.this_worker(), deliveries.this_worker()
    assert first != second and not deliveries.is_dead(first) and not deliveries.is_dead(second)


def test_a_process_that_proc_hides_lives_while_its_number_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.ledger.deliveries import owner as module

    host, pid, start = deliveries.this_worker().partition("#")[0].rsplit(":", 2)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    read, kill = module._read, os.kill

    def refused(number: int, sign: int) -> None:
        kill(number, sign)
        raise PermissionError

    monkeypatch.setattr(module, "_read", lambda path: "" if path.endswith("stat") else read(path))
    monkeypatch.setattr(os, "kill", refused)
    assert not deliveries.is_dead(f"{host}:{child.pid}:123456") and not deliveries.is_dead(f"{host}:{pid}:{start}")
    monkeypatch.setattr(os, "kill", kill)
    child.kill()
    child.wait()
    assert deliveries.is_dead(f"{host}:{child.pid}:123456")


# --- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_eight_threads_that_begin_claim_and_settle_at_once_decide_each_row_once() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads share a database in memory as one connection; the crash exam's processes prove SQLite")
    newsletter = make_newsletter()
    issue = make_approved(160, newsletter=newsletter)
    sent: list[int] = []
    begun: list[int] = []
    gate = threading.Barrier(8)
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            gate.wait()
            with suppress(IssueError):
                begun.append(deliveries.start(issue.pk, now=SLOT, size=20))
            while claim := one_claim(issue, f"here:{number}:1"):
                sent.extend(row.delivery for row in claim.rows)
                settle(claim, accepted=claim.rows)
            deliveries.finish_if_complete(issue.pk, now=SLOT)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and begun == [160]
    assert sorted(sent) == sorted(set(sent)) and len(sent) == 160
    assert states(issue) == {"accepted": 160}
    assert Issue.objects.get().state == IssueState.SENT
