"""The faults that a send must survive, by the numbers of our list: what is promised is in each name.

F1 and F2 (kills, power cuts) are the crash exam's, and so are F4's processes; its workers in turn, like most of F9,
are in the files beside this one, F14 in tests/ledger/test_rates.py.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from newsletter.core.errors import IssueError, ProviderError
from newsletter.core.letter import Design
from newsletter.flow import deliver as flow
from newsletter.flow.report import report
from newsletter.ledger import issues
from newsletter.models import Account, Delivery, DeliveryState, Issue, IssueState, Newsletter
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from subscribers.models import Subscriber, Subscription
from tests.factories import make_account, make_newsletter
from tests.flow.deliver.running import run
from tests.providers.rough import CLOSE, RoughServer
from tests.providers.servers import SmtpServer
from tests.sending import DESIGN, Clock, addresses, here, make_approved, states

pytestmark = pytest.mark.django_db


def begun(people: Any, clock: Clock, **rules: object) -> Issue:
    issue = make_approved(people, newsletter=make_newsletter(account=make_account(settings=rules)))
    flow.start(issue, clock())
    return issue


def smtp(server: RoughServer, **settings: Any) -> SmtpProvider:
    table = {"hello": "sender.test", "timeout": 2, "final_timeout": 2, "connections": 4, **settings}
    return SmtpProvider(SmtpSettings(host="127.0.0.1", port=server.port, **table))


def deliver(issue: Issue, server: RoughServer, **settings: Any) -> flow.DeliveryOutcome:
    """Over real sockets, so with the real clock."""
    return flow.deliver(issue, clock=lambda: datetime.now(UTC), installation=here(), provider=smtp(server, **settings))


def cut_after_the_dot(*numbers: int) -> Any:
    """The server takes these texts and closes without a word."""
    heard: Counter[str] = Counter()

    def answer(connection: int, verb: str, times: int) -> str | None:
        if verb != "after":
            return None
        heard[verb] += 1
        return CLOSE if heard[verb] in numbers else None

    return answer


def test_f3_what_was_cut_after_the_dot_is_uncertain_by_name_and_never_sent_again(clock: Clock) -> None:
    issue = begun(60, clock)
    with RoughServer(cut_after_the_dot(5, 17, 30)) as server:
        outcome = deliver(issue, server)
    assert outcome.state == IssueState.SENT and outcome.counts.accepted == 57 and outcome.counts.uncertain == 3
    assert set(server.accepted.values()) == {1} and len(server.accepted) == 60
    assert set(addresses(issue, DeliveryState.UNCERTAIN)) <= set(server.accepted)


def test_f3_an_account_that_resends_sends_it_once_more_under_the_same_message_id(clock: Clock) -> None:
    issue = begun(3, clock, on_uncertain="resend")
    ids: list[str] = []

    class Cutting(MemoryProvider):
        def _attempt(self, outgoing: Any) -> SendResult:
            if outgoing.recipient == "r1@box.test":
                ids.append(str(message_from_bytes(outgoing.message, policy=policy.default)["Message-ID"]))
                if len(ids) < 3:
                    return SendResult(Outcome.UNKNOWN, reply="cut")
            return super()._attempt(outgoing)

    for _ in range(3):
        outcome = run(issue, clock, provider=Cutting(sleep=clock.sleep))
        clock.at += timedelta(hours=1)
    assert outcome.state == IssueState.SENT and outcome.counts.accepted == 3 and not outcome.counts.uncertain
    assert len(ids) == 3 and len(set(ids)) == 1


def test_f3_resending_has_an_end_and_then_it_is_uncertain(clock: Clock) -> None:
    issue = begun(2, clock, on_uncertain="resend")
    for _ in range(60):
        run(issue, clock, lambda to: SendResult(Outcome.UNKNOWN, reply="cut") if to == "r1@box.test" else None)
        clock.at += timedelta(hours=1)
    assert states(issue) == {"accepted": 1, "uncertain": 1}
    assert Delivery.objects.get(state="uncertain").reason == "expired: cut"


def test_f5_a_server_that_limits_us_is_sent_to_more_slowly_and_nobody_is_lost(clock: Clock) -> None:
    issue = begun(400, clock)
    level, last, tries = 0.0, clock.at, [0, 0]

    def answer(_: str) -> SendResult | None:
        nonlocal level, last
        clock.at += timedelta(milliseconds=1)
        level = max(0.0, level - (clock.at - last).total_seconds() * 20)
        last = clock.at
        tries[0] += 1
        if level >= 20:
            tries[1] += 1
            return SendResult(Outcome.DEFERRED, 451, "451 4.7.28 rate limited")
        level += 1
        return None

    outcome = run(issue, clock, answer)
    while outcome.next_try is not None:
        clock.at = max(clock.at, outcome.next_try)
        outcome = run(issue, clock, answer)
    assert outcome.state == IssueState.SENT and outcome.counts.accepted == 400
    assert sorted({sent.recipient for sent in mailbox()}) == sorted(f"r{n}@box.test" for n in range(400))
    assert tries[1] <= 0.2 * tries[0], "the first seconds, in which the limit is found, included"


def test_f6_each_kind_of_refusal_has_its_own_meaning(clock: Clock) -> None:
    """550 5.1.1, 550 5.7.1 and 452 4.2.2: failed and counted against the address; waiting, and a pause that says why;
    waiting. 100 % right.
    """
    answers = {
        "hard": SendResult(Outcome.REFUSED, 550, "550 5.1.1 no such user"),
        "full": SendResult(Outcome.DEFERRED, 452, "452 4.2.2 mailbox full"),
        "policy": SendResult(Outcome.REFUSED, 550, "550 5.7.1 blocked, see our postmaster page"),
    }

    def answer(to: str) -> SendResult | None:
        return answers.get(to.partition("-")[0])

    people = [f"r{n}@box.test" for n in range(400)]
    people += [f"{kind}-{n}@box.test" for kind in answers for n in range(20)]
    issue = begun(people, clock)
    outcome = run(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and "about us, not about the readers" in outcome.paused_reason
    assert "5.7.1 blocked" in outcome.paused_reason and "newsletter domain check" in outcome.paused_reason
    assert set(addresses(issue, DeliveryState.FAILED)) == {f"hard-{n}@box.test" for n in range(20)}
    assert set(addresses(issue, DeliveryState.PENDING)) == {
        f"{kind}-{n}@box.test" for kind in ("full", "policy") for n in range(20)
    }
    answers.clear()
    flow.resume(issue, clock(), by="Mara")
    run(issue, clock)
    clock.at += timedelta(hours=1)
    outcome = run(issue, clock)
    assert outcome.state == IssueState.SENT and outcome.counts.accepted == 440 and outcome.counts.failed == 20
    blamed = Subscription.objects.filter(refusals_in_row__gt=0).values_list("subscriber__address", flat=True)
    assert set(blamed) == {f"hard-{n}@box.test" for n in range(20)}, "no reader is blamed for our standing"


def test_f7_a_relay_that_is_down_for_two_hours_is_asked_seldom_and_nobody_is_lost(clock: Clock) -> None:
    """At most one attempt a half minute, over any outage from a minute on: two more in the first half minute, and then,
    with a cron of every minute, one a run.
    """
    issue = begun(5, clock)
    asked: list[datetime] = []

    class Away(MemoryProvider):
        def open(self) -> None:
            asked.append(clock.at)
            raise ProviderError("The mail server can't be reached.")

    begin = clock.at
    outcome = run(issue, clock, provider=Away(sleep=clock.sleep))
    assert outcome.state == IssueState.PAUSED and clock.at - begin < timedelta(minutes=1), "told within a minute"
    while clock.at - begin < timedelta(hours=2):
        clock.at += timedelta(minutes=1)
        for row in flow.unfinished(clock()):
            run(row, clock, provider=Away(sleep=clock.sleep))
    seconds = [(at - begin).total_seconds() for at in asked]
    assert seconds[2] < 31 and len(seconds) > 100, "asked again, in time and often enough"
    assert all(number <= at / 30 + 1 for number, at in enumerate(seconds, 1) if at > 60)
    assert min(after - before for before, after in pairwise(seconds[2:])) >= 30
    clock.at += timedelta(minutes=1)
    assert [row.pk for row in flow.unfinished(clock())] == [issue.pk]
    assert run(issue, clock).clean and len({sent.recipient for sent in mailbox()}) == 5 == len(mailbox())


def test_f7_a_port_where_nobody_listens_pauses_with_a_sentence_and_goes_on_when_the_relay_is_back(clock: Clock) -> None:
    issue = begun(5, clock)
    slept: list[float] = []
    with RoughServer() as server:
        gone = smtp(server)
    outcome = flow.deliver(
        issue, clock=lambda: datetime.now(UTC), installation=here(), provider=gone, sleep=slept.append
    )
    assert outcome.state == IssueState.PAUSED and str(server.port) in outcome.paused_reason and sum(slept) == 30
    assert states(issue) == {"pending": 5} and outcome.counts.claimed == 0
    assert [row.pk for row in flow.unfinished(datetime.now(UTC) + timedelta(minutes=1))] == [issue.pk]
    with RoughServer() as server:
        assert deliver(issue, server).clean
    assert set(server.accepted.values()) == {1} and len(server.accepted) == 5


def test_f7_a_wrong_password_is_tried_once_and_asks_a_person(clock: Clock) -> None:
    issue, slept = begun(5, clock), []
    server = SmtpServer(login=("mara", "right"))
    server.start()
    try:
        settings = SmtpSettings(
            host="127.0.0.1", port=server.address[1], hello="sender.test", username="mara", password="wrong-canary"
        )
        outcome = flow.deliver(
            issue, clock=clock, installation=here(), provider=SmtpProvider(settings), sleep=slept.append
        )
    finally:
        server.stop()
    assert outcome.state == IssueState.PAUSED and "login" in outcome.paused_reason and not slept
    assert "wrong-canary" not in outcome.paused_reason and states(issue) == {"pending": 5}
    assert flow.unfinished(clock() + timedelta(days=1)) == [], "waiting mends no password"


def test_f8_one_in_a_hundred_is_poison_and_all_the_others_get_it(clock: Clock) -> None:
    poison = ["no-at-sign", "x" * 65 + "@box.test", "a@-bad-.test"]
    issue = make_approved([*(f"r{n}@box.test" for n in range(300)), *poison])
    for number, name in enumerate(("a\r\nBcc: x@y.test", "\x07\u2028", "\U0001f600" * 75)):
        # What an older import may have left behind.
        Subscriber.objects.filter(address=f"r{number}@box.test").update(name=name)
    flow.start(issue, clock())
    with RoughServer() as server:
        outcome = deliver(issue, server)
    assert outcome.state == IssueState.SENT
    assert outcome.counts.accepted == 300 and outcome.counts.failed == len(poison)
    assert set(addresses(issue, DeliveryState.FAILED)) == set(poison)
    assert all(name.reason for name in report(issue).names["failed"])
    assert set(server.accepted.values()) == {1} and len(server.accepted) == 300


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL itself refuses half a character")
def test_f8_half_a_character_in_what_is_known_of_a_reader_spoils_no_other_letter(clock: Clock) -> None:
    letter = {**DESIGN.files, "letter.txt": "{{ issue.subject }} in {{ subscriber.attributes.town }}"}
    issue = make_approved(30, design=Design("towns", letter))
    Subscriber.objects.update(attributes={"town": "Graz"})
    Subscriber.objects.filter(address="r7@box.test").update(attributes={"town": "half a \ud83d"})
    flow.start(issue, clock())
    outcome = run(issue, clock)
    assert outcome.state == IssueState.SENT and outcome.counts.accepted + outcome.counts.failed == 30
    assert {sent.recipient for sent in mailbox()} >= {f"r{n}@box.test" for n in range(30) if n != 7}
    assert outcome.counts.failed == 0 or Delivery.objects.get(state="failed").reason.startswith("not composed")


def test_f9_an_edit_during_the_send_changes_no_letter_of_it(clock: Clock) -> None:
    issue = begun(50, clock)

    def answer(to: str) -> None:
        if to == "r20@box.test":
            Newsletter.objects.update(name="Other", from_name="Other", from_address="other@elsewhere.test")
            with pytest.raises(IssueError, match="sending"):
                issues.write(issue.pk, {"subject": "Other"}, now=clock(), by="Edda")
            Issue.objects.filter(pk=issue.pk).update(subject="Other")  # as by hand in the database
            flow.pause(issue, clock(), by="Mara")
            clock.at += timedelta(seconds=2)

    assert run(issue, clock, answer).state == IssueState.PAUSED
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock).clean and len(mailbox()) == 50
    letters = [message_from_bytes(sent.message, policy=policy.default) for sent in mailbox()]
    assert {str(letter["Subject"]) for letter in letters} == {"Lights, low rooms"}
    assert {letter["From"].addresses[0].addr_spec for letter in letters} == {"weekly@news.example.test"}
    assert {sent.sender for sent in mailbox()} == {"weekly@news.example.test"}


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """As on a disk without room: a write beyond it fails (EFBIG; Python ignores the signal)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_f11_no_room_for_the_journal_stops_before_the_first_message(clock: Clock, tmp_path: Path) -> None:
    issue, home = begun(3, clock), replace(here(), home=tmp_path)
    with no_file_longer_than(100_000):
        outcome = run(issue, clock, installation=home)
    assert outcome.state == IssueState.PAUSED and "Make room" in outcome.paused_reason and not mailbox()
    assert states(issue) == {"pending": 3} and outcome.counts.claimed == 0
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock, installation=home).clean


def test_f11_no_room_for_the_words_of_answers_stops_no_send(clock: Clock, tmp_path: Path) -> None:
    issue, home = begun(60, clock), replace(here(), home=tmp_path)

    def answer(to: str) -> SendResult | None:
        if to == "r0@box.test":
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        return (
            SendResult(Outcome.REFUSED, 550, "550 5.1.1 no such user")
            if to in ("r5@box.test", "r50@box.test")
            else None
        )

    with no_file_longer_than(10_000_000):
        outcome = run(issue, clock, answer, installation=home)
    assert outcome.state == IssueState.SENT and states(issue) == {"accepted": 58, "failed": 2}


def test_f11_a_journal_that_can_not_be_written_stops_before_the_first_message(clock: Clock, tmp_path: Path) -> None:
    issue = begun(3, clock)
    (tmp_path / "journal").write_text("a file stands where the folder should be")
    home = replace(here(), home=tmp_path)
    outcome = run(issue, clock, installation=home)
    assert outcome.state == IssueState.PAUSED and "journal" in outcome.paused_reason and not mailbox()
    assert states(issue) == {"pending": 3} and outcome.counts.claimed == 0
    (tmp_path / "journal").unlink()
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock, installation=home).clean


def test_f11_an_outbox_whose_disk_is_full_pauses_and_loses_nobody(clock: Clock, tmp_path: Path) -> None:
    issue = make_approved(3)
    issue.newsletter.account = make_account(name="outbox", kind=Account.Kind.OUTBOX)
    issue.newsletter.save()
    flow.start(issue, clock())
    blocked = tmp_path / "outbox"
    blocked.write_text("no folder")
    outcome = run(issue, clock, provider=None, installation=here(blocked))
    assert outcome.state == IssueState.PAUSED and states(issue) == {"pending": 3}
    blocked.unlink()
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock, provider=None, installation=here(blocked)).clean
    assert len(list(blocked.glob("*.eml"))) == 3


def test_who_unsubscribes_is_left_out_within_a_second_also_of_what_was_read_ahead(clock: Clock) -> None:
    """Standards, row 15: nothing is accepted for an address later than five seconds after it left."""
    issue = begun(900, clock)
    left: dict[str, datetime] = {}
    late: list[str] = []

    def answer(to: str) -> None:
        clock.at += timedelta(milliseconds=50)
        if to in left and clock.at - left[to] > timedelta(seconds=2):
            late.append(to)
        number = int(to[1 : to.index("@")])
        if number % 40 == 0:
            for other in (number + 1, number + 30, number + 400):
                address = f"r{other}@box.test"
                left.setdefault(address, clock.at)
                Subscription.objects.filter(subscriber__address=address).update(state="unsubscribed")

    outcome = run(issue, clock, answer)
    assert outcome.state == IssueState.SENT and not late
    assert outcome.counts.excluded > 20 and outcome.counts.accepted + outcome.counts.excluded == 900
