"""What a person should see without asking: sources that fail, late reviews, changed texts, the last events.

Everything here only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.flow.issue import late_arrivals
from newsletter.flow.issue.wording import EDITED
from newsletter.flow.people import KINDS
from newsletter.models import Event, Issue, IssueState, Newsletter, Poll, Review, Source

EVENTS = 10
CHANGES = 5
LOOKED_AT = 2_000
"""Events back that the last ones are looked for in."""
_OPEN = (IssueState.DRAFT, IssueState.APPROVED)


@dataclass(frozen=True, slots=True)
class Failing:
    """A source that can't be read: since when (aware UTC), after how many tries in a row, and why."""

    source: str
    name: str
    since: datetime
    tries: int
    error: str


def failing_sources(newsletter: Newsletter | None = None) -> list[Failing]:
    """The enabled sources whose last try failed, or those of one newsletter; one without sources takes from all."""
    rows = Source.objects.filter(enabled=True, failures_in_row__gt=0).order_by("preference", "pk")
    if newsletter is not None and newsletter.sources.exists():
        rows = rows.filter(newsletters=newsletter)
    found: list[Failing] = []
    for row in rows:
        first = failing_since(row)
        if first is not None:
            found.append(Failing(row.slug, row.name, first, row.failures_in_row, row.last_error))
    return found


def failing_since(source: Source) -> datetime | None:
    """The first of the failures in a row of a source that fails."""
    polls = Poll.objects.filter(source=source, outcome=Poll.Outcome.FAILED).order_by("at")
    if source.last_success_at is not None:
        polls = polls.filter(at__gt=source.last_success_at)
    return polls.values_list("at", flat=True).first() or source.last_tried_at


def late_reviews(issue: Issue) -> list[Review]:
    """Reviews that came after the cutoff of an issue that is still open (R9)."""
    return late_arrivals(issue) if issue.state in _OPEN else []


def changes_since_approval(issue: Issue) -> list[Event]:
    """What changed at its source since the issue was approved (R16), the newest first."""
    if issue.approved_at is None:
        return []
    rows = Event.objects.filter(issue=issue, kind="source changed", at__gte=issue.approved_at)
    return list(rows.order_by("-at", "-pk")[:CHANGES])


def last_events(issue: Issue | None = None) -> list[Event]:
    """The last ten events, of one issue or of all, the newest first; not those about people, which the audit tells."""
    # Each word that an editor changed is an event, too: they stand beside the words, and would crowd out all else here.
    rows = Event.objects.exclude(kind__startswith=EDITED).exclude(kind__in=KINDS)
    rows = rows.select_related("newsletter", "issue__newsletter").defer("issue__public_html").order_by("-at", "-pk")
    if issue is None:
        # A week of nothing but edits must not be read to its beginning for ten lines.
        last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        rows = rows.filter(pk__gt=last - LOOKED_AT)
    return list((rows.filter(issue=issue) if issue else rows)[:EVENTS])
