"""The ledger's own promises: one audience, one owner, one decision a row, and nothing lost with a dead worker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, connections

from newsletter.core.errors import ClaimLostError, IssueError, LedgerError
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries import LEASE, Claim, Permit, freezing
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue, IssueState, OnTheWire, Retry
from subscribers.models import SubscriptionState
from tests.factories import make_newsletter
from tests.sending import SLOT, addresses, make_approved, make_people, states

pytestmark = pytest.mark.django_db

ME, OTHER = "here:1:1", "elsewhere:2:2"


def alive(owner: str) -> bool:
    return False


def begin(people: int = 45) -> Issue:
    issue = make_approved(people)
    deliveries.start(issue.pk, now=SLOT)
    return issue


def take(issue: Issue, owner: str = ME, now=SLOT) -> Claim:
    claim = deliveries.claim(issue.pk, owner=owner, now=now)
    assert claim is not None
    return claim


# --- the freeze ------------------------------------------------------------------------------------------------------


def test_the_audience_is_one_unbroken_range_in_batches_of_twenty() -> None:
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
    assert [len(deliveries.rows(claim)) for claim in claims] == [20, 20, 5]


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


def test_a_released_batch_is_open_for_the_rest_and_settled_when_nothing_is_left() -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = deliveries.rows(claim)
    deliveries.mark(claim, first.pk, now=SLOT)
    deliveries.settle(claim, first.pk, DeliveryState.ACCEPTED, "", now=SLOT)
    deliveries.release(claim, now=SLOT)
    assert Batch.objects.get().state == BatchState.OPEN
    claim = take(issue)
    assert [row.pk for row in deliveries.rows(claim)] == [second.pk]
    deliveries.fail_unsent(claim, second.pk, "poison", now=SLOT)
    deliveries.release(claim, now=SLOT)
    assert Batch.objects.get().state == BatchState.SETTLED
    assert deliveries.finish_if_complete(issue.pk, now=SLOT) and not deliveries.finish_if_complete(issue.pk, now=SLOT)


def test_every_write_of_a_lost_claim_is_refused_and_writes_nothing() -> None:
    issue = begin(3)
    old = take(issue)
    first, second, _ = deliveries.rows(old)
    deliveries.mark(old, first.pk, now=SLOT)
    assert deliveries.recover(issue.pk, now=SLOT, dead=lambda owner: owner == ME) == 1
    new = take(issue, OTHER)
    assert new.batch == old.batch and new.fence > old.fence
    deliveries.mark(new, second.pk, now=SLOT)
    before = list(Delivery.objects.order_by("pk").values_list())
    for write in (
        lambda: deliveries.mark(old, second.pk, now=SLOT),
        lambda: deliveries.settle(old, second.pk, DeliveryState.ACCEPTED, "", now=SLOT),
        lambda: deliveries.defer(old, second.pk, "later", now=SLOT),
        lambda: deliveries.take_back(old, second.pk, now=SLOT),
        lambda: deliveries.fail_unsent(old, second.pk, "x", now=SLOT),
    ):
        with pytest.raises(ClaimLostError):
            write()
    deliveries.release(old, now=SLOT)
    assert list(Delivery.objects.order_by("pk").values_list()) == before
    assert Batch.objects.get().owner == OTHER and OnTheWire.objects.get().pk == second.pk


def test_a_claim_of_the_same_owner_under_an_older_fence_is_lost_too() -> None:
    issue = begin(1)
    old = take(issue)
    deliveries.recover(issue.pk, now=SLOT + LEASE * 2, dead=alive)
    new = take(issue)
    assert new.owner == old.owner
    with pytest.raises(ClaimLostError):
        deliveries.mark(old, deliveries.rows(new)[0].pk, now=SLOT)


# --- one row ---------------------------------------------------------------------------------------------------------


def test_a_row_is_on_the_wire_before_it_is_sent_and_decided_once() -> None:
    issue = begin(1)
    claim = take(issue)
    (row,) = deliveries.rows(claim)
    with pytest.raises(LedgerError, match="not on the wire"):
        deliveries.settle(claim, row.pk, DeliveryState.ACCEPTED, "", now=SLOT)
    assert deliveries.mark(claim, row.pk, now=SLOT) is Permit.SEND
    assert OnTheWire.objects.get().pk == row.pk
    deliveries.settle(claim, row.pk, DeliveryState.ACCEPTED, "", now=SLOT)
    assert not OnTheWire.objects.exists()
    assert deliveries.mark(claim, row.pk, now=SLOT) is Permit.DECIDED
    with pytest.raises(LedgerError, match="decided before"):
        deliveries.fail_unsent(claim, row.pk, "x", now=SLOT)
    assert states(issue) == {"accepted": 1}


def test_a_pause_is_seen_by_the_very_next_row() -> None:
    issue = begin(2)
    claim = take(issue)
    first, _ = deliveries.rows(claim)
    issues.pause(issue.pk, "wait", now=SLOT)
    assert deliveries.mark(claim, first.pk, now=SLOT) is Permit.HALT
    assert not OnTheWire.objects.exists()


def test_a_reason_longer_than_its_column_is_cut() -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = deliveries.rows(claim)
    deliveries.mark(claim, first.pk, now=SLOT)
    deliveries.settle(claim, first.pk, DeliveryState.FAILED, "x" * 9000, now=SLOT)
    deliveries.mark(claim, second.pk, now=SLOT)
    deliveries.defer(claim, second.pk, "y" * 9000, now=SLOT)
    assert len(Delivery.objects.get(state="failed").reason) == 500 == len(Retry.objects.get().reply)


# --- the dead --------------------------------------------------------------------------------------------------------


def test_a_living_owner_within_its_lease_keeps_its_batch() -> None:
    issue = begin(3)
    claim = take(issue)
    assert deliveries.recover(issue.pk, now=SLOT + LEASE - timedelta(seconds=1), dead=alive) == 0
    assert Batch.objects.get().owner == ME
    claim.hold(SLOT + LEASE)
    assert deliveries.recover(issue.pk, now=SLOT + LEASE * 1.5, dead=alive) == 0, "each row renews the lease"


def test_when_the_lease_has_run_out_what_was_on_the_wire_is_uncertain_and_the_rest_open() -> None:
    issue = begin(3)
    claim = take(issue)
    first, second, third = deliveries.rows(claim)
    deliveries.mark(claim, first.pk, now=SLOT)
    assert deliveries.recover(issue.pk, now=SLOT + LEASE + timedelta(seconds=1), dead=alive) == 1
    assert addresses(issue, DeliveryState.UNCERTAIN) == [first.address]
    assert not OnTheWire.objects.exists()
    claim = take(issue, OTHER)
    assert [row.pk for row in deliveries.rows(claim)] == [second.pk, third.pk]


def test_the_retry_of_a_dead_worker_is_uncertain_or_waits_again() -> None:
    issue = begin(2)
    claim = take(issue)
    later = {}
    for row in deliveries.rows(claim):
        deliveries.mark(claim, row.pk, now=SLOT)
        later[row.pk] = deliveries.defer(claim, row.pk, "later", now=SLOT)
    deliveries.release(claim, now=SLOT)
    now = SLOT + timedelta(minutes=10)
    on_the_wire, only_claimed = take(issue, now=now), take(issue, now=now)
    assert on_the_wire.delivery and only_claimed.delivery and deliveries.claim(issue.pk, owner=OTHER, now=now) is None
    deliveries.mark(on_the_wire, on_the_wire.delivery, now=now)
    assert deliveries.recover(issue.pk, now=now, dead=lambda owner: True) == 1
    assert states(issue) == {"uncertain": 1, "pending": 1}
    again = take(issue, OTHER, now=now)
    assert again.delivery == only_claimed.delivery and again.fence > only_claimed.fence
    with pytest.raises(ClaimLostError):
        deliveries.mark(only_claimed, only_claimed.delivery, now=now)


def test_a_retry_in_good_hands_is_not_doubted_with_the_batch_it_came_from() -> None:
    issue = begin(2)
    claim = take(issue)
    first, _ = deliveries.rows(claim)
    deliveries.mark(claim, first.pk, now=SLOT)
    deliveries.defer(claim, first.pk, "later", now=SLOT)
    now = SLOT + timedelta(minutes=5)
    retry = take(issue, OTHER, now=now)
    assert retry.delivery == first.pk
    deliveries.mark(retry, first.pk, now=now)
    assert deliveries.recover(issue.pk, now=now, dead=lambda owner: owner == ME) == 0
    deliveries.settle(retry, first.pk, DeliveryState.ACCEPTED, "", now=now)
    assert states(issue) == {"accepted": 1, "pending": 1}


@pytest.mark.parametrize("again", [False, True], ids=["a batch", "a retry"])
def test_what_a_released_claim_still_has_on_the_wire_is_uncertain_and_jams_nobody(again: bool) -> None:
    issue, now = begin(2), SLOT
    claim = take(issue)
    row, _ = deliveries.rows(claim)
    if again:
        deliveries.mark(claim, row.pk, now=now)
        deliveries.defer(claim, row.pk, "later", now=now)
        now += timedelta(minutes=5)
        claim = deliveries.claim(issue.pk, owner=ME, now=now) or claim
        assert claim.delivery == row.pk
    deliveries.mark(claim, row.pk, now=now)
    assert deliveries.release(claim, now=now) == 1
    assert addresses(issue, DeliveryState.UNCERTAIN) == [row.address]
    assert not OnTheWire.objects.exists() and not Retry.objects.exists()
    assert deliveries.release(claim, now=now) == 0, "it is not ours any more"


@pytest.mark.parametrize("again", [False, True], ids=["a batch", "a retry"])
def test_what_is_on_the_wire_with_no_owner_left_is_recovered(again: bool) -> None:
    issue, now = begin(2), SLOT
    claim = take(issue)
    row, other = deliveries.rows(claim)
    if again:
        deliveries.mark(claim, row.pk, now=now)
        deliveries.defer(claim, row.pk, "later", now=now)
        deliveries.release(claim, now=now)
    OnTheWire.objects.create(delivery=row, batch_id=claim.batch, at=now)
    Batch.objects.update(state=BatchState.OPEN, owner="", lease_until=None)
    now += timedelta(minutes=5)
    assert deliveries.recover(issue.pk, now=now, dead=alive) == 1
    assert addresses(issue, DeliveryState.UNCERTAIN) == [row.address]
    claim = take(issue, OTHER, now=now)
    assert [left.pk for left in deliveries.rows(claim)] == [other.pk]
    deliveries.mark(claim, other.pk, now=now)
    assert deliveries.recover(issue.pk, now=now, dead=alive) == 0, "that one is in good hands"


@pytest.mark.parametrize("reply", ["half a \ud83d", "a \x00 in it"])
def test_a_reply_that_no_column_can_hold_does_not_lose_the_answer(reply: str) -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = deliveries.rows(claim)
    deliveries.mark(claim, first.pk, now=SLOT)
    deliveries.settle(claim, first.pk, DeliveryState.FAILED, reply, now=SLOT)
    deliveries.mark(claim, second.pk, now=SLOT)
    deliveries.defer(claim, second.pk, reply, now=SLOT)
    assert states(issue) == {"failed": 1, "pending": 1} and Retry.objects.get().reply


def test_stop_never_excludes_what_is_on_the_wire() -> None:
    issue = begin(3)
    claim = take(issue)
    first, *_ = deliveries.rows(claim)
    deliveries.mark(claim, first.pk, now=SLOT)
    with pytest.raises(IssueError, match="on its way"):
        deliveries.stop(issue.pk, now=SLOT)
    assert states(issue) == {"pending": 3}


def test_an_issue_with_a_row_on_the_wire_or_waiting_is_not_finished() -> None:
    issue = begin(1)
    claim = take(issue)
    (row,) = deliveries.rows(claim)
    deliveries.mark(claim, row.pk, now=SLOT)
    assert not deliveries.finish_if_complete(issue.pk, now=SLOT)
    deliveries.defer(claim, row.pk, "later", now=SLOT)
    deliveries.release(claim, now=SLOT)
    assert not deliveries.finish_if_complete(issue.pk, now=SLOT)
    assert Issue.objects.get().state == IssueState.SENDING


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
    host, pid, start = deliveries.this_worker().rsplit(":", 2)
    assert deliveries.is_dead(f"{host}:{pid}:{int(start) - 1}")


def test_a_process_that_proc_hides_lives_while_its_number_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.ledger.deliveries import owner as module

    host, pid, start = deliveries.this_worker().rsplit(":", 2)
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
def test_eight_threads_that_begin_claim_mark_and_settle_at_once_decide_each_row_once() -> None:
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
                begun.append(deliveries.start(issue.pk, now=SLOT))
            while claim := deliveries.claim(issue.pk, owner=f"here:{number}:1", now=SLOT):
                for row in deliveries.rows(claim):
                    if deliveries.mark(claim, row.pk, now=SLOT) is Permit.SEND:
                        sent.append(row.pk)
                        deliveries.settle(claim, row.pk, DeliveryState.ACCEPTED, "", now=SLOT)
                deliveries.release(claim, now=SLOT)
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
