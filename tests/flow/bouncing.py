"""Issues that went out, and what comes back for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.core.tokens import BOUNCE, UNSUBSCRIBE, Keys, token
from newsletter.flow.bounce import Recorded, Told, record
from newsletter.models import Delivery, DeliveryState, Issue, IssueState, Newsletter
from subscribers.models import Subscription, Suppression
from tests.core.bounce.samples import SAMPLES
from tests.factories import make_newsletter
from tests.sending import KEYS, SLOT

NOW = SLOT + timedelta(days=1)
BY_NAME = {sample.name: sample for sample in SAMPLES}


def make_issue(
    week: int = 0, *, series: Newsletter | None = None, state: IssueState = IssueState.SENT, days: int = 7
) -> Issue:
    at = SLOT + timedelta(days=days * week)
    return Issue.objects.create(
        newsletter=series or Newsletter.objects.first() or make_newsletter(), slot=f"issue-{week}", slot_at=at,
        cutoff_at=at, number=week + 1, created_at=at, started_at=at, state=state,
    )  # fmt: skip


def deliver(
    issue: Issue, people: Iterable[Subscription], state: DeliveryState = DeliveryState.ACCEPTED
) -> list[Delivery]:
    rows = [
        Delivery(issue=issue, subscription=one, address=one.subscriber.address, state=state, at=issue.slot_at)
        for one in people
    ]
    return Delivery.objects.bulk_create(rows)


def say(delivery: Delivery, event: str = "", kind: ReportKind = ReportKind.BOUNCE, *, now: datetime = NOW,
        about: BounceClass | None = BounceClass.MAILBOX, hard: bool = False, **more: str) -> Recorded:  # fmt: skip
    told = Told(
        event or f"test:{delivery.pk}:{kind}",
        kind,
        "test",
        now,
        delivery=delivery.pk,
        about=about,
        hard=hard,
        **more,  # type: ignore[arg-type]
    )
    return record(told, now=now)


def mail_for(delivery: Delivery, name: str, keys: Keys = KEYS) -> bytes:
    link = token(keys, UNSUBSCRIBE, delivery.subscription_id or 0)
    return BY_NAME[name].as_bytes(token=token(keys, BOUNCE, delivery.pk), link=link)


def suppressed() -> dict[str, str]:
    return dict(Suppression.objects.values_list("address_key", "reason"))
