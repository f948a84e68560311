"""Who works on what: batches and retries are claimed under a fence and a lease, and taken back from the dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from newsletter.core.errors import ClaimLostError
from newsletter.ledger.deliveries.owner import is_dead
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue, IssueState, OnTheWire, Retry

# Longer than the longest step under one lease: the ten minutes' wait for the answer to a final dot.
LEASE = timedelta(minutes=15)
DIED = "The sender stopped while this message was on the wire: it may have arrived."


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch, or (with `delivery`) one waiting retry, owned under one fence. Every write of its rows checks it."""

    issue: int
    batch: int
    owner: str
    fence: int
    delivery: int | None = None

    def hold(self, now: datetime) -> None:
        """Renew the lease, first thing in each transaction: it also locks out whoever would take the claim back.

        Raises `ClaimLostError` when somebody has.
        """
        until = now + LEASE
        if self.delivery is None:
            mine = Batch.objects.filter(
                pk=self.batch, owner=self.owner, fence=self.fence, state=BatchState.CLAIMED
            ).update(lease_until=until)
        else:
            mine = Retry.objects.filter(pk=self.delivery, owner=self.owner, fence=self.fence).update(lease_until=until)
        if mine != 1:
            raise ClaimLostError(
                f"Batch {self.batch} of issue {self.issue} is no longer ours (fence {self.fence}).",
                hint="Another worker has taken it over; nothing needs to be done.",
            )


def claim(issue_id: int, *, owner: str, now: datetime) -> Claim | None:
    """The next open batch, or else the next retry that is due; None when there is neither or the issue is not sending.

    One conditional UPDATE each. On PostgreSQL it steps over rows that another worker is about to take; SQLite has one
    writer at a time.
    """
    row = _update_one(
        Batch, {"state": BatchState.CLAIMED.value}, "issue_id = %s AND state = %s", "id",
        [issue_id, str(BatchState.OPEN)], issue_id, owner, now, "id, fence",
    )  # fmt: skip
    if row:
        return Claim(issue_id, batch=row[0], owner=owner, fence=row[1])
    due = connection.ops.adapt_datetimefield_value(now)
    assert due is not None
    row = _update_one(
        Retry, {}, "issue_id = %s AND owner = '' AND due_at <= %s", "due_at",
        [issue_id, due], issue_id, owner, now, "delivery_id, fence",
    )  # fmt: skip
    if not row:
        return None
    batch = Batch.objects.get(issue=issue_id, lo__lte=row[0], hi__gte=row[0])
    return Claim(issue_id, batch=batch.pk, owner=owner, fence=row[1], delivery=row[0])


def rows(claim: Claim) -> list[Delivery]:
    """The claim's deliveries still to be sent, in order, each with its subscription and subscriber read now.

    What waits for a retry of its own is not among a batch's.
    """
    found = Delivery.objects.select_related("subscription__subscriber").filter(state=DeliveryState.PENDING)
    if claim.delivery is not None:
        return list(found.filter(pk=claim.delivery))
    batch = Batch.objects.get(pk=claim.batch)
    return list(found.filter(pk__range=(batch.lo, batch.hi), retry=None).order_by("pk"))


def release(claim: Claim, *, now: datetime) -> int:
    """Give the claim back: settled when nothing of it is left to send, open otherwise. Losing it to another is fine.

    What it still has on the wire becomes uncertain: nobody will write its answer any more, and left there it would
    stand in the way of everybody after us. Returns how many that were.
    """
    with transaction.atomic():
        try:
            claim.hold(now)
        except ClaimLostError:
            return 0
        if claim.delivery is not None:
            doubted = _doubt(OnTheWire.objects.filter(pk=claim.delivery).values_list("pk", flat=True), now)
            Retry.objects.filter(pk=claim.delivery).update(owner="", fence=F("fence") + 1, lease_until=None)
            return doubted
        # A row with a retry belongs to whoever claimed the retry, and may be on its way in good hands.
        on_the_wire = OnTheWire.objects.filter(batch=claim.batch, delivery__retry=None)
        doubted = _doubt(on_the_wire.values_list("pk", flat=True), now)
        left = bool(rows(claim))
        Batch.objects.filter(pk=claim.batch).update(
            state=BatchState.OPEN if left else BatchState.SETTLED, owner="", fence=F("fence") + 1, lease_until=None
        )
    return doubted


def recover(issue_id: int, *, now: datetime, dead: Callable[[str], bool] = is_dead) -> int:
    """Take back what the dead have claimed: their lease ran out, or `dead(owner)` is certain.

    What was on the wire becomes uncertain, by name, also where no owner is left at all; the rest is open again. Returns
    how many became uncertain.
    """
    found = sum(_recover_batches(issue_id, now, dead)) + sum(_recover_retries(issue_id, now, dead))
    return found + _recover_ownerless(issue_id, now)


def _recover_batches(issue_id: int, now: datetime, dead: Callable[[str], bool]) -> list[int]:
    found = []
    for batch in Batch.objects.filter(issue=issue_id, state=BatchState.CLAIMED):
        if not _is_over(batch, now, dead):
            continue
        with transaction.atomic():
            # As read: an owner that has renewed its lease since then lives, and keeps its claim.
            taken = Batch.objects.filter(
                pk=batch.pk, state=BatchState.CLAIMED, fence=batch.fence, lease_until=batch.lease_until
            ).update(fence=F("fence") + 1, lease_until=now)
            if not taken:
                continue
            # A row with a retry belongs to whoever claimed the retry, and may be on its way in good hands.
            on_the_wire = OnTheWire.objects.filter(batch=batch.pk, delivery__retry=None)
            found.append(_doubt(on_the_wire.values_list("pk", flat=True), now))
            left = Delivery.objects.filter(pk__range=(batch.lo, batch.hi), state=DeliveryState.PENDING, retry=None)
            Batch.objects.filter(pk=batch.pk).update(
                state=BatchState.OPEN if left.exists() else BatchState.SETTLED, owner="", lease_until=None
            )
    return found


def _recover_retries(issue_id: int, now: datetime, dead: Callable[[str], bool]) -> list[int]:
    found = []
    for retry in Retry.objects.filter(issue=issue_id).exclude(owner=""):
        if not _is_over(retry, now, dead):
            continue
        with transaction.atomic():
            taken = Retry.objects.filter(pk=retry.pk, fence=retry.fence, lease_until=retry.lease_until).update(
                owner="", fence=F("fence") + 1, lease_until=None
            )
            if taken:
                found.append(_doubt(OnTheWire.objects.filter(pk=retry.pk).values_list("pk", flat=True), now))
    return found


def _recover_ownerless(issue_id: int, now: datetime) -> int:
    """What stands on the wire while nobody owns its claim. Whoever sends owns it, so this is left from a failure."""
    nobodys = Q(delivery__retry=None, batch__owner="") | Q(delivery__retry__owner="")
    on_the_wire = OnTheWire.objects.filter(nobodys, delivery__issue=issue_id).values_list("pk", flat=True)
    if not on_the_wire.exists():
        return 0
    with transaction.atomic():
        return _doubt(on_the_wire.all(), now)


def _is_over(row: Batch | Retry, now: datetime, dead: Callable[[str], bool]) -> bool:
    return row.lease_until is None or row.lease_until < now or dead(row.owner)


def _doubt(on_the_wire: Iterable[int], now: datetime) -> int:
    """On the wire → uncertain. Never back to pending: that would be a second copy for whoever got the first."""
    numbers = list(on_the_wire)
    Delivery.objects.filter(pk__in=numbers, state=DeliveryState.PENDING).update(
        state=DeliveryState.UNCERTAIN, reason=DIED, at=now
    )
    Retry.objects.filter(pk__in=numbers).delete()
    OnTheWire.objects.filter(pk__in=numbers).delete()
    return len(numbers)


def _update_one(
    model: type[Batch] | type[Retry],
    fields: dict[str, str],
    where: str,
    order: str,
    parameters: list[int | str | datetime],
    issue_id: int,
    owner: str,
    now: datetime,
    returning: str,
) -> tuple[int, int] | None:
    """Claim the first row of `model` that `where` finds, if the issue is sending."""
    table, key = model._meta.db_table, "id" if model is Batch else "delivery_id"
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    setting = "".join(f"{name} = %s, " for name in fields)
    # `where` stands twice: on PostgreSQL the row may have changed between the inner look and the update.
    sql = (
        f"UPDATE {table} SET {setting}owner = %s, fence = fence + 1, lease_until = %s "
        f"WHERE {key} = (SELECT {key} FROM {table} WHERE {where} ORDER BY {order}, {key} LIMIT 1 {skip}) AND {where} "
        f"AND EXISTS (SELECT 1 FROM {Issue._meta.db_table} WHERE id = %s AND state = %s) RETURNING {returning}"
    )
    lease = connection.ops.adapt_datetimefield_value(now + LEASE)
    values = [*fields.values(), owner, lease, *parameters, *parameters, issue_id, IssueState.SENDING.value]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None
