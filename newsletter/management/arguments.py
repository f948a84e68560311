"""What people type on the command line, read in one place."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from datetime import UTC, datetime

from django.core.management.base import CommandError

from newsletter.config.toml import nearest
from newsletter.models import Issue, IssueState, Newsletter
from subscribers.models import MailingList

UNDECIDED = (IssueState.DRAFT, IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED)


def clock() -> datetime:
    """The present, aware UTC: only edges read the clock, everything below is told."""
    return datetime.now(UTC)


def add_by(parser: ArgumentParser) -> None:
    """The option that says who does it."""
    parser.add_argument("--by", default="", metavar="NAME", help="who does it; it is kept (default: who is logged in)")


def somebody(typed: str) -> str:
    """Who does it: the name typed after --by, else the account of this machine."""
    if typed.strip():
        return typed.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return "the command line"


def newsletter_from(text: str) -> Newsletter:
    """The newsletter with the slug `text`; "" means the only one there is. Raises `CommandError` naming all of them."""
    slugs = list(Newsletter.objects.order_by("slug").values_list("slug", flat=True))
    if not slugs:
        raise CommandError(
            "There is no newsletter yet. Describe one in magazine.toml and type: newsletter apply", returncode=2
        )
    if not text and len(slugs) == 1:
        return Newsletter.objects.get()
    found = Newsletter.objects.filter(slug=text).first()
    if found is not None:
        return found
    problem = f'There is no newsletter "{text}".' if text else "There are several newsletters: say which one."
    raise CommandError(f"{problem} Known: {', '.join(slugs)}.", returncode=2)


def list_from(slug: str) -> MailingList:
    """The list; "" means the only one there is. Raises `CommandError` naming all of them."""
    slugs = list(MailingList.objects.order_by("slug").values_list("slug", flat=True))
    if not slugs:
        raise CommandError("There is no list yet. Describe a newsletter in magazine.toml and type: newsletter apply")
    if not slug and len(slugs) > 1:
        raise CommandError(f"There are several lists: say --list {' or --list '.join(slugs)}.", returncode=2)
    if slug and slug not in slugs:
        raise CommandError(f'There is no list "{slug}". {nearest(slug, slugs)}', returncode=2)
    return MailingList.objects.get(slug=slug or slugs[0])


def issue_from(text: str) -> Issue:
    """The issue that `text` names: "weekly/2026-11-26", "2026-11-26", "next", "last", "weekly/next" or "weekly/last".

    "next" is the earliest issue that is not decided yet (draft, approved, sending or paused), "last" the one that
    began to send most recently. Raises `CommandError` that names the nearest issues.
    """
    slug, _, key = text.strip().rpartition("/")
    issues = Issue.objects.select_related("newsletter")
    if slug:
        issues = issues.filter(newsletter=newsletter_from(slug))
    match key:
        case "next":
            found = list(issues.filter(state__in=UNDECIDED).order_by("slot_at", "pk")[:1])
        case "last":
            found = list(issues.filter(started_at__isnull=False).order_by("-started_at", "-pk")[:1])
        case _:
            found = list(issues.filter(slot=key).order_by("newsletter__slug"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(map(issue_name, found))
        raise CommandError(f'Several newsletters have an issue "{key}": {names}. Say which.', returncode=2)
    raise CommandError(f'There is no issue "{text}". {_nearest(slug)}', returncode=2)


def issue_name(issue: Issue) -> str:
    """How an issue is typed: "weekly/2026-11-26"."""
    return f"{issue.newsletter.slug}/{issue.slot}"


def _nearest(slug: str) -> str:
    issues = Issue.objects.select_related("newsletter").order_by("-slot_at", "-pk")
    if slug:
        issues = issues.filter(newsletter__slug=slug)
    names = [f"{issue_name(issue)} ({issue.state})" for issue in issues[:5]]
    if not names:
        return "None exists yet. Type: newsletter issue"
    return f"The latest are: {', '.join(names)}."
