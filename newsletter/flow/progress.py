"""A send as people watch it: how far, how fast, until when, and why not everybody. Only reads, and names nobody.

Everything comes from the ledger's rows, so it is the same after a reload, a restart, or on another machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import CharField, Count, F, Func, Q, Value
from django.db.models.expressions import Combinable

from newsletter.core.reasons import grouped
from newsletter.flow.report import Counts, counts, next_try
from newsletter.ledger import deliveries
from newsletter.models import Delivery, DeliveryState, Issue, IssueState

MINUTE = timedelta(minutes=1)
SPAN = timedelta(minutes=2)
"""The rate is that of the last two minutes: steady enough to read, short enough to show a pause."""
WITH_REASONS = (DeliveryState.FAILED, DeliveryState.EXCLUDED, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Progress:
    """`rate` is in messages a second, None while nothing moves; `until` when the rest will be done at that rate;
    `reasons` are per state the plain words and how often, the most frequent first.
    """

    state: str
    counts: Counts
    rate: float | None
    until: datetime | None
    reasons: dict[str, list[tuple[str, int]]]
    next_try: datetime | None
    waits_for_provider: bool

    @property
    def moving(self) -> bool:
        """Whether another look in a moment may show something else."""
        return self.state == IssueState.SENDING or self.waits_for_provider

    @property
    def nothing_sent(self) -> bool:
        """Whether not one message has left, or may have."""
        return not self.counts.accepted and not self.counts.uncertain and not self.counts.claimed


def progress(issue: Issue, now: datetime) -> Progress:
    """How the send of an issue stands at `now`. Raises nothing for one that has not begun: it counts 0."""
    state = Issue.objects.values_list("state", flat=True).get(pk=issue.pk)
    found = counts(issue)
    waiting = state == IssueState.PAUSED and deliveries.waits_for_provider(issue.pk) is not None
    rate = _rate(issue, now) if state == IssueState.SENDING else None
    left = found.pending + found.claimed
    return Progress(
        state=state,
        counts=found,
        rate=rate,
        until=now + timedelta(seconds=left / rate) if rate and left else None,
        reasons=_reasons(issue),
        next_try=next_try(issue) if state == IssueState.SENDING else None,
        waits_for_provider=waiting,
    )


@dataclass(frozen=True, slots=True)
class Minute:
    """What was decided within one minute (or, in a long send, within several: `minutes`)."""

    at: datetime
    accepted: int
    failed: int


def by_minute(issue: Issue, *, most: int = 60) -> list[Minute]:
    """What became of the messages over time, in at most `most` equal steps of whole minutes, without gaps."""
    rows = (
        Delivery.objects.filter(issue=issue, state__in=(DeliveryState.ACCEPTED, DeliveryState.FAILED))
        .annotate(minute=_minute(F("at")))
        .values_list("minute")
        # One key, and the few counted beside it: to group by both costs SQLite half as much again.
        .annotate(number=Count("pk"), failed=Count("pk", filter=Q(state=DeliveryState.FAILED)))
        .order_by("minute")
    )
    return _steps([(datetime.fromisoformat(at).replace(tzinfo=UTC), all_ - bad, bad) for at, all_, bad in rows], most)


def _steps(rows: list[tuple[datetime, int, int]], most: int) -> list[Minute]:
    """`rows` are (minute, accepted, failed), in order."""
    if not rows:
        return []
    first, last = rows[0][0], rows[-1][0]
    whole = int((last - first) / MINUTE) + 1
    width = MINUTE * -(-whole // most)
    steps = -(-whole * MINUTE // width)
    accepted, failed = [0] * steps, [0] * steps
    for at, went, bad in rows:
        accepted[(at - first) // width] += went
        failed[(at - first) // width] += bad
    return [Minute(first + width * place, accepted[place], failed[place]) for place in range(steps)]


def _minute(at: Combinable) -> Func:
    """The minute of a time, as text in UTC. Not Django's own truncation: SQLite calls Python for every row of that."""
    if connection.vendor == "postgresql":
        zone = Func(Value("UTC"), at, function="timezone", output_field=CharField())
        return Func(zone, Value("YYYY-MM-DD HH24:MI"), function="to_char", output_field=CharField())
    return Func(at, Value(1), Value(16), function="substr", output_field=CharField())


def _rate(issue: Issue, now: datetime) -> float | None:
    began = Issue.objects.values_list("started_at", flat=True).get(pk=issue.pk)
    if began is None:
        return None
    since = max(now - SPAN, began)
    rows = Delivery.objects.filter(issue=issue, at__gt=since)
    number = rows.filter(state__in=(DeliveryState.ACCEPTED, DeliveryState.FAILED)).count()
    seconds = max((now - since).total_seconds(), 1.0)
    return number / seconds if number else None


def _reasons(issue: Issue) -> dict[str, list[tuple[str, int]]]:
    # One walk over the deliveries for all states: of a large issue it is what takes the time.
    rows = Delivery.objects.filter(issue=issue, state__in=WITH_REASONS).values_list("state", "reason")
    found: dict[str, list[tuple[str, int]]] = {str(one): [] for one in WITH_REASONS}
    for state, reason, number in rows.annotate(number=Count("pk")).order_by():
        found[state].append((reason, number))
    return {state: grouped(each) for state, each in found.items()}
