"""What is due, out through its newsletter's account: one mail after the other, each claimed by one conditional UPDATE.

Promise: a mail that was answered is never sent again. One whose sender died between claim and answer is sent once more
when the claim has run out, with the same Message-ID: a confirmation that never comes is worse than two.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from newsletter.core.dkim import Signer
from newsletter.core.errors import DesignError, NewsletterError, ProviderError
from newsletter.core.patience import next_try
from newsletter.flow.deliver import Installation
from newsletter.flow.domain import signer_for
from newsletter.flow.service.composing import Composer
from newsletter.models import Account, DeliveryState, ServiceMail
from newsletter.providers import base
from newsletter.providers.base import Outgoing, Provider, SendResult, send_one
from subscribers.models import Suppression

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=15)
"""Longer than any provider waits for one answer."""
AWAY = timedelta(minutes=1)
"""After so long an account that could not send is tried again."""
GROUP, BREATH = 5, 0.03
"""Mails claimed together, and the seconds between two groups."""
AT_ONCE = 500
"""Mails in one pass at most, so that a caller with other duties gets its turn."""


@dataclass(slots=True)
class Outcome:
    """What one pass did. `trouble` is why an account could not send, "" when all could."""

    accepted: int = 0
    failed: int = 0
    excluded: int = 0
    uncertain: int = 0
    waiting: int = 0
    trouble: str = ""

    @property
    def handled(self) -> int:
        return self.accepted + self.failed + self.excluded + self.uncertain + self.waiting


def deliver_due(
    composer: Composer,
    installation: Installation,
    *,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], object] = time.sleep,
) -> Outcome:
    """Send the service mails that are due, up to `AT_ONCE`; any number of processes may do so at once.

    Never raises for what one mail, one design or one account does: it waits for its next try with the reason.
    """
    outcome = Outcome()
    ways: dict[int, _Way] = {}
    rows = list(_due(clock()))
    try:
        for place in range(0, len(rows), GROUP):
            if stopping():
                break
            if place:
                # SQLite has one writer at a time and no queue: without a breath whoever signs up waits for us.
                sleep(BREATH)
            for mail in _claimed(rows[place : place + GROUP], clock()):
                way = ways.get(mail.newsletter.account_id)
                if way is None:
                    way = ways[mail.newsletter.account_id] = _Way(mail.newsletter.account, installation)
                if way.trouble or stopping():
                    _release(mail)
                    continue
                _settle(mail, _attempt(mail, way, composer), outcome, clock())
    finally:
        for way in ways.values():
            way.close()
    outcome.trouble = " ".join(sorted({way.trouble for way in ways.values() if way.trouble}))
    return outcome


def send_now(mail: ServiceMail, composer: Composer, installation: Installation) -> str:
    """Send a mail whose asker waits for the answer; returns why it was not taken, "" when it was.

    Promise: tried once, whatever comes of it. `mail` is not saved yet, and is kept without its values: a link that lets
    somebody in must stand nowhere but in the mail. Never raises for what the mail, the design or the account does.
    """
    values, mail.values = mail.values, {}
    # What a process that dies now leaves behind is the truth, and nothing that the clock would send.
    mail.state, mail.reason = DeliveryState.UNCERTAIN, "the answer was not waited for"
    mail.save()
    mail.values = values
    way = _Way(mail.newsletter.account, installation)
    try:
        answer = _attempt(mail, way, composer)
    finally:
        way.close()
    if isinstance(answer, str):
        _write(mail, DeliveryState.EXCLUDED, answer)
        return f"Nothing is mailed to this address ({answer})."
    if isinstance(answer, NewsletterError):
        _write(mail, DeliveryState.FAILED, str(answer))
        return str(answer)
    if answer.outcome is base.Outcome.ACCEPTED:
        _write(mail, DeliveryState.ACCEPTED, "")
        return ""
    unknown = answer.outcome is base.Outcome.UNKNOWN
    _write(mail, DeliveryState.UNCERTAIN if unknown else DeliveryState.FAILED, answer.reply)
    said = f"{answer.code or ''} {answer.reply or 'there was no answer'}".strip()
    return f"It may have arrived: {said}" if unknown else f"It was not taken: {said}"


class _Way:
    """An account's way out for one pass, opened for its first mail."""

    def __init__(self, account: Account, installation: Installation) -> None:
        self.account, self.installation = account, installation
        self.trouble = ""
        self._provider: Provider | None = None
        self._signers: dict[str, Signer | None] = {}

    def send(self, outgoing: Outgoing, sender: str, at: datetime) -> SendResult:
        """From `sender`, signed as of `at`. Raises `NewsletterError` when the account as a whole can't send."""
        if self._provider is None:
            self._provider = self.installation.provider(self.account)
            self._provider.open()
        if sender not in self._signers:
            self._signers[sender] = signer_for(sender, self.account, self.installation.home)
        signer = self._signers[sender]
        if signer is not None:
            message = outgoing.message
            outgoing.parts = [signer.sign(message, at=int(at.timestamp())), message]
        return send_one(self._provider, outgoing)

    def close(self) -> None:
        if self._provider is not None:
            self._provider.close()


def _due(now: datetime) -> Iterator[ServiceMail]:
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    rows = ServiceMail.objects.filter(free, state=DeliveryState.PENDING, due_at__lte=now)
    rows = rows.select_related("newsletter__account", "newsletter__magazine").order_by("due_at", "pk")
    yield from rows[:AT_ONCE]


def _claimed(rows: list[ServiceMail], now: datetime) -> list[ServiceMail]:
    """Those that this process sends, claimed in one transaction: each row must be as it was read."""
    with transaction.atomic():
        return [mail for mail in rows if _claim(mail, now)]


def _claim(mail: ServiceMail, now: datetime) -> bool:
    rows = ServiceMail.objects.filter(pk=mail.pk, state=DeliveryState.PENDING, claimed_until=mail.claimed_until)
    mail.attempts += 1
    return rows.update(claimed_until=now + CLAIM, attempts=F("attempts") + 1) == 1


def _release(mail: ServiceMail) -> None:
    """Not tried after all."""
    ServiceMail.objects.filter(pk=mail.pk).update(claimed_until=None, attempts=F("attempts") - 1)


def _attempt(mail: ServiceMail, way: _Way, composer: Composer) -> SendResult | str | NewsletterError:
    """The provider's answer; a sentence why nobody is mailed; or what keeps everybody waiting."""
    if Suppression.objects.filter(address_key=mail.address_key).exists():
        return "suppressed"
    newsletter = mail.newsletter
    try:
        message = composer.message(mail)
        sender = newsletter.return_path or newsletter.from_address
        outgoing = Outgoing(mail.pk, sender, mail.address, message, wire_form=True)
        return way.send(outgoing, newsletter.from_address, mail.created_at)
    except DesignError as error:
        return error
    except NewsletterError as error:
        way.trouble = str(error)
        return error


def _settle(mail: ServiceMail, answer: SendResult | str | NewsletterError, outcome: Outcome, now: datetime) -> None:
    if isinstance(answer, str):
        outcome.excluded += 1
        _write(mail, DeliveryState.EXCLUDED, answer)
    elif isinstance(answer, NewsletterError):
        # Nobody's fault that a reader could mend: it waits, and says why.
        log.warning("Service mail %d (%s) waits: %s", mail.pk, mail.kind, answer)
        _wait(mail, now + AWAY if isinstance(answer, ProviderError) else now + 10 * AWAY, str(answer), outcome, now)
    elif answer.outcome is base.Outcome.ACCEPTED:
        outcome.accepted += 1
        _write(mail, DeliveryState.ACCEPTED, "")
    elif answer.outcome is base.Outcome.REFUSED:
        outcome.failed += 1
        _write(mail, DeliveryState.FAILED, f"refused: {answer.reply}")
    elif answer.outcome is base.Outcome.UNKNOWN:
        outcome.uncertain += 1
        _write(mail, DeliveryState.UNCERTAIN, answer.reply)
    else:
        again = next_try(
            delivery=mail.pk, attempts=mail.attempts, first_at=mail.created_at, now=now, retry_after=answer.retry_after
        )
        _wait(mail, again, answer.reply, outcome, now)


def _wait(mail: ServiceMail, until: datetime | None, reason: str, outcome: Outcome, now: datetime) -> None:
    if until is None or (mail.expires_at is not None and until >= mail.expires_at):
        outcome.failed += 1
        _write(mail, DeliveryState.FAILED, f"expired: {reason}")
        return
    outcome.waiting += 1
    ServiceMail.objects.filter(pk=mail.pk).update(due_at=until, claimed_until=None, reason=reason[:500])


def _write(mail: ServiceMail, state: DeliveryState, reason: str) -> None:
    ServiceMail.objects.filter(pk=mail.pk).update(state=state, claimed_until=None, reason=reason[:500])
