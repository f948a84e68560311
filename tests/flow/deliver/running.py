"""One run of a send, with a provider that keeps what it got in memory."""

from __future__ import annotations

from newsletter.flow import deliver as flow
from newsletter.ledger import deliveries
from newsletter.models import Issue
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.factories import make_account, make_newsletter
from tests.sending import Clock, here, make_approved


def run(issue: Issue, clock: Clock, answer=None, **options) -> flow.DeliveryOutcome:
    options.setdefault("provider", MemoryProvider(answer=answer, sleep=clock.sleep))
    options.setdefault("sleep", clock.sleep)
    return flow.deliver(issue, clock=clock, installation=options.pop("installation", here()), **options)


def send(issue: Issue, clock: Clock, answer=None, **options) -> flow.DeliveryOutcome:
    flow.start(issue, clock())
    return run(issue, clock, answer, **options)


def recipients() -> list[str]:
    return [sent.recipient for sent in mailbox()]


def begun(people: int, clock: Clock, *, size: int = 20, **rules: object) -> Issue:
    issue = make_approved(people, newsletter=make_newsletter(account=make_account(settings=rules)))
    deliveries.start(issue.pk, now=clock(), size=size)
    return issue
