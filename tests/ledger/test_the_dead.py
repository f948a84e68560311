"""What a worker that died leaves behind: nothing is lost, and nothing of it is sent twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from newsletter.core.errors import ClaimLostError, IssueError
from newsletter.journal import ACCEPTED, ANSWERED, ON_THE_WIRE, UNTOUCHED, Entry
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import LEASE
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue, IssueState, Retry
from tests.ledger.claiming import LATER, ME, OTHER, alive, begin, failed, later, nothing_left, settle, take
from tests.sending import SLOT, addresses, states

pytestmark = pytest.mark.django_db


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
