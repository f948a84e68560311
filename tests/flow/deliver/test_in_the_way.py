"""Answers about us, and what stands in the way of a send and is nobody's fault."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.core.errors import ConfigError
from newsletter.flow import deliver as flow
from newsletter.ledger import issues
from newsletter.models import Batch, Delivery, DeliveryState, IssueState
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.flow.deliver.providers import Late
from tests.flow.deliver.running import begun, recipients, run
from tests.sending import Clock, states

pytestmark = pytest.mark.django_db


# --- answers about us ------------------------------------------------------------------------------------------------


def test_refusals_after_an_earlier_run_that_was_accepted_pause_nothing_as_if_nobody_had_got_it(clock: Clock) -> None:
    issue = begun(240, clock)
    run(issue, clock, stopping=lambda: len(mailbox()) >= 210)
    assert states(issue) == {"accepted": 210, "pending": 30}
    bad = {f"r{n}@box.test" for n in range(210, 222)}
    refusal = SendResult(Outcome.REFUSED, 550, "550 5.1.1 no such user")
    outcome = run(issue, clock, lambda to: refusal if to in bad else None)
    assert outcome.state == IssueState.SENT and outcome.counts.failed == 12 and outcome.counts.accepted == 228


def test_a_server_that_never_has_enough_of_our_waiting_is_left_alone_and_the_issue_goes_on_by_itself(
    clock: Clock,
) -> None:
    issue, tries = begun(60, clock), 0

    def answer(_: str) -> SendResult:
        nonlocal tries
        tries += 1
        return SendResult(Outcome.DEFERRED, 421, "421 4.7.0 too fast")

    outcome = run(issue, clock, answer)
    assert outcome.state == IssueState.PAUSED and "more slowly" in outcome.paused_reason and tries < 20
    assert not issues.in_hands(issue.pk) and outcome.counts.failed == 0
    clock.at += timedelta(hours=1)
    assert [row.pk for row in flow.unfinished(clock())] == [issue.pk]
    outcome = run(issue, clock)
    assert outcome.state == IssueState.SENT and len(set(recipients())) == 60 == len(recipients())


def test_greylisting_slows_nothing(clock: Clock) -> None:
    issue = begun(300, clock)
    before = clock.at
    later = SendResult(Outcome.DEFERRED, 451, "451 4.7.1 greylisted")
    outcome = run(issue, clock, lambda to: None if to.endswith("0@box.test") else later)
    assert outcome.counts.accepted == 30 and outcome.counts.waiting == 270
    assert clock.at - before < timedelta(seconds=5), "each look at this clock takes a millisecond, and nothing else"


# --- what stands in the way ------------------------------------------------------------------------------------------


def test_a_batch_of_which_nothing_is_left_is_gone_past(clock: Clock) -> None:
    issue = begun(60, clock)
    for number in (0, 2):
        batch = Batch.objects.order_by("pk")[number]
        # As by hand in the database.
        Delivery.objects.filter(pk__range=(batch.lo, batch.hi)).update(state=DeliveryState.EXCLUDED, reason="by hand")
    assert run(issue, clock).state == IssueState.SENT
    assert recipients() == [f"r{n}@box.test" for n in range(20, 40)] and states(issue) == {
        "accepted": 20,
        "excluded": 40,
    }


def test_an_account_whose_rules_can_not_be_read_pauses_and_sends_nothing(clock: Clock) -> None:
    issue = begun(3, clock)
    account = issue.newsletter.account
    account.settings = {"per_second": "fast"}
    account.save()
    outcome = run(issue, clock)
    assert outcome.state == IssueState.PAUSED and "per_second" in outcome.paused_reason and not mailbox()
    account.settings = {}
    account.save()
    flow.resume(issue, clock(), by="Mara")
    assert run(issue, clock).clean


def test_a_fault_of_the_account_that_shows_only_on_opening_pauses_with_its_words(clock: Clock) -> None:
    class Unready(MemoryProvider):
        def open(self) -> None:
            raise ConfigError("The authority file is gone.", hint="Put it back.")

    issue = begun(3, clock)
    outcome = run(issue, clock, provider=Unready())
    assert outcome.state == IssueState.PAUSED and outcome.paused_reason == "The authority file is gone. Put it back."
    assert states(issue) == {"pending": 3} and not issues.in_hands(issue.pk)


def test_an_allowance_that_ends_within_a_batch_that_is_on_its_way_gives_the_rest_back(clock: Clock) -> None:
    issue = begun(40, clock, per_day=27)
    outcome = run(issue, clock, provider=Late(clock))
    assert len(mailbox()) == 27 and states(issue) == {"accepted": 27, "pending": 13}
    assert outcome.state == IssueState.SENDING and outcome.allowed_at is not None and not issues.in_hands(issue.pk)
    assert run(issue, clock).sent_now == 0
    clock.at = outcome.allowed_at
    assert run(issue, clock).clean and len(set(recipients())) == 40 == len(recipients())
