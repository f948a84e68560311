"""One run of a send, with a provider that keeps what it got in memory."""

from __future__ import annotations

from newsletter.flow import deliver as flow
from newsletter.models import Issue
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.sending import Clock, here


def run(issue: Issue, clock: Clock, answer=None, **options) -> flow.DeliveryOutcome:
    options.setdefault("provider", MemoryProvider(answer=answer, sleep=clock.sleep))
    options.setdefault("sleep", clock.sleep)
    return flow.deliver(issue, clock=clock, installation=options.pop("installation", here()), **options)


def send(issue: Issue, clock: Clock, answer=None, **options) -> flow.DeliveryOutcome:
    flow.start(issue, clock())
    return run(issue, clock, answer, **options)


def recipients() -> list[str]:
    return [sent.recipient for sent in mailbox()]
