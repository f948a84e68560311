"""Test mails: one issue as one subscriber would get it, to any typed address, through the newsletter's own way out.

The bytes are those of the send but for three header lines: the mark in the subject, the Message-ID (a mailbox that saw
an ID before drops the second mail, and the editor would never see the real issue), and the Date, which is now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage

from django.db import transaction

from newsletter.core.errors import IssueError, NewsletterError
from newsletter.core.sentence import counted, sentence
from newsletter.flow.compile import Preview, preview
from newsletter.flow.deliver import Installation
from newsletter.flow.domain import signer_for
from newsletter.ledger import issues
from newsletter.models import Issue, TestMail
from newsletter.providers.base import Outcome, Outgoing, send_one
from newsletter.providers.outbox import OutboxProvider
from subscribers import address
from subscribers.errors import AddressError
from subscribers.models import Subscription

AT_ONCE = 5
"""Addresses of one press."""
AN_HOUR = 20
"""Test mails of one newsletter in an hour: enough to look at an issue everywhere, too few to mail a list past it."""
SHOWN = 5


def read_addresses(text: str) -> tuple[str, ...]:
    """The addresses of a typed line, separated by commas, semicolons or spaces, each once.

    Raises `IssueError` for none, for more than `AT_ONCE`, and for one that is no address.
    """
    found: dict[str, str] = {}
    for word in text.replace(",", " ").replace(";", " ").split():
        try:
            shown = address.parse(word).shown
        except AddressError as error:
            raise IssueError(sentence("“{word}” is no address: {error}", word=word[:80], error=error)) from error
        found.setdefault(address.key(shown), shown)
    if not found:
        raise IssueError(sentence("There is no address to send the test to."), hint=sentence("Type one."))
    if len(found) > AT_ONCE:
        raise IssueError(
            sentence("{number} addresses are too many for a test.", number=len(found)),
            hint=sentence("At most {most} at a time.", most=AT_ONCE),
        )
    return tuple(found.values())


def send_tests(
    issue: Issue,
    addresses: tuple[str, ...],
    now: datetime,
    *,
    by: str,
    installation: Installation,
    subscription: Subscription | None = None,
    letter: Callable[..., Preview] = preview,
) -> list[TestMail]:
    """Mail the letter of `subscription` (None: of nobody in particular) to `addresses`; returns a row for each.

    `letter` makes it, and takes what `preview` takes.

    A mail that is refused is a row with an `error`. Raises `IssueError` when the hour's tests are used up,
    `DesignError` for a letter that can't be made, `ProviderError` and `ConfigError` when the account can't send at all.
    """
    # Made first: a letter that can't be made uses up no test.
    mails = [
        letter(issue, subscription, keys=installation.keys, now=now, address=to,
               by_mail=installation.unsubscribe_by_mail)
        for to in addresses
    ]  # fmt: skip
    rows = _note(issue, addresses, now, by)
    sender = mails[0].inputs.sender
    try:
        signer = signer_for(sender.from_address, issue.newsletter.account, installation.home)
        provider = installation.provider(issue.newsletter.account)
        try:
            provider.open()
            for row, mail in zip(rows, mails, strict=True):
                signature = signer.sign(mail.message, at=int(now.timestamp())) if signer is not None else b""
                envelope = sender.return_path or sender.from_address
                answer = send_one(provider, Outgoing(0, envelope, row.address, signature + mail.message))
                row.reply = (answer.reply or "accepted")[:500]
                if answer.outcome is not Outcome.ACCEPTED:
                    row.error = f"It was not taken ({answer.outcome}): {answer.code or ''} {answer.reply}".strip()[:500]
                row.answered_at = now
                row.save(update_fields=["reply", "error", "answered_at"])
        finally:
            provider.close()
    except NewsletterError as error:
        TestMail.objects.filter(pk__in=[row.pk for row in rows], answered_at=None).update(
            error=str(error)[:500], answered_at=now
        )
        raise
    return rows


def kept_mail(row: TestMail, installation: Installation) -> EmailMessage | None:
    """The test mail as it lies in the outbox; None for one that went out by mail, and for a file that is gone."""
    provider = installation.provider(row.issue.newsletter.account)
    if not isinstance(provider, OutboxProvider) or row.error:
        return None
    return provider.read(row.reply)


def last_tests(issue: Issue) -> list[TestMail]:
    """The last five test mails of an issue, the newest first."""
    return list(TestMail.objects.filter(issue=issue).order_by("-at", "-pk")[:SHOWN])


@transaction.atomic
def _note(issue: Issue, addresses: tuple[str, ...], now: datetime, by: str) -> list[TestMail]:
    """Two presses at once stand in line here, and the second sees what the first used up."""
    issues.lock_newsletter(issue.newsletter_id)
    recent = TestMail.objects.filter(issue__newsletter=issue.newsletter_id, at__gt=now - timedelta(hours=1))
    left = AN_HOUR - recent.count()
    if len(addresses) > left:
        raise IssueError(
            counted(
                "{n} test mail went out within the hour, and {most} are the most.",
                "{n} test mails went out within the hour, and {most} are the most.",
                AN_HOUR - max(left, 0),
                most=AN_HOUR,
            ),
            hint=sentence("Wait a while."),
        )
    return [TestMail.objects.create(issue=issue, address=to, at=now, by=by) for to in addresses]
