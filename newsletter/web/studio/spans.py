"""Lengths of time and clock times, as the studio says them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def span(length: timedelta) -> str:
    """ "2 days 3 hours", "41 minutes", "less than a minute"; what is past is 0 and so the last one."""
    seconds = max(0, int(length.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [(days, "day"), (hours, "hour"), (rest // 60, "minute")]
    said = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in parts if number]
    # Minutes matter on the last day only.
    return " ".join(said[:2]) or "less than a minute"


def clock_time(at: datetime, zone: str) -> str:
    """The value of a `datetime-local` field: wall time in `zone`, to the minute."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
