"""The desk between the ledger and a provider: it hands out messages, notes each on the wire, and settles by the batch.

Promise: a delivery is sent at most once, unless a person (or the account's `on_uncertain`) has an uncertain one sent
again. Whatever the moment at which this process dies, what was on the wire is in doubt, by name, and nothing else is.
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
from newsletter.core.throttle import Throttle
from newsletter.flow.deliver.composing import Composing
from newsletter.flow.deliver.judging import Answers, judge, slows
from newsletter.flow.deliver.outcome import Halt, Tally
from newsletter.journal import Journal
from newsletter.ledger import deliveries, rates
from newsletter.ledger.deliveries import Claim, Decision, Row, Settlement
from newsletter.models import DeliveryState, Issue, IssueState
from newsletter.providers.base import Outcome, Outgoing, SendResult, WithdrawnError

log = logging.getLogger(__name__)

# How often the state of the issue and the list are looked at: an unsubscribe or a pause takes effect within this time.
LOOK = timedelta(seconds=1)
# How often a busy worker looks for what the dead have left: their readers must not wait until all others have theirs.
SEARCH = timedelta(seconds=5)
# The next batch is claimed while the last so many of this one are on their way.
TELL_SECONDS = 0.1
# A message whose connection ends before its last octet goes back so often, then it waits for its retry.
RETURNS = 3
# No provider waits longer than this without asking.
NAP = 0.5

Clock = Callable[[], datetime]


@dataclass(slots=True)
class _Batch:
    """One claim in our hands."""

    claim: Claim
    settlement: Settlement
    begin: datetime
    spacing: float
    position: int  # of the first row, in the journal
    granted: int  # how many of its rows may leave
    began: float  # for the log
    used: int = 0
    next: int = 0  # of its rows
    end: int = 0  # of its rows
    left: int = 0  # rows without an outcome, of those that may leave
    tried: dict[int, int] = field(default_factory=dict)


class _Parcel(Outgoing):
    """A message and where it came from."""

    __slots__ = ("batch", "position", "row")

    batch: _Batch
    position: int
    row: Row


class Desk:
    """One worker's desk for one issue: the `Dispatch` of its provider."""

    def __init__(
        self,
        issue: Issue,
        *,
        clock: Clock,
        owner: str,
        journal: Journal,
        composing: Composing,
        limits: Limits,
        resend: bool,
        lease: timedelta,
        tally: Tally,
        progress: Callable[[Tally], None] | None,
        stopping: Callable[[], bool],
        recover: Callable[[], int],
    ) -> None:
        self._issue, self._clock, self._owner, self._journal = issue, clock, owner, journal
        self._composing, self._limits, self._resend, self._lease = composing, limits, resend, lease
        self._progress, self._stopping, self._recover = progress, stopping, recover
        self._late: dict[int, str] = {}
        self._throttle = Throttle()
        self._held: deque[_Batch] = deque()
        self._batch: _Batch | None = None  # the one whose rows are being handed out
        self._done: list[_Batch] = []
        self._again: deque[_Parcel] = deque()
        self._flying: dict[int, _Parcel] = {}
        self._next_look = self._next_renewal = clock()
        self._next_search = self._next_look + SEARCH
        self._held_until = self._next_look
        self._told = 0.0
        self.answers = Answers()
        self.tally = tally
        self.sent_now = 0
        self.halt: Halt | None = None
        self.blocked_until: datetime | None = None

    # --- the provider's side --------------------------------------------------------------------------------------

    def take(self) -> Outgoing | float | None:
        """The next message that may leave now."""
        now = self._clock()
        if now >= self._next_look:
            self._look(now)
        if self._stopping() and self.halt is None:
            self.halt = Halt()
        while self.halt is None:
            if self._again:
                parcel = self._again.popleft()
                if self._may_still_go(parcel):
                    return parcel
                continue
            batch = self._batch
            if batch is None or batch.next >= batch.end or batch.used >= batch.granted:
                batch = self._batch = self._current(now)
            if batch is None:
                return self._until_allowed(now)
            if batch.spacing or now < batch.begin:
                wait = (batch.begin - now).total_seconds() + batch.used * batch.spacing
                if wait > 0:
                    return min(wait, NAP)
            if self._throttle.rate is not None:
                wait = self._throttle.wait(now.timestamp(), self.sent_now)
                if wait > 0:
                    return min(wait, NAP)
            parcel_ = self._next_of(batch)
            if parcel_ is not None:
                return parcel_
        return None

    def leaving(self, outgoing: Outgoing) -> None:
        """On the wire from now on, if the claim is still ours and the reader still there: behind a slow server it may
        have been in the provider's hands for minutes.
        """
        assert isinstance(outgoing, _Parcel)
        if outgoing.key in self._late:
            self._may_still_go(outgoing)
            raise WithdrawnError
        # Marked first and asked afterwards: had this process slept in between, whoever took the batch over meanwhile
        # must find the mark.
        self._journal.leaving(outgoing.position)
        self._flying[outgoing.key] = outgoing
        if self._clock() >= self._held_until:
            self._journal.returned(outgoing.position)
            del self._flying[outgoing.key]
            raise ClaimLostError(
                "This process was away for longer than its claim lasts.", hint="Another worker may have taken over."
            )

    def answered(self, outgoing: Outgoing, result: SendResult) -> None:
        """One outcome; the last one of a batch settles it."""
        assert isinstance(outgoing, _Parcel)
        batch = outgoing.batch
        self._flying.pop(outgoing.key, None)
        if result.outcome is Outcome.ACCEPTED and not result.provider_id:
            self._journal.accepted(outgoing.position)
            batch.settlement.accepted.add(outgoing.key)
            self.sent_now += 1
            self.answers.accepted += 1
            self.tally.accepted += 1
            if outgoing.row.attempts:
                self.tally.waiting -= 1
            self._count(batch)
            return
        if result.outcome is Outcome.ACCEPTED:
            self.sent_now += 1
            self.answers.accepted += 1
        self.answers.note(result)
        self._decide(batch, outgoing.row, outgoing.position, judge(result, resend=self._resend))
        if slows(result):
            self._throttle.refused(self._clock().timestamp(), self.sent_now)
        self._consider()

    def returned(self, outgoing: Outgoing, why: str) -> None:
        """Back into the pile, up to a number of times."""
        assert isinstance(outgoing, _Parcel)
        self._flying.pop(outgoing.key, None)
        self._journal.returned(outgoing.position)
        tried = outgoing.batch.tried
        tried[outgoing.key] = tried.get(outgoing.key, 0) + 1
        if tried[outgoing.key] >= RETURNS:
            decision = Decision(DeliveryState.PENDING, why)
            self._decide(outgoing.batch, outgoing.row, outgoing.position, decision)
        else:
            self._again.append(outgoing)

    def tick(self) -> None:
        """Renew what is due while the provider waits."""
        now = self._clock()
        if now >= self._next_look:
            self._look(now)
        self._tell()

    # --- the worker's side ----------------------------------------------------------------------------------------

    @property
    def has_more(self) -> bool:
        """Whether something came back, or was left behind by the dead, after the provider was told that nothing more
        comes.
        """
        return self.halt is None and (bool(self._again) or self._current(self._clock()) is not None)

    def close(self) -> None:
        """Settle all that is known and give the rest back. What is still on the wire can't be answered any more."""
        for parcel in list(self._flying.values()):
            self.answered(parcel, SendResult(Outcome.UNKNOWN, reply=deliveries.DIED))
        self._again.clear()
        self._done.extend(self._held)
        self._held.clear()
        self._turn(self._clock(), claim=False)
        self._tell(final=True)

    # --- rows -----------------------------------------------------------------------------------------------------

    def _current(self, now: datetime) -> _Batch | None:
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

    def _ready(self, now: datetime) -> _Batch | None:
        batch = self._first_ready()
        # A claim may hold nothing that is left to send: then the next one is made.
        while batch is None and self._turn(now, claim=True):
            batch = self._first_ready()
        return batch

    def _first_ready(self) -> _Batch | None:
        for batch in list(self._held):
            rows = batch.claim.rows
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

    def _until_allowed(self, now: datetime) -> float | None:
        """How long to wait for the account's allowance. A day's or an hour's that is used up ends this run: a later one
        goes on.
        """
        if self.blocked_until is None or self.blocked_until - now > self._lease:
            return None
        return min(max((self.blocked_until - now).total_seconds(), 0.01), NAP)

    def _next_of(self, batch: _Batch) -> _Parcel | None:
        """The next row of a batch as a message; None when it was decided without one."""
        index = batch.next
        row = batch.claim.rows[index]
        batch.next += 1
        position = batch.position + index
        excluded = row.excluded or self._late.get(row.delivery, "") or self._composing.nothing_for(row)
        if excluded:
            self._decide(batch, row, position, Decision(DeliveryState.EXCLUDED, excluded))
            return None
        try:
            message, sender = self._composing.message(row)
        except Halt as halt:
            # Untouched: it is given back with its batch.
            self.halt = halt
            return None
        except Exception as error:
            self._decide(batch, row, position, self._composing.failed(row, error))
            self.halt = self.halt or self._composing.too_many_failed()
            return None
        batch.used += 1
        parcel = _Parcel(row.delivery, sender, row.address, message, True)
        parcel.batch, parcel.position, parcel.row = batch, position, row
        return parcel

    def _may_still_go(self, parcel: _Parcel) -> bool:
        """Whether a message that came back is still wanted."""
        excluded = self._late.get(parcel.key, "")
        if excluded:
            self._decide(parcel.batch, parcel.row, parcel.position, Decision(DeliveryState.EXCLUDED, excluded))
        return not excluded

    def _decide(self, batch: _Batch, row: Row, position: int, decision: Decision) -> None:
        """Anything but a plain yes: into the journal with its words, and to be settled with its batch."""
        self._journal.answered(position, row.delivery, decision.as_words())
        batch.settlement.decisions[row.delivery] = decision
        if decision.state == DeliveryState.PENDING:
            self.tally.waiting += not row.attempts
        else:
            name = str(decision.state)
            setattr(self.tally, name, getattr(self.tally, name) + 1)
            self.tally.waiting -= bool(row.attempts)
        self._count(batch)

    def _count(self, batch: _Batch) -> None:
        batch.left -= 1
        if batch.left <= 0 and batch in self._held:
            self._held.remove(batch)
            self._done.append(batch)
            self._turn(self._clock(), claim=self.halt is None and len(self._held) < 2)
        self._tell()

    def _consider(self) -> None:
        """Pause while most of the list is still unspoiled. Nothing to save once everything is decided."""
        tally = self.tally
        if self.halt is not None or tally.decided >= tally.total:
            return
        why = self.answers.none_accepted()
        if why and self._issue.deliveries.filter(state=DeliveryState.ACCEPTED).exists():
            why = ""
        why = why or self.answers.unwelcome()
        why = why or self.answers.too_many(tally.accepted + tally.failed + tally.uncertain)
        if why:
            self.halt = Halt(why)
        elif self._throttle.hopeless:
            self.halt = Halt("The other side goes on asking us to send more slowly, however slowly we send.", wait=True)

    # --- batches --------------------------------------------------------------------------------------------------

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

    def _settle(self, batch: _Batch, now: datetime) -> bool:
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
            self._held_until = claim.lease_until
            self._next_renewal = self._clock() + self._lease / 4
        numbers = [row.delivery for row in claim.rows]
        position = self._journal.enter(claim.kind, claim.batch, claim.fence if claim.batch else 0, numbers)
        batch = _Batch(claim, Settlement(claim), grant.begin, grant.spacing, position, grant.number, time.monotonic())
        batch.left = batch.end = len(claim.rows)
        if not claim.rows:
            self._done.append(batch)
        else:
            self._held.append(batch)

    def _log(self, batch: _Batch) -> None:
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

    # --- looking up -----------------------------------------------------------------------------------------------

    def _look(self, now: datetime) -> None:
        """Once a second: does the issue still send, has anybody left, is the lease long enough, has anybody died?"""
        self._next_look = now + LOOK
        self._throttle.note(now.timestamp(), self.sent_now)
        state = Issue.objects.values_list("state", flat=True).get(pk=self._issue.pk)
        if state != IssueState.SENDING and self.halt is None:
            self.halt = Halt()
        self._late = {}
        for batch in self._held:
            self._late |= deliveries.leavers(batch.claim)
        if now >= self._next_renewal and self._held:
            self._next_renewal = now + self._lease / 4
            try:
                deliveries.hold([batch.claim for batch in self._held], now=now, lease=self._lease)
            except ClaimLostError as error:
                log.warning("%s", error)
                self.halt = self.halt or Halt()
                return
            self._held_until = now + self._lease
        if now >= self._next_search and self.halt is None:
            self._next_search = now + SEARCH
            self._recover()

    def _tell(self, *, final: bool = False) -> None:
        if self._progress is None:
            return
        now = time.monotonic()
        if final or now - self._told >= TELL_SECONDS:
            self._told = now
            self._progress(self.tally)
