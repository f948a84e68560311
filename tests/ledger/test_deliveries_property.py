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
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries import Claim, Permit
from newsletter.models import Delivery, DeliveryState, Issue, IssueState, OnTheWire
from subscribers.models import Subscription, SubscriptionState
from tests.sending import SLOT, make_approved

PEOPLE, WORKERS, STEPS = 23, 3, 90


@dataclass
class Worker:
    """One process: what it believes it owns, and the row that it is sending."""

    owner: str
    claim: Claim | None = None
    rows: list[int] = field(default_factory=list)
    on_the_wire: int | None = None


class World:
    """The ledger, the workers, and the server, which alone knows what it has taken."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now: datetime = SLOT
        self.taken: Counter[int] = Counter()
        self.dead: set[str] = set()
        self.born = 0
        self.issue = make_approved(PEOPLE)
        deliveries.start(self.issue.pk, now=self.now)
        self.workers = [self.new_worker() for _ in range(WORKERS)]

    def new_worker(self) -> Worker:
        self.born += 1
        return Worker(f"host:{self.born}:0")

    def step(self) -> None:
        self.now += timedelta(seconds=self.random.choice([0, 1, 30, 300, 1200]))
        worker = self.random.choice(self.workers)
        act = self.random.choices(
            [self.work, self.die, self.recover, self.pause, self.resume, self.leave], [70, 6, 8, 4, 8, 4]
        )[0]
        act(worker)

    def work(self, worker: Worker) -> None:
        """The next thing that a worker does. A lost claim is let go, as `deliver` does."""
        try:
            if worker.on_the_wire is not None:
                self.answer(worker, worker.on_the_wire)
            elif worker.claim is None:
                worker.claim = deliveries.claim(self.issue.pk, owner=worker.owner, now=self.now)
                worker.rows = [row.pk for row in deliveries.rows(worker.claim)] if worker.claim else []
            elif not worker.rows or self.random.random() < 0.05:
                deliveries.release(worker.claim, now=self.now)
                worker.claim = None
            else:
                row = worker.rows.pop(0)
                if deliveries.mark(worker.claim, row, now=self.now) is Permit.SEND:
                    worker.on_the_wire = row
        except ClaimLostError:
            worker.claim, worker.rows, worker.on_the_wire = None, [], None

    def answer(self, worker: Worker, row: int) -> None:
        """The server takes it, or not; the worker hears of it, or not."""
        assert worker.claim is not None
        worker.on_the_wire = None
        what = self.random.choices(
            ["taken", "refused", "later", "taken unheard", "unheard", "away"], [60, 8, 14, 5, 5, 8]
        )[0]
        if what.startswith("taken"):
            self.taken[row] += 1
        claim, now = worker.claim, self.now
        match what:
            case "taken":
                deliveries.settle(claim, row, DeliveryState.ACCEPTED, "", now=now)
            case "refused":
                deliveries.settle(claim, row, DeliveryState.FAILED, "refused: no", now=now)
            case "later":
                deliveries.defer(claim, row, "later", now=now)
            case "away":
                deliveries.take_back(claim, row, now=now)
            case _:
                deliveries.settle(claim, row, DeliveryState.UNCERTAIN, "no answer", now=now)

    def die(self, worker: Worker) -> None:
        """kill -9, before or after the server took what was on the wire."""
        if worker.on_the_wire is not None and self.random.random() < 0.5:
            self.taken[worker.on_the_wire] += 1
        self.dead.add(worker.owner)
        self.workers[self.workers.index(worker)] = self.new_worker()

    def recover(self, worker: Worker) -> None:
        deliveries.recover(self.issue.pk, now=self.now, dead=self.dead.__contains__)

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
            while claim := deliveries.claim(self.issue.pk, owner=calm.owner, now=self.now):
                for row in deliveries.rows(claim):
                    if deliveries.mark(claim, row.pk, now=self.now) is Permit.SEND:
                        self.taken[row.pk] += 1
                        deliveries.settle(claim, row.pk, DeliveryState.ACCEPTED, "", now=self.now)
                deliveries.release(claim, now=self.now)
            if deliveries.finish_if_complete(self.issue.pk, now=self.now):
                return
        if Issue.objects.get(pk=self.issue.pk).state != IssueState.SENT:
            raise AssertionError("it never ends")

    def check(self) -> None:
        """What must hold at every moment."""
        doubled = [row for row, copies in self.taken.items() if copies > 1]
        assert not doubled, f"sent twice: {doubled}"
        for pk, state in Delivery.objects.filter(issue=self.issue).values_list("pk", "state"):
            if state == DeliveryState.ACCEPTED:
                assert self.taken[pk] == 1, "called accepted, never taken"
            if state in (DeliveryState.FAILED, DeliveryState.EXCLUDED):
                assert self.taken[pk] == 0, "taken, and called failed or excluded"


@pytest.mark.django_db
@settings(max_examples=max(20, settings.default.max_examples // 15))  # each is some 500 transactions
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_property_no_interleaving_loses_or_doubles_anybody(seed: int) -> None:
    with transaction.atomic():
        world = World(Random(seed))
        for number in range(STEPS):
            world.step()
            if number % 10 == 0:
                world.check()
        world.end()
        world.check()
        assert not OnTheWire.objects.exists()
        states = Counter(Delivery.objects.filter(issue=world.issue).values_list("state", flat=True))
        assert sum(states.values()) == PEOPLE and states["pending"] == 0
        transaction.set_rollback(True)
