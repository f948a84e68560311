"""Reports that are forged, damaged, not understood, or told more than once."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.core.tokens import BOUNCE, UNSUBSCRIBE, Keys, token
from newsletter.flow.bounce import Told, aside, record, take
from newsletter.flow.bounce.mail import MOST_ASIDE
from newsletter.models import Evidence
from subscribers.models import ConsentEvent, Subscription, SubscriptionState, Suppression
from tests.core.bounce.mutating import mutants
from tests.core.bounce.samples import SAMPLES
from tests.flow.bouncing import BY_NAME, NOW, deliver, mail_for, make_issue, say, suppressed
from tests.sending import KEYS, make_people

pytestmark = pytest.mark.django_db


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


def test_a_token_for_what_is_gone_is_nobody() -> None:
    make_people(["ada@box.test"])
    message = BY_NAME["postfix"].as_bytes(token=token(KEYS, BOUNCE, 4_711))
    assert take(message, keys=KEYS, now=NOW, home=None).decision.startswith("nobody")


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
