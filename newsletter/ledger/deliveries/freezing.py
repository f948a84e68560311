"""The audience, frozen: one INSERT ... SELECT, an unbroken range of numbers, cut into batches."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Count, Max, Min

from newsletter.core.errors import IssueError, LedgerError
from newsletter.core.sentence import sentence
from newsletter.ledger import issues
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue
from subscribers import audience, preferences
from subscribers.models import MailingList

BATCH_SIZE = 500
"""Deliveries in a batch: measured, 250 to 1,000 cost the same and 100 twice as much a row (docs/performance.md)."""
SMALLEST_BATCH = 20
# Any number that nothing else in this database locks.
_ADVISORY_LOCK = 0x6E657773


def batch_size(per_second: float | None) -> int:
    """How many deliveries make a batch where so many a second may leave: about two seconds' worth, since a journal that
    is lost with its machine leaves whole batches in doubt.
    """
    if per_second is None:
        return BATCH_SIZE
    return int(min(max(2 * per_second, SMALLEST_BATCH), BATCH_SIZE))


def start(issue_id: int, *, now: datetime, confirmed: bool = False, size: int = BATCH_SIZE) -> int:
    """approved → sending, with one pending delivery for each subscription that the audience approved with the issue
    selects at this moment.

    All or nothing, in one transaction: the state of the issue, its deliveries, its batches of `size` and the frozen
    count. Returns the count. Raises `IssueError` when the issue can't begin or would go to nobody, `AudienceError` when
    its rule can't be read, `LedgerError` when the range is broken. `confirmed` as in `issues.begin_sending`.
    """
    with transaction.atomic():
        _one_freeze_at_a_time()
        issues.begin_sending(issue_id, now=now, confirmed=confirmed)
        # Read once the issue is ours: until then it may be approved anew, for others.
        issue = Issue.objects.select_related("newsletter", "freeze").get(pk=issue_id)
        mailing_list, rule = frozen_audience(issue)
        preferences.resume_due(now, mailing_list)
        count = _insert_deliveries(issue, mailing_list, rule, now)
        if not count:
            raise IssueError(
                sentence("This issue would go to nobody."),
                where=f"{issue.newsletter.slug}/{issue.slot}",
                hint=sentence('The list "{slug}" has nobody active under its audience rule.', slug=mailing_list.slug),
            )
        _cut_batches(issue_id, count, size)
        Issue.objects.filter(pk=issue_id).update(audience_count=count)
    _analyse()
    return count


def _analyse() -> None:
    """Tell PostgreSQL at once what was added: until its own look it may walk a whole issue for each batch."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {Delivery._meta.db_table}, {Batch._meta.db_table}")


def frozen_audience(issue: Issue) -> tuple[MailingList, dict[str, Any]]:
    """The list and the rule that were approved with the issue, whatever its newsletter says by now.

    Raises `IssueError` when there is no such freeze or no such list any more.
    """
    where = f"{issue.newsletter.slug}/{issue.slot}"
    try:
        inputs = json.loads(issue.freeze.inputs) if issue.freeze is not None else {}
        slug, rule = inputs["audience"]["list"], dict(inputs["audience"]["rule"])
    except (KeyError, TypeError, ValueError) as error:
        raise IssueError(
            sentence("Whom this issue goes to was not frozen with it."), where=where, hint=sentence("Approve it again.")
        ) from error
    mailing_list = MailingList.objects.filter(slug=slug).first()
    if mailing_list is None:
        raise IssueError(
            sentence('The list "{slug}" that this issue was approved for is gone.', slug=slug),
            where=where,
            hint=sentence("Approve it again."),
        )
    return mailing_list, rule


def first_of_month(issue: Issue) -> bool:
    """Whether no other issue of its newsletter went out in the month of its slot, by the newsletter's own calendar:
    the one that goes to those who want one a month.
    """
    zone = ZoneInfo(issue.newsletter.timezone)
    month = issue.slot_at.astimezone(zone).date().replace(day=1)
    following = (month + timedelta(days=32)).replace(day=1)
    begin, end = (datetime.combine(day, time.min, zone) for day in (month, following))
    others = Issue.objects.filter(newsletter=issue.newsletter_id, slot_at__gte=begin, slot_at__lt=end)
    return not others.exclude(pk=issue.pk).exclude(started_at=None).exists()


def _one_freeze_at_a_time() -> None:
    """Two inserts at once would take numbers in turn and break both ranges. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


def _insert_deliveries(issue: Issue, mailing_list: MailingList, rule: dict[str, Any], now: datetime) -> int:
    chosen = audience.queryset(mailing_list, rule, now=now, monthly=first_of_month(issue))
    select, parameters = chosen.values_list("pk", "subscriber__address").query.sql_with_params()
    sql = (
        f"INSERT INTO {Delivery._meta.db_table} (issue_id, subscription_id, address, state, reason, at) "
        f"WITH chosen(subscription_id, address) AS ({select}) "
        "SELECT %s, subscription_id, address, %s, '', %s FROM chosen ORDER BY subscription_id"
    )
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, issue.pk, DeliveryState.PENDING.value, at])
        return int(cursor.rowcount)


def _cut_batches(issue_id: int, count: int, size: int) -> None:
    found = Delivery.objects.filter(issue=issue_id).aggregate(lo=Min("pk"), hi=Max("pk"), number=Count("pk"))
    lo, hi = found["lo"], found["hi"]
    if found["number"] != count or hi - lo + 1 != count:
        raise LedgerError(
            sentence(
                "The {count} deliveries of issue {issue_id} have the numbers {lo} to {hi}: not one range.",
                count=count,
                issue_id=issue_id,
                lo=lo,
                hi=hi,
            )
        )
    Batch.objects.bulk_create(
        (
            Batch(issue_id=issue_id, lo=low, hi=min(low + size - 1, hi), state=BatchState.OPEN)
            for low in range(lo, hi + 1, size)
        ),
        batch_size=5000,
    )
