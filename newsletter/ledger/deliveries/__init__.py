"""The only writer of deliveries, batches and retries.

    pending ── claim ──▶ claimed ── settle ──▶ accepted | failed (reason) | uncertain | excluded (reason)
       ▲                    │   └─ "not now" ─▶ pending, with a retry; 24 hours later failed (expired)
       │                    └─ the worker died ▶ what its journal says: answered rows are settled, untouched ones are
       └────────────────────────────────────────  pending again, and what was on the wire is uncertain, by name

Order of one worker: `recover`, then again and again one transaction that `settle`s a claim and makes the next `claim`;
`hold` renews the lease in between. What a worker has on the wire meanwhile stands in its journal (newsletter.journal).
"""

from __future__ import annotations

from newsletter.ledger.deliveries.claims import BATCH, LEASE, RETRIES, Claim, Row, claim, claimable, hold, leavers
from newsletter.ledger.deliveries.ending import (
    LEFT,
    STOPPED,
    asks_provider,
    finish_if_complete,
    pause_for_provider,
    settle_bounced,
    settle_uncertain,
    stop,
    waited_for_provider,
    waits_for_provider,
)
from newsletter.ledger.deliveries.freezing import BATCH_SIZE, batch_size, first_of_month, frozen_audience, start
from newsletter.ledger.deliveries.owner import is_dead, this_worker
from newsletter.ledger.deliveries.recovering import DIED, NO_JOURNAL, ReadJournal, doubt, no_journal, owners, recover
from newsletter.ledger.deliveries.settling import EXPIRED, REFUSED, Decision, Settled, Settlement, settle

__all__ = [
    "BATCH",
    "BATCH_SIZE",
    "DIED",
    "EXPIRED",
    "LEASE",
    "LEFT",
    "NO_JOURNAL",
    "REFUSED",
    "RETRIES",
    "STOPPED",
    "Claim",
    "Decision",
    "ReadJournal",
    "Row",
    "Settled",
    "Settlement",
    "asks_provider",
    "batch_size",
    "claim",
    "claimable",
    "doubt",
    "finish_if_complete",
    "first_of_month",
    "frozen_audience",
    "hold",
    "is_dead",
    "leavers",
    "no_journal",
    "owners",
    "pause_for_provider",
    "recover",
    "settle",
    "settle_bounced",
    "settle_uncertain",
    "start",
    "stop",
    "this_worker",
    "waited_for_provider",
    "waits_for_provider",
]
