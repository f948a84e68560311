"""What `--dry-run` says, and how far a send has come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.flow import deliver as flow
from newsletter.models import Delivery, Issue, IssueState
from subscribers.models import SubscriptionState, Suppression
from tests.factories import make_newsletter
from tests.flow.deliver.running import send
from tests.sending import SLOT, Clock, make_approved, make_people

pytestmark = pytest.mark.django_db


def test_the_dry_run_says_what_when_to_whom_and_who_not(clock: Clock) -> None:
    issue = make_approved(1234)
    make_people(["u1@box.test", "u2@box.test"], state=SubscriptionState.UNSUBSCRIBED)
    make_people(["s@box.test"])
    Suppression.objects.create(address_key="s@box.test", reason="bounce", at=SLOT)
    assert flow.would_send(issue, SLOT - timedelta(days=1)) == (
        "Would send LANTERN Weekly, Lights, low rooms: Thursday, November 5, 08:00 New York (13:00 UTC) "
        "to 1,234 people; 3 excluded: 2 unsubscribed, 1 suppressed."
    )
    assert not Delivery.objects.exists() and Issue.objects.get().state == IssueState.APPROVED


def test_the_dry_run_of_a_paused_send_counts_the_rest(clock: Clock) -> None:
    clock.step = timedelta(seconds=1)
    issue = make_approved(40)

    def answer(to: str) -> None:
        if to == "r9@box.test":
            flow.pause(issue, clock(), by="Mara")

    send(issue, clock, answer)
    assert "remaining 30 of 40" in flow.would_send(issue, clock())
    Issue.objects.update(state=IssueState.SENT)
    assert flow.would_send(issue, clock()) == "Would send nothing: the issue is sent."


def test_the_dry_run_of_a_draft_says_so_and_speaks_utc_plainly(clock: Clock) -> None:
    issue = make_approved(1, newsletter=make_newsletter(timezone="UTC"), state=IssueState.DRAFT)
    Issue.objects.update(state=IssueState.DRAFT)
    assert flow.would_send(issue, SLOT) == (
        "Would send LANTERN Weekly, Lights, low rooms: Thursday, November 5, 13:00 UTC to 1 person. "
        "It is not approved yet."
    )
