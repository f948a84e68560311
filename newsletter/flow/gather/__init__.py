"""Gather: read every source, tell new from known, and never let one failing source stop the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import F

from newsletter.core.errors import SourceError
from newsletter.flow.gather.ingest import Ingested, ingest
from newsletter.flow.gather.moved import find_moved
from newsletter.flow.gather.pictures import fetch_pictures
from newsletter.models import Event, Magazine, Poll, Source
from newsletter.sources import build as build_source
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.base import Source as Adapter
from newsletter.sources.fetch import Fetcher

__all__ = ["GatherReport", "SourceReport", "gather"]

logger = logging.getLogger(__name__)

_FOLLOWS_REDIRECTS = (Source.Kind.FEED, Source.Kind.PAGE)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source came to. `new` counts reviews, `changed` and `entries` entries; `trays` counts new reviews by the
    tray they went to ("" is none); `error` is set when `outcome` is "failed".
    """

    source: str
    name: str
    outcome: str
    entries: int = 0
    new: int = 0
    changed: int = 0
    revisited: int = 0
    trays: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class GatherReport:
    """One round of gathering: a report a source, and how many pictures were stored and failed."""

    at: datetime
    sources: tuple[SourceReport, ...] = ()
    pictures: int = 0
    picture_errors: int = 0

    @property
    def new(self) -> int:
        """Reviews that were not known before."""
        return sum(source.new for source in self.sources)

    @property
    def changed(self) -> int:
        """Entries whose content changed."""
        return sum(source.changed for source in self.sources)

    @property
    def failed(self) -> tuple[SourceReport, ...]:
        """The sources that could not be read."""
        return tuple(source for source in self.sources if source.outcome == Poll.Outcome.FAILED)


def gather(
    *,
    now: datetime,
    sources: Iterable[Source] | None = None,
    fetcher: Fetcher | None = None,
    media_folder: Path | None = None,
    build: Callable[[str, Fetcher], Adapter] = build_source,
    picture_seconds: float | None = None,
) -> GatherReport:
    """Read `sources` (every enabled one when not given) once each.

    Without `media_folder` no picture is fetched; with `picture_seconds` none is begun after that time, and what is left
    comes with the next gather: for somebody who waits. Doing it again, or replaying the same answers, changes nothing
    but the record of the tries (R21). Raises nothing that a source does.
    """
    fetcher = fetcher or Fetcher()
    rows = list(Source.objects.filter(enabled=True).order_by("preference", "pk") if sources is None else sources)
    reports: list[SourceReport] = []
    touched: list[int] = []
    for row in rows:
        report, entries = _gather_one(row, fetcher, build, now)
        reports.append(report)
        touched += entries
    stored, errors = (
        (0, 0) if media_folder is None else fetch_pictures(touched, fetcher, media_folder, now, seconds=picture_seconds)
    )
    return GatherReport(now, tuple(reports), stored, errors)


def spec_of(source: Source) -> SourceSpec:
    """What an adapter may know of a source."""
    return SourceSpec(
        name=source.name,
        kind=source.kind,
        location=source.location,
        language=source.language,
        timezone=source.timezone,
        etag=source.etag,
        last_modified=source.last_modified,
        rubric_map=tuple((str(pattern), str(rubric)) for pattern, rubric in source.rubric_map),
        # "LANTERN Interview" ends a title as "Interview" does.
        brand=Magazine.objects.values_list("name", flat=True).first() or "",
    )


def _gather_one(
    source: Source, fetcher: Fetcher, build: Callable[[str, Fetcher], Adapter], now: datetime
) -> tuple[SourceReport, list[int]]:
    try:
        gathered = build(source.kind, fetcher).gather(spec_of(source))
        moved = {} if gathered.unchanged else find_moved(source, gathered.entries, fetcher)
        with transaction.atomic():
            # Every source's row, in one order: two rounds at once must not make two reviews of one address.
            list(Source.objects.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
            # Not `source`: another round may have finished while this one was fetching.
            fresh = Source.objects.get(pk=source.pk)
            result = Ingested() if gathered.unchanged else ingest(fresh, gathered.entries, moved, now)
            report = _record(fresh, gathered, result, now)
    except SourceError as error:
        return _fail(source, str(error), now), []
    except Exception as error:
        # A fault of ours in one adapter must not take the other sources' week away: it is logged in full and shown.
        logger.exception("Gathering %s failed", source.slug)
        return _fail(source, f"A fault in reading this source: {type(error).__name__}: {error}", now), []
    return report, list(result.touched)


def _record(source: Source, gathered: Gathered, result: Ingested, now: datetime) -> SourceReport:
    warnings = (*gathered.warnings, *result.warnings)
    outcome = Poll.Outcome.UNCHANGED if gathered.unchanged else Poll.Outcome.READ
    if gathered.final_url and source.kind in _FOLLOWS_REDIRECTS and gathered.final_url != source.location:
        warnings = (*warnings, f"The source moved for good to {gathered.final_url}: from now on it is read there.")
        source.location = gathered.final_url
    if not gathered.unchanged:
        source.etag = gathered.etag[:500]
        source.last_modified = gathered.last_modified[:200]
        # An empty answer is no first import: what comes after it would all look new (R6).
        if source.first_gathered_at is None and (gathered.entries or source.kind == Source.Kind.FOLDER):
            source.first_gathered_at = now
    source.last_tried_at = source.last_success_at = now
    source.last_error, source.failures_in_row = "", 0
    source.save()
    _poll(source, now, outcome=outcome, entries=len(gathered.entries), new=result.new, changed=result.changed,
          raw_hash=gathered.raw_hash[:64], warnings=list(warnings))  # fmt: skip
    return SourceReport(
        source.slug,
        source.name,
        outcome,
        len(gathered.entries),
        result.new,
        result.changed,
        result.revisited,
        tuple(sorted(result.trays.items())),
        warnings,
    )


@transaction.atomic
def _fail(source: Source, error: str, now: datetime) -> SourceReport:
    Source.objects.filter(pk=source.pk).update(
        last_tried_at=now, last_error=error, failures_in_row=F("failures_in_row") + 1
    )
    _poll(source, now, outcome=Poll.Outcome.FAILED, error=error)
    if source.failures_in_row == 0:
        Event.objects.create(at=now, kind="source failed", text=f"{source.name} could not be read: {error}")
    return SourceReport(source.slug, source.name, Poll.Outcome.FAILED, error=error)


def _poll(source: Source, now: datetime, **fields: object) -> None:
    Poll.objects.create(source=source, at=now, **fields)
