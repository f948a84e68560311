"""A provider that is away, refuses the login, or closes in mid-send."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.core.errors import ProviderError
from newsletter.flow import deliver as flow
from newsletter.flow.report import report
from newsletter.ledger import deliveries, issues
from newsletter.models import Account, Issue, IssueState
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.factories import make_account
from tests.flow.deliver.running import recipients, run, send
from tests.sending import Clock, here, make_approved, states

pytestmark = pytest.mark.django_db


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
    assert outcome.state == IssueState.PAUSED and len(asked) == 3
    assert asked[-1] - asked[0] > timedelta(seconds=29)
    clock.at += timedelta(seconds=50)
    assert flow.unfinished(clock()) == [], "not asked again yet"
    clock.at += timedelta(seconds=10)
    assert [row.pk for row in flow.unfinished(clock())] == [issue.pk]
    assert run(issue, clock).clean and len(mailbox()) == 3


@pytest.mark.parametrize("then", ["it dies", "somebody gets it", "a person resumes"])
def test_one_worker_asks_for_all_whether_the_provider_is_back(clock: Clock, then: str) -> None:
    issue = make_approved(3)
    flow.start(issue, clock())
    deliveries.pause_for_provider(issue.pk, "away", now=clock())
    clock.at += timedelta(minutes=1)
    if then == "a person resumes":
        flow.resume(issue, clock(), by="Mara")
    else:
        assert [row.pk for row in flow.unfinished(clock())] == [issue.pk], "the one that asks"
        assert flow.unfinished(clock()) == [], "the others"
    if then == "it dies":
        clock.at += timedelta(minutes=1)
    elif then == "somebody gets it":
        asked = iter([False, True])
        run(issue, clock, stopping=lambda: next(asked, True))
        assert len(mailbox()) == 1
    assert [row.pk for row in flow.unfinished(clock())] == [issue.pk]


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
    assert flow.unfinished(clock()) == [], "whoever was first asks"
    assert Issue.objects.get().state == IssueState.SENDING


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
