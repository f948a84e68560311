"""A small mail through a newsletter's account, to see whether it leaves; and everything that was said on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from django.db import transaction

from newsletter.core import mime
from newsletter.core.account import AccountRules
from newsletter.core.errors import IssueError, NewsletterError, ProviderError
from newsletter.core.sentence import sentence, together, word
from newsletter.core.tokens import message_id
from newsletter.flow.deliver import Installation
from newsletter.flow.domain import signer_for
from newsletter.ledger import issues
from newsletter.models import Account, Event, Newsletter
from newsletter.providers.base import Outcome, Outgoing, send_one
from newsletter.providers.dialogue import Dialogue, Line
from subscribers import address
from subscribers.errors import AddressError

AN_HOUR = 20
PATIENCE = 20.0
"""Seconds for each answer: somebody waits for it."""
TRIED = "account tried"
_WAITS = {Account.Kind.SMTP: ("timeout", "final_timeout"), Account.Kind.ESP: ("timeout",)}


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one try. `problem` is "" when the mail was taken; `reply` is what the other side said then."""

    account: str
    to: str
    reply: str
    problem: str
    hint: str
    lines: tuple[Line, ...]


def try_account(newsletter: Newsletter, to: str, *, now: datetime, by: str, installation: Installation) -> Tried:
    """Mail a few words from the newsletter's sender to `to`, through its account, signed as its letters are.

    What goes wrong on the way is the result. Raises `IssueError` for what is no address, and when the hour's tries are
    used up.
    """
    try:
        to = address.parse(to).shown
    except AddressError as error:
        raise IssueError(
            sentence("“{to}” is no address: {error}", to=to[:80], error=error), hint=sentence("Type one address.")
        ) from error
    account = newsletter.account
    event = _note(newsletter, now, by)
    dialogue = Dialogue()
    reply, problem, hint = "", "", ""
    try:
        message = _message(newsletter, to, now, event.pk)
        signer = signer_for(newsletter.from_address, account, installation.home)
        signature = signer.sign(message, at=int(now.timestamp())) if signer is not None else b""
        provider = installation.provider(_in_a_hurry(account), dialogue)
        try:
            provider.open()
            envelope = newsletter.return_path or newsletter.from_address
            answer = send_one(provider, Outgoing(0, envelope, to, signature + message))
        finally:
            provider.close()
        reply = answer.reply or "accepted"
        if answer.outcome is not Outcome.ACCEPTED:
            taken = sentence("It was not taken ({outcome}):", outcome=word(answer.outcome))
            problem, hint = together(taken, answer.reply), _HINTS[answer.outcome]
    except ProviderError as error:
        # Its own hint is about a send that stopped; here nothing waits.
        problem, hint = (
            error.message,
            sentence("Mend the account’s settings, then try again.") if error.permanent else "",
        )
    except NewsletterError as error:
        problem, hint = error.message, error.hint
    Event.objects.filter(pk=event.pk).update(text=f"A test through {account.name} was {_word(problem)}.")
    return Tried(account.name, to, reply, problem, hint, tuple(dialogue.lines))


_HINTS = {
    Outcome.REFUSED: sentence("The server will not take this mail. Its own words say why."),
    Outcome.DEFERRED: sentence("Not now, the server says. Try again in a while."),
    Outcome.UNKNOWN: sentence("It may have arrived all the same: look into the mailbox."),
}


def _word(problem: str) -> str:
    return "not taken" if problem else "taken"


def _in_a_hurry(account: Account) -> Account:
    """The same way out, never saved, that waits for no answer longer than a person would."""
    _, settings = AccountRules.split(account.settings)
    shorter = {
        name: min(found, PATIENCE) if isinstance(found := settings.get(name, PATIENCE), int | float) else found
        for name in _WAITS.get(Account.Kind(account.kind), ())
    }
    return Account(name=account.name, kind=account.kind, settings={**account.settings, **shorter})


@transaction.atomic
def _note(newsletter: Newsletter, now: datetime, by: str) -> Event:
    """Noted before it leaves: two presses at once stand in line here, and the second sees the first."""
    issues.lock_newsletter(newsletter.pk)
    recent = Event.objects.filter(newsletter=newsletter, kind=TRIED, at__gt=now - timedelta(hours=1)).count()
    if recent >= AN_HOUR:
        raise IssueError(sentence("{most} tests an hour are the most.", most=AN_HOUR), hint=sentence("Wait a while."))
    text = f"A test through {newsletter.account.name} was begun."
    return Event.objects.create(newsletter=newsletter, at=now, kind=TRIED, text=text, by=by)


def _message(newsletter: Newsletter, to: str, now: datetime, number: int) -> bytes:
    """Plain words: whether they arrive says nothing about a design, and a broken design must not stop them."""
    domain = newsletter.from_address.rpartition("@")[2].encode("idna").decode("ascii").lower()
    headers = mime.Headers(
        from_=mime.Mailbox(newsletter.from_address, newsletter.from_name),
        to=mime.Mailbox(to),
        message_id=message_id(f"try {number}", 0, domain),
        date=now,
        reply_to=mime.Mailbox(newsletter.reply_to) if newsletter.reply_to else None,
        # RFC 3834 section 5: a program wrote this; no program should answer it.
        extra=(("Auto-Submitted", "auto-generated"),),
    )
    lines = (
        f"Somebody asked for a test of how {newsletter.name} is sent.",
        f"This mail left through the account {newsletter.account.name}, from {newsletter.from_address}. That you can "
        "read it means that the account works.",
        "Look where it arrived: in the inbox, or among the spam. In its source, Authentication-Results should say "
        "spf=pass, dkim=pass and dmarc=pass.",
    )
    html = "".join(f"<p>{escape(line)}</p>" for line in lines)
    page = f'<!doctype html><html lang="en"><body>{html}</body></html>'
    subject = f"[Test] {newsletter.name}: mail leaves"
    return mime.whole(headers, subject, "\n\n".join(lines) + "\n", page, f"try-{number}")
