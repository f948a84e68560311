"""Any interleaving of workers, crashes, pauses, unsubscribes and time: nobody twice, nobody lost, the counts add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.errors import ClaimLostError
from newsletter.journal import ACCEPTED, ANSWERED, ON_THE_WIRE, UNTOUCHED, Entry
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries import LEASE, Claim, Decision, Row, Settlement
from newsletter.models import Delivery, DeliveryState, Issue, IssueState
from subscribers.models import Subscription, SubscriptionState
from tests.sending import SLOT, make_approved

PEOPLE, BATCH, WORKERS, STEPS = 23, 5, 3, 120


@dataclass
class Worker:
    """One process: the claim that it believes it owns, what it knows of it, and the row that it is sending."""

    owner: str
    claim: Claim | None = None
    settlement: Settlement | None = None
    rows: list[Row] = field(default_factory=list)
    on_the_wire: Row | None = None


class World:
    """The ledger, the workers with their journals, and the server, which alone knows what it has taken."""

    def __init__(self, random: Random, resend: bool) -> None:
        self.random, self.resend = random, resend
        self.now: datetime = SLOT
        self.taken: Counter[int] = Counter()
        self.excused: Counter[int] = Counter()  # copies after which a row was in doubt
        self.dead: set[str] = set()
        self.journals: dict[str, dict[tuple[str, int, int], dict[int, Entry]]] = {}
        self.born = 0
        self.issue = make_approved(PEOPLE)
        deliveries.start(self.issue.pk, now=self.now, size=BATCH)
        self.workers = [self.new_worker() for _ in range(WORKERS)]

    def new_worker(self) -> Worker:
        self.born += 1
        worker = Worker(f"host:{self.born}:0")
        self.journals[worker.owner] = {}
        return worker

    def step(self) -> None:
        self.now += timedelta(seconds=self.random.choice([0, 1, 10, 30, 120]))
        worker = self.random.choice(self.workers)
        act = self.random.choices(
            [self.work, self.die, self.recover, self.pause, self.resume, self.leave], [75, 5, 8, 3, 6, 3]
        )[0]
        act(worker)

    # A worker's journal, by claim.

    def _slot(self, worker: Worker) -> dict[int, Entry]:
        claim = worker.claim
        assert claim is not None
        marks = (claim.kind, claim.batch, claim.fence if claim.batch else 0)
        return self.journals[worker.owner].setdefault(marks, {})

    def journal(self, owner: str, kind: str, number: int, fence: int) -> dict[int, Entry]:
        return dict(self.journals[owner].get((kind, number, fence), {}))

    # What happens.

    def work(self, worker: Worker) -> None:
        """The next thing that a worker does. A lost claim is let go, as `deliver` does."""
        try:
            if worker.claim is None:
                self.take(worker)
            elif worker.on_the_wire is not None:
                self.answer(worker, worker.on_the_wire)
            elif not worker.rows or self.random.random() < 0.05:
                self.settle(worker)
            else:
                self.send(worker)
        except ClaimLostError:
            worker.claim, worker.rows, worker.on_the_wire = None, [], None

    def take(self, worker: Worker) -> None:
        worker.claim = deliveries.claim(self.issue.pk, owner=worker.owner, now=self.now)
        if worker.claim is None:
            return
        worker.settlement, worker.rows = Settlement(worker.claim), list(worker.claim.rows)
        self._slot(worker).clear()

    def send(self, worker: Worker) -> None:
        """Excluded, or marked first and then, if the lease still lasts, on the wire."""
        assert worker.claim is not None and worker.settlement is not None
        row = worker.rows.pop(0)
        if row.excluded or row.delivery in deliveries.leavers(worker.claim):
            self.note(worker, row, Decision(DeliveryState.EXCLUDED, "left"))
            return
        self._slot(worker)[row.delivery] = Entry(ON_THE_WIRE)
        if self.now >= worker.claim.lease_until:
            deliveries.hold([worker.claim], now=self.now)
        worker.on_the_wire = row

    def note(self, worker: Worker, row: Row, decision: Decision) -> None:
        assert worker.settlement is not None
        self._slot(worker)[row.delivery] = Entry(ANSWERED, decision.as_words())
        worker.settlement.decisions[row.delivery] = decision

    def answer(self, worker: Worker, row: Row) -> None:
        """The server takes it, or not; the worker hears of it, or not."""
        assert worker.settlement is not None
        worker.on_the_wire = None
        what = self.random.choices(
            ["taken", "refused", "later", "taken unheard", "unheard", "away"], [60, 8, 14, 5, 5, 8]
        )[0]
        if what.startswith("taken"):
            self.taken[row.delivery] += 1
        match what:
            case "taken":
                self._slot(worker)[row.delivery] = Entry(ACCEPTED)
                worker.settlement.accepted.add(row.delivery)
            case "refused":
                self.note(worker, row, Decision(DeliveryState.FAILED, "refused (address): no"))
            case "later":
                self.note(worker, row, Decision(DeliveryState.PENDING, "later"))
            case "away":
                self._slot(worker)[row.delivery] = Entry(UNTOUCHED)
            case _:
                self.excused[row.delivery] += what.startswith("taken")
                self.note(worker, row, deliveries.doubt("no answer", resend=self.resend))

    def settle(self, worker: Worker) -> None:
        assert worker.settlement is not None
        settlement, worker.claim, worker.rows = worker.settlement, None, []
        deliveries.settle(settlement, now=self.now)

    def die(self, worker: Worker) -> None:
        """kill -9, before or after the server took what was on the wire."""
        row = worker.on_the_wire
        if row is not None and self.random.random() < 0.5:
            self.taken[row.delivery] += 1
            self.excused[row.delivery] += 1
        self.dead.add(worker.owner)
        self.workers[self.workers.index(worker)] = self.new_worker()

    def recover(self, worker: Worker) -> None:
        """From the dead, and from the living whose lease is over: what such a one has on the wire is in doubt."""
        for other in self.workers:
            over = other.claim is not None and other.claim.lease_until < self.now - LEASE
            if over and other.on_the_wire is not None:
                self.excused[other.on_the_wire.delivery] += 1
        deliveries.recover(
            self.issue.pk, now=self.now - LEASE, journal=self.journal, resend=self.resend, dead=self.dead.__contains__
        )

    def pause(self, worker: Worker) -> None:
        if Issue.objects.get(pk=self.issue.pk).state == IssueState.SENDING:
            issues.pause(self.issue.pk, "wait", now=self.now)

    def resume(self, worker: Worker) -> None:
        if Issue.objects.get(pk=self.issue.pk).state == IssueState.PAUSED:
            issues.resume(self.issue.pk, now=self.now)

    def leave(self, worker: Worker) -> None:
        number = self.random.choice(Subscription.objects.values_list("pk", flat=True))
        Subscription.objects.filter(pk=number).update(state=SubscriptionState.UNSUBSCRIBED)

    def end(self) -> None:
        """Everybody dies, one calm worker does the rest."""
        for worker in list(self.workers):
            self.die(worker)
        self.resume(self.workers[0])
        calm = self.new_worker()
        for _ in range(PEOPLE * 4):
            self.now += timedelta(hours=3)
            self.recover(calm)
            while True:
                self.take(calm)
                if calm.claim is None:
                    break
                while calm.rows:
                    self.send(calm)
                    if calm.on_the_wire is not None:
                        self.taken[calm.on_the_wire.delivery] += 1
                        self._slot(calm)[calm.on_the_wire.delivery] = Entry(ACCEPTED)
                        assert calm.settlement is not None
                        calm.settlement.accepted.add(calm.on_the_wire.delivery)
                        calm.on_the_wire = None
                self.settle(calm)
            if deliveries.finish_if_complete(self.issue.pk, now=self.now):
                return
        if Issue.objects.get(pk=self.issue.pk).state != IssueState.SENT:
            raise AssertionError("it never ends")

    def check(self) -> None:
        """What must hold at every moment."""
        doubled = [row for row, copies in self.taken.items() if copies > 1 + (self.excused[row] if self.resend else 0)]
        assert not doubled, f"sent twice without a cause: {doubled}"
        for pk, state in Delivery.objects.filter(issue=self.issue).values_list("pk", "state"):
            if state == DeliveryState.ACCEPTED:
                assert self.taken[pk], "called accepted, never taken"
            if state in (DeliveryState.FAILED, DeliveryState.EXCLUDED):
                assert self.taken[pk] <= self.excused[pk] * self.resend, "taken, and called failed or excluded"


@pytest.mark.django_db
@settings(max_examples=max(20, settings.default.max_examples // 15))  # each is some 500 transactions
@given(seed=st.integers(min_value=0, max_value=2**32), resend=st.booleans())
def test_property_no_interleaving_loses_or_doubles_anybody(seed: int, resend: bool) -> None:
    with transaction.atomic():
        world = World(Random(seed), resend)
        for number in range(STEPS):
            world.step()
            if number % 10 == 0:
                world.check()
        world.end()
        world.check()
        assert not issues.in_hands(world.issue.pk)
        states = Counter(Delivery.objects.filter(issue=world.issue).values_list("state", flat=True))
        assert sum(states.values()) == PEOPLE and states["pending"] == 0
        transaction.set_rollback(True)
