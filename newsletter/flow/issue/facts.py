"""What the rules need to know, read from the record in a few queries: never one per review."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from newsletter.core.content import EntryContent, from_json, lead_picture
from newsletter.core.week import ActivePlacement, Candidate, FirstSight, ReviewFacts, Schedule, Slot, next_slot
from newsletter.ledger.issues import STARTED
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Carry, Entry, Issue, LeftOut, Newsletter, Picture, Pin, Placement, Review, WeekOff


def schedule_of(newsletter: Newsletter) -> Schedule:
    """The newsletter's slots (R8) and cutoff (R9)."""
    return Schedule(newsletter.weekday, newsletter.send_time, newsletter.timezone, newsletter.cutoff_hours)


def taken_slots(newsletter: Newsletter) -> set[str]:
    """Keys that no new issue can have: issues that exist, decided or not, and weeks off (R22)."""
    off = {day.isoformat() for day in WeekOff.objects.filter(newsletter=newsletter).values_list("slot", flat=True)}
    return off | set(Issue.objects.filter(newsletter=newsletter).values_list("slot", flat=True))


def next_free_slot(newsletter: Newsletter, now: datetime, taken: Container[str]) -> Slot:
    """The slot of the next issue. Of a first one the cutoff is still to come: nothing a new newsletter gathers could be
    in time for one that is past.
    """
    is_first = not Issue.objects.filter(newsletter=newsletter).exists()
    return next_slot(
        schedule_of(newsletter), max(now, newsletter.starts_at), taken=taken, cutoff_after=now if is_first else None
    )


def slot_date(issue: Issue) -> date:
    """The local date on which the issue is read."""
    return issue.slot_at.astimezone(ZoneInfo(issue.newsletter.timezone)).date()


def our_sources(newsletter: Newsletter) -> Q:
    """The condition on entries that they come from this newsletter; one that names no source takes from every one."""
    ids = list(newsletter.sources.values_list("pk", flat=True))
    return Q(source__in=ids) if ids else Q(source__removed_at=None)


def waiting_reviews(issue: Issue) -> QuerySet[Review]:
    """Every review that could be in the issue, a little more than are: the rules have the last word.

    Reviews that ran, and those that lie in a tray, stay out of the query: they grow for years.
    """
    newsletter = issue.newsletter
    elsewhere = Placement.objects.filter(newsletter=newsletter, review=OuterRef("pk"), state__in=ACTIVE)
    pinned = Pin.objects.filter(_this_issue(issue), newsletter=newsletter, review=OuterRef("pk"))
    ours = Entry.objects.filter(our_sources(newsletter), review=OuterRef("pk"))
    held = Placement.objects.filter(issue=issue, review=OuterRef("pk"), state__in=ACTIVE)
    return (
        Review.objects.filter(~Exists(elsewhere.exclude(issue=issue)))
        .filter(Q(tray=Review.Tray.NONE) | Q(included_at__isnull=False) | Exists(pinned))
        .filter(Exists(ours) | Exists(pinned) | Exists(held))
        .select_related("representative")
        .order_by("pk")
    )


def review_facts(newsletter: Newsletter, issue: Issue | None, reviews: Iterable[Review]) -> dict[int, ReviewFacts]:
    """What the rules need to know of each review, by its id, with regard to `issue` (or none yet)."""
    rows = list(reviews)
    ids = [row.pk for row in rows]
    began = _began(newsletter)
    placed = {
        one.review_id: ActivePlacement(one.issue.slot, one.state)
        for one in Placement.objects.filter(newsletter=newsletter, review__in=ids, state__in=ACTIVE)
        .select_related("issue")
        .order_by("run")
    }
    left = LeftOut.objects.filter(newsletter=newsletter, review__in=ids)
    for_good = dict(left.filter(issue=None).values_list("review", "reason"))
    of_issue = set(left.filter(issue=issue).values_list("review", flat=True)) if issue else set()
    pins = Pin.objects.filter(_this_issue(issue), newsletter=newsletter, review__in=ids)
    pinned = set(pins.values_list("review", flat=True))
    ours = set(Entry.objects.filter(our_sources(newsletter), review__in=ids).values_list("review", flat=True))
    removed = Entry.objects.exclude(source__removed_at=None).filter(review__in=placed.keys() - ours)
    outlived = set(removed.values_list("review", flat=True))
    return {
        row.pk: ReviewFacts(
            publishable=bool(row.representative and row.representative.title.strip()),
            first_seen_at=row.first_seen_at,
            embargoed_until=row.embargoed_until,
            tray=FirstSight(row.tray),
            included_by=row.included_by if row.included_at else None,
            placement=placed.get(row.pk),
            left_out_for_good=for_good.get(row.pk),
            left_out_of_issue=row.pk in of_issue,
            from_our_sources=row.pk in ours,
            outlived_its_source=row.pk in outlived,
            before_start=row.first_seen_at < began,
            sponsored=bool(row.representative and row.representative.content.get("sponsored")),
            pinned=row.pk in pinned,
        )
        for row in rows
    }


def candidates(issue: Issue, reviews: Iterable[Review], facts: dict[int, ReviewFacts]) -> list[Candidate]:
    """The reviews as the ranking sees them."""
    rows = [(row, content_of(row)) for row in reviews]
    carried = dict(
        Carry.objects.filter(issue__newsletter=issue.newsletter, issue__state__in=STARTED)
        .filter(review__in=[row.pk for row, _ in rows])
        .values_list("review")
        .annotate(times=Count("pk"))
    )
    pictures = {row.pk: lead_picture(content) for row, content in rows}
    addresses = [picture.url for picture in pictures.values() if picture is not None]
    broken = set(
        Picture.objects.filter(source_url__in=addresses).exclude(error="").values_list("source_url", flat=True)
    )
    return [
        Candidate(
            id=row.pk,
            rubric=content.rubric,
            first_seen_at=row.first_seen_at,
            effective_at=row.effective_at,
            pinned=facts[row.pk].pinned,
            carried=carried.get(row.pk, 0),
            has_picture=(picture := pictures[row.pk]) is not None and picture.url not in broken,
            has_rating=content.rating is not None,
            words=content.word_count,
            release_on=content.release.date if content.release else None,
            event_on=content.event_date,
        )
        for row, content in rows
    ]


def content_of(review: Review) -> EntryContent:
    """The content that a review shows: its representative's (R20)."""
    if review.representative is None:
        return EntryContent(title="", title_clean="")
    return from_json(review.representative.content)


def _began(newsletter: Newsletter) -> datetime:
    """What was seen before this is the past of a newsletter that began later (R6). Fixed by its first issue, so that a
    later change of `starts_at` can't make waiting reviews old.
    """
    first = Issue.objects.filter(newsletter=newsletter).aggregate(first=Min("created_at"))["first"]
    started = min(newsletter.starts_at, first) if first else newsletter.starts_at
    return started - timedelta(days=newsletter.first_import_days)


def _this_issue(issue: Issue | None) -> Q:
    """Pins until further notice, and those to this issue."""
    return Q(issue=None) | Q(issue=issue) if issue else Q(issue=None)
