"""A magazine's desk for tests: it publishes, the clock moves, and the real functions do the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from newsletter.core.content import EntryContent
from newsletter.core.errors import SourceError
from newsletter.flow import issue as issue_flow
from newsletter.flow.gather import GatherReport, gather
from newsletter.ledger import deliveries
from newsletter.models import (
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    Issue,
    Newsletter,
    Placement,
    PlacementState,
    Review,
    Source,
)
from newsletter.sources.base import Source as Adapter
from newsletter.sources.fetch import Fetcher
from newsletter.sources.memory import MemorySource
from tests.factories import make_newsletter, make_source, make_subscription

NEW_YORK = ZoneInfo("America/New_York")
EDITOR = "Edda"
START = datetime(2015, 1, 1, tzinfo=UTC)


def local(text: str, zone: str = "America/New_York") -> datetime:
    """Wall time in a zone ("2015-11-05 08:00") as the instant it is."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def entry(title: str, published: str | datetime | None = None, **fields: Any) -> EntryContent:
    """A review at an address made of its title, with a byline and a text of its own."""
    slug = title.lower().replace(" ", "-")
    when = local(published) if isinstance(published, str) else published
    text = f"{title} begins where others end, and {title} goes on to say so in a great many words of its own."
    defaults: dict[str, Any] = {
        "title_clean": title,
        "url": f"https://lantern.example.test/{slug}/",
        "guid": f"https://lantern.example.test/?p={crc32(title.encode())}",
        "authors": (f"Critic of {title}",),
        "body_text": text,
        "word_count": len(text.split()),
        "published_at": when,
    }
    return EntryContent(title=title, **{**defaults, **fields})


class Desk:
    """One newsletter, its memory sources, and forty subscribers who are three."""

    def __init__(self, **fields: Any) -> None:
        self.shelves: dict[str, tuple[EntryContent, ...] | SourceError] = {}
        self.newsletter: Newsletter = make_newsletter(**fields)
        self.add_source("feed")
        for name in ("ana", "ben", "cleo"):
            make_subscription(f"{name}@example.org", self.newsletter.mailing_list)

    def add_source(self, slug: str, **fields: Any) -> Source:
        source = make_source(slug, location=slug, **{"first_gathered_at": START, **fields})
        self.newsletter.sources.add(source)
        self.shelves[slug] = ()
        return source

    def build(self, kind: str, fetcher: Fetcher) -> Adapter:
        return MemorySource(self.shelves)

    def gather(self, at: datetime | str, *contents: EntryContent, source: str = "feed", **options: Any) -> GatherReport:
        """Publish `contents` beside what is there, and gather every source."""
        shelf = self.shelves[source]
        assert not isinstance(shelf, SourceError)
        titles = {one.guid for one in contents}
        self.shelves[source] = (*contents, *(one for one in shelf if one.guid not in titles))
        return self.poll(at, **options)

    def poll(self, at: datetime | str, **options: Any) -> GatherReport:
        """Gather every source, and place what came, as `newsletter week` does."""
        report = gather(now=instant(at), build=self.build, **options)
        self.draft(at)
        return report

    def change(self, entry: EntryContent, source: str = "feed", **fields: Any) -> None:
        """Let the source serve other values for one entry."""
        shelf = self.shelves[source]
        assert not isinstance(shelf, SourceError)
        self.shelves[source] = tuple(replace(one, **fields) if one.guid == entry.guid else one for one in shelf)

    def draft(self, at: datetime | str) -> Issue:
        """The open issue, with its reviews placed."""
        issue = issue_flow.ensure_draft(self.newsletter, now=instant(at))
        issue_flow.place(issue, now=instant(at))
        issue.refresh_from_db()
        return issue

    def approve(self, at: datetime | str) -> Issue:
        return issue_flow.approve(self.draft(at), EDITOR, now=instant(at))

    def decide(self, at: datetime | str) -> Any:
        return issue_flow.decide(issue_flow.ensure_draft(self.newsletter, now=instant(at)), now=instant(at))

    def start(self, issue: Issue, at: datetime | str) -> Issue:
        deliveries.start(issue.pk, now=instant(at))
        issue.refresh_from_db()
        return issue

    def accept(self, issue: Issue, at: datetime | str, count: int | None = None) -> None:
        """Let the server take `count` of the pending messages, all by default; complete issues finish."""
        rows = Delivery.objects.filter(issue=issue, state=DeliveryState.PENDING).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:count])
        Delivery.objects.filter(pk__in=ids).update(state=DeliveryState.ACCEPTED, at=instant(at))
        if not rows.exists():
            Batch.objects.filter(issue=issue).update(state=BatchState.SETTLED)
            deliveries.finish_if_complete(issue.pk, now=instant(at))
        issue.refresh_from_db()

    def send(self, at: datetime | str) -> Issue:
        """Approve what is open if nobody did, and deliver it to everybody."""
        issue = self.draft(at)
        if issue.state == "draft":
            issue = issue_flow.approve(issue, EDITOR, now=instant(at))
        self.start(issue, at)
        self.accept(issue, at)
        return issue


def instant(at: datetime | str) -> datetime:
    return local(at) if isinstance(at, str) else at


def titles(issue: Issue, kind: str | None = None) -> list[str]:
    """The titles of what an issue holds, in printed order."""
    rows = Placement.objects.filter(issue=issue, state__in=(PlacementState.RESERVED, PlacementState.SENT))
    if kind:
        rows = rows.filter(kind=kind)
    return [str(row.review) for row in rows.select_related("review__representative").order_by("kind", "position")]


def review(title: str) -> Review:
    return Review.objects.select_related("representative").get(representative__title=title)


def issue_of(title: str) -> str | None:
    """The slot of the issue that holds a review or sent it."""
    row = Placement.objects.filter(review=review(title), state__in=("reserved", "sent")).select_related("issue").first()
    return row.issue.slot if row else None
