"""When a source is read again: hourly, more often before a cutoff, less often while it fails (product rule 2.1)."""

from __future__ import annotations

from datetime import datetime, timedelta

HOURLY = timedelta(minutes=60)
BEFORE_CUTOFF = timedelta(minutes=15)
NEAR = timedelta(hours=6)
LONGEST = timedelta(hours=6)
# A cron that fires a few seconds earlier than an hour ago must not skip that hour.
EARLY = timedelta(minutes=1)


def is_due(now: datetime, last_tried_at: datetime | None, failures_in_row: int, next_cutoff: datetime | None) -> bool:
    """Whether a source should be read now. `next_cutoff` is the earliest one ahead of any newsletter that it feeds.

    A failing source is asked half as often after each failure, down to every six hours; near a cutoff at least hourly,
    so that one that recovers in time is not missed.
    """
    if last_tried_at is None or last_tried_at > now:
        return True  # a clock that was set back must not silence a source
    return now >= due_at(now, last_tried_at, failures_in_row, next_cutoff) - EARLY


def due_at(now: datetime, last_tried_at: datetime, failures_in_row: int, next_cutoff: datetime | None) -> datetime:
    """When a source's turn comes next, as far as is known `now`: a cutoff that comes near brings it forward."""
    near = next_cutoff is not None and now <= next_cutoff <= now + NEAR
    usual, longest = (BEFORE_CUTOFF, HOURLY) if near else (HOURLY, LONGEST)
    return last_tried_at + min(usual * (1 << min(failures_in_row, 8)), longest)
