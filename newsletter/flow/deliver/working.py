"""One worker of one issue: recover, thaw, open the way out, and let the provider work off the desk."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from newsletter.core.account import AccountRules, mails_people
from newsletter.core.errors import ClaimLostError, IssueError, NewsletterError, ProviderError
from newsletter.core.letter import Compiler
from newsletter.core.pacing import Limits
from newsletter.flow import compile as letters
from newsletter.flow.deliver.batches import Clock
from newsletter.flow.deliver.composing import Composing
from newsletter.flow.deliver.desk import Desk
from newsletter.flow.deliver.installation import Installation
from newsletter.flow.deliver.outcome import DeliveryOutcome, Halt, Tally
from newsletter.flow.domain import signer_for
from newsletter.flow.report import counts, next_try, teach
from newsletter.journal import Journal, forget
from newsletter.ledger import deliveries, issues
from newsletter.models import Issue
from newsletter.providers.base import Provider

log = logging.getLogger(__name__)

# While the provider is away: half a minute of growing pauses, then the issue pauses and a later run tries again. Seldom
# enough that an outage of some minutes costs its server one attempt a half minute.
BACK_OFF = (5.0, 25.0)
# A pause is slept in naps, so that the claims in hand are renewed meanwhile.
NAP = 5.0


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
    newsletter's account describes. `progress` is told some times a second and at the end; `stopping` is asked before
    each message. Once the run has lasted for `budget` it ends as well, and another run goes on.

    Ends when nothing is left to claim, when the issue is paused by anybody, when the account's allowance is used up, or
    when the account can't send: then the issue is paused with a sentence that says why. Never raises for what one
    reader's row or the provider does.
    """
    if budget is not None:
        stopping = _or_after(budget, clock, stopping)
    return _Worker(issue, clock, installation, compiler, provider, progress, stopping, sleep).run()


def _or_after(budget: timedelta, clock: Clock, stopping: Callable[[], bool]) -> Callable[[], bool]:
    end = clock() + budget
    return lambda: stopping() or clock() >= end


@contextmanager
def _few_collections() -> Iterator[None]:
    """Python's collector looks through everything for cycles again and again, and a send makes none: what is there now
    is set aside, and the rest is looked at seldom. A fifth of a message's time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


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
        # An issue that has waited for its provider before is not worth another half minute: the next run comes soon.
        self.pauses = [] if deliveries.waited_for_provider(issue.pk) else list(BACK_OFF)
        self.rules = AccountRules()
        self.sent_now = 0
        self.blocked_until: datetime | None = None

    def run(self) -> DeliveryOutcome:
        """Take back what the dead left, send, and finish when nothing is left."""
        try:
            self.rules = self._rules()
            self._recover()
            # Where all that is left waits for its time, the provider is left in peace.
            if deliveries.claimable(self.issue.pk, now=self.clock()):
                self._send(self._open(self._thaw()))
        except Halt as halt:
            self._pause(halt)
        finally:
            if self.provider is not None:
                self.provider.close()
        if deliveries.finish_if_complete(self.issue.pk, now=self.clock()):
            teach(self.issue, now=self.clock())
        return self._outcome()

    # --- before the first message ---------------------------------------------------------------------------------

    def _rules(self) -> AccountRules:
        account = self.issue.newsletter.account
        try:
            return AccountRules.split(account.settings, where=f"account {account.name}")[0]
        except NewsletterError as error:
            raise Halt(str(error)) from error

    def _thaw(self) -> Composing:
        """The letters, from what was approved. What stands against that stands against every message."""
        assert self.issue.started_at is not None
        try:
            frozen = letters.frozen(self.issue)
            compiler = self.compiler or letters.build(frozen)
            signer = signer_for(frozen.sender.from_address, self.issue.newsletter.account, self.installation.home)
            here = self.installation
            composing = Composing(
                frozen, compiler, here.keys, self.issue.started_at, signer, by_mail=here.unsubscribe_by_mail
            )
        except NewsletterError as error:
            raise Halt(str(error)) from error
        if not self.issue.public_html:
            self._keep_public_page(compiler)
        return composing

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

    def _open(self, composing: Composing) -> Composing:
        """The way out, not connected yet."""
        account = self.issue.newsletter.account
        try:
            self.provider = self.provider or self.installation.provider(account)
        except NewsletterError as error:
            raise Halt(str(error)) from error
        # One click to unsubscribe needs https (RFC 8058 section 3.1). The address was frozen with the issue.
        mails = self.provider.kind == "smtp" or mails_people(self.provider.kind, account.settings)
        if mails and not composing.base_url.startswith("https://"):
            raise Halt(
                f"Links in e-mails need an https address, and base_url was {composing.base_url} when this issue was "
                "approved. Set base_url in newsletter.toml, discard this issue and approve it anew."
            )
        return composing

    # --- sending --------------------------------------------------------------------------------------------------

    def _send(self, composing: Composing) -> None:
        assert self.provider is not None
        found = counts(self.issue)
        tally = Tally(found.frozen, found.accepted, found.failed, found.excluded, found.uncertain, found.waiting)
        try:
            journal = Journal(self.installation.journal_folder, self.owner, strict=self.installation.strict_journal)
        except OSError as error:
            raise Halt(
                f"The journal in {self.installation.journal_folder} can't be written: {error.strerror}. Make room or "
                "mend its permissions, then go on with --resume."
            ) from error
        desk = Desk(
            self.issue,
            clock=self.clock,
            owner=self.owner,
            journal=journal,
            composing=composing,
            limits=Limits(self.rules.per_second, self.rules.per_hour, self.rules.per_day, self.rules.warm_up),
            resend=self._resends,
            # Renewed each quarter of it: a silence that begins just before must end before the lease does.
            lease=max(deliveries.LEASE, timedelta(seconds=1.5 * self.provider.longest_silence)),
            tally=tally,
            progress=self.progress,
            stopping=self.stopping,
            recover=self._recover,
        )
        try:
            with _few_collections():
                self._work(self.provider, desk)
        finally:
            try:
                desk.close()
            finally:
                journal.close()
            self.sent_now, self.blocked_until = desk.sent_now, desk.blocked_until
        if desk.halt is not None:
            raise desk.halt

    @property
    def _resends(self) -> bool:
        return self.rules.on_uncertain == "resend"

    def _work(self, provider: Provider, desk: Desk) -> None:
        """Run the provider until nothing is left, with patience while it is away."""
        sent = 0
        while True:
            try:
                provider.open()
                provider.run(desk)
                if desk.halt is not None or not desk.has_more:
                    return
            except ProviderError as error:
                if desk.sent_now > sent:
                    sent, self.pauses = desk.sent_now, list(BACK_OFF)
                self._back_off(error, desk)
            except ClaimLostError as error:
                log.warning("%s", error)
                return
            except NewsletterError as error:
                raise Halt(str(error)) from error
            if desk.halt is not None:
                return

    def _back_off(self, error: ProviderError, desk: Desk) -> None:
        """Wait a little longer each time; after half a minute of it, or at once when waiting can't help, pause."""
        if error.permanent or not self.pauses:
            raise Halt(str(error), wait=not error.permanent) from error
        pause = self.pauses.pop(0)
        log.info("%s Waiting %g s.", error, pause)
        while pause > 0 and desk.halt is None:
            self.sleep(min(pause, NAP))
            pause -= NAP
            desk.tick()

    def _recover(self) -> int:
        before = deliveries.owners()
        taken = deliveries.recover(
            self.issue.pk, now=self.clock(), journal=self.installation.read_journal, resend=self._resends
        )
        for owner in before - deliveries.owners():
            # Of the living the file is in use, whatever they hold at this moment.
            if deliveries.is_dead(owner):
                forget(self.installation.journal_folder, owner)
        return taken

    # --- the end --------------------------------------------------------------------------------------------------

    def _pause(self, halt: Halt) -> None:
        if not halt.reason:
            return
        if halt.wait:
            deliveries.pause_for_provider(self.issue.pk, halt.reason, now=self.clock())
            return
        try:
            issues.pause(self.issue.pk, halt.reason, now=self.clock())
        except IssueError as error:
            # Another worker, or a person, has just paused it.
            log.info("Not paused again (%s): %s", error, halt.reason)

    def _outcome(self) -> DeliveryOutcome:
        row = Issue.objects.get(pk=self.issue.pk)
        return DeliveryOutcome(
            issue=row.pk,
            state=row.state,
            counts=counts(row),
            sent_now=self.sent_now,
            paused_reason=row.paused_reason,
            next_try=next_try(row),
            allowed_at=self.blocked_until,
        )
