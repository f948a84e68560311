"""The newsletter at a glance: its weeks, its next issue, what is in the trays, how its list grows. Only reads.

Every query is bounded by the weeks that are shown, not by how much there is: 500 issues open as fast as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from newsletter.core.errors import NewsletterError
from newsletter.core.saying import Standing
from newsletter.core.week import slot_on
from newsletter.flow.compile import known_blockers
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.deliver.timing import undo_left
from newsletter.flow.issue.facts import schedule_of
from newsletter.flow.progress import progress
from newsletter.ledger import issues
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Issue, IssueState, Newsletter, Placement, Review, WeekOff
from subscribers import listing

WEEKS = 12
BACK = 5
"""Weeks of the strip before the present one."""
_HEAVY = ("public_html",)
ENDED = (IssueState.SENT, IssueState.SKIPPED, IssueState.MISSED, IssueState.DISCARDED)


@dataclass(frozen=True, slots=True)
class Week:
    """One place in the strip: an issue, or a slot without one, which may be off (with its `reason`)."""

    day: date
    at: datetime
    issue: Issue | None = None
    off: bool = False
    reason: str = ""
    ahead: bool = False


def strip(newsletter: Newsletter, now: datetime, *, start: date | None = None) -> list[Week]:
    """Twelve weeks of slots from the week of `start` on (default: five before this one), in the order of their time;
    special issues stand between them.
    """
    schedule = schedule_of(newsletter)
    today = now.astimezone(ZoneInfo(newsletter.timezone)).date()
    first = start or today - timedelta(weeks=BACK)
    first += timedelta(days=(schedule.weekday - first.weekday()) % 7)
    days = [first + timedelta(weeks=number) for number in range(WEEKS)]
    slots = {slot.key: (day, slot.at) for day in days for slot in (slot_on(schedule, day),)}
    begin, end = min(at for _, at in slots.values()), max(at for _, at in slots.values()) + timedelta(days=1)
    inside = Q(slot_at__gte=begin - timedelta(days=1), slot_at__lt=end) | Q(slot__in=list(slots))
    rows = list(_light(Issue.objects.filter(inside, newsletter=newsletter)))
    off = dict(WeekOff.objects.filter(newsletter=newsletter, slot__in=days).values_list("slot", "reason"))
    aside = {day.isoformat() for day in off}
    weeks = [Week(_local(row.slot_at, newsletter), row.slot_at, row, row.slot in aside) for row in rows]
    known = {row.slot for row in rows}
    for key, (day, at) in slots.items():
        if key not in known and (at >= newsletter.starts_at or day in off):
            weeks.append(Week(day, at, None, day in off, off.get(day, ""), at > now))
    return sorted(weeks, key=lambda week: week.at)


def next_issue(newsletter: Newsletter) -> Issue | None:
    """What needs a look first: an issue that is being sent or stopped, else the earliest that is open."""
    rows = _light(Issue.objects.filter(newsletter=newsletter)).order_by("slot_at", "pk")
    under_way = rows.filter(state__in=(IssueState.PAUSED, IssueState.SENDING)).first()
    return under_way or rows.filter(state__in=issues.OPEN).first()


def missed_issue(newsletter: Newsletter, now: datetime) -> Issue | None:
    """The last issue of the past week that did not go out though it should have, when nothing went out since."""
    rows = _light(Issue.objects.filter(newsletter=newsletter, slot_at__gt=now - timedelta(days=7)))
    last = rows.filter(Q(started_at__isnull=False) | Q(state=IssueState.MISSED)).order_by("-slot_at").first()
    return last if last is not None and last.state == IssueState.MISSED else None


def standing(issue: Issue, now: datetime, *, look: bool = False) -> Standing:
    """What is to be said of an issue. With `look` a draft is compiled to see what stands against it."""
    zone = issue.newsletter.timezone
    due = issues.due_at(issue)
    against: int | None = None
    if look and issue.state == IssueState.DRAFT:
        try:
            against = len(known_blockers(issue, now))
        except NewsletterError:
            against = 1
    found = progress(issue, now) if issue.started_at is not None else None
    return Standing(
        state=issue.state,
        reviews=Placement.objects.filter(issue=issue, state__in=ACTIVE).count(),
        due=spoken_time(due, zone),
        cutoff=spoken_time(issue.cutoff_at, zone),
        past_cutoff=now >= issue.cutoff_at,
        past_due=now >= due,
        automatic=issue.newsletter.approval_mode == Newsletter.ApprovalMode.AUTOMATIC,
        blockers=against,
        held=issue.held_reason,
        approved_by=issue.approved_by,
        undo=undo_left(issue, now),
        accepted=found.counts.accepted if found else 0,
        frozen=found.counts.frozen if found else 0,
        failed=found.counts.failed if found else 0,
        undecided=found.counts.undecided if found else 0,
        nothing_sent=bool(found and found.nothing_sent),
        waits=bool(found and found.waits_for_provider),
        reason=issue.paused_reason or issue.outcome_reason,
    )


def search(newsletter: Newsletter | None, text: str, *, most: int, skip: int = 0) -> tuple[list[Issue], int]:
    """Issues that are over, the newest first, whose subject, name, number or outcome holds `text`; and how many."""
    rows = Issue.objects.filter(state__in=ENDED)
    if newsletter is not None:
        rows = rows.filter(newsletter=newsletter)
    if text:
        found = Q(subject__icontains=text) | Q(slot__icontains=text) | Q(outcome_reason__icontains=text)
        number = text.lstrip("#")
        if number.isascii() and number.isdecimal() and len(number) < 9:
            found |= Q(number=int(number))
        rows = rows.filter(found)
    # Numbers first: to sort whole rows SQLite reads each to its end, behind the letter of a hundred kilobytes.
    numbers = list(rows.order_by("-slot_at", "-pk").values_list("pk", flat=True)[skip : skip + most])
    return list(_light(Issue.objects.filter(pk__in=numbers)).order_by("-slot_at", "-pk")), rows.count()


def trays(newsletter: Newsletter, now: datetime) -> list[tuple[str, int]]:
    """How many reviews wait for an issue, by rubric, the most first: seen within the newsletter's freshness, not
    placed, and not left out for good.
    """
    since = now - timedelta(days=newsletter.freshness_days)
    rows = Review.objects.filter(first_seen_at__gte=since)
    sources = list(newsletter.sources.values_list("pk", flat=True))
    rows = rows.filter(Q(representative__source__in=sources) if sources else Q(representative__source__removed_at=None))
    placed = Placement.objects.filter(newsletter=newsletter, state__in=ACTIVE).values("review")
    left = newsletter.left_out.filter(issue=None).values("review")
    rows = rows.exclude(pk__in=placed).exclude(pk__in=left)
    found: dict[str, int] = {}
    for rubric, number in rows.values_list("representative__content__rubric").annotate(number=Count("pk")).order_by():
        found[rubric or "unsorted"] = found.get(rubric or "unsorted", 0) + number
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def growth(newsletter: Newsletter, now: datetime) -> listing.Growth:
    """How the newsletter's list grows."""
    return listing.growth(newsletter.mailing_list_id, now)


def _light(rows: QuerySet[Issue]) -> QuerySet[Issue]:
    """Without the pages of a hundred kilobytes each, which no list shows."""
    return rows.select_related("newsletter__mailing_list", "newsletter__magazine", "freeze").defer(*_HEAVY)


def _local(at: datetime, newsletter: Newsletter) -> date:
    return at.astimezone(ZoneInfo(newsletter.timezone)).date()
