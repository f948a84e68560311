"""The desk between ledger and provider: what comes back, what others leave behind, and what is nobody's fault."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from newsletter.core.errors import ConfigError
from newsletter.flow import deliver as flow
from newsletter.flow.deliver import Installation
from newsletter.journal import Journal
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries.owner import _start
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue, IssueState, Retry
from newsletter.providers.base import Dispatch, Outcome, Outgoing, SendResult, WithdrawnError
from newsletter.providers.memory import MemoryProvider, mailbox
from subscribers.models import Subscription, SubscriptionState
from tests.factories import make_account, make_newsletter
from tests.sending import Clock, addresses, here, make_approved, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_mailbox() -> None:
    mailbox().clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Answer = Callable[[str], SendResult | None]


def begun(people: int, clock: Clock, *, size: int = 20, **rules: object) -> Issue:
    issue = make_approved(people, newsletter=make_newsletter(account=make_account(settings=rules)))
    deliveries.start(issue.pk, now=clock(), size=size)
    return issue


def run(
    issue: Issue,
    clock: Clock,
    answer: Answer | None = None,
    provider: MemoryProvider | None = None,
    installation: Installation | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> flow.DeliveryOutcome:
    return flow.deliver(
        issue, clock=clock, installation=installation or here(), sleep=clock.sleep, stopping=stopping,
        provider=provider or MemoryProvider(answer=answer, sleep=clock.sleep),
    )  # fmt: skip


def recipients() -> list[str]:
    return [sent.recipient for sent in mailbox()]


class Returning(MemoryProvider):
    """Connections of this one end before the last octet for `who`, so many times."""

    def __init__(self, clock: Clock, who: str, times: int, then: Callable[[], None] = lambda: None) -> None:
        super().__init__(sleep=clock.sleep)
        self.who, self.times, self.then = who, times, then
        self.seen: Counter[str] = Counter()

    def run(self, dispatch: Dispatch) -> None:
        while (item := dispatch.take()) is not None:
            assert isinstance(item, Outgoing)
            self.seen[item.recipient] += 1
            dispatch.leaving(item)
            if item.recipient == self.who and self.seen[item.recipient] <= self.times:
                dispatch.returned(item, "the connection ended")
                self.then()
            else:
                dispatch.answered(item, self._attempt(item))


class Late(MemoryProvider):
    """Takes all that there is and reads the answers then, as many connections do: it has heard "nothing more" before
    the last of them. `back` is given back the first time.
    """

    def __init__(self, clock: Clock, answer: Answer | None = None, back: str = "") -> None:
        super().__init__(answer=answer, sleep=clock.sleep)
        self.back = back

    def run(self, dispatch: Dispatch) -> None:
        taken = []
        while (item := dispatch.take()) is not None:
            assert isinstance(item, Outgoing)
            dispatch.leaving(item)
            taken.append(item)
        for item in taken:
            if item.recipient == self.back:
                self.back = ""
                dispatch.returned(item, "the connection ended")
            else:
                dispatch.answered(item, self._attempt(item))


class Holding(MemoryProvider):
    """Has taken all that there is, and `then` something happens before the first of it leaves: a slow server."""

    def __init__(self, clock: Clock, then: Callable[[], None]) -> None:
        super().__init__(sleep=clock.sleep)
        self.then = then

    def run(self, dispatch: Dispatch) -> None:
        taken = []
        while (item := dispatch.take()) is not None:
            assert isinstance(item, Outgoing)
            taken.append(item)
        self.then()
        dispatch.tick()
        for item in taken:
            try:
                dispatch.leaving(item)
            except WithdrawnError:
                continue
            dispatch.answered(item, self._attempt(item))


# --- what comes back --------------------------------------------------------------------------------------------------


def test_a_message_that_came_back_is_tried_again_at_once(clock: Clock) -> None:
    issue = begun(5, clock)
    provider = Returning(clock, "r1@box.test", times=2)
    assert run(issue, clock, provider=provider).clean
    assert provider.seen["r1@box.test"] == 3 and sorted(recipients()) == [f"r{n}@box.test" for n in range(5)]


def test_who_leaves_while_their_message_waits_in_the_providers_hands_does_not_get_it(clock: Clock) -> None:
    issue = begun(5, clock)

    def leave() -> None:
        Subscription.objects.filter(subscriber__address="r1@box.test").update(state=SubscriptionState.UNSUBSCRIBED)
        clock.at += timedelta(seconds=2)

    outcome = run(issue, clock, provider=Holding(clock, leave))
    assert outcome.counts.accepted == 4 and outcome.counts.excluded == 1 and outcome.clean
    assert sorted(recipients()) == ["r0@box.test", "r2@box.test", "r3@box.test", "r4@box.test"]
    assert Delivery.objects.get(address="r1@box.test").reason == "unsubscribed"


def test_a_message_that_always_comes_back_waits_for_its_retry_and_holds_up_no_other(clock: Clock) -> None:
    issue = begun(5, clock)
    provider = Returning(clock, "r1@box.test", times=3)
    outcome = run(issue, clock, provider=provider)
    assert provider.seen["r1@box.test"] == 3 and outcome.counts.accepted == 4 and outcome.counts.waiting == 1
    assert Retry.objects.get().reply == "the connection ended" and outcome.next_try is not None
    clock.at = outcome.next_try
    assert run(issue, clock, provider=provider).clean and recipients().count("r1@box.test") == 1


def test_who_leaves_while_their_message_comes_back_does_not_get_it(clock: Clock) -> None:
    issue = begun(5, clock)

    def leave() -> None:
        Subscription.objects.filter(subscriber__address="r1@box.test").update(state=SubscriptionState.UNSUBSCRIBED)
        clock.at += timedelta(seconds=2)

    provider = Returning(clock, "r1@box.test", times=1, then=leave)
    assert run(issue, clock, provider=provider).state == IssueState.SENT
    assert provider.seen["r1@box.test"] == 1 and addresses(issue, DeliveryState.EXCLUDED) == ["r1@box.test"]
    assert Delivery.objects.get(state="excluded").reason == "unsubscribed"


def test_what_comes_back_last_of_all_is_sent_in_the_same_run(clock: Clock) -> None:
    issue = begun(3, clock)
    assert run(issue, clock, provider=Late(clock, back="r1@box.test")).clean
    assert recipients() == ["r0@box.test", "r2@box.test", "r1@box.test"]


def test_the_providers_own_number_of_a_message_is_kept_with_its_acceptance(clock: Clock) -> None:
    issue = begun(3, clock)
    outcome = run(issue, clock, lambda to: SendResult(Outcome.ACCEPTED, 200, "OK", provider_id=f"id-of-{to}"))
    assert outcome.clean and outcome.sent_now == 3
    found = dict(Delivery.objects.values_list("address", "reason"))
    assert found == {f"r{n}@box.test": f"id-of-r{n}@box.test" for n in range(3)}


# --- the dead and the living -----------------------------------------------------------------------------------------


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
