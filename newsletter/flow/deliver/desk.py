"""The desk between the ledger and a provider: it hands out messages, notes each on the wire, and settles by the batch.

Promise: a delivery is sent at most once, unless a person (or the account's `on_uncertain`) has an uncertain one sent
again. Whatever the moment at which this process dies, what was on the wire is in doubt, by name, and nothing else is.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from newsletter.core.errors import ClaimLostError
from newsletter.core.pacing import Limits
from newsletter.core.sentence import sentence
from newsletter.core.throttle import Throttle
from newsletter.flow.deliver.batches import Batches, Clock, InHand
from newsletter.flow.deliver.composing import Composing
from newsletter.flow.deliver.judging import Answers, judge, slows
from newsletter.flow.deliver.outcome import Halt, Tally
from newsletter.journal import Journal
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import Decision, Row
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


class _Parcel(Outgoing):
    """A message and where it came from."""

    __slots__ = ("batch", "position", "row")

    def __init__(self, batch: InHand, position: int, row: Row, message: list[bytes], sender: str) -> None:
        self.key, self.recipient, self.parts, self.sender, self.wire_form = (
            row.delivery, row.address, message, sender, True,
        )  # fmt: skip
        self.batch, self.position, self.row = batch, position, row


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
        self._issue, self._clock, self._journal, self._lease = issue, clock, journal, lease
        self._composing, self._resend = composing, resend
        self._progress, self._stopping, self._recover = progress, stopping, recover
        self._batches = Batches(
            issue, clock=clock, owner=owner, journal=journal, limits=limits, lease=lease, recover=recover
        )
        self._late: dict[int, str] = {}
        self._throttle = Throttle()
        self._batch: InHand | None = None  # the one whose rows are being handed out
        self._again: deque[_Parcel] = deque()
        self._flying: dict[int, _Parcel] = {}
        self._next_look = clock()
        self._next_search = self._next_look + SEARCH
        self._told = 0.0
        self.answers = Answers()
        self.tally = tally
        self.sent_now = 0
        self.halt: Halt | None = None

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
                batch = self._batch = self._batches.current(now)
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
        if self._clock() >= self._batches.held_until:
            self._journal.returned(outgoing.position)
            del self._flying[outgoing.key]
            raise ClaimLostError(
                sentence("This process was away for longer than its claim lasts."),
                hint=sentence("Another worker may have taken over."),
            )

    def answered(self, outgoing: Outgoing, result: SendResult) -> None:
        """One outcome; the last one of a batch settles it."""
        assert isinstance(outgoing, _Parcel)
        batch, key = outgoing.batch, outgoing.key
        self._flying.pop(key, None)
        if result.outcome is Outcome.ACCEPTED and not result.provider_id:
            self._journal.accepted(outgoing.position)
            batch.settlement.accepted.add(key)
            self.sent_now += 1
            self.answers.accepted += 1
            self.tally.accepted += 1
            if outgoing.row.attempts:
                self.tally.waiting -= 1
            batch.left -= 1
            if batch.left <= 0 or self._progress is not None:
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
    def blocked_until(self) -> datetime | None:
        """When the account's allowance begins again, where it is used up."""
        return self._batches.blocked_until

    @property
    def has_more(self) -> bool:
        """Whether something came back, or was left behind by the dead, after the provider was told that nothing more
        comes.
        """
        return self.halt is None and (bool(self._again) or self._batches.current(self._clock()) is not None)

    def close(self) -> None:
        """Settle all that is known and give the rest back. What is still on the wire can't be answered any more."""
        for parcel in list(self._flying.values()):
            self.answered(parcel, SendResult(Outcome.UNKNOWN, reply=deliveries.DIED))
        self._again.clear()
        self._batches.close()
        self._tell(final=True)

    # --- rows -----------------------------------------------------------------------------------------------------

    def _until_allowed(self, now: datetime) -> float | None:
        """How long to wait for the account's allowance. A day's or an hour's that is used up ends this run: a later one
        goes on.
        """
        if self.blocked_until is None or self.blocked_until - now > self._lease:
            return None
        return min(max((self.blocked_until - now).total_seconds(), 0.01), NAP)

    def _next_of(self, batch: InHand) -> _Parcel | None:
        """The next row of a batch as a message; None when it was decided without one."""
        index = batch.next
        row = batch.rows[index]
        batch.next += 1
        position = batch.position + index
        excluded = row.excluded or self._late.get(row.delivery, "")
        if not self._composing.wanted.get(row.topics):
            excluded = excluded or self._composing.nothing_for(row)
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
        return _Parcel(batch, position, row, message, sender)

    def _may_still_go(self, parcel: _Parcel) -> bool:
        """Whether a message that came back is still wanted."""
        excluded = self._late.get(parcel.key, "")
        if excluded:
            self._decide(parcel.batch, parcel.row, parcel.position, Decision(DeliveryState.EXCLUDED, excluded))
        return not excluded

    def _decide(self, batch: InHand, row: Row, position: int, decision: Decision) -> None:
        """Anything but a plain yes: into the journal with its words, and to be settled with its batch."""
        self._journal.answered(position, row.delivery, decision.as_words())
        batch.settlement.decisions[row.delivery] = decision
        if decision.state == DeliveryState.PENDING:
            self.tally.waiting += not row.attempts
        else:
            name = str(decision.state)
            setattr(self.tally, name, getattr(self.tally, name) + 1)
            self.tally.waiting -= bool(row.attempts)
        batch.left -= 1
        self._count(batch)

    def _count(self, batch: InHand) -> None:
        """One row less is left of it."""
        if batch.left <= 0:
            self._batches.finished(batch, claim=self.halt is None)
        if self._progress is not None:
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

    # --- looking up -----------------------------------------------------------------------------------------------

    def _look(self, now: datetime) -> None:
        """Once a second: does the issue still send, has anybody left, is the lease long enough, has anybody died?"""
        self._next_look = now + LOOK
        self._throttle.note(now.timestamp(), self.sent_now)
        state = Issue.objects.values_list("state", flat=True).get(pk=self._issue.pk)
        if state != IssueState.SENDING and self.halt is None:
            self.halt = Halt()
        self._late = self._batches.leavers()
        try:
            self._batches.renew(now)
        except ClaimLostError as error:
            log.warning("%s", error)
            self.halt = self.halt or Halt()
            return
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
