"""What follows from what comes back: who is given up, who is not, and that all of it can be taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.core.replies import classify
from newsletter.flow.bounce import take, unsuppress
from newsletter.flow.report import teach
from newsletter.models import Delivery, DeliveryState, Event, Evidence, Issue
from subscribers.models import ConsentEvent, Subscription, SubscriptionState, Suppression, SuppressionReason
from tests.flow.bouncing import NOW, deliver, mail_for, make_issue, say, suppressed
from tests.sending import KEYS, make_people

pytestmark = pytest.mark.django_db


def test_a_hard_bounce_suppresses_at_the_first_with_its_proof_and_leaves_consent_alone() -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    taken = take(mail_for(delivery, "postfix"), keys=KEYS, now=NOW, home=None)
    assert taken.kind is ReportKind.BOUNCE and taken.decision.startswith("suppressed: hard bounce 5.1.1")
    [row] = Suppression.objects.all()
    [kept] = Evidence.objects.all()
    assert row.reason == SuppressionReason.BOUNCE and f"evidence {kept.pk}" in row.evidence
    assert "ada@" not in kept.diagnostic and "User unknown" in kept.diagnostic
    person.refresh_from_db()
    delivery.refresh_from_db()
    assert (person.state, delivery.state) == (SubscriptionState.ACTIVE, DeliveryState.ACCEPTED)


@pytest.mark.parametrize(
    "name", ["gmail blocks us", "outlook blocks us", "a block that lies about the status", "too large"]
)
def test_what_is_about_us_or_the_letter_never_blames_the_reader(name: str) -> None:
    [person] = make_people(["ada@box.test"])
    for week in range(8):
        [delivery] = deliver(make_issue(week), [person])
        assert take(mail_for(delivery, name), keys=KEYS, now=NOW, home=None).decision.startswith("nothing")
    assert suppressed() == {} and Evidence.objects.count() == 8


def test_a_soft_bounce_counts_after_five_in_a_row() -> None:
    [person] = make_people(["ada@box.test"])
    for week in range(5):
        assert suppressed() == {}
        [delivery] = deliver(make_issue(week), [person])
        last = take(mail_for(delivery, "gmail full"), keys=KEYS, now=NOW, home=None)
    assert last.decision.startswith("suppressed: 5 bounces in a row over 5 issues and 28 days")


@pytest.mark.parametrize(
    "order", [(BounceClass.MAILBOX, BounceClass.POLICY), (BounceClass.POLICY, BounceClass.MAILBOX)]
)
def test_two_reports_of_one_delivery_count_alike_in_either_order(order: tuple[BounceClass, BounceClass]) -> None:
    [person] = make_people(["ada@box.test"])
    for week in range(5):
        [delivery] = deliver(make_issue(week), [person])
        for about in order:
            say(delivery, f"test:{week}:{about}", about=about)
    assert suppressed() == {"ada@box.test": "bounce"}


def test_a_delivery_that_went_well_begins_the_row_anew() -> None:
    [person] = make_people(["ada@box.test"])
    for week in range(9):
        [delivery] = deliver(make_issue(week), [person])
        if week != 4:
            say(delivery)
    assert suppressed() == {}


def test_five_in_less_than_two_weeks_are_too_few() -> None:
    [person] = make_people(["ada@box.test"])
    for day in range(13):
        [delivery] = deliver(make_issue(day, days=1), [person])
        say(delivery)
    assert suppressed() == {}
    for day in (13, 14):
        say(deliver(make_issue(day, days=1), [person])[0])
    assert list(suppressed()) == ["ada@box.test"]


def test_delays_and_automatic_answers_are_kept_and_never_counted() -> None:
    [person] = make_people(["ada@box.test"])
    for week in range(7):
        [delivery] = deliver(make_issue(week), [person])
        for name in ("postfix late", "on holiday"):
            assert take(mail_for(delivery, name), keys=KEYS, now=NOW, home=None).decision.startswith("nothing")
    assert suppressed() == {} and Evidence.objects.filter(decision__startswith="nothing").count() == 14


def test_a_bounce_settles_an_uncertain_delivery_and_no_other() -> None:
    [person] = make_people(["ada@box.test"])
    for week, state in enumerate(DeliveryState.values):
        [delivery] = deliver(make_issue(week), [person], DeliveryState(state))
        say(delivery, diagnostic="552 5.2.2 mailbox full")
        delivery.refresh_from_db()
        wanted = DeliveryState.FAILED if state == DeliveryState.UNCERTAIN else state
        assert delivery.state == wanted
        assert (delivery.reason == "bounced (mailbox): 552 5.2.2 mailbox full") == (state == DeliveryState.UNCERTAIN)


def test_what_was_suppressed_can_be_taken_back_and_old_evidence_stays_set_aside() -> None:
    [person] = make_people(["ada@box.test"])
    first, second = deliver(make_issue(0), [person])[0], deliver(make_issue(1), [person])[0]
    say(first, about=BounceClass.ADDRESS, hard=True)
    later = NOW + timedelta(days=30)
    with pytest.raises(ValueError, match="needs a reason"):
        unsuppress("ADA@box.test", now=later, by="Mara", reason=" ")
    assert unsuppress("ADA@box.test", now=later, by="Mara", reason="their server was broken for a day")
    assert not unsuppress("ada@box.test", now=later, by="Mara", reason="again")
    # A report about a delivery from before comes late.
    late = say(second, about=BounceClass.ADDRESS, hard=True, now=later + timedelta(hours=1))
    assert late.decision.startswith("nothing: the address was let in again") and suppressed() == {}
    [third] = deliver(make_issue(9), [person])
    assert say(third, about=BounceClass.ADDRESS, hard=True, now=later).decision.startswith("suppressed")
    assert Evidence.objects.exclude(forgiven_at=None).count() == 2
    assert ConsentEvent.objects.filter(origin="lifted by Mara", wording__startswith="their server").exists()


def test_an_erased_readers_bounce_is_kept_without_a_name() -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    person.subscriber.delete()
    assert take(mail_for(delivery, "postfix"), keys=KEYS, now=NOW, home=None).decision.startswith(
        "nothing: the reader is gone"
    )
    assert suppressed() == {}


def refuse(issue: Issue, people: Iterable[Subscription], reply: str) -> None:
    for delivery in deliver(issue, people, DeliveryState.FAILED):
        kind = classify(int(reply[:3]), reply)
        Delivery.objects.filter(pk=delivery.pk).update(reason=f"refused ({kind}): {reply}")


def test_a_refusal_at_the_door_is_evidence_like_a_bounce() -> None:
    ada, bob, eve, dan = make_people([f"{name}@box.test" for name in ("ada", "bob", "eve", "dan")])
    issue = make_issue()
    refuse(issue, [ada], "550 5.1.1 <ada@box.test> no such user")
    refuse(issue, [bob], "552 5.2.2 mailbox full")
    refuse(issue, [eve], "550 5.7.1 blocked, see our policy")
    deliver(issue, [dan])
    for _ in range(2):
        teach(issue, now=NOW)
    assert suppressed() == {"ada@box.test": "bounce"} and Evidence.objects.count() == 2
    assert not Evidence.objects.filter(diagnostic__contains="ada@").exists()


def test_a_relay_that_knows_nobody_suppresses_nobody() -> None:
    issue = make_issue()
    people = make_people([f"r{n}@box.test" for n in range(60)])
    deliver(issue, people[:40])
    refuse(issue, people[40:], "550 5.1.1 no such user")
    teach(issue, now=NOW)
    assert suppressed() == {} and Evidence.objects.filter(hard=False, decision="counted: address").count() == 20
    assert "20 of 60 addresses were refused as unknown" in Event.objects.get(kind="refusals doubted").text
