"""The next slots as people want to see them: with what the clocks do to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.core.week.slots import WEEK, Schedule, Slot, next_slot


@dataclass(frozen=True, slots=True)
class Ahead:
    """One slot to come. `skipped`: its wall time does not exist on that day, so it goes out as much later as the gap is
    long; `twice`: its wall time comes twice, and the first is meant; `shift`: how much later (or, below zero, earlier)
    than seven days after the slot before it is, by the time that has gone by.
    """

    slot: Slot
    skipped: bool = False
    twice: bool = False
    shift: timedelta = timedelta(0)


def slots_ahead(schedule: Schedule, after: datetime, number: int = 5) -> list[Ahead]:
    """The next `number` slots after the instant `after`, whatever stands in their way."""
    found: list[Ahead] = []
    zone = ZoneInfo(schedule.timezone)
    while len(found) < number:
        slot = next_slot(schedule, found[-1].slot.at if found else after)
        local = slot.at.astimezone(zone)
        wanted = datetime.combine(datetime.fromisoformat(slot.key), schedule.send_time)
        shift = slot.at - found[-1].slot.at - WEEK if found else timedelta(0)
        first, second = (wanted.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
        skipped = local.replace(tzinfo=None, fold=0) != wanted
        found.append(Ahead(slot, skipped, first != second and not skipped, shift))
    return found
