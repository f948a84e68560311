"""Refusals that are not about one reader: when a send pauses by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.core.errors import IssueError
from newsletter.flow import deliver as flow
from newsletter.flow.issue import discard
from newsletter.flow.report import report
from newsletter.models import Event, IssueState
from newsletter.providers.base import Outcome, SendResult
from tests.flow.deliver.running import run, send
from tests.sending import Clock, make_approved, states

pytestmark = pytest.mark.django_db


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
