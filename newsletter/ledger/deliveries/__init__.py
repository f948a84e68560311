"""The only writer of deliveries, batches, retries and what is on the wire.

    pending ── mark ──▶ on the wire ── settle ──▶ accepted | failed (reason) | uncertain
       │                    │   └──── defer ────▶ pending, with a retry; 24 hours later failed (expired)
       │                    └── the worker died ▶ uncertain, by name; never resent unless a person says so
       └── unsubscribed, suppressed, stopped ... ▶ excluded (reason)

Order of one worker: `recover`, `claim`, for each of `rows`: `mark`, send, `settle` or `defer`; then `release`.
"""

from __future__ import annotations

from newsletter.ledger.deliveries.claims import DIED, LEASE, Claim, claim, recover, release, rows
from newsletter.ledger.deliveries.ending import (
    LEFT,
    STOPPED,
    finish_if_complete,
    pause_for_provider,
    settle_uncertain,
    stop,
    waits_for_provider,
)
from newsletter.ledger.deliveries.freezing import BATCH_SIZE, frozen_audience, start
from newsletter.ledger.deliveries.owner import is_dead, this_worker
from newsletter.ledger.deliveries.wire import (
    EXPIRED,
    REFUSED,
    Permit,
    defer,
    exclude,
    fail_unsent,
    mark,
    settle,
    take_back,
)

__all__ = [
    "BATCH_SIZE",
    "DIED",
    "EXPIRED",
    "LEASE",
    "LEFT",
    "REFUSED",
    "STOPPED",
    "Claim",
    "Permit",
    "claim",
    "defer",
    "exclude",
    "fail_unsent",
    "finish_if_complete",
    "frozen_audience",
    "is_dead",
    "mark",
    "pause_for_provider",
    "recover",
    "release",
    "rows",
    "settle",
    "settle_uncertain",
    "start",
    "stop",
    "take_back",
    "this_worker",
    "waits_for_provider",
]
