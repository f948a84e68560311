"""The plain case: who gets it, what they get, and that it is once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from newsletter.core.errors import IssueError
from newsletter.core.tokens import UNSUBSCRIBE, read_token
from newsletter.flow import deliver as flow
from newsletter.flow.compile import preview
from newsletter.ledger import deliveries, issues
from newsletter.models import Batch, Delivery, DeliveryState, Freeze, Issue, IssueState, Newsletter, Retry
from newsletter.providers.base import Outcome, Outgoing, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from subscribers.models import MailingList, Subscriber, Subscription
from tests.factories import make_newsletter
from tests.flow.deliver.running import recipients, run, send
from tests.sending import KEYS, Clock, addresses, here, make_approved, make_people, states

pytestmark = pytest.mark.django_db


def test_everybody_gets_it_once_and_the_issue_is_sent(clock: Clock) -> None:
    issue = make_approved(45)
    outcome = send(issue, clock)
    assert outcome.state == IssueState.SENT and outcome.clean and outcome.counts.complete
    assert sorted(recipients()) == sorted(f"r{n}@box.test" for n in range(45))
    assert states(issue) == {"accepted": 45}
    assert not Retry.objects.exists() and not issues.in_hands(issue.pk)


def test_sending_again_changes_nothing_and_sends_nothing(clock: Clock) -> None:
    issue = make_approved(5)
    send(issue, clock)
    before = list(Delivery.objects.order_by("pk").values_list())
    run(issue, clock)
    with pytest.raises(IssueError, match="sent"):
        flow.start(issue, clock())
    assert len(mailbox()) == 5 and list(Delivery.objects.order_by("pk").values_list()) == before


def test_the_envelope_is_from_whom_the_letter_is_from_as_approved(clock: Clock) -> None:
    issue = make_approved(["ada@box.test"])
    Newsletter.objects.update(from_address="other@elsewhere.test")
    send(Issue.objects.get(pk=issue.pk), clock)
    (sent,) = mailbox()
    assert sent.sender == "weekly@news.example.test"
    assert message_from_bytes(sent.message, policy=policy.default)["From"].addresses[0].addr_spec == sent.sender


def test_a_message_is_personal_and_carries_the_bulk_headers(clock: Clock) -> None:
    issue = make_approved(["ada@box.test"])
    send(issue, clock)
    (sent,) = mailbox()
    message = message_from_bytes(sent.message, policy=policy.default)
    assert sent.sender == "weekly@news.example.test"
    assert message["To"] == "Ada <ada@box.test>"
    assert message["Date"].datetime == Issue.objects.get().started_at.replace(microsecond=0)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(message["List-Unsubscribe"]).strip("<>")
    assert read_token(KEYS, UNSUBSCRIBE, link.rpartition("/")[2]) == Subscription.objects.get().pk
    assert "Dear Ada" in message.get_body(("plain",)).get_content()


def test_the_same_issue_gives_the_same_bytes_again(clock: Clock) -> None:
    issue = make_approved(["ada@box.test"])
    send(issue, clock, lambda _: SendResult(Outcome.UNKNOWN, reply="cut"))
    run(issue, clock)
    assert not mailbox()
    kept: list[bytes] = []

    class Keeping(MemoryProvider):
        def _attempt(self, outgoing: Outgoing) -> SendResult:
            kept.append(outgoing.message)
            return SendResult(Outcome.UNKNOWN, reply="cut again") if len(kept) == 1 else super()._attempt(outgoing)

    for _ in range(2):
        clock.at += timedelta(hours=1)
        assert flow.settle_uncertain(issue, clock(), resend=True, by="Mara") == 1
        run(issue, clock, provider=Keeping())
    assert len(kept) == 2 and kept[0] == kept[1] == mailbox()[0].message


def test_start_is_for_approved_issues_with_somebody_to_send_to(clock: Clock) -> None:
    issue = make_approved()
    with pytest.raises(IssueError, match="nobody") as caught:
        flow.start(issue, clock())
    assert "no active" in str(caught.value) or "nobody active" in str(caught.value)
    issue.refresh_from_db()
    assert issue.state == IssueState.APPROVED and not Delivery.objects.exists() and not Batch.objects.exists()


def test_a_second_start_finds_the_first(clock: Clock) -> None:
    issue = make_approved(3)
    assert flow.start(issue, clock()) == 3 == flow.start(issue, clock())
    assert Delivery.objects.count() == 3


def test_the_audience_is_the_rule_that_was_frozen_not_todays(clock: Clock) -> None:
    newsletter = make_newsletter(audience={"languages": ["en"]})
    issue = make_approved(["en@box.test", "de@box.test"], newsletter=newsletter)
    Subscriber.objects.filter(address="en@box.test").update(language="en")
    Subscriber.objects.filter(address="de@box.test").update(language="de")
    newsletter.audience = {}
    newsletter.save()
    assert flow.start(issue, clock()) == 1
    assert addresses(issue, DeliveryState.PENDING) == ["en@box.test"]


def test_the_list_is_the_one_that_was_approved_whatever_the_newsletter_says_by_now(clock: Clock) -> None:
    issue = make_approved(["ours@box.test"])
    other = MailingList.objects.create(slug="other", name="Other")
    make_people(["stranger@box.test"])
    Subscription.objects.filter(subscriber__address="stranger@box.test").update(mailing_list=other)
    issue.newsletter.mailing_list = other
    issue.newsletter.save()
    assert "to 1 person." in flow.would_send(issue, clock())
    send(issue, clock)
    assert recipients() == ["ours@box.test"]


def test_an_approval_that_names_no_list_is_not_sent(clock: Clock) -> None:
    issue = make_approved(1)
    MailingList.objects.update(slug="renamed")
    with pytest.raises(IssueError, match="is gone"):
        flow.start(issue, clock())
    Freeze.objects.update(inputs="{}")
    with pytest.raises(IssueError, match="not frozen with it"):
        flow.start(issue, clock())
    issue.refresh_from_db()
    assert issue.state == IssueState.APPROVED and not Delivery.objects.exists()


def test_an_approval_anew_in_the_last_moment_decides_whom_it_goes_to(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = make_approved(["en@box.test", "de@box.test"])
    Subscriber.objects.filter(address="en@box.test").update(language="en")
    Subscriber.objects.filter(address="de@box.test").update(language="de")
    begin = deliveries.start

    def late(*arguments: object, **options: object) -> int:
        audience = {"list": issue.newsletter.mailing_list.slug, "rule": {"languages": ["de"]}}
        again = Freeze.objects.create(issue=issue, inputs=json.dumps({"audience": audience}), created_at=clock())
        Issue.objects.update(freeze=again)
        return begin(*arguments, **options)

    monkeypatch.setattr(deliveries, "start", late)
    flow.start(issue, clock())
    assert addresses(issue, DeliveryState.PENDING) == ["de@box.test"]


@pytest.mark.parametrize("by_mail", [False, True])
def test_a_subscribers_preview_is_what_they_get(clock: Clock, by_mail: bool) -> None:
    issue = make_approved(["ada@box.test"], return_path="back@news.example.test")
    send(issue, clock, installation=replace(here(), unsubscribe_by_mail=by_mail))
    issue.refresh_from_db()
    shown = preview(issue, Subscription.objects.get(), keys=KEYS, now=issue.started_at, by_mail=by_mail)
    (sent,) = mailbox()
    assert sent.message == shown.message and (b"mailto:back" in sent.message) is by_mail
