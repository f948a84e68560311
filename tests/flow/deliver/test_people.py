"""Who is frozen, and who leaves or is left out on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.flow import deliver as flow
from newsletter.models import Delivery, DeliveryState, Issue, IssueState
from newsletter.providers.memory import mailbox
from subscribers.models import Subscriber, Subscription, SubscriptionState, Suppression
from tests.factories import make_newsletter
from tests.flow.deliver.running import recipients, run, send
from tests.sending import SLOT, Clock, addresses, make_approved, make_people, states

pytestmark = pytest.mark.django_db


def test_a_segments_days_ago_are_counted_from_the_moment_the_send_begins(clock: Clock) -> None:
    newsletter = make_newsletter(audience={"where": {"joined": {"within_days": 10}}})
    issue = make_approved(["old@box.test", "new@box.test"], newsletter=newsletter)
    Subscription.objects.filter(subscriber__address="new@box.test").update(joined_at=SLOT - timedelta(days=9))
    assert "0 people; 2 excluded: 2 outside the segment" in flow.would_send(issue, SLOT + timedelta(days=2))
    flow.start(issue, clock())
    assert addresses(issue, DeliveryState.PENDING) == ["new@box.test"]


def test_only_active_unsuppressed_subscriptions_are_frozen(clock: Clock) -> None:
    issue = make_approved(["in@box.test"])
    for state in (SubscriptionState.PENDING, SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED):
        make_people([f"{state}@box.test"], state=state)
    make_people(["bounced@box.test"])
    Suppression.objects.create(address_key="bounced@box.test", reason="bounce", at=SLOT)
    send(issue, clock)
    assert recipients() == ["in@box.test"]
    assert Issue.objects.get().audience_count == 1


def test_who_leaves_during_the_send_is_excluded_with_the_reason(clock: Clock) -> None:
    issue = make_approved(
        ["first@box.test", "left@box.test", "bounced@box.test", "paused@box.test", "gone@box.test", "last@box.test"]
    )

    clock.step = timedelta(seconds=1)

    def answer(recipient: str) -> None:
        if recipient != "first@box.test":
            return
        Subscription.objects.filter(subscriber__address="left@box.test").update(state=SubscriptionState.UNSUBSCRIBED)
        Subscription.objects.filter(subscriber__address="paused@box.test").update(state=SubscriptionState.PAUSED)
        Suppression.objects.create(address_key="bounced@box.test", reason="bounce", at=SLOT)
        Subscriber.objects.filter(address="gone@box.test").delete()

    outcome = send(issue, clock, answer)
    assert recipients() == ["first@box.test", "last@box.test"]
    assert outcome.state == IssueState.SENT and outcome.counts.excluded == 4
    reasons = dict(Delivery.objects.filter(state="excluded").values_list("address", "reason"))
    assert reasons == {
        "left@box.test": "unsubscribed",
        "paused@box.test": "paused",
        "bounced@box.test": "suppressed",
        "gone@box.test": "erased",
    }


def test_whom_an_issue_has_nothing_for_is_excluded_and_not_mailed(clock: Clock) -> None:
    issue = make_approved(["all@box.test"])
    make_people(["books@box.test"], topics=["book"])
    outcome = send(issue, clock)
    assert recipients() == ["all@box.test"]
    assert outcome.state == IssueState.SENT and outcome.counts.excluded == 1
    assert Delivery.objects.get(state="excluded").reason == "no matching topics"


def test_a_changed_address_does_not_undo_a_suppression_of_the_old_one(clock: Clock) -> None:
    issue = make_approved(["old@box.test"])
    flow.start(issue, clock())
    Subscriber.objects.update(address="new@box.test", address_key="new@box.test")
    Suppression.objects.create(address_key="old@box.test", reason="complaint", at=SLOT)
    run(issue, clock)
    assert states(issue) == {"excluded": 1} and not mailbox()
