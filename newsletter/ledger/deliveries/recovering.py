"""Take back what the dead have claimed: settled where their journal knows, in doubt by name where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F

from newsletter.journal import ACCEPTED, ANSWERED, ON_THE_WIRE, Entry
from newsletter.ledger.deliveries.claims import BATCH, RETRIES, Claim, Row
from newsletter.ledger.deliveries.owner import is_dead
from newsletter.ledger.deliveries.settling import Decision, Settlement, settle
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Retry

DIED = "The sender stopped while this message was on the wire: it may have arrived."
NO_JOURNAL = "The sender is gone and its journal too: it may have arrived."

ReadJournal = Callable[[str, str, int, int], "Mapping[int, Entry] | None"]
"""`(owner, kind, number, fence)` → what that worker's journal says of its claim; None when there is none to trust."""


def no_journal(owner: str, kind: str, number: int, fence: int) -> Mapping[int, Entry] | None:
    """For where no journal is kept."""
    return None


def recover(
    issue_id: int,
    *,
    now: datetime,
    journal: ReadJournal = no_journal,
    resend: bool = False,
    dead: Callable[[str], bool] = is_dead,
) -> int:
    """Take back what the dead have claimed: their lease ran out, or `dead(owner)` is certain.

    What their journal calls answered is settled so, what it calls untouched is open again. What was on the wire becomes
    uncertain, by name; with `resend` it waits to be sent once more under the same Message-ID. Without a journal that
    goes for all that was claimed and not settled. Returns how many are in doubt.
    """
    doubted = 0
    for batch in Batch.objects.filter(issue=issue_id, state=BatchState.CLAIMED):
        if _is_over(batch, now, dead):
            doubted += _take_batch(batch, now, journal, resend)
    retries = Retry.objects.filter(issue=issue_id).exclude(owner="")
    by_owner: dict[str, list[Retry]] = {}
    for retry in retries:
        if _is_over(retry, now, dead):
            by_owner.setdefault(retry.owner, []).append(retry)
    for owner, group in by_owner.items():
        doubted += _take_retries(owner, group, now, journal, resend)
    return doubted


def _take_batch(batch: Batch, now: datetime, journal: ReadJournal, resend: bool) -> int:
    with transaction.atomic():
        # As read: an owner that has renewed its lease since then lives, and keeps its claim.
        taken = Batch.objects.filter(
            pk=batch.pk,
            state=BatchState.CLAIMED,
            owner=batch.owner,
            fence=batch.fence,
            lease_until=batch.lease_until,
        ).update(fence=F("fence") + 1, lease_until=now)
        if not taken:
            return 0
        # Read after the fence has risen: whatever its owner still marks, it can't settle any more.
        marks = journal(batch.owner, BATCH, batch.pk, batch.fence)
        open_ = Delivery.objects.filter(pk__range=(batch.lo, batch.hi), state=DeliveryState.PENDING)
        waiting = tuple(
            Retry.objects.filter(delivery_id__gte=batch.lo, delivery_id__lte=batch.hi).values_list("pk", flat=True)
        )
        numbers = open_.exclude(pk__in=waiting).order_by("pk").values_list("pk", flat=True)
        claim = Claim(
            batch.issue_id, batch.owner, now, batch=batch.pk, fence=batch.fence + 1, lo=batch.lo, hi=batch.hi,
            rows=[Row(number, "", None) for number in numbers], waiting=waiting,
        )  # fmt: skip
        return _settle_from(claim, marks, now, resend)


def _take_retries(owner: str, group: list[Retry], now: datetime, journal: ReadJournal, resend: bool) -> int:
    with transaction.atomic():
        fences: dict[int, int] = {}
        rows: list[Row] = []
        for retry in group:
            taken = Retry.objects.filter(
                pk=retry.pk, owner=owner, fence=retry.fence, lease_until=retry.lease_until
            ).update(fence=F("fence") + 1, lease_until=now)
            if taken:
                fences[retry.pk] = retry.fence + 1
                first_at = Delivery.objects.values_list("at", flat=True).get(pk=retry.pk)
                rows.append(Row(retry.pk, "", None, attempts=retry.attempts, first_at=first_at))
        if not fences:
            return 0
        marks = journal(owner, RETRIES, 0, 0)
        claim = Claim(group[0].issue_id, owner, now, fences=fences, rows=rows)
        return _settle_from(claim, marks, now, resend)


def _settle_from(claim: Claim, marks: Mapping[int, Entry] | None, now: datetime, resend: bool) -> int:
    """Settle a dead worker's claim as its journal says; returns how many are in doubt."""
    settlement = Settlement(claim)
    doubtful: list[int] = []
    for row in claim.rows:
        number = row.delivery
        if marks is None:
            doubtful.append(number)
            settlement.decisions[number] = doubt(NO_JOURNAL, resend=resend)
            continue
        entry = marks.get(number)
        if entry is None:
            continue
        known = _decision(entry) if entry.state == ANSWERED else None
        if entry.state == ACCEPTED:
            settlement.accepted.add(number)
        elif known is not None:
            settlement.decisions[number] = known
        elif entry.state in (ON_THE_WIRE, ANSWERED):
            doubtful.append(number)
            settlement.decisions[number] = doubt(DIED, resend=resend)
    settle(settlement, now=now)
    return len(doubtful)


def doubt(reason: str, *, resend: bool) -> Decision:
    """The decision about a message that may have arrived: a person's to settle, or sent once more."""
    if not resend:
        return Decision(DeliveryState.UNCERTAIN, reason)
    return Decision(DeliveryState.PENDING, reason, then=DeliveryState.UNCERTAIN)


def _decision(entry: Entry) -> Decision | None:
    if entry.words is None:
        return None
    try:
        return Decision.from_words(entry.words)
    except (KeyError, TypeError, ValueError):
        return None


def _is_over(row: Batch | Retry, now: datetime, dead: Callable[[str], bool]) -> bool:
    return row.lease_until is None or row.lease_until < now or dead(row.owner)


def owners() -> set[str]:
    """Who has anything claimed right now, the dead among them."""
    claimed = Batch.objects.filter(state=BatchState.CLAIMED).values_list("owner", flat=True)
    retried = Retry.objects.exclude(owner="").values_list("owner", flat=True)
    return {*claimed, *retried}
