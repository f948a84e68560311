from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.flow import deliver as flow
from newsletter.flow.progress import by_minute, progress
from newsletter.models import Delivery, DeliveryState, Issue
from tests.sending import SLOT, make_approved

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue() -> Issue:
    """Ten people, and a send that began at the slot."""
    made = make_approved(10)
    flow.start(made, SLOT)
    return made


def decide(first: int, last: int, state: DeliveryState, after: timedelta, reason: str = "") -> None:
    rows = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))[first:last]
    Delivery.objects.filter(pk__in=rows).update(state=state, at=SLOT + after, reason=reason)


def test_the_rate_is_that_of_the_last_two_minutes_and_says_until_when(issue: Issue) -> None:
    now = SLOT + timedelta(minutes=5)
    assert progress(issue, now).rate is None
    decide(0, 2, DeliveryState.ACCEPTED, timedelta(minutes=1))
    assert progress(issue, now).rate is None
    decide(2, 5, DeliveryState.ACCEPTED, timedelta(minutes=4))
    decide(5, 6, DeliveryState.FAILED, timedelta(minutes=4), "refused (full): 452")
    found = progress(issue, now)
    assert found.rate == pytest.approx(4 / 120)
    assert found.until == now + timedelta(seconds=120)
    assert found.reasons["failed"] == [("Mailbox full", 1)]
    assert found.moving
    assert not found.nothing_sent


def test_what_was_decided_minute_by_minute_has_no_gaps_and_loses_nobody(issue: Issue) -> None:
    assert by_minute(issue) == []
    decide(0, 3, DeliveryState.ACCEPTED, timedelta(seconds=10))
    decide(3, 5, DeliveryState.FAILED, timedelta(minutes=3, seconds=59))
    decide(5, 9, DeliveryState.ACCEPTED, timedelta(minutes=3))
    minutes = by_minute(issue)
    assert [(row.accepted, row.failed) for row in minutes] == [(3, 0), (0, 0), (0, 0), (4, 2)]
    assert minutes[0].at == SLOT
    coarse = by_minute(issue, most=2)
    assert [(row.accepted, row.failed) for row in coarse] == [(3, 0), (4, 2)]
    assert coarse[1].at == SLOT + timedelta(minutes=2)


def test_a_send_that_a_person_paused_does_not_move_and_one_that_waits_for_its_provider_does(issue: Issue) -> None:
    flow.pause(issue, SLOT, by="Mara")
    found = progress(issue, SLOT)
    assert (found.moving, found.nothing_sent, found.rate) == (False, True, None)
