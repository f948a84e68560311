"""What an editor changes about the weeks to come: move one slot, take a week off back, make a special issue."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence
from newsletter.core.week import Slot, slot_on
from newsletter.flow.issue.drafting import place
from newsletter.flow.issue.facts import schedule_of
from newsletter.ledger import issues
from newsletter.models import Event, Issue, Newsletter, WeekOff

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
WEEK = timedelta(days=7)
FURTHEST = timedelta(days=366)


def move_slot(issue: Issue, at: datetime, *, now: datetime, by: str) -> Issue:
    """Let an open issue's slot be `at` for this once; its cutoff moves along, and an approval is void.

    Raises `IssueError` for a time that is past, that leaves its own week (the slots on both sides stay where they are),
    and once the issue is decided.
    """
    newsletter, name = issue.newsletter, f"{issue.newsletter.slug}/{issue.slot}"
    if at <= now:
        raise IssueError(sentence("That time is past."), where=name, hint=sentence("Choose a later one."))
    if issue.special:
        if at > now + FURTHEST:
            raise IssueError(sentence("That is more than a year away."), where=name, hint=sentence("Look at the year."))
    else:
        regular = slot_on(schedule_of(newsletter), date.fromisoformat(issue.slot)).at
        if abs(at - regular) >= WEEK:
            raise IssueError(
                sentence("That is another week's time."), where=name, hint=sentence("Make a special issue for it.")
            )
    issues.move_slot(issue.pk, at, _cutoff(newsletter, at, now), f"Moved to {_words(newsletter, at)}.", now=now, by=by)
    issue.refresh_from_db()
    return issue


def take_week_off_back(newsletter: Newsletter, day: date, *, now: datetime, by: str) -> None:
    """Make a slot that was set aside a slot again. Raises `IssueError` when it was not, or when it is past."""
    with transaction.atomic():
        issues.lock_newsletter(newsletter.pk)
        row = WeekOff.objects.filter(newsletter=newsletter, slot=day).first()
        if row is None:
            raise IssueError(sentence("{day} is not off.", day=day), where=newsletter.slug)
        if slot_on(schedule_of(newsletter), day).at <= now:
            raise IssueError(sentence("{day} is past.", day=day), where=newsletter.slug)
        row.delete()
        Event.objects.create(newsletter=newsletter, at=now, kind="week on", text=f"{day} is a slot again.", by=by)


def make_special(newsletter: Newsletter, name: str, at: datetime, *, now: datetime, by: str) -> Issue:
    """A draft beside the weekly ones, that goes out `at`; what no other draft holds is placed in it.

    `name` stands in its address: small letters, digits and hyphens. Raises `IssueError` for a name that is no such
    word, is a date or was used before, and for a time that is past or more than a year away.
    """
    key = "-".join(name.strip().lower().split())
    if not _NAME.fullmatch(key) or _DATE.fullmatch(key) or len(key) > 60:
        raise IssueError(
            sentence("“{name}” can't stand in an address.", name=name),
            hint=sentence("Use small letters, digits and hyphens."),
        )
    if at <= now:
        raise IssueError(sentence("That time is past."), where=newsletter.slug, hint=sentence("Choose a later one."))
    if at > now + FURTHEST:
        raise IssueError(
            sentence("That is more than a year away."), where=newsletter.slug, hint=sentence("Look at the year.")
        )
    with transaction.atomic():
        locked = issues.lock_newsletter(newsletter.pk)
        slot = Slot(key, at, _cutoff(newsletter, at, now))
        issue, made = issues.create(locked, slot, now, special=True)
        if not made:
            raise IssueError(
                sentence("There is an issue “{key}” already.", key=key),
                where=newsletter.slug,
                hint=sentence("Choose another name."),
            )
        place(issue, now=now)
        Event.objects.create(newsletter=newsletter, issue=issue, at=now, kind="special", by=by,
                             text=f"A special issue for {_words(newsletter, at)}.")  # fmt: skip
    issue.refresh_from_db()
    return issue


def _cutoff(newsletter: Newsletter, at: datetime, now: datetime) -> datetime:
    """As long before as usual; where that is past, in the middle of what is left, so that there is time to approve."""
    usual = at - timedelta(hours=newsletter.cutoff_hours)
    return usual if usual > now else now + (at - now) / 2


def _words(newsletter: Newsletter, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(newsletter.timezone)):%Y-%m-%d %H:%M} {newsletter.timezone}"
