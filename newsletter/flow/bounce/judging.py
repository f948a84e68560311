"""When an address is given up. Derived from all evidence each time, so that the order of its coming does not matter."""

from __future__ import annotations

from datetime import timedelta

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.models import Delivery, DeliveryState, Evidence, Issue
from subscribers.models import Subscription

IN_A_ROW = 5
AT_LEAST = timedelta(days=14)
ISSUES_AT_LEAST = 2
# As many issues back as a run may lie: a year of weeks.
LOOK_BACK = 60

SOFT = (BounceClass.ADDRESS, BounceClass.MAILBOX, BounceClass.TRANSIENT)
"""What counts towards a run. Policy is about us and content about one letter: neither ever counts."""


def why_suppress(subscription: Subscription) -> str:
    """Why this address should not be mailed again; "" while it should. Forgiven evidence does not count."""
    rows = Evidence.objects.filter(subscription=subscription, kind=ReportKind.BOUNCE, forgiven_at=None)
    hard = rows.filter(hard=True).order_by("at", "pk").first()
    if hard is not None:
        return f"hard bounce {hard.status}: {hard.diagnostic}".strip(": ")[:240]
    # Sets, not the last word about a delivery: two reports of one may come in any order.
    bounced, soft = set(), set()
    for number, about in rows.exclude(delivery=None).values_list("delivery", "about"):
        bounced.add(number)
        if about in SOFT:
            soft.add(number)
    if len(soft) < IN_A_ROW:
        return ""
    run: list[Delivery] = []
    for delivery in _deliveries(subscription):
        if delivery.pk in soft:
            run.append(delivery)
            issues = {one.issue_id for one in run}
            lasted = max(one.at for one in run) - min(one.at for one in run)
            if len(run) >= IN_A_ROW and len(issues) >= ISSUES_AT_LEAST and lasted >= AT_LEAST:
                return f"{len(run)} bounces in a row over {len(issues)} issues and {lasted.days} days"
        elif delivery.pk not in bounced and delivery.state == DeliveryState.ACCEPTED:
            run = []
    return ""


def _deliveries(subscription: Subscription) -> list[Delivery]:
    """The latest deliveries to a reader, the newest first; by the issues, for there is no index by reader."""
    issues = list(
        Issue.objects.filter(newsletter__mailing_list=subscription.mailing_list_id, started_at__isnull=False)
        .order_by("-started_at", "-pk")
        .values_list("pk", flat=True)[:LOOK_BACK]
    )
    return list(Delivery.objects.filter(issue__in=issues, subscription=subscription).order_by("-at", "-pk"))
