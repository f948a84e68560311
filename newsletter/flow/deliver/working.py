"""One worker: claim a batch, and for each of its deliveries compose, mark, send, settle.

Promise: each delivery is sent at most once, unless a person settles an uncertain one by sending it again. Whatever the
moment at which this process dies, at most the one message that was on the wire is in doubt, and it is so by name.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.core.context import has_something_for
from newsletter.core.errors import ClaimLostError, IssueError, LetterMismatchError, NewsletterError, ProviderError
from newsletter.core.letter import Compiler
from newsletter.flow import compile as letters
from newsletter.flow.deliver.answers import Answers
from newsletter.flow.deliver.installation import Installation
from newsletter.flow.deliver.outcome import DeliveryOutcome, Tally
from newsletter.flow.report import counts, next_try, teach
from newsletter.ledger import deliveries, issues
from newsletter.ledger.deliveries import Claim, Permit
from newsletter.models import Delivery, DeliveryState, Issue
from newsletter.providers.base import Outcome, Provider, SendResult

log = logging.getLogger(__name__)

# While the provider is away: a minute of growing pauses, then the issue pauses and the next run tries again.
BACK_OFF = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# Composing may fail for one person (their data); for this many and this share of them it is the design.
POISON_AT_LEAST = 10
POISON_SHARE = 0.05
CLOSING_DOWN = 421
MAILS_PEOPLE = ("smtp", "esp")
NO_TOPICS = "no matching topics"

Clock = Callable[[], datetime]


class _Halt(Exception):
    """This run ends here; the claim goes back. `reason` pauses the issue, "" only says that we were told to stop."""

    def __init__(self, reason: str = "", *, by_itself: bool = False) -> None:
        # It goes into the database, and may quote what somebody else has written.
        self.reason = reason.replace("\x00", " ").encode("utf-8", "replace").decode()
        self.by_itself = by_itself
        super().__init__(reason)


def deliver(
    issue: Issue,
    *,
    clock: Clock,
    installation: Installation,
    compiler: Compiler | None = None,
    provider: Provider | None = None,
    progress: Callable[[Tally], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    budget: timedelta | None = None,
) -> DeliveryOutcome:
    """Send what is left of a sending issue; any number of processes may do so at once.

    `clock` gives aware UTC. `compiler` is by default that of the issue's freeze, `provider` the one that the
    newsletter's account describes. `progress` is told after each delivery; `stopping` is asked between two. Once the
    run has lasted for `budget` it ends between two as well, and another run goes on.

    Ends when nothing is left to claim, when the issue is paused by anybody, or when the account can't send: then the
    issue is paused with a sentence that says why. Never raises for what one reader's row or the provider does.
    """
    if budget is not None:
        stopping = _or_after(budget, clock, stopping)
    return _Worker(issue, clock, installation, compiler, provider, progress, stopping, sleep).run()


def _or_after(budget: timedelta, clock: Clock, stopping: Callable[[], bool]) -> Callable[[], bool]:
    end = clock() + budget
    return lambda: stopping() or clock() >= end


class _Worker:
    """The state of one run."""

    def __init__(
        self,
        issue: Issue,
        clock: Clock,
        installation: Installation,
        compiler: Compiler | None,
        provider: Provider | None,
        progress: Callable[[Tally], None] | None,
        stopping: Callable[[], bool],
        sleep: Callable[[float], None],
    ) -> None:
        self.issue = Issue.objects.select_related("newsletter__magazine", "newsletter__account", "freeze").get(
            pk=issue.pk
        )
        self.clock, self.installation, self.compiler = clock, installation, compiler
        self.provider, self.progress, self.stopping, self.sleep = provider, progress, stopping, sleep
        self.owner = deliveries.this_worker()
        self.pauses = list(BACK_OFF)
        self.composed = self.not_composed = self.sent_now = 0
        self.answers = Answers()
        self.tally = Tally(0)
        self.frozen: letters.Frozen | None = None

    def run(self) -> DeliveryOutcome:
        """Take back what the dead left, send, and finish when nothing is left."""
        deliveries.recover(self.issue.pk, now=self.clock())
        found = counts(self.issue)
        self.tally = Tally(found.frozen, found.accepted, found.failed, found.excluded, found.uncertain, found.waiting)
        try:
            self._thaw()
            while claim := deliveries.claim(self.issue.pk, owner=self.owner, now=self.clock()):
                self._work(claim)
                deliveries.recover(self.issue.pk, now=self.clock())
        except _Halt as halt:
            self._pause(halt)
        finally:
            if self.provider is not None:
                self.provider.close()
        if deliveries.finish_if_complete(self.issue.pk, now=self.clock()):
            teach(self.issue, now=self.clock())
        return self._outcome()

    def _thaw(self) -> None:
        """The letters, from what was approved. What stands against that stands against every message."""
        try:
            self.frozen = letters.frozen(self.issue)
            self.compiler = self.compiler or letters.compiler(self.issue)
        except NewsletterError as error:
            raise _Halt(str(error)) from error
        if not self.issue.public_html:
            self._keep_public_page(self.compiler)

    def _keep_public_page(self, compiler: Compiler) -> None:
        """What everybody may see, stored before the first link to it leaves. A design that can't speak to nobody in
        particular has no such page; that stops nobody's letter.
        """
        try:
            page = letters.public_html(compiler)
        except NewsletterError as error:
            log.warning("No public page: %s", error)
            return
        Issue.objects.filter(pk=self.issue.pk, public_html="").update(public_html=page)

    # --- one claim ------------------------------------------------------------------------------------------------

    def _work(self, claim: Claim) -> None:
        try:
            for row in deliveries.rows(claim):
                if self.stopping():
                    raise _Halt
                self._one(claim, row)
        except ClaimLostError as error:
            # Somebody took us for dead and has the rest; what we had on the wire is uncertain now.
            log.warning("%s", error)
        finally:
            deliveries.release(claim, now=self.clock())

    def _one(self, claim: Claim, row: Delivery) -> None:
        """Composed before it is marked: a crash while composing leaves nothing in doubt."""
        message = self._compose(claim, row)
        if message is None:
            return
        self._connect()
        match deliveries.mark(claim, row.pk, now=self.clock()):
            case Permit.HALT:
                raise _Halt
            case Permit.DECIDED:
                self._count(DeliveryState.EXCLUDED, was_waiting=claim.delivery is not None)
            case Permit.SEND:
                self._send(claim, row, message)

    def _compose(self, claim: Claim, row: Delivery) -> bytes | None:
        """The message. None when this issue has nothing for this one (excluded), or when none can be made: then
        it fails alone, with the reason, and the others go on.
        """
        if row.subscription is None:
            return b""  # erased since the freeze: `mark` excludes it
        assert self.frozen is not None
        if not has_something_for(self.frozen.content, tuple(row.subscription.topics)):
            deliveries.exclude(claim, row.pk, NO_TOPICS, now=self.clock())
            self._count(DeliveryState.EXCLUDED, was_waiting=claim.delivery is not None)
            return None
        assert self.compiler is not None and self.issue.started_at is not None
        try:
            reader = letters.reader_of(row.subscription, base_url=self.frozen.base_url, keys=self.installation.keys)
            # Where the audience was frozen to, whatever the person calls themselves since.
            reader = replace(reader, address=row.address)
            headers = letters.headers_for(
                self.frozen,
                reader,
                subscription_id=row.subscription.pk,
                fingerprint=self.frozen.fingerprint,
                now=self.issue.started_at,
            )
            if not self._is_https():
                # Only where nobody is mailed (`_require_https`): no button is better than one that can't work.
                headers = replace(headers, list_unsubscribe="")
            message = self.compiler.message(reader, headers)
        except LetterMismatchError as error:
            raise _Halt(str(error)) from error
        except Exception as error:
            self._not_composed(claim, row, error)
            return None
        self.composed += 1
        return message

    def _not_composed(self, claim: Claim, row: Delivery, error: Exception) -> None:
        words = str(error) if isinstance(error, NewsletterError) else f"{type(error).__name__}: {error}"
        log.warning("Delivery %s could not be composed", row.pk, exc_info=error)
        deliveries.fail_unsent(claim, row.pk, f"not composed: {words}", now=self.clock())
        self._count(DeliveryState.FAILED)
        self.not_composed += 1
        tried = self.composed + self.not_composed
        if self.not_composed >= POISON_AT_LEAST and self.not_composed > POISON_SHARE * tried:
            raise _Halt(f"{self.not_composed} of the last {tried} messages could not be composed; the last: {words}")

    # --- the provider ---------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Open the way out, with patience while it is away."""
        while True:
            try:
                if self.provider is None:
                    self.provider = self.installation.provider(self.issue.newsletter.account)
                self._require_https(self.provider)
                self.provider.open()
            except ProviderError as error:
                self._back_off(error)
            except NewsletterError as error:
                raise _Halt(str(error)) from error
            else:
                return

    def _require_https(self, provider: Provider) -> None:
        """One click to unsubscribe needs https (RFC 8058 section 3.1). The address was frozen with the issue."""
        if provider.kind in MAILS_PEOPLE and not self._is_https():
            assert self.frozen is not None
            raise _Halt(
                f"Links in e-mails need an https address, and base_url was {self.frozen.base_url} when this issue was "
                "approved. Set base_url in newsletter.toml, discard this issue and approve it anew."
            )

    def _is_https(self) -> bool:
        return self.frozen is not None and self.frozen.base_url.startswith("https://")

    def _send(self, claim: Claim, row: Delivery, message: bytes) -> None:
        assert self.provider is not None and self.frozen is not None
        # As approved: with another one than the letter's From address SPF and DMARC no longer align.
        sender = self.frozen.sender.from_address
        try:
            result = self.provider.send(sender=sender, recipient=row.address, message=message)
        except ProviderError as error:
            deliveries.take_back(claim, row.pk, now=self.clock())
            self._back_off(error)
            # Still ours and still pending: the next claim of this batch finds it.
            return
        except Exception as error:
            # Nobody can say how far it came.
            log.exception("Delivery %s: the provider failed in an unforeseen way", row.pk)
            result = SendResult(Outcome.UNKNOWN, reply=f"{type(error).__name__}: {error}")
        self._settle(claim, row, result)

    def _settle(self, claim: Claim, row: Delivery, result: SendResult) -> None:
        match result.outcome:
            case Outcome.ACCEPTED:
                state, reason = DeliveryState.ACCEPTED, result.provider_id
                self.sent_now += 1
                self.answers.accepted += 1
                self.pauses = list(BACK_OFF)
            case Outcome.REFUSED:
                state, reason = DeliveryState.FAILED, f"{deliveries.REFUSED}{result.reply}"
            case Outcome.UNKNOWN:
                state, reason = DeliveryState.UNCERTAIN, result.reply
            case Outcome.DEFERRED:
                self._defer(claim, row, result)
                return
        deliveries.settle(claim, row.pk, state, reason, now=self.clock())
        self._count(state, was_waiting=claim.delivery is not None)
        if state != DeliveryState.ACCEPTED:
            self.answers.bad_one(result.reply)
            self._judge()

    def _judge(self) -> None:
        """Pause while most of the list is still unspoiled. Nothing to save once everything is decided."""
        tally = self.tally
        if tally.decided >= tally.total:
            return
        why = self.answers.none_accepted()
        if why and not self.issue.deliveries.filter(state=DeliveryState.ACCEPTED).exists():
            raise _Halt(why)
        if why := self.answers.too_many(tally.accepted + tally.failed + tally.uncertain):
            raise _Halt(why)

    def _defer(self, claim: Claim, row: Delivery, result: SendResult) -> None:
        due = deliveries.defer(claim, row.pk, result.reply, now=self.clock(), retry_after=result.retry_after)
        if due is None:
            self._count(DeliveryState.FAILED, was_waiting=claim.delivery is not None)
        elif claim.delivery is None:
            self.tally.waiting += 1
            self._tell()
        if result.code == CLOSING_DOWN:
            self._back_off(ProviderError(f"The mail server asks us to slow down: {result.reply}"))

    def _back_off(self, error: ProviderError) -> None:
        """Wait a little longer each time; after a minute of it, or at once when waiting can't help, pause the issue."""
        if error.permanent or not self.pauses:
            raise _Halt(str(error), by_itself=not error.permanent) from error
        pause = self.pauses.pop(0)
        log.info("%s Waiting %g s.", error, pause)
        self.sleep(pause)

    # --- the end --------------------------------------------------------------------------------------------------

    def _pause(self, halt: _Halt) -> None:
        if not halt.reason:
            return
        if halt.by_itself:
            deliveries.pause_for_provider(self.issue.pk, halt.reason, now=self.clock())
            return
        try:
            issues.pause(self.issue.pk, halt.reason, now=self.clock())
        except IssueError as error:
            # Another worker, or a person, has just paused it.
            log.info("Not paused again (%s): %s", error, halt.reason)

    def _count(self, state: DeliveryState, *, was_waiting: bool = False) -> None:
        name = str(state)
        setattr(self.tally, name, getattr(self.tally, name) + 1)
        if was_waiting:
            self.tally.waiting -= 1
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.tally)

    def _outcome(self) -> DeliveryOutcome:
        row = Issue.objects.get(pk=self.issue.pk)
        return DeliveryOutcome(
            issue=row.pk,
            state=row.state,
            counts=counts(row),
            sent_now=self.sent_now,
            paused_reason=row.paused_reason,
            next_try=next_try(row),
        )
