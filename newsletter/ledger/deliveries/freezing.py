"""The audience, frozen: one INSERT ... SELECT, an unbroken range of numbers, cut into batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Min

from newsletter.core.errors import IssueError, LedgerError
from newsletter.ledger import issues
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue
from subscribers import audience

BATCH_SIZE = 20
# Any number that nothing else in this database locks.
_ADVISORY_LOCK = 0x6E657773


def start(issue_id: int, *, rule: dict[str, Any], now: datetime, confirmed: bool = False) -> int:
    """approved → sending, with one pending delivery for each subscription that `rule` selects at this moment.

    All or nothing, in one transaction: the state of the issue, its deliveries, its batches of at most 20 and the frozen
    count. Returns the count. Raises `IssueError` when the issue can't begin or would go to nobody, `LedgerError` when
    the range is broken. `confirmed` as in `issues.begin_sending`.
    """
    with transaction.atomic():
        _one_freeze_at_a_time()
        issues.begin_sending(issue_id, now=now, confirmed=confirmed)
        issue = Issue.objects.select_related("newsletter__mailing_list").get(pk=issue_id)
        count = _insert_deliveries(issue, rule, now)
        if not count:
            raise IssueError(
                "This issue would go to nobody.",
                where=f"{issue.newsletter.slug}/{issue.slot}",
                hint=f'The list "{issue.newsletter.mailing_list.slug}" has nobody active under its audience rule.',
            )
        _cut_batches(issue_id, count)
        Issue.objects.filter(pk=issue_id).update(audience_count=count)
    return count


def _one_freeze_at_a_time() -> None:
    """Two inserts at once would take numbers in turn and break both ranges. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


def _insert_deliveries(issue: Issue, rule: dict[str, Any], now: datetime) -> int:
    chosen = audience.queryset(issue.newsletter.mailing_list, rule)
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


def _cut_batches(issue_id: int, count: int) -> None:
    found = Delivery.objects.filter(issue=issue_id).aggregate(lo=Min("pk"), hi=Max("pk"), number=Count("pk"))
    lo, hi = found["lo"], found["hi"]
    if found["number"] != count or hi - lo + 1 != count:
        raise LedgerError(f"The {count} deliveries of issue {issue_id} have the numbers {lo} to {hi}: not one range.")
    Batch.objects.bulk_create(
        (
            Batch(issue_id=issue_id, lo=low, hi=min(low + BATCH_SIZE - 1, hi), state=BatchState.OPEN)
            for low in range(lo, hi + 1, BATCH_SIZE)
        ),
        batch_size=5000,
    )
