"""What follows from what comes back: who is given up, who is not, and that all of it can be taken back."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, connections

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.core.replies import classify
from newsletter.core.tokens import BOUNCE, UNSUBSCRIBE, Keys, token
from newsletter.flow.bounce import Recorded, Told, aside, complaints_of, record, take, unsuppress
from newsletter.flow.bounce.mail import MOST_ASIDE
from newsletter.flow.report import teach
from newsletter.models import Delivery, DeliveryState, Event, Evidence, Issue, IssueState, Newsletter, ServiceMail
from newsletter.providers.memory import mailbox
from subscribers import consent
from subscribers.models import ConsentEvent, Subscription, SubscriptionState, Suppression, SuppressionReason
from tests.core.bounce.mutating import mutants
from tests.core.bounce.samples import SAMPLES
from tests.factories import make_newsletter
from tests.sending import KEYS, SLOT, make_people

pytestmark = pytest.mark.django_db
NOW = SLOT + timedelta(days=1)
BY_NAME = {sample.name: sample for sample in SAMPLES}


def make_issue(
    week: int = 0, *, series: Newsletter | None = None, state: IssueState = IssueState.SENT, days: int = 7
) -> Issue:
    at = SLOT + timedelta(days=days * week)
    return Issue.objects.create(
        newsletter=series or Newsletter.objects.first() or make_newsletter(), slot=f"issue-{week}", slot_at=at,
        cutoff_at=at, number=week + 1, created_at=at, started_at=at, state=state,
    )  # fmt: skip


def deliver(
    issue: Issue, people: Iterable[Subscription], state: DeliveryState = DeliveryState.ACCEPTED
) -> list[Delivery]:
    rows = [
        Delivery(issue=issue, subscription=one, address=one.subscriber.address, state=state, at=issue.slot_at)
        for one in people
    ]
    return Delivery.objects.bulk_create(rows)


def say(delivery: Delivery, event: str = "", kind: ReportKind = ReportKind.BOUNCE, *, now: datetime = NOW,
        about: BounceClass | None = BounceClass.MAILBOX, hard: bool = False, **more: str) -> Recorded:  # fmt: skip
    told = Told(
        event or f"test:{delivery.pk}:{kind}",
        kind,
        "test",
        now,
        delivery=delivery.pk,
        about=about,
        hard=hard,
        **more,  # type: ignore[arg-type]
    )
    return record(told, now=now)


def mail_for(delivery: Delivery, name: str, keys: Keys = KEYS) -> bytes:
    link = token(keys, UNSUBSCRIBE, delivery.subscription_id or 0)
    return BY_NAME[name].as_bytes(token=token(keys, BOUNCE, delivery.pk), link=link)


def suppressed() -> dict[str, str]:
    return dict(Suppression.objects.values_list("address_key", "reason"))


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


@pytest.mark.parametrize("name", ["feedback report", "complaint without a report"])
def test_a_complaint_unsubscribes_and_suppresses_at_once(name: str) -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    message = mail_for(delivery, name)
    assert take(message, keys=KEYS, now=NOW, home=None).decision == "unsubscribed and suppressed"
    person.refresh_from_db()
    assert person.state == SubscriptionState.UNSUBSCRIBED and suppressed() == {"ada@box.test": "complaint"}
    assert not consent.can_resubscribe(person, now=NOW)
    assert take(message, keys=KEYS, now=NOW, home=None).decision == "known already"


def test_a_complaint_known_by_its_link_alone_stops_that_list_only() -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    message = BY_NAME["feedback report"].as_bytes(link=token(KEYS, UNSUBSCRIBE, person.pk))
    assert take(message, keys=KEYS, now=NOW, home=None).decision == "unsubscribed"
    assert suppressed() == {} and Evidence.objects.get().delivery is None and delivery.pk


def test_not_spam_changes_nothing() -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    assert take(mail_for(delivery, "not spam"), keys=KEYS, now=NOW, home=None).decision.startswith("nothing")
    assert Evidence.objects.count() == 0 and suppressed() == {}


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


def test_forged_foreign_and_altered_tokens_change_nothing(tmp_path: Path) -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    seed, other = random.Random(15), Keys(b"somebody else's key")
    good = token(KEYS, BOUNCE, delivery.pk)
    tokens = [token(other, BOUNCE, delivery.pk), token(KEYS, UNSUBSCRIBE, delivery.pk), good.swapcase(), good[:-1]]
    letters = "ABCdef019_-"
    tokens += ["".join(seed.choice(letters) for _ in range(24)) for _ in range(60)]
    tokens += [good[:n] + ("A" if good[n] != "A" else "B") + good[n + 1 :] for n in range(24)]
    for forged in tokens:
        for name in ("postfix", "feedback report", "exim"):
            taken = take(BY_NAME[name].as_bytes(token=forged, link=good), keys=KEYS, now=NOW, home=tmp_path)
            assert taken.decision.startswith(("kept aside", "nobody"))
    assert Evidence.objects.count() == 0 and suppressed() == {} and ConsentEvent.objects.count() == 0


def letter(to: str, sender: str = "Ada <ada@box.test>", headers: str = "") -> bytes:
    return f"From: {sender}\r\nTo: <{to}>\r\nSubject: unsubscribe\r\n{headers}\r\n\r\n".encode()


def test_a_mail_to_the_unsubscribe_address_stops_that_list_and_can_be_undone() -> None:
    ada, bob = make_people(["ada@box.test", "bob@box.test"])
    to = f"bounce+{token(KEYS, UNSUBSCRIBE, ada.pk)}@news.example.test"
    assert take(letter(to, "whoever@box.test"), keys=KEYS, now=NOW, home=None).decision == "unsubscribed"
    assert (
        take(letter("hidden@box.test"), keys=KEYS, now=NOW, home=None, envelope_to=to).decision == "unsubscribed before"
    )
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.state, bob.state) == (SubscriptionState.UNSUBSCRIBED, SubscriptionState.ACTIVE)
    assert consent.can_resubscribe(ada, now=NOW) and suppressed() == {}


def test_a_hundred_mails_by_outsiders_unsubscribe_nobody(tmp_path: Path) -> None:
    people = make_people([f"r{n}@box.test" for n in range(100)])
    rows = deliver(make_issue(), people)
    other = Keys(b"somebody else's key")
    for number, (person, delivery) in enumerate(zip(people, rows, strict=True)):
        address, right = person.subscriber.address, token(KEYS, UNSUBSCRIBE, person.pk)
        forged = (
            address, "", token(other, UNSUBSCRIBE, person.pk), token(KEYS, "preferences", person.pk), right[:-1],
            right[::-1], token(KEYS, BOUNCE, delivery.pk), right.lower(), f"{person.pk}", "A" * 24,
        )[number % 10]  # fmt: skip
        for to in (f"bounce+{forged}@news.example.test", "bounce@news.example.test"):
            # From is no proof.
            take(letter(to, address, f"Reply-To: {address}"), keys=KEYS, now=NOW, home=tmp_path)
    assert set(Subscription.objects.values_list("state", flat=True)) == {SubscriptionState.ACTIVE}
    assert not ConsentEvent.objects.exists() and suppressed() == {} and not Evidence.objects.exists()


def test_programs_that_answer_an_unsubscribe_address_stop_nothing() -> None:
    [ada] = make_people(["ada@box.test"])
    to = f"bounce+{token(KEYS, UNSUBSCRIBE, ada.pk)}@news.example.test"
    for message in (
        letter(to, headers="Auto-Submitted: auto-replied"),
        BY_NAME["postfix"].as_bytes(token=token(KEYS, UNSUBSCRIBE, ada.pk)),
        letter(to, headers="Return-Path: <>\r\nX-Autoreply: yes"),
    ):
        take(message, keys=KEYS, now=NOW, home=None)
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.ACTIVE and suppressed() == {}


def test_nothing_that_comes_in_is_ever_answered() -> None:
    people = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), people)
    mailbox().clear()
    for sample in SAMPLES:
        take(mail_for(delivery, sample.name), keys=KEYS, now=NOW, home=None)
    take(letter(f"bounce+{token(KEYS, UNSUBSCRIBE, people[0].pk)}@news.example.test"), keys=KEYS, now=NOW, home=None)
    assert mailbox() == [] and not ServiceMail.objects.exists()


def test_a_token_for_what_is_gone_is_nobody() -> None:
    make_people(["ada@box.test"])
    message = BY_NAME["postfix"].as_bytes(token=token(KEYS, BOUNCE, 4_711))
    assert take(message, keys=KEYS, now=NOW, home=None).decision.startswith("nobody")


def test_an_erased_readers_bounce_is_kept_without_a_name() -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    person.subscriber.delete()
    assert take(mail_for(delivery, "postfix"), keys=KEYS, now=NOW, home=None).decision.startswith(
        "nothing: the reader is gone"
    )
    assert suppressed() == {}


def test_in_any_order_and_told_three_times_the_end_is_the_same() -> None:
    seed = random.Random(12)
    people = make_people([f"r{n}@box.test" for n in range(12)])
    told: list[Told] = []
    for week in range(6):
        for delivery in deliver(make_issue(week), people):
            for kind, about, hard in (
                (ReportKind.BOUNCE, BounceClass.MAILBOX, False), (ReportKind.BOUNCE, BounceClass.POLICY, False),
                (ReportKind.BOUNCE, BounceClass.ADDRESS, True), (ReportKind.DELAY, BounceClass.TRANSIENT, False),
                (ReportKind.COMPLAINT, None, False), (ReportKind.AUTO_REPLY, None, False),
            ):  # fmt: skip
                likely = {BounceClass.MAILBOX: 0.75, BounceClass.ADDRESS: 0.03}.get(about, 0.4) if about else 0.02
                if seed.random() < likely:
                    event = f"test:{week}:{delivery.pk}:{kind}:{about}"
                    told.append(Told(event, kind, "test", NOW, delivery=delivery.pk, about=about, hard=hard))
    told.append(Told("test:unknown", ReportKind.BOUNCE, "test", NOW, delivery=99_999, hard=True))
    ends = []
    for _ in range(3):
        order = told * 3
        seed.shuffle(order)
        for one in order:
            record(one, now=NOW)
        states = dict(Subscription.objects.values_list("subscriber__address_key", "state"))
        ends.append((sorted(suppressed()), states, sorted(Evidence.objects.values_list("event", "about", "hard"))))
        Evidence.objects.all().delete()
        Suppression.objects.all().delete()
        Subscription.objects.update(state=SubscriptionState.ACTIVE)
    assert ends[0] == ends[1] == ends[2]
    assert 0 < len(ends[0][0]) < len(people) and len(ends[0][2]) == len(told) - 1


def test_complaints_warn_at_one_in_a_thousand_and_pause_at_three() -> None:
    people = make_people([f"r{n}@box.test" for n in range(1_000)])
    issue = make_issue(state=IssueState.SENDING)
    rows = deliver(issue, people)
    say(rows[0], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING and Event.objects.get(kind="complaints").text.startswith(
        "1 of 1,000 people"
    )
    say(rows[0], "test:the same reader again", ReportKind.COMPLAINT, about=None)
    say(rows[1], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING and Event.objects.filter(kind="complaints").count() == 1
    say(rows[2], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.PAUSED and "3 of 1,000" in issue.paused_reason and complaints_of(issue) == 3
    # A person who goes on has decided.
    Issue.objects.filter(pk=issue.pk).update(state=IssueState.SENDING)
    say(rows[3], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING


def test_a_complaint_of_a_short_list_pauses_nothing() -> None:
    issue = make_issue(state=IssueState.SENDING)
    rows = deliver(issue, make_people([f"r{n}@box.test" for n in range(99)]))
    say(rows[0], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING and not Event.objects.filter(kind__startswith="complaints").exists()


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


def test_what_is_not_understood_is_kept_for_a_person_and_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.flow.bounce.mail.MOST_ASIDE", 5)
    assert MOST_ASIDE == 1_000
    for number in range(9):
        message = b"From: bob@box.test\nTo: bounce@news.example.test\n\nhello %d" % number
        taken = take(message, keys=KEYS, now=NOW + timedelta(seconds=number), home=tmp_path)
        assert taken.aside is not None and taken.aside.read_bytes() == message
        assert taken.aside.stat().st_mode & 0o777 == 0o600
    assert len(aside(tmp_path)) == 5 and aside(tmp_path)[-1] == taken.aside


def test_no_damaged_mail_raises_or_ever_touches_another_reader() -> None:
    ada, bob = make_people(["ada@box.test", "bob@box.test"])
    issue = make_issue()
    [delivery], [_] = deliver(issue, [ada]), deliver(issue, [bob])
    seed = random.Random(4)
    for sample in SAMPLES:
        for mutant in mutants(mail_for(delivery, sample.name), 6, seed):
            take(mutant, keys=KEYS, now=NOW, home=None)
    assert set(suppressed()) <= {"ada@box.test"}
    assert not Evidence.objects.exclude(delivery=delivery).exclude(subscription=ada).exists()
    bob.refresh_from_db()
    assert bob.state == SubscriptionState.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_told_by_several_at_the_same_moment_each_event_is_kept_once() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("threads share a database in memory as one connection")
    people = make_people([f"r{n}@box.test" for n in range(5)])
    rows = deliver(make_issue(), people)
    gate = threading.Barrier(6)
    faults: list[BaseException] = []
    new: list[bool] = []

    def tell(number: int) -> None:
        try:
            gate.wait()
            order = [
                (row, kind) for row in rows for kind in (ReportKind.BOUNCE, ReportKind.COMPLAINT, ReportKind.DELAY)
            ]
            random.Random(number).shuffle(order)
            for row, kind in order:
                new.append(say(row, kind=kind, about=BounceClass.ADDRESS, hard=True).new)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and sum(new) == 15 == Evidence.objects.count()
    assert len(suppressed()) == 5
    assert set(Subscription.objects.values_list("state", flat=True)) == {SubscriptionState.UNSUBSCRIBED}
