"""Workers that die, sleep or lose their database: what is in doubt, and who goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from newsletter.config.schema import Config
from newsletter.core.errors import ClaimLostError, ConfigError, IssueError
from newsletter.flow import deliver as flow
from newsletter.journal import Journal
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries import Decision
from newsletter.models import Delivery, DeliveryState, Event, Issue, IssueState
from newsletter.providers.base import Dispatch, Outgoing
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.factories import make_newsletter
from tests.flow.deliver.running import recipients, run, send
from tests.sending import Clock, addresses, here, make_approved, states

pytestmark = pytest.mark.django_db


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
