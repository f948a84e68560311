"""A person's decisions: pause, resume, stop, settle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.core.errors import IssueError, ProviderError
from newsletter.flow import deliver as flow
from newsletter.flow.report import report
from newsletter.flow.week import WayOut, WeekReport, deliver_issue
from newsletter.models import Account, Delivery, IssueState
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.factories import make_account
from tests.flow.deliver.running import recipients, run, send
from tests.sending import Clock, here, make_approved, states

pytestmark = pytest.mark.django_db


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
