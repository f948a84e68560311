"""Who leaves during the send: unsubscribes and suppressions are honoured within a second, read-ahead rows included."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from django.db.models import Max

from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import Row
from subscribers.models import ConsentEvent, ConsentKind

# Numbers are given before they are committed: one that was committed late is still found within this time.
OVERLAP = timedelta(seconds=60)
_LEAVING = (ConsentKind.UNSUBSCRIBED, ConsentKind.SUPPRESSED)


class Late:
    """The consent events since the send of this process began. They are append-only and numbered, so that a look costs
    one range of the primary key, however large the list is.
    """

    def __init__(self) -> None:
        last = ConsentEvent.objects.aggregate(last=Max("pk"))["last"] or 0
        self._marks: deque[tuple[datetime, int]] = deque()
        self._from = max(0, last - 1000)
        self._subscriptions: set[int] = set()
        self._keys: set[str] = set()

    def look(self, now: datetime) -> None:
        """Read what was written since the last look."""
        found = ConsentEvent.objects.filter(pk__gt=self._from, kind__in=_LEAVING)
        last = self._from
        for number, subscription, key in found.values_list("pk", "subscription", "address_key").iterator():
            last = max(last, number)
            if subscription is not None:
                self._subscriptions.add(subscription)
            self._keys.add(key)
        self._marks.append((now, last))
        while self._marks and self._marks[0][0] <= now - OVERLAP:
            self._from = max(self._from, self._marks.popleft()[1])

    def why(self, row: Row) -> str:
        """Why this row must not go any more, "" when it may. Read anew for whoever did something lately: they may have
        come back, and what was read with the batch already counts.
        """
        if row.subscription in self._subscriptions or row.address_key in self._keys:
            return deliveries.why_not(row.delivery)
        return ""
