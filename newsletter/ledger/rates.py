"""What an account has let go, in one row that all its workers share: a restart, or a second worker, adds nothing."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from newsletter.core import pacing
from newsletter.core.pacing import Grant, Limits, Used
from newsletter.models import Rate


def reserve(account_id: int, limits: Limits, wanted: int, *, now: datetime) -> Grant:
    """Up to `wanted` messages that may leave. Last in its transaction: it holds the row that every worker wants."""
    if not limits:
        return Grant(wanted, now)
    with transaction.atomic():
        row = _locked(account_id)
        found, after = pacing.grant(limits, _used(row), wanted, now)
        _store(row, after)
    return found


def give_back(account_id: int, limits: Limits, number: int, *, now: datetime) -> None:
    """What was reserved and did not leave: excluded since, or left to others."""
    if not limits or number <= 0:
        return
    with transaction.atomic():
        row = _locked(account_id)
        _store(row, pacing.give_back(_used(row), number, now))


def look(account_id: int, limits: Limits, *, now: datetime) -> Grant:
    """What one message would be granted; changes nothing."""
    if not limits:
        return Grant(1, now)
    row = Rate.objects.filter(pk=account_id).first()
    return pacing.grant(limits, _used(row) if row else Used(), 1, now)[0]


def _locked(account_id: int) -> Rate:
    Rate.objects.get_or_create(account_id=account_id)
    return Rate.objects.select_for_update().get(pk=account_id)


def _used(row: Rate) -> Used:
    return Used(row.next_at, row.hour, row.hour_used, row.day, row.day_used, row.sending_days)


def _store(row: Rate, used: Used) -> None:
    Rate.objects.filter(pk=row.pk).update(
        next_at=used.next_at,
        hour=used.hour,
        hour_used=used.hour_used,
        day=used.day,
        day_used=used.day_used,
        sending_days=used.sending_days,
    )
