"""When an approved issue goes out: at its slot, at another time, or now with a minute to take it back.

The time is the issue's (`ledger.issues`), so pages, commands and the clock obey the same one, and it survives all of
them. Nothing leaves before it: `begin_sending` refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from newsletter.core.asking import asks_number, is_number
from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence
from newsletter.flow.deliver.control import Reach, reach, spoken_time
from newsletter.ledger import issues
from newsletter.models import Issue, IssueState

UNDO = timedelta(seconds=60)
"""How long "send now" can be taken back."""
FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Typed:
    """The number of people that a page `shown`, and what was `typed` under it."""

    text: str
    shown: int


def send_now(
    issue: Issue,
    now: datetime,
    *,
    by: str,
    confirmed: bool = False,
    typed: Typed | None = None,
    wait: timedelta = UNDO,
) -> datetime:
    """Let an approved issue leave `wait` from now, and return that time; until then `take_back` undoes it.

    `confirmed` and `typed` as in `schedule`. Raises `IssueError` for an issue that is not approved, or on its way.
    """
    row = _row(issue)
    at = now + wait
    _require(row, at, now, confirmed, typed)
    if wait:
        issues.hurry(row.pk, at, f"Sent off by {by}.", now=now, by=by, confirmed=confirmed)
    else:
        issues.schedule(row.pk, at, f"Sent off by {by}.", now=now, by=by, confirmed=confirmed)
    return at


def schedule(
    issue: Issue,
    at: datetime | None,
    now: datetime,
    *,
    by: str,
    confirmed: bool = False,
    typed: Typed | None = None,
) -> datetime:
    """Let an approved issue go out `at` a time (aware) or at its slot (None), and return that time.

    Raises `IssueError` for an issue that is not approved, a time that is past or more than a year away, when another
    issue goes out within `min_gap` before and nobody `confirmed`, and when a `typed` number of people is not right.
    """
    row = _row(issue)
    due = row.slot_at if at is None else at
    if due <= now:
        raise IssueError(sentence("{due} is past.", due=spoken_time(due, row.newsletter.timezone)), where=_name(row),
                         hint=sentence("Choose a later time, or send it now."))  # fmt: skip
    if due > now + FURTHEST:
        raise IssueError(
            sentence("That is more than a year away."), where=_name(row), hint=sentence("Look at the year.")
        )
    _require(row, due, now, confirmed, typed)
    chosen = None if due == row.slot_at else due
    text = f"Goes out {spoken_time(due, row.newsletter.timezone)}."
    issues.schedule(row.pk, chosen, text, now=now, by=by, confirmed=confirmed)
    return due


def take_back(issue: Issue, now: datetime, *, by: str) -> None:
    """Undo `send_now`. Raises `IssueError` once the issue is being sent."""
    issues.take_back(issue.pk, now=now, by=by)


def unschedule(issue: Issue, now: datetime, *, by: str) -> None:
    """Take the approval back: the issue is a draft again. Raises `IssueError` once it is being sent."""
    if not issues.void_approval(issue.pk, f"taken back by {by}", now=now, by=by, kind=issues.TAKEN_BACK):
        raise IssueError(sentence("The issue is a draft: nothing is scheduled."), where=_name(_row(issue)))


def undo_left(issue: Issue, now: datetime) -> int:
    """Whole seconds, rounded up, in which `send_now` can still be taken back; 0 when it can't."""
    if issue.state != IssueState.APPROVED or issue.hurried_from is None or issue.send_at is None:
        return 0
    return max(0, ceil((issue.send_at - now).total_seconds()))


def local_time(text: str, zone: str) -> datetime:
    """The instant of a wall time in a zone ("2026-11-26T08:00"), in UTC. A time that comes twice means its first, one
    that does not exist moves on, as for slots. Raises `IssueError` for what is no time.
    """
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise IssueError(
            sentence("“{text}” is no time.", text=text), hint=sentence("Write 2026-11-26T08:00.")
        ) from error
    aware = wall if wall.tzinfo is not None else wall.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC)


def _require(row: Issue, at: datetime, now: datetime, confirmed: bool, typed: Typed | None) -> None:
    if row.state != IssueState.APPROVED:
        return  # the ledger says it better
    near = issues.went_out_near(row, at)
    if near is not None and not confirmed:
        raise IssueError(
            sentence(
                "The issue of {slot} goes out less than {min_gap_hours} hours before.",
                slot=near.slot,
                min_gap_hours=row.newsletter.min_gap_hours,
            ),
            where=_name(row),
            hint=sentence("Confirm to send a second one all the same."),
        )
    if typed is not None:
        require_number(row, typed, now)


def require_number(issue: Issue, typed: Typed, now: datetime) -> Reach:
    """Whom the issue would go to, once who presses has shown that they know how many. Raises `IssueError`."""
    found = reach(_row(issue), now)
    if asks_number(found.people) and not is_number(typed.text, typed.shown, found.people):
        raise IssueError(
            sentence("This goes to {people} people.", people=f"{found.people:,}"),
            where=_name(_row(issue)),
            hint=sentence("Type that number to confirm it."),
        )
    return found


def _row(issue: Issue) -> Issue:
    return Issue.objects.select_related("newsletter__mailing_list", "freeze").get(pk=issue.pk)


def _name(row: Issue) -> str:
    return f"{row.newsletter.slug}/{row.slot}"
