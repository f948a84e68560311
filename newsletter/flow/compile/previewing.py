"""One letter as one subscriber would get it, to look at or to mail to oneself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.core import mime
from newsletter.core.letter import Rendered
from newsletter.core.reader import Reader
from newsletter.core.tokens import UNSUBSCRIBE, Keys, token
from newsletter.core.verp import unsubscribe_mail
from newsletter.flow.compile.freezing import frozen, sample_url, shared
from newsletter.flow.compile.inputs import Frozen
from newsletter.flow.compile.people import Composer, headers_for, reader_of, recipient_of
from newsletter.models import Issue
from subscribers.models import Subscription

TEST_MARK = "[Test] "
NOBODY = 0
"""The subscription whose links lead to a friendly page and stop nobody's mail."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The letter, the finished message it travels in, and what both were made from."""

    rendered: Rendered
    message: bytes
    inputs: Frozen


def preview(
    issue: Issue,
    subscription: Subscription | None,
    *,
    keys: Keys,
    now: datetime,
    address: str = "",
    links: bool = True,
    by_mail: bool = False,
) -> Preview:
    """The letter of `subscription`, byte for byte as it would go out; without one, that of nobody in particular.

    `address` makes it a test: sent there, with a mark in its subject and a Message-ID of its own. A test that goes to
    somebody else than the subscriber carries no link that could unsubscribe them; nor does any letter without `links`,
    for those who look at somebody else's. `by_mail` as the send has it: the header offers the mail way out too. Raises
    `DesignError`, `IssueError`.
    """
    inputs = frozen(issue)
    number, reader = reader_as(subscription, inputs.base_url, keys=keys, now=now, address=address, links=links)
    with shared(inputs) as compiler:
        rendered = compiler.render(reader)
        mark = issue.freeze.fingerprint if issue.freeze else inputs.fingerprint
        if not address and subscription is not None and number != NOBODY:
            composer = Composer(inputs, compiler, keys, now, one_click=True, by_mail=by_mail)
            return Preview(rendered, composer.message(recipient_of(subscription)), inputs)
        if not address:
            headers = headers_for(inputs, reader, subscription_id=number, fingerprint=mark, now=now)
            return Preview(rendered, compiler.message(reader, headers), inputs)
        to = replace(reader, address=address)
        headers = headers_for(inputs, to, subscription_id=number, fingerprint=f"{mark} test {now.isoformat()}", now=now)
        if by_mail and inputs.sender.return_path and headers.list_unsubscribe:
            key = token(keys, UNSUBSCRIBE, number)
            headers = replace(headers, list_unsubscribe_mail=unsubscribe_mail(inputs.sender.return_path, key))
        rendered = replace(rendered, subject=f"{TEST_MARK}{rendered.subject}")
        # Composed as every copy is, and only then marked: rendered anew, lines would break elsewhere than in the real.
        message = compiler.message(to, headers)
        before, _ = mime.around_subject(headers, compiler.boundary)
        rest = message.index(b"\r\nMessage-ID: ", len(before)) + 2
        message = before + mime.subject_line(rendered.subject) + message[rest:]
        return Preview(rendered, message, inputs)


def reader_as(
    subscription: Subscription | None,
    base_url: str,
    *,
    keys: Keys,
    now: datetime,
    address: str = "",
    links: bool = True,
) -> tuple[int, Reader]:
    """The subscription whose links a looked-at letter carries, and its reader; `NOBODY`'s where `preview` says so."""
    number, reader = NOBODY, Reader(address="reader@example.org")
    if subscription is not None:
        number, reader = subscription.pk, reader_of(subscription, base_url=base_url, keys=keys, day=now.date())
    if subscription is None or not links or (address and address.casefold() != reader.address.casefold()):
        number = NOBODY
        stop = f"{base_url}/u/{token(keys, UNSUBSCRIBE, NOBODY)}"
        # An unsigned one leads to the page that offers a fresh link: it opens nobody's preferences.
        reader = replace(reader, unsubscribe_url=stop, preferences_url=sample_url(base_url, "p"))
    return number, reader
