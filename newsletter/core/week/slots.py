"""R8 and R9: when an issue goes out, and until when reviews are placed in it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A weekly date in wall time: `weekday` with Monday 0, `timezone` an IANA name; the cutoff so many hours before."""

    weekday: int
    send_time: time
    timezone: str
    cutoff_hours: int = 14


@dataclass(frozen=True, slots=True)
class Slot:
    """`key` is the local date as scheduled ("2026-11-26"); `at` and `cutoff` are UTC, `cutoff` never the later."""

    key: str
    at: datetime
    cutoff: datetime


def slot_on(schedule: Schedule, day: date) -> Slot:
    """The slot of the local date `day`.

    A wall time that does not exist moves on by the gap (02:30 is sent at 03:30); one that comes twice means its
    first. Both are what `fold=0` gives (PEP 495). The cutoff is a wall time too, so that "Wednesday 18:00" stays
    18:00 in the week of a clock change.
    """
    zone = ZoneInfo(schedule.timezone)
    wall = datetime.combine(day, schedule.send_time.replace(fold=0, tzinfo=None))
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    cutoff = (wall - timedelta(hours=schedule.cutoff_hours)).replace(tzinfo=zone).astimezone(UTC)
    # Inside a gap wall times are out of order: a cutoff moved on by it can land behind its slot.
    return Slot(day.isoformat(), at, min(at, cutoff))


def next_slot(
    schedule: Schedule, after: datetime, *, taken: Container[str] = (), cutoff_after: datetime | None = None
) -> Slot:
    """The first slot after the instant `after` whose key is not in `taken` (issues and weeks off), and whose cutoff is
    still ahead of `cutoff_after` when that is given.
    """
    # A zone may skip a whole day (Apia, 30 December 2011), so begin a little early.
    day = _on_weekday(schedule, after.astimezone(ZoneInfo(schedule.timezone)).date() - timedelta(days=9))
    while True:
        slot = slot_on(schedule, day)
        too_late = cutoff_after is not None and slot.cutoff <= cutoff_after
        if slot.at > after and slot.key not in taken and not too_late:
            return slot
        day += WEEK


def newest_slot(schedule: Schedule, at: datetime) -> Slot:
    """The last slot that is due at the instant `at` (R12: older ones are not considered)."""
    day = _on_weekday(schedule, at.astimezone(ZoneInfo(schedule.timezone)).date() + timedelta(days=2))
    while True:
        slot = slot_on(schedule, day)
        if slot.at <= at:
            return slot
        day -= WEEK


def _on_weekday(schedule: Schedule, day: date) -> date:
    return day + timedelta(days=(schedule.weekday - day.weekday()) % 7)
