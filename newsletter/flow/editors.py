"""Notices to editors by mail: each thing once, with a link to where it can be mended.

What there is to tell is read from the record at every look of the clock, so nothing is forgotten while it stood still.
The unique key of a `Notice` is the claim: however many clocks look, one of them tells. The mails are service mails, and
go out by the newsletter's own account; where that is the trouble, they come when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from newsletter.core.reasons import grouped
from newsletter.flow.compile import blockers, subject_of
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.notices import failing_sources
from newsletter.flow.report import counts
from newsletter.flow.service.queueing import queue
from newsletter.flow.service.wording import Kind
from newsletter.ledger import issues
from newsletter.models import (
    Delivery,
    DeliveryState,
    Event,
    Issue,
    IssueState,
    Newsletter,
    Notice,
    Placement,
    PlacementState,
)

DRAFT_READY = timedelta(hours=72)
"""So long before its slot a draft with reviews is told of: Monday morning for a Thursday."""
NEAR_CUTOFF = timedelta(minutes=30)
RECENT = timedelta(days=2)
"""What ended longer ago is no news: an installation that begins to tell does not tell its history."""
TRIES = 3
"""A source that failed once or twice mends itself more often than not."""
NAMED = 6
_OVER = (IssueState.SENT, IssueState.MISSED, IssueState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Told:
    """The words of one notice: the first line is also its subject, `button` names what the link opens."""

    heading: str
    lines: tuple[str, ...]
    button: str = "Open the issue"


@dataclass(frozen=True, slots=True)
class News:
    """Something that may be told once. `words` is asked only when nobody was told yet; None is nothing to tell."""

    kind: str
    key: str
    newsletter: Newsletter
    issue: Issue | None
    path: str
    words: Callable[[], Told | None]


def tell(now: datetime, *, base_url: str) -> int:
    """Queue a mail to every editor for each thing that none was told of; returns how many things."""
    found = [news for newsletter in Newsletter.objects.order_by("pk") for news in _news(newsletter, now)]
    known = set(Notice.objects.filter(key__in=[news.key for news in found]).values_list("key", flat=True))
    # A source that serves two newsletters fails once.
    fresh = {news.key: news for news in found if news.key not in known}
    return sum(_tell(news, now, base_url.rstrip("/")) for news in fresh.values())


def people() -> list[User]:
    """Who is told: everybody who may log in and has an address."""
    return list(User.objects.filter(is_active=True).exclude(email="").order_by("pk"))


def _tell(news: News, now: datetime, base_url: str) -> bool:
    told = news.words()
    everybody = people() if told is not None else []
    try:
        with transaction.atomic():
            Notice.objects.create(
                key=news.key, newsletter=news.newsletter, issue=news.issue, kind=news.kind, at=now, told=len(everybody)
            )
            for person in everybody:
                assert told is not None
                values = {
                    "subject": f"{news.newsletter.name}: {told.heading}",
                    "heading": told.heading,
                    "text": "\n".join(" ".join(line.split()) for line in told.lines),
                    "button": told.button,
                    "link": f"{base_url}{news.path}",
                }
                queue(
                    Kind.NOTICE, newsletter=news.newsletter, address=person.email, now=now, values=values, language="en"
                )
    except IntegrityError:
        return False  # another clock was first
    return bool(everybody)


def _news(newsletter: Newsletter, now: datetime) -> Iterator[News]:
    rows = Issue.objects.filter(newsletter=newsletter).select_related("newsletter", "freeze").defer("public_html")
    for issue in rows.filter(state__in=(IssueState.DRAFT, IssueState.PAUSED)).order_by("slot_at", "pk"):
        yield from _of_open(issue, now)
    for issue in rows.filter(state__in=_OVER, finished_at__gt=now - RECENT).order_by("finished_at", "pk"):
        yield _about(issue, issue.state, f"{issue.finished_at:%Y%m%d%H%M%S}", lambda issue=issue: _ended(issue))  # type: ignore[misc]
    for source in failing_sources(newsletter):
        if source.tries >= TRIES:
            since = spoken_time(source.since, newsletter.timezone)
            lines = (f"Since {since}, {source.tries} tries in a row.", source.error)
            words = Told(f"{source.name} can’t be read", lines, "Open the studio")
            key = f"source {source.source} {source.since:%Y%m%d%H%M%S}"
            yield News("source", key, newsletter, None, "/studio/", lambda words=words: words)  # type: ignore[misc]


def _of_open(issue: Issue, now: datetime) -> Iterator[News]:
    due = issues.due_at(issue)
    if issue.state == IssueState.PAUSED:
        # A person's own pause is no news to anybody.
        last = Event.objects.filter(issue=issue, kind="paused").order_by("-at", "-pk").first()
        if last is not None and not last.by:
            yield _about(issue, "failed", _short(issue.paused_reason), lambda: _failed(issue))
        return
    if due - DRAFT_READY <= now < due and _reviews(issue):
        yield _about(issue, "draft", "", lambda: _ready(issue, due))
    if issue.cutoff_at - NEAR_CUTOFF <= now < due:
        yield _about(issue, "blockers", "", lambda: _blocked(issue, due, now))
    if issue.held_reason:
        yield _about(issue, "held", _short(issue.held_reason), lambda: _held(issue, due))


def _about(issue: Issue, kind: str, which: str, words: Callable[[], Told | None]) -> News:
    # The kinds that end in the send panel are about its buttons.
    panel = "send" if kind == "failed" else "outcome" if kind == IssueState.SENT else ""
    path = f"/studio/{issue.newsletter.slug}/{issue.slot}/{panel}"
    return News(kind, f"{kind} {issue.pk} {which}".strip(), issue.newsletter, issue, path, words)


def _ready(issue: Issue, due: datetime) -> Told:
    names = _reviews(issue)
    number = f"{len(names)} {'review' if len(names) == 1 else 'reviews'}"
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    when = spoken_time(due, issue.newsletter.timezone)
    cutoff = spoken_time(issue.cutoff_at, issue.newsletter.timezone)
    return Told(
        f"Draft ready: {number}",
        (f"In it: {'; '.join(names[:NAMED])}{rest}.", f"It would go out {when}. Reviews are placed until {cutoff}."),
        "Look at the draft",
    )


def _blocked(issue: Issue, due: datetime, now: datetime) -> Told | None:
    against = blockers(issue, now)
    if not against:
        return None
    number = "One thing stands" if len(against) == 1 else f"{len(against)} things stand"
    when = spoken_time(due, issue.newsletter.timezone)
    return Told(f"{number} against the next issue", (*against, f"It would go out {when}."), "Mend it")


def _held(issue: Issue, due: datetime) -> Told:
    when = spoken_time(due, issue.newsletter.timezone)
    return Told("The next issue is held", (issue.held_reason, f"Its time is {when}."), "Mend it")


def _failed(issue: Issue) -> Told:
    found = counts(issue)
    if not found.accepted and not found.uncertain:
        return Told("The issue did not go out", (issue.paused_reason, "Nothing was sent."), "Try again")
    got = f"{found.accepted:,} of {found.frozen:,} have it; the rest waits."
    return Told("The send stopped", (issue.paused_reason, got), "Finish the rest")


def _ended(issue: Issue) -> Told:
    if issue.state == IssueState.MISSED:
        return Told(
            "The issue was missed", (issue.outcome_reason, "Its reviews wait for the next one."), "Bring it back"
        )
    if issue.state == IssueState.SKIPPED:
        return Told("The issue was skipped", (issue.outcome_reason, "Its reviews wait for the next one."))
    found = counts(issue)
    failed = Delivery.objects.filter(issue=issue, state=DeliveryState.FAILED).values_list("reason", flat=True)
    reasons = "; ".join(f"{number:,} {words}" for words, number in grouped((reason, 1) for reason in failed.iterator()))
    lines = [f"“{subject_of(issue)}” went to {found.accepted:,} of {found.frozen:,}."]
    if found.failed:
        lines.append(f"{found.failed:,} refused: {reasons}.")
    if found.undecided:
        lines.append(f"{found.undecided:,} may have arrived, and wait for a decision.")
    return Told(f"Sent to {found.accepted:,}", tuple(lines), "See how it went")


def _reviews(issue: Issue) -> list[str]:
    rows = Placement.objects.filter(issue=issue, state=PlacementState.RESERVED).select_related("review__representative")
    return [str(row.review) for row in rows.order_by("kind", "position", "pk")]


def _short(text: str) -> str:
    """So much of a reason that two are told apart; numbers in it (a count, a time) don't make it another one."""
    return sha256("".join(sign for sign in text if not sign.isdigit()).encode()).hexdigest()[:12]
