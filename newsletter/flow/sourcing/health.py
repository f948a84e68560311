"""How each source does: when it was read, what is wrong, what it brings a week, when its turn is next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.db.models.functions import Coalesce

from newsletter.core.content import EntryContent, from_json, lead_picture
from newsletter.core.polling import due_at
from newsletter.core.rubrics import RUBRICS
from newsletter.flow.notices import failing_since
from newsletter.flow.week import next_cutoff
from newsletter.models import Entry, Newsletter, Picture, Source

WEEKS = 12


@dataclass(frozen=True, slots=True)
class Health:
    """One source. `state` is "good", "failing" (since `since`), "paused" or "new" (never read); `weeks` counts its
    entries of twelve weeks by their own dates, the present week last; `next_at` is None when it is not read by itself.
    `newsletters` are those that take from it.
    """

    source: Source
    state: str
    weeks: tuple[int, ...]
    entries: int
    next_at: datetime | None
    newsletters: tuple[Newsletter, ...]
    since: datetime | None = None

    @property
    def lately(self) -> int:
        """What came in the last four weeks."""
        return sum(self.weeks[-4:])


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry for a card: what it says, where, and the name of its picture in our media folder or ""."""

    entry: Entry
    content: EntryContent
    picture: str


def health_of_all(now: datetime) -> list[Health]:
    """Every source that was not removed: those in trouble first, then by name."""
    rows = list(Source.objects.filter(removed_at=None).prefetch_related("newsletters").order_by("name", "pk"))
    found = _healths(rows, now)
    return sorted(found, key=lambda one: one.state != "failing")


def health_of(source: Source, now: datetime) -> Health:
    """One source."""
    return _healths([source], now)[0]


def rubrics_of(source: Source) -> list[tuple[str, int]]:
    """How many of its entries are of which rubric, by its key, the most first; "" are those without one."""
    rows = Entry.objects.filter(source=source).values_list("content__rubric").annotate(number=Count("pk")).order_by()
    found: Counter[str] = Counter()
    for rubric, number in rows:
        found[rubric if rubric in RUBRICS else ""] += number
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def latest_entries(source: Source, most: int = 6) -> list[Shown]:
    """The last entries of a source by their own dates, each with the picture that we hold."""
    rows = list(
        Entry.objects.filter(source=source)
        .annotate(dated=Coalesce("published_at", "first_seen_at"))
        .order_by("-dated", "-pk")[:most]
    )
    contents = {row.pk: from_json(row.content) for row in rows}
    leads = {pk: picture.url for pk, content in contents.items() if (picture := lead_picture(content))}
    held = dict(Picture.objects.filter(source_url__in=leads.values()).values_list("source_url", "name"))
    return [Shown(row, contents[row.pk], held.get(leads.get(row.pk, ""), "")) for row in rows]


def _healths(rows: list[Source], now: datetime) -> list[Health]:
    ids = [row.pk for row in rows]
    weeks = _weeks(ids, now)
    totals = dict(Entry.objects.filter(source__in=ids).values_list("source").annotate(number=Count("pk")).order_by())
    every = list(Newsletter.objects.prefetch_related("sources").order_by("name", "pk"))
    made = []
    for row in rows:
        state = _state(row)
        takes = tuple(one for one in every if not (named := list(one.sources.all())) or row in named)
        made.append(
            Health(row, state, weeks[row.pk], totals.get(row.pk, 0), _next(row, now), takes,
                   failing_since(row) if state == "failing" else None)
        )  # fmt: skip
    return made


def _state(source: Source) -> str:
    if not source.enabled:
        return "paused"
    if source.failures_in_row:
        return "failing"
    return "good" if source.last_success_at else "new"


def _next(source: Source, now: datetime) -> datetime | None:
    if not source.enabled:
        return None
    if source.last_tried_at is None:
        return now
    return max(now, due_at(now, source.last_tried_at, source.failures_in_row, next_cutoff(source, now)))


def _weeks(ids: Iterable[int], now: datetime) -> dict[int, tuple[int, ...]]:
    ids = list(ids)
    found = {pk: [0] * WEEKS for pk in ids}
    since = now - timedelta(weeks=WEEKS)
    rows = Entry.objects.filter(source__in=ids).annotate(dated=Coalesce("published_at", "first_seen_at"))
    for pk, dated in rows.filter(dated__gt=since, dated__lte=now).values_list("source", "dated").order_by():
        found[pk][WEEKS - 1 - (now - dated) // timedelta(weeks=1)] += 1
    return {pk: tuple(numbers) for pk, numbers in found.items()}
