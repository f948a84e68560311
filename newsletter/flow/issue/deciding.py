"""What is due for an issue, and the decisions that end it (R9, R10, R12, R13, R22)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence, together, word
from newsletter.core.week import Action, Decision, IssueFacts, Minimum, State, slot_on
from newsletter.core.week import decide as decide_purely
from newsletter.flow.compile import blockers, freeze
from newsletter.flow.issue.composing import require_another
from newsletter.flow.issue.drafting import ensure_draft, place
from newsletter.flow.issue.facts import schedule_of
from newsletter.ledger import issues, placements
from newsletter.models import Event, Issue, IssueState, Newsletter, Placement, PlacementState, WeekOff

BY_SCHEDULE = "schedule"


def approve(issue: Issue, who: str, *, now: datetime, expected: str | None = None) -> Issue:
    """Freeze a draft and approve exactly that. Raises `IssueError` when it is no draft, has no review, or a blocking
    check stands against it; when `who` edited it and the newsletter wants somebody else; and when `expected`, the
    fingerprint of what somebody looked at, is not what was frozen.
    """
    with transaction.atomic():
        row = issues.lock(issue.pk)
        name = f"{row.newsletter.slug}/{row.slot}"
        if row.state != IssueState.DRAFT:
            raise IssueError(
                sentence("The issue is {state}; only a draft can be approved.", state=row.state), where=name
            )
        require_another(row, who)
        if not _count(row):
            raise IssueError(
                sentence("There is no review in this issue."), where=name, hint=sentence("Gather, or include one.")
            )
        against = blockers(row, now)
        if against:
            raise IssueError(
                together(*against, between="; "), where=name, hint=sentence("newsletter checks tells where.")
            )
        frozen = freeze(row, now)
        # Compared with what is approved, inside the transaction: what was looked at may have changed a moment ago.
        if expected is not None and frozen.fingerprint != expected:
            raise IssueError(
                sentence("The issue has changed since you looked at it."),
                where=name,
                hint=sentence("Look at it as it is now."),
            )
        text = "Approved by schedule." if who == BY_SCHEDULE else ""
        issues.approve(row.pk, frozen.pk, now=now, by=who, text=text)
    issue.refresh_from_db()
    return issue


def skip(issue: Issue, reason: str, *, now: datetime, by: str = "") -> Issue:
    """Don't send this issue; its reviews wait. The next draft, which is returned, holds them at once."""
    with transaction.atomic():
        issues.skip(issue.pk, reason, now=now, by=by)
        return _next_draft(issue, now)


def discard(issue: Issue, reason: str, *, now: datetime, by: str = "") -> Issue:
    """Throw an issue away, a paused one only while nothing was accepted (R10). Returns the next draft."""
    with transaction.atomic():
        issues.discard(issue.pk, reason, now=now, by=by)
        return _next_draft(issue, now)


def revive(issue: Issue, *, now: datetime, by: str) -> Issue:
    """Bring a missed issue back as a draft that is due now; its reviews come back from the drafts that hold them."""
    with transaction.atomic():
        issues.revive(issue.pk, now=now, by=by)
        row = issues.lock(issue.pk)
        before = Placement.objects.filter(issue=row, state=PlacementState.RELEASED)
        _take_back(row, list(before.values_list("review", flat=True)), now)
        place(row, now=now)
    issue.refresh_from_db()
    return issue


def week_off(newsletter: Newsletter, day: date, reason: str, *, now: datetime, by: str = "") -> WeekOff:
    """Set the slot of the local date `day` aside (R22); an open issue of that slot is skipped, its reviews wait.

    Raises `IssueError` when `day` is no slot of the newsletter, or when its issue is being sent or was.
    """
    schedule = schedule_of(newsletter)
    if day.weekday() != schedule.weekday:
        days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        raise IssueError(
            sentence(
                "{day} is no slot of {slug}: it goes out on {weekday}s.",
                day=day,
                slug=newsletter.slug,
                weekday=word(days[schedule.weekday]),
            )
        )
    with transaction.atomic():
        issues.lock_newsletter(newsletter.pk)
        row, made = WeekOff.objects.get_or_create(newsletter=newsletter, slot=day, defaults={"reason": reason})
        issue = Issue.objects.filter(newsletter=newsletter, slot=slot_on(schedule, day).key).first()
        if issue is not None and issue.state in issues.STARTED:
            raise IssueError(
                sentence("The issue of {day} is {state}.", day=day, state=word(issue.state)), where=newsletter.slug
            )
        if issue is not None and issue.state in issues.OPEN:
            skip(issue, f"Week off: {reason}" if reason else "Week off.", now=now, by=by)
        if made:
            Event.objects.create(
                newsletter=newsletter, at=now, kind="week off", text=f"{day} is off. {reason}".strip(), by=by
            )
    return row


def decide(issue: Issue, *, now: datetime) -> Decision:
    """Do what is due for a draft or an approved issue, and say what it was.

    Places, holds, skips, approves by schedule or marks as missed. Sending is the caller's: for `Action.SEND` this
    changes nothing. An issue in any other state waits for delivery or is over.
    """
    with transaction.atomic():
        row = issues.lock(issue.pk)
        if row.state not in issues.OPEN:
            return Decision(Action.WAIT, f"The issue is {row.state}.")
        if row.state == IssueState.DRAFT:
            place(row, now=now)
            if now >= row.cutoff_at:
                issues.mark_placed(row.pk, now)
        decision = _apply(row, decide_purely(_facts(row, now), now), now)
    issue.refresh_from_db()
    return decision


def _apply(row: Issue, decision: Decision, now: datetime) -> Decision:
    match decision.action:
        case Action.HOLD:
            issues.hold(row.pk, decision.reason, now)
        case Action.SKIP:
            skip(row, decision.reason, now=now)
        case Action.MISS:
            issues.miss(row.pk, decision.reason, now=now)
            _next_draft(row, now)
        case Action.APPROVE:
            approve(row, BY_SCHEDULE, now=now)
            return Decision(Action.SEND, decision.reason)
        case Action.WAIT if row.state == IssueState.DRAFT:
            issues.hold(row.pk, "", now)
    return decision


def _facts(row: Issue, now: datetime) -> IssueFacts:
    newsletter = row.newsletter
    automatic = newsletter.approval_mode == Newsletter.ApprovalMode.AUTOMATIC
    due = issues.due_at(row)
    asked = automatic and row.state == IssueState.DRAFT and now >= due
    return IssueFacts(
        state=State(row.state),
        slot_at=due,
        cutoff_at=row.cutoff_at,
        reviews=_count(row),
        min_reviews=newsletter.min_reviews,
        under_minimum=Minimum(newsletter.under_minimum),
        automatic=automatic,
        grace=timedelta(hours=newsletter.grace_hours),
        blockers=blockers(row, now) if asked else (),
        revived=row.late and row.state == IssueState.DRAFT,  # else a send sets it
    )


def _take_back(row: Issue, reviews: list[int], now: datetime) -> None:
    """Release the reviews from the other drafts of the newsletter: what was in the missed issue belongs there."""
    held = Placement.objects.filter(
        newsletter=row.newsletter, review__in=reviews, state=PlacementState.RESERVED, issue__state=IssueState.DRAFT
    ).exclude(issue=row)
    placements.release(held.values_list("pk", flat=True), now)


def _next_draft(issue: Issue, now: datetime) -> Issue:
    draft = ensure_draft(issue.newsletter, now=now)
    place(draft, now=now)
    return draft


def _count(row: Issue) -> int:
    return Placement.objects.filter(issue=row, state=PlacementState.RESERVED).count()
