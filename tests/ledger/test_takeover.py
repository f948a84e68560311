"""A takeover and its owner at the same moment: whoever renews in time keeps the claim, and is in nobody's way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.db import transaction

from newsletter.journal import ANSWERED, Entry
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries import LEASE, Claim, Decision, Settlement
from newsletter.models import Delivery, DeliveryState, Issue, IssueState
from tests.sending import SLOT, addresses, make_approved, states

pytestmark = pytest.mark.django_db

ME, OTHER = "here:1:1#1", "here:2:2#1"
MINUTE = timedelta(minutes=1)


def begin(people: int) -> Issue:
    issue = make_approved(people)
    deliveries.start(issue.pk, now=SLOT, size=20)
    return issue


def take(issue: Issue, owner: str = ME, minutes: int = 0) -> Claim:
    with transaction.atomic():
        claim = deliveries.claim(issue.pk, owner=owner, now=SLOT + minutes * MINUTE)
    assert claim is not None
    return claim


def never_asked(owner: str, kind: str, number: int, fence: int) -> Mapping[int, Entry] | None:
    raise AssertionError("the journal of a living worker was read")


def accept_all(claim: Claim, minutes: int = 0) -> None:
    deliveries.settle(Settlement(claim, {row.delivery for row in claim.rows}), now=SLOT + minutes * MINUTE)


def test_an_owner_that_renews_while_it_is_taken_for_dead_keeps_its_batch() -> None:
    issue = begin(3)
    claim = take(issue)

    def dead(owner: str) -> bool:
        deliveries.hold([claim], now=SLOT + LEASE)
        return True

    assert deliveries.recover(issue.pk, now=SLOT, journal=never_asked, dead=dead) == 0
    accept_all(claim)
    assert states(issue) == {"accepted": 3}


@pytest.mark.parametrize("renewed", ["all", "settled"])
def test_an_owner_that_renews_while_it_is_taken_for_dead_keeps_its_retries(renewed: str) -> None:
    issue = begin(3)
    first = take(issue)
    deliveries.settle(
        Settlement(first, set(), {row.delivery: Decision(DeliveryState.PENDING, "later") for row in first.rows}),
        now=SLOT,
    )
    claim = take(issue, minutes=10)
    assert len(claim.rows) == 3 and not claim.batch

    def dead(owner: str) -> bool:
        if renewed == "all":
            deliveries.hold([claim], now=SLOT + 11 * MINUTE)
        elif renewed == "settled" and claim.lease_until < SLOT + 20 * MINUTE:
            accept_all(claim, minutes=10)
            claim.lease_until = SLOT + 30 * MINUTE
        return True

    assert deliveries.recover(issue.pk, now=SLOT + 10 * MINUTE, journal=never_asked, dead=dead) == 0
    if renewed != "settled":
        accept_all(claim, minutes=11)
    assert states(issue) == {"accepted": 3}


def test_a_deferral_that_only_the_journal_knew_waits_as_if_its_worker_had_settled_it() -> None:
    issue = begin(2)
    claim = take(issue)
    first, second = claim.rows
    later = Decision(DeliveryState.PENDING, "451 4.7.1 greylisted", retry_after=600)
    marks = {first.delivery: Entry(ANSWERED, later.as_words())}
    assert deliveries.recover(issue.pk, now=SLOT, journal=lambda *_: marks, dead=lambda owner: True) == 0
    assert [row.delivery for row in take(issue, OTHER).rows] == [second.delivery]
    with transaction.atomic():
        assert deliveries.claim(issue.pk, owner=OTHER, now=SLOT + 9 * MINUTE) is None, "not before its time"
    again = take(issue, OTHER, minutes=15)
    assert [(row.delivery, row.attempts) for row in again.rows] == [(first.delivery, 1)]


def test_a_doubt_that_is_sent_once_more_keeps_its_count_of_tries_and_its_day() -> None:
    """With `resend` a message whose worker dies at each try is not sent for ever."""
    issue = begin(1)
    take(issue)
    now, tries = SLOT, 0
    while not states(issue).get("uncertain"):
        tries += 1
        assert tries < 60
        deliveries.recover(issue.pk, now=now, resend=True, dead=lambda owner: True)
        now += timedelta(hours=2)
        with transaction.atomic():
            deliveries.claim(issue.pk, owner=ME, now=now)
    assert tries >= 4 and now - SLOT <= timedelta(hours=30)
    assert Delivery.objects.get().reason.startswith("expired: ")


def test_a_second_takeover_finds_nothing_to_do() -> None:
    issue = begin(3)
    take(issue)
    assert deliveries.recover(issue.pk, now=SLOT, dead=lambda owner: True) == 3
    assert deliveries.recover(issue.pk, now=SLOT, journal=never_asked, dead=lambda owner: True) == 0
    assert len(addresses(issue, DeliveryState.UNCERTAIN)) == 3


def test_an_issue_that_a_person_has_paused_does_not_begin_to_wait_for_its_provider() -> None:
    issue = begin(3)
    issues.pause(issue.pk, "Paused by Mara.", now=SLOT, by="Mara")
    assert not deliveries.pause_for_provider(issue.pk, "away", now=SLOT)
    assert deliveries.waits_for_provider(issue.pk) is None
    issue.refresh_from_db()
    assert issue.state == IssueState.PAUSED and issue.paused_reason == "Paused by Mara."
