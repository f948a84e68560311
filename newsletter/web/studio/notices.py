"""Notices for the studio's pages, worded and dated."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.flow import notices
from newsletter.flow.deliver.control import spoken_time
from newsletter.models import Event, Issue, Review
from newsletter.web.studio.words import ngettext


@dataclass(frozen=True, slots=True)
class Late:
    """The reviews that came after an open issue's cutoff."""

    issue: Issue
    reviews: list[Review]

    @property
    def sentence(self) -> str:
        """How many, in words."""
        number = len(self.reviews)
        said = ngettext("%(num)s review came in after the cutoff.", "%(num)s reviews came in after the cutoff.", number)
        return said % {"num": number}


@dataclass(frozen=True, slots=True)
class Dated:
    """A name or kind, its text, and when, as people say it. `by` is who did it, or ""."""

    name: str
    text: str
    when: str
    by: str = ""


def of_issue(issue: Issue) -> dict[str, object]:
    """What the page of one issue tells."""
    zone = issue.newsletter.timezone
    late = notices.late_reviews(issue)
    return {
        "failing": [] if issue.finished_at else _failing(notices.failing_sources(issue.newsletter), zone),
        "late": [Late(issue, late)] if late else [],
        "changed": [_dated(event, zone) for event in notices.changes_since_approval(issue)],
        "events": [_dated(event, zone) for event in notices.last_events(issue)],
    }


def of_all(coming: list[Issue]) -> dict[str, object]:
    """What the list of issues tells; `coming` are those that are not decided yet."""
    zone = coming[0].newsletter.timezone if coming else "UTC"
    late = [Late(issue, reviews) for issue in coming if (reviews := notices.late_reviews(issue))]
    changed = [event for issue in coming for event in notices.changes_since_approval(issue)]
    return {
        "issue": None,
        "failing": _failing(notices.failing_sources(), zone),
        "late": late,
        "changed": [_dated(event, zone) for event in changed],
        "events": [_dated(event, zone) for event in notices.last_events()],
    }


def _failing(found: list[notices.Failing], zone: str) -> list[Dated]:
    return [Dated(one.name, one.error, spoken_time(one.since, zone)) for one in found]


def _dated(event: Event, zone: str) -> Dated:
    newsletter = event.newsletter
    return Dated(event.kind, event.text, spoken_time(event.at, newsletter.timezone if newsletter else zone), event.by)
