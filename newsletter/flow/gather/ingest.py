"""From one poll's entries to reviews: what is new, what is known, what changed (R3-R6, R16, R17, R19, R20)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max, Q

from newsletter.core.content import EntryContent, from_json, to_json
from newsletter.core.identity import (
    content_hash,
    fork_key,
    guid_key,
    is_reused_guid,
    is_second_opinion,
    post_key,
    url_key,
)
from newsletter.core.week import FirstSight, date_review, is_flood, sort_at_first_sight
from newsletter.core.week.dating import CLOCK_SKEW
from newsletter.flow.gather.mentioning import note
from newsletter.flow.gather.telling import entry_warnings
from newsletter.ledger.placements import ACTIVE
from newsletter.models import (
    Entry,
    Event,
    Issue,
    IssueState,
    Newsletter,
    Placement,
    PlacementState,
    Poll,
    Review,
    Source,
)

WEEK = timedelta(days=7)
NORM_WEEKS = 8
_BY_HAND = (Source.Kind.PAGE, Source.Kind.PASTE)
_ROLLING = (Source.Kind.FEED, Source.Kind.WORDPRESS, Source.Kind.MEMORY)


@dataclass(slots=True)
class Ingested:
    """What one poll changed; `touched` are the ids of entries that are new or changed."""

    new: int = 0
    changed: int = 0
    revisited: int = 0
    trays: Counter[str] = field(default_factory=Counter)
    touched: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def ingest(source: Source, contents: Sequence[EntryContent], moved: Mapping[str, str], now: datetime) -> Ingested:
    """Write the entries of one poll; `moved` maps address keys to the older ones they were proven to come from.

    Must run in a transaction that holds the sources' rows. Nothing is ever removed: what left a feed stays known (R18).
    """
    result = Ingested()
    contents = _once_each(contents)
    _warn_of_gaps(source, contents, result)
    result.warnings += entry_warnings(source.kind, contents)
    matches = [(content, *_match(source, content, moved)) for content in contents]
    strangers = {url_key(content.url) or guid_key(content) for content, _, review in matches if review is None}
    flood = is_flood(len(strangers), _weekly_norm(source, now))
    for content, entry, _ in matches:
        if entry is not None:
            _update(entry, content, now, result)
            continue
        # Asked again: an entry of this very poll may be the same review.
        _, review = _match(source, content, moved)
        _add(source, content, review, now, result, flood=flood)
    _tell_late(result, now)
    return result


def _once_each(contents: Iterable[EntryContent]) -> list[EntryContent]:
    """The first of several entries with one guid and one address: a feed that lists two would change at every poll."""
    found: dict[tuple[str, str], EntryContent] = {}
    for content in contents:
        found.setdefault((guid_key(content), url_key(content.url)), content)
    return list(found.values())


def _match(source: Source, content: EntryContent, moved: Mapping[str, str]) -> tuple[Entry | None, Review | None]:
    """The cascade of R19: the entry that this is, or else the review that it belongs to, or neither."""
    guid, address = guid_key(content), url_key(content.url)
    for entry in _family(source, guid):
        if not is_reused_guid(_title(entry), entry.url_key, content):
            return entry, entry.review
    keys = [key for key in (address, moved.get(address, "")) if key]
    for entry in Entry.objects.filter(url_key__in=keys).select_related("review").order_by("pk"):
        if not is_second_opinion(from_json(entry.content), content):
            return None, entry.review
    post = post_key(content)
    if post:
        for entry in Entry.objects.filter(post_key=post).select_related("review").order_by("pk"):
            if not is_reused_guid(_title(entry), entry.url_key, content) and not is_second_opinion(
                from_json(entry.content), content
            ):
                return None, entry.review
    return None, None


def _family(source: Source, guid: str) -> Iterator[Entry]:
    """The entry of a guid, then the other articles that its source gave the same guid, if it ever did."""
    entries = Entry.objects.filter(source=source).select_related("review", "source")
    first = entries.filter(guid_key=guid).first()
    if first is not None:
        yield first
        yield from entries.filter(guid_key__startswith=fork_key(guid, "")).order_by("pk")


def _add(
    source: Source, content: EntryContent, review: Review | None, now: datetime, result: Ingested, *, flood: bool
) -> None:
    if review is None:
        dating = date_review(
            content.published_at, now, day_only=content.date_precision == "day", timezone=source.timezone
        )
        tray = FirstSight.WAITING
        if source.kind not in _BY_HAND:
            freshness, first_days = _patience(source)
            tray = sort_at_first_sight(
                dating,
                now,
                first_import=source.first_gathered_at is None,
                flood=flood,
                freshness_days=freshness,
                first_import_days=first_days,
            )
        review = Review.objects.create(
            first_seen_at=now,
            effective_at=dating.effective_at,
            date_guessed=dating.guessed,
            embargoed_until=dating.embargoed_until,
            tray=str(tray),
        )
        result.new += 1
        result.trays[str(tray)] += 1
    guid = guid_key(content)
    if Entry.objects.filter(source=source, guid_key=guid).exists():
        guid = fork_key(guid, url_key(content.url))
    entry = Entry(source=source, review=review, guid_key=guid, first_seen_at=now)
    _fill(entry, content, now)
    entry.save()
    note(entry, content)
    result.touched.append(entry.pk)
    _represent(review, now)


def _update(entry: Entry, content: EntryContent, now: datetime, result: Ingested) -> None:
    old_hash, old_date, old_text = entry.content_hash, entry.published_at, entry.content.get("body_text")
    old_content = entry.content
    _fill(entry, content, now)
    if entry.content == old_content:
        Entry.objects.filter(pk=entry.pk).update(last_seen_at=now)
        return
    entry.save()
    note(entry, content)
    if entry.content_hash == old_hash:
        return
    result.changed += 1
    result.touched.append(entry.pk)
    review = entry.review
    bumped = bool(old_date and entry.published_at and entry.published_at > old_date + CLOCK_SKEW)
    ran = Placement.objects.filter(review=review, state=PlacementState.SENT).exists()
    trayed = review.tray != Review.Tray.NONE and review.included_at is None
    if (ran and bumped) or (trayed and (bumped or content.body_text != old_text)):
        Review.objects.filter(pk=review.pk).update(revisited_at=now)
        result.revisited += 1
    if not ran and not trayed and _represents(entry):
        _date_again(review, entry, content)
    _represent(review, now)
    _tell_changed(entry, now)


def _date_again(review: Review, entry: Entry, content: EntryContent) -> None:
    """A corrected date orders a waiting review anew, or moves its embargo; its age is never judged again (R5)."""
    dating = date_review(
        content.published_at,
        review.first_seen_at,
        day_only=content.date_precision == "day",
        timezone=entry.source.timezone,
    )
    Review.objects.filter(pk=review.pk).update(
        effective_at=dating.effective_at, date_guessed=dating.guessed, embargoed_until=dating.embargoed_until
    )


def _fill(entry: Entry, content: EntryContent, now: datetime) -> None:
    entry.url_key = url_key(content.url)
    entry.post_key = post_key(content)
    entry.title = content.title
    entry.content = to_json(content)
    entry.content_hash = content_hash(content)
    entry.last_seen_at = now
    entry.published_at = content.published_at
    entry.source_updated_at = content.updated_at


def _represents(entry: Entry) -> bool:
    return entry.review.representative_id == entry.pk


def _represent(review: Review, now: datetime) -> None:
    """Choose what a review shows (R20): preferred source, full text, earliest; of one source's entries the latest seen,
    for the others left its feed.
    """
    latest: dict[int, Entry] = {}
    for entry in review.entries.select_related("source").order_by("-last_seen_at", "pk"):
        latest.setdefault(entry.source_id, entry)
    longest = max(_words(entry) for entry in latest.values())
    best = min(
        latest.values(),
        key=lambda entry: (entry.source.preference, _words(entry) * 2 < longest, entry.first_seen_at, entry.pk),
    )
    Review.objects.filter(pk=review.pk).exclude(representative=best).update(representative=best)


def _words(entry: Entry) -> int:
    return int(entry.content.get("word_count") or 0)


def _title(entry: Entry) -> str:
    return str(entry.content.get("title_clean") or entry.title)


def _patience(source: Source) -> tuple[int, int]:
    """The most patient newsletter's freshness and first-import days: what one wants must not be lost to another."""
    newsletters = Newsletter.objects.filter(Q(sources=source) | Q(sources=None))
    most = newsletters.aggregate(fresh=Max("freshness_days"), first=Max("first_import_days"))
    fresh, first = most["fresh"], most["first"]
    return 21 if fresh is None else fresh, 7 if first is None else first


def _weekly_norm(source: Source, now: datetime) -> float:
    """How many reviews this source brings a week, over the last eight; what went to a tray is not its habit."""
    if source.first_gathered_at is None:
        return 0.0
    since = max(source.first_gathered_at, now - NORM_WEEKS * WEEK)
    found = Entry.objects.filter(source=source, first_seen_at__gte=since, review__tray=Review.Tray.NONE).count()
    return found / max(1.0, (now - since) / WEEK)


def _warn_of_gaps(source: Source, contents: Sequence[EntryContent], result: Ingested) -> None:
    """The overflow alarm: a rolling feed that shares nothing with its last poll may have lost entries in between."""
    if source.kind not in _ROLLING:
        return
    last = Poll.objects.filter(source=source, outcome=Poll.Outcome.READ, entries__gt=0).order_by("-at", "-pk").first()
    if last is None:
        return
    if not contents:
        result.warnings.append("The source gave no entry at all, and it had some before. Nothing was removed.")
        return
    before = Entry.objects.filter(source=source, last_seen_at__gte=last.at)
    seen = set(before.values_list("guid_key", flat=True))
    addresses = set(before.exclude(url_key="").values_list("url_key", flat=True))
    if not any(guid_key(one) in seen or url_key(one.url) in addresses for one in contents):
        dates = [one.published_at for one in contents if one.published_at]
        until = f"{min(dates):%Y-%m-%d %H:%M}" if dates else "now"
        result.warnings.append(
            f"No entry of the last poll is in this one: posts between {last.at:%Y-%m-%d %H:%M} and {until} UTC may have"
            " been missed. Gather more often, or read this source through WordPress REST."
        )


def _tell_changed(entry: Entry, now: datetime) -> None:
    """R16: an approved issue stays as approved and says so; an editor's own words stay, and say so too. Of what was
    sent an editor learns how to correct it.
    """
    rows = Placement.objects.filter(review=entry.review, state=PlacementState.RESERVED).select_related("issue")
    for row in rows:
        if row.issue.state == IssueState.APPROVED:
            text = f'"{entry}" changed at its source after the approval. The letter stays as approved.'
        elif row.edits:
            text = f'"{entry}" changed at its source. The fields that were edited keep the editor\'s words.'
        else:
            continue
        Event.objects.create(newsletter_id=row.newsletter_id, issue=row.issue, at=now, kind="source changed", text=text)
    if not Review.objects.filter(pk=entry.review_id, representative=entry).exists():
        return  # readers were sent elsewhere
    text = (
        f'"{entry}" changed at its source after it was sent. If readers should know, tell them what was wrong: '
        f'newsletter issue correct {entry.review_id} "..."'
    )
    sent = Placement.objects.filter(review=entry.review, state=PlacementState.SENT).order_by("run")
    # A page that changes at every poll is said once per issue.
    for row in {row.newsletter_id: row for row in sent}.values():
        Event.objects.get_or_create(
            newsletter_id=row.newsletter_id,
            issue_id=row.issue_id,
            kind="source changed",
            text=text,
            defaults={"at": now},
        )


def _tell_late(result: Ingested, now: datetime) -> None:
    """R9: reviews that came after the cutoff of an open issue wait for the next one, and somebody should know."""
    if not result.new:
        return
    fresh = Review.objects.filter(first_seen_at=now, tray=Review.Tray.NONE, entries__in=result.touched)
    fresh = fresh.exclude(placements__state__in=ACTIVE).distinct()
    for issue in Issue.objects.filter(
        Q(cutoff_at__lt=now) | Q(state=IssueState.APPROVED), state__in=(IssueState.DRAFT, IssueState.APPROVED)
    ).select_related("newsletter"):
        ids = list(issue.newsletter.sources.values_list("pk", flat=True))
        count = (fresh.filter(entries__source__in=ids) if ids else fresh).count()
        if count:
            reviews = "1 review came" if count == 1 else f"{count} reviews came"
            Event.objects.create(
                newsletter=issue.newsletter,
                issue=issue,
                at=now,
                kind="late arrivals",
                text=f"{reviews} in after the cutoff: add (and approve again), or leave for the next issue.",
            )
