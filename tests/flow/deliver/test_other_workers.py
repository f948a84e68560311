"""What other workers leave behind by dying, hold while they live, and take over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from newsletter.flow import deliver as flow
from newsletter.flow.deliver import Installation
from newsletter.journal import Journal
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries.owner import _start
from newsletter.models import Batch, BatchState, Delivery, Issue, IssueState
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.flow.deliver.providers import Late
from tests.flow.deliver.running import begun, recipients, run
from tests.sending import Clock, here, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def other() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Another worker of this machine, alive until it is killed: its name and its process."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host = deliveries.this_worker().rpartition("#")[0].rsplit(":", 2)[0]
    yield f"{host}:{child.pid}:{_start(child.pid)}#1", child
    child.kill()
    child.wait()


def claimed_by(owner: str, issue: Issue, clock: Clock, home: Installation) -> tuple[Journal, int]:
    """The first batch in that worker's hands and in its journal, nothing of it sent."""
    claim = deliveries.claim(issue.pk, owner=owner, now=clock())
    assert claim is not None
    journal = Journal(home.journal_folder, owner)
    return journal, journal.enter(claim.kind, claim.batch, claim.fence, [row.delivery for row in claim.rows])


@pytest.mark.parametrize("way", [MemoryProvider, Late])
@pytest.mark.parametrize("on_the_wire", [0, 1])
def test_what_another_worker_leaves_behind_by_dying_is_sent_by_the_same_run(
    on_the_wire: int,
    way: type[MemoryProvider],
    clock: Clock,
    tmp_path: Path,
    other: tuple[str, subprocess.Popen[bytes]],
) -> None:
    owner, child = other
    issue, home = begun(40, clock), replace(here(), home=tmp_path)
    journal, at = claimed_by(owner, issue, clock, home)
    for position in range(at, at + on_the_wire):
        journal.leaving(position)

    def answer(to: str) -> None:
        if to == "r30@box.test":
            child.kill()
            child.wait()

    provider = Late(clock, answer) if way is Late else MemoryProvider(answer=answer, sleep=clock.sleep)
    outcome = run(issue, clock, provider=provider, installation=home)
    assert outcome.state == IssueState.SENT and outcome.counts.uncertain == on_the_wire
    assert len(set(recipients())) == 40 - on_the_wire == len(recipients())


def test_what_the_dead_leave_behind_does_not_wait_for_the_end_of_a_long_send(
    clock: Clock, tmp_path: Path, other: tuple[str, subprocess.Popen[bytes]]
) -> None:
    owner, child = other
    issue, home = begun(300, clock), replace(here(), home=tmp_path)
    claimed_by(owner, issue, clock, home)

    def answer(to: str) -> None:
        clock.at += timedelta(milliseconds=50)
        if to == "r30@box.test":
            child.kill()
            child.wait()

    assert run(issue, clock, answer, installation=home).state == IssueState.SENT
    assert recipients().index("r0@box.test") < recipients().index("r200@box.test") and len(recipients()) == 300


def test_what_a_lost_machine_had_claimed_is_in_other_hands_within_a_minute(clock: Clock) -> None:
    issue = begun(300, clock)
    assert deliveries.claim(issue.pk, owner="elsewhere:1:1#1", now=clock()) is not None
    died, in_doubt = clock.at, []

    def answer(_: str) -> None:
        clock.at += timedelta(milliseconds=300)
        if not in_doubt and Delivery.objects.filter(state="uncertain").exists():
            in_doubt.append(clock.at - died)

    outcome = run(issue, clock, answer)
    assert deliveries.LEASE < in_doubt[0] < timedelta(minutes=1)
    assert outcome.state == IssueState.SENT and outcome.counts.uncertain == 20 and len(recipients()) == 280


def test_a_takeover_that_the_database_undoes_leaves_the_journal_for_the_next_one(
    clock: Clock, tmp_path: Path, other: tuple[str, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it all that the dead had claimed would be in doubt, and with `resend` sent twice."""
    owner, child = other
    issue, home = begun(40, clock, on_uncertain="resend"), replace(here(), home=tmp_path)
    journal, at = claimed_by(owner, issue, clock, home)
    for position in range(at, at + 12):
        journal.leaving(position)
        journal.accepted(position)
    journal.leaving(at + 12)
    recover, claim, asked = deliveries.recover, deliveries.claim, iter([True])

    def answer(to: str) -> None:
        if to == "r30@box.test":
            child.kill()
            child.wait()

    def recovering(*arguments: object, **options: object) -> object:
        found = recover(*arguments, **options)
        if child.returncode is not None:
            monkeypatch.setattr(deliveries, "claim", failing)
        return found

    def failing(*arguments: object, **options: object) -> object:
        if next(asked, False):
            raise OperationalError("database is locked")
        return claim(*arguments, **options)

    monkeypatch.setattr(deliveries, "recover", recovering)
    with pytest.raises(OperationalError):
        run(issue, clock, answer, installation=home)
    for _ in range(2):
        outcome = run(issue, clock, installation=home)
        clock.at += timedelta(hours=1)
    assert outcome.state == IssueState.SENT and states(issue) == {"accepted": 40}
    assert not {f"r{n}@box.test" for n in range(12)} & set(recipients()), "those the dead one had sent"
    assert len(set(recipients())) == 28 == len(recipients())


def test_a_worker_whose_batch_is_taken_over_while_it_sends_stops_and_writes_nothing(clock: Clock) -> None:
    issue = begun(60, clock)

    def answer(to: str) -> None:
        if to == "r5@box.test":
            # As after a lease that ran out unnoticed: both batches in hand are somebody else's now.
            Batch.objects.filter(state=BatchState.CLAIMED).update(owner="elsewhere:1:1#1", fence=99)
            clock.at += timedelta(seconds=50)

    outcome = run(issue, clock, answer)
    assert len(mailbox()) == 6 and outcome.state == IssueState.SENDING
    assert outcome.counts.accepted == 0 and set(states(issue)) == {"pending"}
    assert set(Batch.objects.filter(state=BatchState.CLAIMED).values_list("owner", flat=True)) == {"elsewhere:1:1#1"}


def test_two_workers_in_turn_send_each_batch_once(clock: Clock) -> None:
    """F4. The second begins while the first has two batches in hand, and each claims what the other has not."""
    issue = begun(200, clock)
    inner: list[flow.DeliveryOutcome] = []

    def answer(to: str) -> None:
        if to == "r3@box.test":
            inner.append(run(issue, clock, stopping=lambda: len(mailbox()) >= 90))

    outcome = run(issue, clock, answer)
    assert inner[0].sent_now > 80 and inner[0].sent_now + outcome.sent_now == 200
    assert outcome.state == IssueState.SENT and len(set(recipients())) == 200 == len(recipients())
