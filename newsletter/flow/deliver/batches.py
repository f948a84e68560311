"""What one worker has claimed: two batches in hand, so that the next is read before it is needed.

One transaction settles what is done, each batch as a whole, and claims what comes next.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.core.errors import ClaimLostError
from newsletter.core.pacing import Grant, Limits
from newsletter.journal import Journal
from newsletter.ledger import deliveries, rates
from newsletter.ledger.deliveries import Claim, Row, Settlement
from newsletter.models import DeliveryState, Issue

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(slots=True)
class InHand:
    """One claim in our hands."""

    claim: Claim
    settlement: Settlement
    begin: datetime
    spacing: float
    position: int  # of the first row, in the journal
    granted: int  # how many of its rows may leave
    began: float  # for the log
    rows: list[Row]
    used: int = 0
    next: int = 0  # of its rows
    end: int = 0  # of its rows
    left: int = 0  # rows without an outcome, of those that may leave
    tried: dict[int, int] = field(default_factory=dict)


class Batches:
    """The claims of one worker for one issue."""

    def __init__(
        self,
        issue: Issue,
        *,
        clock: Clock,
        owner: str,
        journal: Journal,
        limits: Limits,
        lease: timedelta,
        recover: Callable[[], int],
    ) -> None:
        self._issue, self._clock, self._owner, self._journal = issue, clock, owner, journal
        self._limits, self._lease, self._recover = limits, lease, recover
        self._held: deque[InHand] = deque()
        self._done: list[InHand] = []
        self._next_renewal = clock()
        self.held_until = self._next_renewal
        """Until when all that is in hand is certainly ours."""
        self.blocked_until: datetime | None = None
        """When the account's allowance begins again, where it is used up."""

    def current(self, now: datetime) -> InHand | None:
        """The batch with the next row; claimed when there is none, and the one after it read ahead. When nothing is
        left to claim either, what others left behind by dying is taken over first.
        """
        batch = self._ready(now)
        if batch is None and not self._held and self.blocked_until is None:
            # Never within the transaction of a turn: a dead worker's journal is forgotten with the takeover, and were
            # that undone, all that it knows would be lost.
            self._recover()
            batch = self._ready(now)
        return batch

    def finished(self, batch: InHand, *, claim: bool) -> None:
        """Its last row has an outcome: settle it, and with `claim` read the next one ahead."""
        if batch in self._held:
            self._held.remove(batch)
            self._done.append(batch)
            self._turn(self._clock(), claim=claim and len(self._held) < 2)

    def leavers(self) -> dict[int, str]:
        """Whom of all that is in hand no mail may reach any more, and why."""
        found: dict[int, str] = {}
        for batch in self._held:
            found |= deliveries.leavers(batch.claim)
        return found

    def renew(self, now: datetime) -> None:
        """Hold what is in hand for longer, when that is due. Raises `ClaimLostError`."""
        if now >= self._next_renewal and self._held:
            self._next_renewal = now + self._lease / 4
            deliveries.hold([batch.claim for batch in self._held], now=now, lease=self._lease)
            self.held_until = now + self._lease

    def close(self) -> None:
        """Settle all that is known and give the rest back."""
        self._done.extend(self._held)
        self._held.clear()
        self._turn(self._clock(), claim=False)

    def _ready(self, now: datetime) -> InHand | None:
        batch = self._first_ready()
        # A claim may hold nothing that is left to send: then the next one is made.
        while batch is None and self._turn(now, claim=True):
            batch = self._first_ready()
        return batch

    def _first_ready(self) -> InHand | None:
        for batch in list(self._held):
            rows = batch.rows
            if batch.next < len(rows) and (batch.used < batch.granted or rows[batch.next].excluded):
                return batch
            if batch.next < len(rows):
                # The allowance ends within this batch: the rest of it goes back, untouched.
                batch.left -= len(rows) - batch.next
                batch.next = len(rows)
                if batch.left <= 0:
                    self._held.remove(batch)
                    self._done.append(batch)
        return None

    def _turn(self, now: datetime, *, claim: bool) -> bool:
        """One transaction: settle what is done, and claim what comes next. Returns whether anything was claimed."""
        done, self._done = self._done, []
        claimed: list[tuple[Claim, Grant]] = []
        try:
            with transaction.atomic():
                settled = [each for each in done if self._settle(each, now)]
                spare = sum(batch.granted - batch.used for batch in done)
                rates.give_back(self._issue.newsletter.account_id, self._limits, spare, now=now)
                if claim:
                    claimed = list(self._claim(now))
        except BaseException:
            # Nothing is written; what is known stays in the journal, and `close` tries once more.
            self._done = done
            raise
        for batch in done:
            self._journal.leave(batch.position)
        for batch in settled:
            self._log(batch)
        for found, grant in claimed:
            self._hold(found, grant)
        return bool(claimed)

    def _settle(self, batch: InHand, now: datetime) -> bool:
        try:
            deliveries.settle(batch.settlement, now=now)
        except ClaimLostError as error:
            # Somebody took us for dead and has settled it by our journal.
            log.warning("%s", error)
            return False
        return True

    def _claim(self, now: datetime) -> Iterator[tuple[Claim, Grant]]:
        """As many claims as make two in hand, with leave for their rows to go; stops where the allowance ends."""
        account = self._issue.newsletter.account_id
        self.blocked_until = None
        for _ in range(max(0, 2 - len(self._held))):
            allowed = rates.look(account, self._limits, now=now)
            if not allowed.number:
                self.blocked_until = allowed.begin
                return
            found = deliveries.claim(self._issue.pk, owner=self._owner, now=now, lease=self._lease)
            if found is None:
                return
            wanted = sum(not row.excluded for row in found.rows)
            grant = rates.reserve(account, self._limits, wanted, now=now)
            yield found, grant
            if grant.number < wanted:
                return

    def _hold(self, claim: Claim, grant: Grant) -> None:
        if not self._held:
            self.held_until = claim.lease_until
            self._next_renewal = self._clock() + self._lease / 4
        numbers = [row.delivery for row in claim.rows]
        position = self._journal.enter(claim.kind, claim.batch, claim.fence if claim.batch else 0, numbers)
        batch = InHand(
            claim, Settlement(claim), grant.begin, grant.spacing, position, grant.number, time.monotonic(), claim.rows
        )
        batch.left = batch.end = len(claim.rows)
        if not claim.rows:
            self._done.append(batch)
        else:
            self._held.append(batch)

    def _log(self, batch: InHand) -> None:
        """One line a batch, of numbers alone: no address, no token."""
        found: dict[str, int] = {}
        for decision in batch.settlement.decisions.values():
            name = "waiting" if decision.state == DeliveryState.PENDING else str(decision.state)
            found[name] = found.get(name, 0) + 1
        seconds = time.monotonic() - batch.began
        accepted = len(batch.settlement.accepted) + found.pop("accepted", 0)
        others = "".join(f" {name}={number}" for name, number in sorted(found.items()))
        log.info(
            "batch settled: issue=%d batch=%d rows=%d accepted=%d%s left=%d seconds=%.3f rate=%.1f",
            self._issue.pk,
            batch.claim.batch,
            len(batch.claim.rows),
            accepted,
            others,
            len(batch.settlement.untouched),
            seconds,
            batch.used / seconds if seconds > 0 else 0.0,
        )
