"""How fast an account may send: per second, hour and day, with a ramp for an account that nobody knows yet.

Pure arithmetic: the ledger keeps `Used` in the database, so that every worker draws on one allowance and a restart
forgets nothing. The rate per second is the virtual scheduling of ITU-T I.371 ("generic cell rate"): one moment, before
which the next message must not leave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A ramp that has doubled so often allows more than anybody has readers.
LONGEST_RAMP = 24


@dataclass(frozen=True, slots=True)
class Limits:
    """The most messages that may leave; None for no limit. `warm_up` is the first day's number: it doubles with each
    day on which the account has sent, until `per_day` is reached.
    """

    per_second: float | None = None
    per_hour: int | None = None
    per_day: int | None = None
    warm_up: int | None = None

    def __bool__(self) -> bool:
        return any(limit is not None for limit in (self.per_second, self.per_hour, self.per_day, self.warm_up))


@dataclass(frozen=True, slots=True)
class Used:
    """What an account has let go: when its next message may leave, and how much of `hour` and `day` (UTC) is used up.
    `sending_days` are the days before `day` on which anything was sent.
    """

    next_at: datetime | None = None
    hour: datetime | None = None
    hour_used: int = 0
    day: date | None = None
    day_used: int = 0
    sending_days: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """So many messages may leave, the first at `begin` and each further one `spacing` seconds after the one before.
    With `number` 0: nothing before `begin`.
    """

    number: int
    begin: datetime
    spacing: float = 0.0


def day_limit(limits: Limits, sending_days: int) -> int | None:
    """The most that may leave on a day before which the account has sent on `sending_days` others."""
    if limits.warm_up is None or sending_days >= LONGEST_RAMP:
        return limits.per_day
    ramp = limits.warm_up << sending_days
    return ramp if limits.per_day is None else min(ramp, limits.per_day)


def grant(limits: Limits, used: Used, wanted: int, now: datetime) -> tuple[Grant, Used]:
    """Up to `wanted` messages from what is left at `now` (aware), and what is used up afterwards."""
    used = _today(used, now)
    number, again = wanted, now
    limit = day_limit(limits, used.sending_days)
    if limit is not None and limit - used.day_used < number:
        number = max(0, limit - used.day_used)
        again = datetime.combine(_day(now) + DAY, datetime.min.time(), UTC)
    if limits.per_hour is not None and limits.per_hour - used.hour_used < number:
        number = max(0, limits.per_hour - used.hour_used)
        if not number:
            again = max(again, _hour(now) + HOUR)
    if not number:
        return Grant(0, again), used
    begin, spacing, next_at = now, 0.0, used.next_at
    if limits.per_second is not None:
        spacing = 1 / limits.per_second
        begin = max(now, used.next_at or now)
        next_at = begin + timedelta(seconds=number * spacing)
    after = replace(used, next_at=next_at, hour_used=used.hour_used + number, day_used=used.day_used + number)
    return Grant(number, begin, spacing), after


def give_back(used: Used, number: int, now: datetime) -> Used:
    """What was granted and did not leave counts for nothing, as long as its hour and day last."""
    used = _today(used, now)
    return replace(used, hour_used=max(0, used.hour_used - number), day_used=max(0, used.day_used - number))


def _today(used: Used, now: datetime) -> Used:
    """The same with new counters where an hour or a day has begun. A clock that goes back begins none."""
    if used.hour is None or _hour(now) > used.hour:
        used = replace(used, hour=_hour(now), hour_used=0)
    if used.day is None or _day(now) > used.day:
        used = replace(used, day=_day(now), day_used=0, sending_days=used.sending_days + (used.day_used > 0))
    return used


def _hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
