"""How issues are printed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.flow.issue import AlsoAt, also_at, late_arrivals
from newsletter.flow.notices import failing_sources
from newsletter.ledger.issues import due_at
from newsletter.management.arguments import issue_name
from newsletter.models import Carry, Issue, IssueState, Placement, PlacementState


def moment(at: datetime, timezone: str) -> str:
    """A time with everything that can be misunderstood: weekday, date, wall time, zone, and the same in UTC."""
    wall = at.astimezone(ZoneInfo(timezone))
    return f"{wall:%A, %d %B %Y, %H:%M} {timezone} ({at:%H:%M} UTC)"


def issue_values(issue: Issue) -> dict[str, Any]:
    """An issue with its placements as plain values."""
    rows = _rows(issue)
    others = also_at(row.review for row in rows)
    return {
        "issue": issue_name(issue),
        "number": issue.number,
        "state": issue.state,
        "slot_at": issue.slot_at,
        "send_at": due_at(issue),
        "cutoff_at": issue.cutoff_at,
        "held": issue.held_reason,
        "outcome": issue.outcome_reason,
        "approved_by": issue.approved_by,
        "cards": [_row_values(row, others) for row in rows if row.kind == Placement.Kind.CARD],
        "lines": [_row_values(row, others) for row in rows if row.kind == Placement.Kind.LINE],
        "corrections": issue.corrections,
        "blocks": issue.blocks,
        "carried": [str(row.review) for row in _carried(issue)],
        "failing": [asdict(one) for one in failing_sources(issue.newsletter)] if _open(issue) else [],
        "late": [str(review) for review in late_arrivals(issue)] if _open(issue) else [],
    }


def issue_lines(issue: Issue) -> list[str]:
    """An issue with its placements, and what happens next, in lines to print."""
    zone = issue.newsletter.timezone
    found = [f"{issue_name(issue)}  no. {issue.number}  {issue.state}", f"  {_next(issue, zone)}"]
    rows = _rows(issue)
    others = also_at(row.review for row in rows)
    for row in rows:
        mark = {"card": "■", "line": "–"}[row.kind]
        pinned = " (pinned)" if row.pinned else ""
        found.append(f"  {mark} {row.position:>2}  {row.review}{pinned}  · {row.why}")
        found += [f"        also at {other}" for other in others[row.review_id]]
    if not rows:
        found.append("  No review yet.")
    found += [f"  Corrects {each['title']}: {each['text']}" for each in issue.corrections]
    found += [f"  {_block(name, value)}" for name, value in sorted(issue.blocks.items())]
    carried = [str(row.review) for row in _carried(issue)]
    if carried:
        found.append(f"  No room, so they wait for the next issue: {'; '.join(carried)}")
    if _open(issue):
        for one in failing_sources(issue.newsletter):
            found.append(f"  ! {one.name} can't be read since {moment(one.since, zone)}: {one.error}")
    if _open(issue) and (late := late_arrivals(issue)):
        found.append(f"  Came after the cutoff: {'; '.join(map(str, late))}. Pin one to add it.")
    return found


def _block(name: str, value: Any) -> str:
    """An editor's word on a block, in a line."""
    if not value:
        return "Second opinions stand apart." if name == "pairs" else f"No {name}, by an editor."
    text = value.get("text") if name == "quote" else value.get("title")
    return f"{name.capitalize()}: {text}"


def _next(issue: Issue, zone: str) -> str:
    match issue.state:
        case IssueState.DRAFT if issue.held_reason:
            return f"Held: {issue.held_reason}"
        case IssueState.DRAFT:
            return f"Cutoff {moment(issue.cutoff_at, zone)}. Goes out {moment(issue.slot_at, zone)}, if approved."
        case IssueState.APPROVED:
            return f"Approved by {issue.approved_by}. Goes out {moment(due_at(issue), zone)}."
        case IssueState.SENDING:
            return "It is being sent."
        case IssueState.PAUSED:
            return f"Paused: {issue.paused_reason}. Resume with: newsletter deliver {issue_name(issue)} --resume"
        case IssueState.SENT:
            return f"Sent{' late' if issue.late else ''}. Look at: newsletter report {issue_name(issue)}"
        case _:
            return issue.outcome_reason


def _rows(issue: Issue) -> list[Placement]:
    rows = Placement.objects.filter(issue=issue, state__in=(PlacementState.RESERVED, PlacementState.SENT))
    return list(rows.select_related("review__representative").order_by("kind", "position", "pk"))


def _carried(issue: Issue) -> list[Carry]:
    return list(Carry.objects.filter(issue=issue).select_related("review__representative").order_by("review"))


def _row_values(row: Placement, others: dict[int, tuple[AlsoAt, ...]]) -> dict[str, Any]:
    entry = row.review.representative
    return {
        "review": row.review_id,
        "title": str(row.review),
        "url": entry.content.get("url", "") if entry else "",
        "also_at": [asdict(other) for other in others[row.review_id]],
        "position": row.position,
        "state": row.state,
        "pinned": row.pinned,
        "edited": sorted(row.edits),
        "run": row.run,
        "why": row.why,
    }


def _open(issue: Issue) -> bool:
    return issue.state in (IssueState.DRAFT, IssueState.APPROVED)
