"""Sending an issue: once to each, whatever happens to a row, the provider or the issue."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.db import OperationalError

from newsletter.config.schema import Config
from newsletter.core.errors import ClaimLostError, ConfigError, IssueError, LetterMismatchError, ProviderError
from newsletter.core.letter import Compiler, Design
from newsletter.core.tokens import UNSUBSCRIBE, read_token
from newsletter.flow import deliver as flow
from newsletter.flow.issue import discard
from newsletter.flow.report import report
from newsletter.flow.week import WayOut, WeekReport, deliver_issue
from newsletter.journal import Journal
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries import Decision
from newsletter.models import (
    Account,
    Batch,
    Delivery,
    DeliveryState,
    Event,
    Freeze,
    Issue,
    IssueState,
    Newsletter,
    Retry,
)
from newsletter.providers.base import Dispatch, Outcome, Outgoing, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from subscribers.models import MailingList, Subscriber, Subscription, SubscriptionState, Suppression
from tests.factories import make_account, make_newsletter
from tests.sending import DESIGN, KEYS, SLOT, Clock, addresses, here, make_approved, make_people, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_mailbox() -> None:
    mailbox().clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(issue: Issue, clock: Clock, answer=None, **options) -> flow.DeliveryOutcome:
    options.setdefault("provider", MemoryProvider(answer=answer, sleep=clock.sleep))
    options.setdefault("sleep", clock.sleep)
    return flow.deliver(issue, clock=clock, installation=options.pop("installation", here()), **options)


def send(issue: Issue, clock: Clock, answer=None, **options) -> flow.DeliveryOutcome:
    flow.start(issue, clock())
    return run(issue, clock, answer, **options)


def recipients() -> list[str]:
    return [sent.recipient for sent in mailbox()]


# --- the plain case ------------------------------------------------------------------------------------------------


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


# --- people ----------------------------------------------------------------------------------------------------------


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


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_refusal_is_final_and_the_others_go_on(clock: Clock) -> None:
    issue = make_approved(10)
    outcome = send(
        issue,
        clock,
        lambda to: SendResult(Outcome.REFUSED, 550, "550 5.1.1 no such user") if to == "r3@box.test" else None,
    )
    assert outcome.state == IssueState.SENT and not outcome.clean
    failed = Delivery.objects.get(state="failed")
    assert (failed.address, failed.reason) == ("r3@box.test", "refused (address): 550 5.1.1 no such user")
    assert len(mailbox()) == 9


def test_no_answer_is_uncertain_and_never_sent_again_by_itself(clock: Clock) -> None:
    issue = make_approved(3)
    outcome = send(issue, clock, lambda to: SendResult(Outcome.UNKNOWN, reply="cut") if to == "r1@box.test" else None)
    assert outcome.state == IssueState.SENT and not outcome.clean
    assert addresses(issue, DeliveryState.UNCERTAIN) == ["r1@box.test"]
    for _ in range(3):
        clock.at += timedelta(days=1)
        run(issue, clock)
    assert "r1@box.test" not in recipients()


def test_an_unforeseen_error_of_the_provider_is_uncertain_too(clock: Clock) -> None:
    def answer(_: str) -> None:
        raise ValueError("nobody thought of this")

    issue = make_approved(1)
    send(issue, clock, answer)
    assert Delivery.objects.get().reason == "ValueError: nobody thought of this"
    assert states(issue) == {"uncertain": 1}


def test_not_now_waits_and_is_tried_again(clock: Clock) -> None:
    seen: list[str] = []

    def answer(to: str) -> SendResult | None:
        seen.append(to)
        return (
            SendResult(Outcome.DEFERRED, 451, "451 4.7.1 greylisted")
            if seen.count(to) == 1 and to == "r2@box.test"
            else None
        )

    issue = make_approved(4)
    outcome = send(issue, clock, answer)
    assert outcome.state == IssueState.SENDING and outcome.counts.waiting == 1 and outcome.counts.accepted == 3
    assert outcome.next_try is not None and timedelta(seconds=48) <= outcome.next_try - clock.at <= timedelta(
        seconds=72
    )
    run(issue, clock, answer)
    assert seen.count("r2@box.test") == 1, "not before its time"
    clock.at = outcome.next_try
    assert run(issue, clock, answer).state == IssueState.SENT
    assert sorted(recipients()) == [f"r{n}@box.test" for n in range(4)]


def test_while_all_that_is_left_waits_the_provider_is_left_in_peace(clock: Clock) -> None:
    opened: list[int] = []

    class Counting(MemoryProvider):
        def open(self) -> None:
            opened.append(1)

    issue = make_approved(1)
    provider = Counting(answer=lambda _: SendResult(Outcome.DEFERRED, 451, "later"))
    outcome = send(issue, clock, provider=provider)
    assert outcome.next_try is not None and len(opened) == 1
    run(issue, clock, provider=provider)
    assert len(opened) == 1
    clock.at = outcome.next_try
    run(issue, clock, provider=provider)
    assert len(opened) == 2


def test_not_now_for_a_day_has_failed_as_expired(clock: Clock) -> None:
    issue = make_approved(1)
    outcome = send(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 452, "452 4.2.2 mailbox full"))
    tries, begun = 1, clock.at
    while outcome.next_try is not None:
        assert tries < 60
        clock.at = outcome.next_try
        outcome = run(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 452, "452 4.2.2 mailbox full"))
        tries += 1
    assert outcome.state == IssueState.PAUSED and outcome.paused_reason.startswith("All failed (1); the last: expired")
    assert Delivery.objects.get().reason == "expired: 452 4.2.2 mailbox full"
    assert tries >= 4 and timedelta(hours=18) < clock.at - begun < timedelta(hours=24)
    assert not Retry.objects.exists()


def test_a_servers_own_wish_to_wait_is_kept(clock: Clock) -> None:
    issue = make_approved(1)
    outcome = send(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 429, "slow down", retry_after=3600))
    assert outcome.next_try is not None and outcome.next_try - clock.at > timedelta(minutes=59)


def test_who_unsubscribes_while_waiting_is_excluded(clock: Clock) -> None:
    issue = make_approved(1)
    outcome = send(issue, clock, lambda _: SendResult(Outcome.DEFERRED, 451, "later"))
    Subscription.objects.update(state=SubscriptionState.UNSUBSCRIBED)
    assert outcome.next_try is not None
    clock.at = outcome.next_try
    assert run(issue, clock).state == IssueState.SENT
    assert states(issue) == {"excluded": 1} and not Retry.objects.exists() and not mailbox()


# --- refusals that are not about one reader --------------------------------------------------------------------------


def relaying_denied(_: str) -> SendResult:
    return SendResult(Outcome.REFUSED, 554, "554 5.7.1 Relay access denied")


def no_such_user(_: str) -> SendResult:
    return SendResult(Outcome.REFUSED, 550, "550 5.1.1 no such user")


def no_answer(_: str) -> SendResult:
    return SendResult(Outcome.UNKNOWN, reply="No answer after the final dot: reset")


@pytest.mark.parametrize(("answer", "word"), [(relaying_denied, "Relay access denied"), (no_answer, "No answer")])
def test_an_account_that_reaches_nobody_pauses_after_ten_and_a_person_can_go_on(
    answer: Callable[[str], SendResult], word: str, clock: Clock
) -> None:
    issue = make_approved(50)
    outcome = send(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and outcome.counts.pending - outcome.counts.waiting == 40
    assert word in outcome.paused_reason and "--resume" in outcome.paused_reason
    assert not Event.objects.filter(kind="taught").exists(), "nobody is blamed"
    flow.resume(issue, clock(), by="Mara")
    counts = run(issue, clock, answer).counts
    assert counts.pending - counts.waiting == 30, "ten further tries, and not none"
    flow.resume(issue, clock(), by="Mara")
    outcome = run(issue, clock)
    assert outcome.counts.accepted == 30 and outcome.counts.failed == 0
    clock.at += timedelta(hours=1)
    outcome = run(issue, clock)
    assert outcome.state == IssueState.SENT
    assert outcome.counts.accepted == 50 - outcome.counts.uncertain, "what was refused for our sake is sent after all"


def test_ten_refusals_pause_nothing_once_somebody_was_reached_and_they_are_few(clock: Clock) -> None:
    issue = make_approved(400)
    bad = {f"r{n}@box.test" for n in range(0, 400, 20)}
    outcome = send(issue, clock, lambda to: no_such_user(to) if to in bad and to != "r0@box.test" else None)
    assert outcome.state == IssueState.SENT and outcome.counts.failed == 19


def test_too_many_failures_among_the_first_pause_the_issue_once(clock: Clock) -> None:
    issue = make_approved(300)

    def answer(to: str) -> SendResult | None:
        return no_such_user(to) if int(to[1 : to.index("@")]) % 10 == 9 else None

    outcome = send(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and (outcome.counts.accepted, outcome.counts.failed) == (90, 10)
    assert "10 of the first 100" in outcome.paused_reason and "no such user" in outcome.paused_reason
    assert [name.address for name in report(issue).names["failed"]][:2] == ["r9@box.test", "r19@box.test"]
    assert flow.unfinished(clock() + timedelta(hours=1)) == [], "a person must act"
    flow.resume(issue, clock(), by="Mara")
    outcome = run(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and outcome.counts.failed == 20
    flow.resume(issue, clock(), by="Mara")
    outcome = run(issue, clock, answer)
    assert outcome.state == IssueState.SENT and outcome.counts.failed == 30, "the first two hundred are over"


def test_an_issue_that_reached_nobody_is_not_sent_and_gives_its_reviews_back(clock: Clock) -> None:
    issue = make_approved(1)
    outcome = send(issue, clock, no_such_user)
    assert outcome.state == IssueState.PAUSED and states(issue) == {"failed": 1}
    why = "Every delivery was refused (1); the last: refused (address): 550 5.1.1 no such user."
    assert outcome.paused_reason.startswith(why)
    assert report(issue).label == "nothing sent yet"
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock).state == IssueState.PAUSED, "there is nothing left of it to send"
    with pytest.raises(IssueError, match="Discard"):
        flow.stop(issue, clock(), by="Mara", sleep=clock.sleep)
    discard(issue, "the relay was closed", now=clock(), by="Mara")
    issue.refresh_from_db()
    assert issue.state == IssueState.DISCARDED


def test_an_issue_of_which_nobody_knows_pauses_and_a_person_ends_it(clock: Clock) -> None:
    issue = make_approved(2)
    outcome = send(issue, clock, no_answer)
    assert outcome.state == IssueState.PAUSED and "2 uncertain" in outcome.paused_reason
    with pytest.raises(IssueError, match="can't be discarded"):
        discard(issue, "x", now=clock(), by="Mara")
    assert flow.stop(issue, clock(), by="Mara", sleep=clock.sleep) == 0
    issue.refresh_from_db()
    assert issue.state == IssueState.SENT


def test_two_workers_that_give_up_at_once_pause_it_once(clock: Clock) -> None:
    issue = make_approved(50)
    count = 0

    def answer(to: str) -> SendResult:
        nonlocal count
        count += 1
        if count == 10:
            flow.pause(issue, clock(), by="the other worker")
        return relaying_denied(to)

    assert send(issue, clock, answer).paused_reason == "Paused by the other worker."


# --- poison ----------------------------------------------------------------------------------------------------------


POISON = Design(
    "poison", {**DESIGN.files, "letter.txt": "{{ issue.subject }} {{ 1 // (subscriber.attributes.n or 0) }}"}
)


def test_one_row_that_cannot_be_composed_fails_alone(clock: Clock) -> None:
    issue = make_approved(30)

    class Sickly(Compiler):
        def compose(self, reader, before, after):
            if reader.address == "r7@box.test":
                raise UnicodeError("half a character")
            return super().compose(reader, before, after)

    from newsletter.flow import compile as letters

    frozen = letters.frozen(issue)
    from newsletter.core.context import build_context

    outcome = send(issue, clock, compiler=Sickly(frozen.design, build_context(frozen.content, {})))
    assert outcome.state == IssueState.SENT and outcome.counts.accepted == 29
    failed = Delivery.objects.get(state="failed")
    assert (failed.address, failed.reason) == ("r7@box.test", "not composed: UnicodeError: half a character")


@pytest.mark.parametrize(
    "address",
    [
        "no-at-sign",
        "two@at@signs.test",
        "sp ace@box.test",
        "crlf\r\nRCPT TO:<x@y.test>@box.test",
        "x" * 65 + "@box.test",
        "a@-bad-.test",
        "@box.test",
    ],
)
def test_a_poisoned_address_never_stops_the_others(address: str, clock: Clock, tmp_path: Path) -> None:
    issue = make_approved(["first@box.test", address, "last@box.test"])
    account = make_account(name="outbox", kind=Account.Kind.OUTBOX)
    issue.newsletter.account = account
    issue.newsletter.save()
    outcome = send(issue, clock, provider=None, installation=here(tmp_path))
    assert outcome.state == IssueState.SENT
    assert outcome.counts.accepted + outcome.counts.failed == 3 and outcome.counts.accepted >= 2


@pytest.mark.parametrize(
    "name", ["Ünal, the Boss", "a\r\nBcc: x@y.test", "\x07\u2028", "😀" * 120, "=?utf-8?q?x?=", "{{ 7*7 }}", "<mj-raw>"]
)
def test_a_name_comma_and_all_cannot_stop_a_send(name: str, clock: Clock) -> None:
    issue = make_approved(3)
    Subscriber.objects.filter(address="r1@box.test").update(name=name)
    assert send(issue, clock).clean
    message = message_from_bytes(mailbox()[1].message, policy=policy.default)
    assert message["Bcc"] is None and len(message.get_all("To")) == 1


def test_a_design_that_fails_for_everybody_pauses_before_it_fails_everybody(clock: Clock) -> None:
    issue = make_approved(100, design=POISON)
    outcome = send(issue, clock)
    assert outcome.state == IssueState.PAUSED and "could not be composed" in outcome.paused_reason
    assert outcome.counts.failed == 10 and outcome.counts.pending == 90 and not mailbox()
    assert outcome.counts.claimed == 0, "the batch went back"


def test_a_letter_that_would_differ_from_its_preview_holds_the_issue(clock: Clock) -> None:
    issue = make_approved(5)

    class Lying(Compiler):
        def compose(self, reader, before, after):
            raise LetterMismatchError

    from newsletter.core.context import build_context
    from newsletter.flow import compile as letters

    frozen = letters.frozen(issue)
    outcome = send(issue, clock, compiler=Lying(frozen.design, build_context(frozen.content, {})))
    assert outcome.state == IssueState.PAUSED and "differ from its preview" in outcome.paused_reason
    assert states(issue) == {"pending": 5} and not mailbox()
    assert report(issue).label == "nothing sent yet"


def test_a_freeze_of_other_versions_is_not_sent(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = make_approved(2)
    flow.start(issue, clock())
    monkeypatch.setattr("newsletter.flow.compile.inputs.COMPILER_VERSION", "999")
    outcome = run(issue, clock)
    assert outcome.state == IssueState.PAUSED and "other versions" in outcome.paused_reason and not mailbox()


# --- the provider --------------------------------------------------------------------------------------------------


def test_a_refused_login_pauses_at_once_and_says_what_to_do(clock: Clock) -> None:
    class Locked(MemoryProvider):
        def open(self) -> None:
            raise ProviderError("The mail server refused the login.", hint="Mend the password.", permanent=True)

    issue = make_approved(3)
    outcome = send(issue, clock, provider=Locked())
    assert outcome.state == IssueState.PAUSED
    assert outcome.paused_reason == "The mail server refused the login. Mend the password."
    assert report(issue).label == "nothing sent yet" and states(issue) == {"pending": 3}
    assert flow.unfinished(clock() + timedelta(hours=1)) == [], "a person must act"
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock).clean and len(mailbox()) == 3


def test_a_server_that_is_away_is_asked_patiently_then_the_issue_waits_and_goes_on_by_itself(clock: Clock) -> None:
    asked = []

    class Away(MemoryProvider):
        def open(self) -> None:
            asked.append(clock.at)
            raise ProviderError("The mail server can't be reached.")

    issue = make_approved(3)
    outcome = send(issue, clock, provider=Away())
    assert outcome.state == IssueState.PAUSED and len(asked) == 6
    assert asked[-1] - asked[0] > timedelta(seconds=29)
    assert flow.unfinished(clock()) == [], "not asked again within half a minute"
    clock.at += timedelta(seconds=31)
    assert [row.pk for row in flow.unfinished(clock())] == [issue.pk]
    assert run(issue, clock).clean and len(mailbox()) == 3


def test_who_resumes_at_the_same_moment_does_not_end_the_week_of_others(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = make_approved(3)
    flow.start(issue, clock())
    deliveries.pause_for_provider(issue.pk, "away", now=clock())
    clock.at += timedelta(minutes=2)

    def both(number: int, **options: object) -> None:
        resume(number, **options)
        resume(number, **options)

    resume = issues.resume
    monkeypatch.setattr(issues, "resume", both)
    assert [row.pk for row in flow.unfinished(clock())] == [issue.pk]


def test_a_lost_login_in_mid_send_takes_the_row_back(clock: Clock) -> None:
    def answer(to: str) -> None:
        if to == "r2@box.test":
            raise ProviderError("The provider refused the account.", permanent=True)

    issue = make_approved(5)
    outcome = send(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and outcome.counts.accepted == 2 and outcome.counts.pending == 3
    assert not issues.in_hands(issue.pk)
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock).clean
    assert recipients() == [f"r{n}@box.test" for n in range(5)]


def test_a_server_that_closes_down_slows_the_send_and_nobody_is_lost(clock: Clock) -> None:
    answers = iter([421, 421, 0, 0, 421])

    def answer(_: str) -> SendResult | None:
        return SendResult(Outcome.DEFERRED, 421, "421 too busy") if next(answers, 0) else None

    issue = make_approved(6)
    begun = clock.at
    outcome = send(issue, clock, answer)
    assert outcome.counts.waiting == 3 and clock.at - begun > timedelta(seconds=3)
    assert outcome.next_try is not None
    clock.at += timedelta(minutes=5)
    assert run(issue, clock, answer).clean
    assert sorted(recipients()) == [f"r{n}@box.test" for n in range(6)]


def test_an_account_without_its_secret_pauses(clock: Clock) -> None:
    issue = make_approved(1)
    issue.newsletter.account = make_account(
        name="relay", kind=Account.Kind.SMTP, settings={"host": "localhost", "username": "u", "password_env": "NOT_SET"}
    )
    issue.newsletter.save()
    outcome = send(issue, clock, provider=None)
    assert outcome.state == IssueState.PAUSED and "NOT_SET" in outcome.paused_reason


def test_links_that_are_not_https_are_never_mailed_to_people(clock: Clock, tmp_path: Path) -> None:
    issue = make_approved(1, base_url="http://127.0.0.1:8000")
    issue.newsletter.account = make_account(name="relay", kind=Account.Kind.SMTP, settings={"host": "localhost"})
    issue.newsletter.save()
    outcome = send(issue, clock, provider=None)
    assert outcome.state == IssueState.PAUSED and "https" in outcome.paused_reason
    issue.newsletter.account = make_account(name="box", kind=Account.Kind.OUTBOX)
    issue.newsletter.save()
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock, provider=None, installation=here(tmp_path)).clean
    (file,) = tmp_path.glob("*.eml")
    assert b"List-Unsubscribe" not in file.read_bytes()


# --- a person's decisions --------------------------------------------------------------------------------------------


def test_a_pause_ends_the_run_after_the_message_on_the_wire(clock: Clock) -> None:
    clock.step = timedelta(seconds=1)
    issue = make_approved(50)

    def answer(to: str) -> None:
        if to == "r24@box.test":
            flow.pause(issue, clock(), by="Mara")

    outcome = send(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and outcome.paused_reason == "Paused by Mara."
    assert len(mailbox()) == 25 and outcome.counts.pending == 25 and outcome.counts.claimed == 0
    assert "Stopped at 25 of 50" in report(issue).sentence
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock).clean and len(set(recipients())) == 50 == len(recipients())


def test_fifty_pauses_lose_and_double_nobody(clock: Clock) -> None:
    clock.step = timedelta(seconds=1)
    issue = make_approved(150)
    count = 0

    def answer(_: str) -> None:
        nonlocal count
        count += 1
        if count % 3 == 0:
            flow.pause(issue, clock(), by="Mara")

    flow.start(issue, clock())
    pauses = 0
    while run(issue, clock, answer).state == IssueState.PAUSED:
        flow.resume(issue, clock(), by="Mara")
        pauses += 1
    assert pauses == 50 and sorted(recipients()) == sorted(f"r{n}@box.test" for n in range(150))


def test_a_person_can_keep_an_issue_that_waits_for_its_provider(clock: Clock) -> None:
    issue = make_approved(1)

    class Away(MemoryProvider):
        def open(self) -> None:
            raise ProviderError("away")

    send(issue, clock, provider=Away())
    flow.pause(issue, clock(), by="Mara")
    assert flow.unfinished(clock() + timedelta(hours=1)) == []


def test_stop_excludes_the_rest_and_the_issue_is_sent(clock: Clock) -> None:
    clock.step = timedelta(seconds=1)
    issue = make_approved(50)

    def answer(to: str) -> SendResult | None:
        if to == "r24@box.test":
            flow.pause(issue, clock(), by="Mara")
        return SendResult(Outcome.DEFERRED, 451, "later") if to == "r3@box.test" else None

    send(issue, clock, answer)
    assert flow.stop(issue, clock(), by="Mara", sleep=clock.sleep) == 26
    issue.refresh_from_db()
    assert issue.state == IssueState.SENT
    assert states(issue) == {"accepted": 24, "excluded": 26}
    assert set(Delivery.objects.filter(state="excluded").values_list("reason", flat=True)) == {"stopped"}
    clock.at += timedelta(days=1)
    run(issue, clock)
    assert len(mailbox()) == 24


def test_stop_waits_for_what_is_on_the_wire_and_says_so_when_it_takes_long(clock: Clock) -> None:
    clock.step = timedelta(seconds=1)
    issue = make_approved(5)

    def answer(to: str) -> None:
        if to == "r1@box.test":
            with pytest.raises(IssueError, match="on their way"):
                flow.stop(issue, clock(), by="Mara", sleep=clock.sleep)

    outcome = send(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and len(mailbox()) == 2
    assert flow.stop(issue, clock(), by="Mara", sleep=clock.sleep) == 3


def test_stop_with_nothing_accepted_is_a_discard(clock: Clock) -> None:
    issue = make_approved(2)
    flow.start(issue, clock())
    with pytest.raises(IssueError, match=r"Discard|discard"):
        flow.stop(issue, clock(), by="Mara", sleep=clock.sleep)
    assert states(issue) == {"pending": 2}, "nothing was decided"


def test_settling_by_sending_again_uses_the_same_message_id_and_reopens_the_issue(clock: Clock) -> None:
    issue = make_approved(3)
    seen: list[str] = []

    def answer(to: str) -> SendResult | None:
        seen.append(to)
        return SendResult(Outcome.UNKNOWN, reply="cut") if to == "r1@box.test" and seen.count(to) == 1 else None

    send(issue, clock, answer)
    assert flow.settle_uncertain(issue, clock(), resend=True, by="Mara") == 1
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING and report(issue).counts.waiting == 1
    assert run(issue, clock, answer).clean
    assert sorted(recipients()) == ["r0@box.test", "r1@box.test", "r2@box.test"]
    assert flow.settle_uncertain(issue, clock(), resend=True, by="Mara") == 0


def test_settling_by_leaving_keeps_them_uncertain_and_asks_no_more(clock: Clock) -> None:
    issue = make_approved(2)
    send(issue, clock, lambda to: SendResult(Outcome.UNKNOWN, reply="cut") if to == "r1@box.test" else None)
    assert not report(issue).clean
    assert flow.settle_uncertain(issue, clock(), resend=False, by="Mara") == 1
    found = report(issue)
    assert found.clean and found.counts.uncertain == 1 and found.counts.undecided == 0
    assert Delivery.objects.get(state="uncertain").reason == "left alone: cut"
    assert flow.settle_uncertain(issue, clock(), resend=False, by="Mara") == 0


def test_an_issue_that_never_began_has_nothing_uncertain(clock: Clock) -> None:
    with pytest.raises(IssueError, match="approved"):
        flow.settle_uncertain(make_approved(1), clock(), resend=True, by="Mara")


def test_being_told_to_stop_leaves_a_resumable_send(clock: Clock) -> None:
    clock.step = timedelta(seconds=1)
    issue = make_approved(30)
    outcome = send(issue, clock, stopping=lambda: len(mailbox()) == 7)
    assert outcome.state == IssueState.SENDING and outcome.counts.pending == 23 and outcome.counts.claimed == 0
    assert run(issue, clock).clean and len(set(recipients())) == 30 == len(recipients())


def test_a_slow_server_has_its_time_and_then_it_is_another_issues_turn(clock: Clock) -> None:
    def slowly(_: str) -> None:
        clock.at += timedelta(minutes=4)

    issue = make_approved(7)
    outcome = send(issue, clock, slowly, budget=timedelta(minutes=10))
    assert outcome.state == IssueState.SENDING and len(mailbox()) == 3 and outcome.counts.claimed == 0
    way_out = WayOut(clock, here(), lambda: False, clock.sleep)
    assert way_out.budget == timedelta(minutes=10)
    report = WeekReport(clock())
    issue.newsletter.account = make_account(name="memory", kind=Account.Kind.MEMORY)
    issue.newsletter.save()
    deliver_issue(report, issue, replace(way_out, budget=timedelta(0)))
    assert len(mailbox()) == 3 and not report.needs_a_person
    deliver_issue(report, issue, way_out)
    assert report.delivered[-1].state == IssueState.SENT and len(mailbox()) == 7
    assert len(set(recipients())) == 7


def test_progress_is_told_and_ends_with_all(clock: Clock) -> None:
    issue = make_approved(5)
    told: list[tuple[int, int]] = []
    send(
        issue, clock, lambda to: SendResult(Outcome.REFUSED, 550, "no") if to == "r0@box.test" else None,
        progress=lambda tally: told.append((tally.decided, tally.total)),
    )  # fmt: skip
    assert told[-1] == (5, 5) and told == sorted(told), "at the end at the latest"


# --- the dry run -----------------------------------------------------------------------------------------------------


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


# --- the ledger says who died ----------------------------------------------------------------------------------------


def test_what_a_dead_worker_had_on_the_wire_is_uncertain_and_the_rest_goes_on(clock: Clock, tmp_path: Path) -> None:
    issue = make_approved(30)
    flow.start(issue, clock())
    dead = f"{deliveries.this_worker().rpartition(':')[0]}:1#1"
    claim = deliveries.claim(issue.pk, owner=dead, now=clock())
    assert claim is not None
    first, second, third, *_ = claim.rows
    home = replace(here(), home=tmp_path)
    journal = Journal(home.journal_folder, dead)
    at = journal.enter(claim.kind, claim.batch, claim.fence, [row.delivery for row in claim.rows])
    journal.leaving(at)
    journal.accepted(at)
    journal.leaving(at + 1)
    refusal = Decision(DeliveryState.FAILED, "refused (address): 550 5.1.1 no such user")
    journal.answered(at + 2, third.delivery, refusal.as_words())
    outcome = run(issue, clock, installation=home)
    assert outcome.state == IssueState.SENT and outcome.counts.uncertain == 1, outcome.paused_reason
    assert addresses(issue, DeliveryState.UNCERTAIN) == [second.address]
    assert addresses(issue, DeliveryState.FAILED) == [third.address], "with the words of its answer"
    assert Delivery.objects.get(state="failed").reason == refusal.reason
    assert len(mailbox()) == 27 and first.address not in recipients()
    assert Event.objects.filter(kind="sent").exists() and not list(tmp_path.glob("journal/*"))


def test_a_process_that_slept_past_its_lease_sends_nothing_more_of_what_it_had(clock: Clock) -> None:
    """It may have been taken over meanwhile; here it was, and everybody got it once all the same."""
    issue = make_approved(30)

    class Sleepy(MemoryProvider):
        def run(self, dispatch: Dispatch) -> None:
            item = dispatch.take()
            assert isinstance(item, Outgoing)
            clock.at += timedelta(minutes=5)
            assert run(issue, clock).counts.accepted == 0, "without a journal all of it is in doubt now"
            with pytest.raises(ClaimLostError):
                dispatch.leaving(item)
            raise ClaimLostError

    outcome = send(issue, clock, provider=Sleepy())
    assert not mailbox() and outcome.counts.uncertain == 30


def test_without_its_journal_all_that_the_dead_had_claimed_is_in_doubt_by_name(clock: Clock) -> None:
    issue = make_approved(3)
    flow.start(issue, clock())
    assert deliveries.claim(issue.pk, owner="another-host:7:7#1", now=clock()) is not None
    assert run(issue, clock).counts.claimed == 3, "its lease has not run out"
    clock.at += timedelta(minutes=2)
    assert run(issue, clock).counts.uncertain == 3 and not mailbox()


def test_a_second_interrupt_leaves_one_in_doubt_and_the_next_run_sends_the_rest(clock: Clock) -> None:
    def answer(to: str) -> None:
        if to == "r3@box.test":
            raise KeyboardInterrupt

    issue = make_approved(30)
    with pytest.raises(KeyboardInterrupt):
        send(issue, clock, answer)
    assert not issues.in_hands(issue.pk) and addresses(issue, DeliveryState.UNCERTAIN) == ["r3@box.test"]
    assert run(issue, clock).state == IssueState.SENT
    assert states(issue) == {"accepted": 29, "uncertain": 1} and len(set(recipients())) == 29 == len(recipients())


@pytest.mark.parametrize("failures", [1, 2])
def test_a_database_that_fails_at_the_end_of_a_batch_loses_and_doubles_nobody(
    failures: int, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settle, asked = deliveries.settle, iter([True] * failures)

    def fail(*arguments: object, **options: object) -> object:
        if next(asked, False):
            raise OperationalError("database is locked")
        return settle(*arguments, **options)

    monkeypatch.setattr(deliveries, "settle", fail)
    issue = make_approved(30)
    home = replace(here(), home=tmp_path)
    with pytest.raises(OperationalError):
        send(issue, clock, installation=home)
    clock.at += timedelta(minutes=2)
    assert run(issue, clock, installation=home).state == IssueState.SENT
    assert states(issue) == {"accepted": 30} and len(set(recipients())) == 30 == len(recipients())


def test_an_audience_rule_that_cannot_be_read_is_an_error_of_the_issue(clock: Clock) -> None:
    issue = make_approved(1, newsletter=make_newsletter(audience={"shoe_size": [42]}))
    with pytest.raises(IssueError, match="shoe_size"):
        flow.start(issue, clock())
    with pytest.raises(IssueError, match="shoe_size"):
        flow.would_send(issue, clock())
    assert not Delivery.objects.exists()


def test_before_anything_is_frozen_the_newsletters_own_rule_counts(clock: Clock) -> None:
    issue = make_approved(2, newsletter=make_newsletter())
    Issue.objects.update(state=IssueState.DRAFT, freeze=None)
    issue.newsletter.audience = {"languages": ["de"]}
    issue.newsletter.save()
    assert "to 0 people; 2 excluded: 2 other language" in flow.would_send(issue, clock())


@pytest.mark.parametrize("by_then", ["sending", "sent"])
def test_who_loses_the_race_to_begin_finds_it_begun(
    by_then: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = make_approved(3)
    begin = deliveries.start

    def both(*arguments: object, **options: object) -> int:
        begin(*arguments, **options)
        if by_then == "sent":
            run(issue, clock)
        return begin(*arguments, **options)

    monkeypatch.setattr(deliveries, "start", both)
    assert flow.start(issue, clock()) == 3
    assert Issue.objects.get().state == by_then and Delivery.objects.count() == 3
    if by_then == "sending":
        flow.resume(issue, clock(), by="Mara")
        assert Issue.objects.get().state == by_then


def test_an_installation_without_a_secret_says_how_to_get_one() -> None:
    with pytest.raises(ConfigError, match="newsletter init"):
        flow.Installation.of(Config(), {})
