"""R2 to R6: what a claimed date is worth, and where a review goes at first sight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from newsletter.core.dates import zone_named

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=15)
LONGEST_EMBARGO = timedelta(days=30)
FLOOD_AT_LEAST = 10
FLOOD_FACTOR = 3


@dataclass(frozen=True, slots=True)
class Dating:
    """`effective_at` orders a review and is the date printed; it never decides whether the review is in (R2)."""

    effective_at: datetime
    guessed: bool = False
    embargoed_until: datetime | None = None


def date_review(
    published_at: datetime | None, first_seen_at: datetime, *, day_only: bool = False, timezone: str = "UTC"
) -> Dating:
    """Judge the claimed date `published_at` (aware) of a review first seen at `first_seen_at`.

    A day without a time counts as local noon of `timezone`, the source's zone. More than 30 days ahead is a typo;
    up to that, a date ahead is an embargo (R4). Nothing depends on the present, so judging again changes nothing.
    """
    if published_at is None:
        return Dating(first_seen_at, guessed=True)
    begins = effective = published_at
    if day_only:
        zone = zone_named(timezone)
        day = published_at.astimezone(zone).date()
        begins = datetime.combine(day, time(), zone).astimezone(UTC)
        effective = datetime.combine(day, time(12), zone).astimezone(UTC)
    if begins < OLDEST or begins > first_seen_at + LONGEST_EMBARGO:
        return Dating(first_seen_at, guessed=True)
    if begins > first_seen_at + CLOCK_SKEW:
        return Dating(effective, embargoed_until=begins)
    return Dating(effective)


class FirstSight(StrEnum):
    """Which tray a review goes to at first sight; `WAITING` is none: it waits for the next issue."""

    WAITING = ""
    BASELINE = "baseline"
    FOUND_LATE = "found late"
    FLOOD = "flood"


def sort_at_first_sight(
    dating: Dating,
    first_seen_at: datetime,
    *,
    first_import: bool,
    flood: bool = False,
    freshness_days: int = 21,
    first_import_days: int = 7,
) -> FirstSight:
    """Judge a review's age, once: waiting, carrying or pausing never makes it stale later (R5)."""
    age = first_seen_at - dating.effective_at
    if first_import:
        fresh = not dating.guessed and age <= timedelta(days=first_import_days)
        return FirstSight.WAITING if fresh else FirstSight.BASELINE
    if age > timedelta(days=freshness_days):
        return FirstSight.FOUND_LATE
    return FirstSight.FLOOD if flood else FirstSight.WAITING


def is_flood(new: int, weekly_norm: float) -> bool:
    """Whether one poll brought far too many new identities (R5): a moved site, or every guid changed."""
    return new > FLOOD_AT_LEAST and new > FLOOD_FACTOR * weekly_norm
