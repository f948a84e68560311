"""How long a delivery that was answered "not now" waits for its next try, and when waiting ends.

RFC 5321 4.5.4.1 asks for growing pauses and an end. The pauses are 1, 2, 4 ... minutes up to two hours, each spread by
up to a fifth either way, so that ten thousand greylisted readers do not come back in one minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=2)
DEADLINE = timedelta(hours=24)
SPREAD = 0.2


def next_try(
    *, delivery: int, attempts: int, first_at: datetime, now: datetime, retry_after: float | None = None
) -> datetime | None:
    """When to try again after `attempts` tries (from 1), or None when the 24 hours since `first_at` are over then.

    `retry_after` (seconds) is the server's own wish: never earlier than that. The spread follows from the delivery's
    number and the attempt, so the answer is the same whoever asks.
    """
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    pause = pause * (1 - SPREAD + 2 * SPREAD * _fraction(delivery, attempts))
    if retry_after is not None:
        pause = max(pause, timedelta(seconds=min(retry_after, DEADLINE.total_seconds())))
    due = now + pause
    return due if due < first_at + DEADLINE else None


def _fraction(delivery: int, attempts: int) -> float:
    digest = blake2b(f"{delivery} {attempts}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32
