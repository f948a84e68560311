"""Findings that an editor said to ignore this time: kept as events with a name, until what they are about changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from newsletter.core.checks import Level, Row
from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence, word
from newsletter.ledger.issues import OPEN
from newsletter.models import Event, Issue

IGNORED, MINDED = "ignored ", "minded "
"""What the kind of such an event begins with; the finding's mark follows."""


def with_names(issue: Issue, rows: Sequence[Row]) -> list[Row]:
    """The findings, those that somebody ignored with the name. One that changed since has another mark: it counts."""
    names = _names(issue)
    return [replace(row, ignored_by=names.get(row.mark, "")) if row.can_be_ignored else row for row in rows]


def ignore(issue: Issue, found: Sequence[Row], code: str, *, by: str, now: datetime, mark: str = "") -> list[Row]:
    """Ignore this time the findings of that code (the one with `mark`, when given); returns those that were ignored.

    `found` is what `checks` says now. Raises `IssueError` without a name, for what nobody may ignore, for what was not
    found (or has changed since somebody looked), and once the issue is decided.
    """
    rows = _chosen(issue, found, code, mark, by)
    firm = next((row for row in rows if not row.can_be_ignored), None)
    if firm is not None:
        raise IssueError(sentence("Nobody may ignore this: {text}", text=firm.text), where=code, hint=firm.hint)
    fresh = [row for row in rows if not row.ignored_by]
    _tell(issue, fresh, IGNORED, "Ignored this time", by, now)
    return fresh


def mind(issue: Issue, found: Sequence[Row], code: str, *, by: str, now: datetime, mark: str = "") -> list[Row]:
    """Undo `ignore`. Raises as it does."""
    rows = [row for row in _chosen(issue, found, code, mark, by) if row.ignored_by]
    _tell(issue, rows, MINDED, "Not ignored any more", by, now)
    return rows


def _chosen(issue: Issue, found: Sequence[Row], code: str, mark: str, by: str) -> list[Row]:
    if not by.strip():
        raise IssueError(sentence("Ignoring a check needs a name."), where=code)
    if issue.state not in OPEN:
        raise IssueError(
            sentence("The issue is {state}: there is nothing to check any more.", state=word(issue.state)),
            where=str(issue.slot),
        )
    rows = [row for row in found if row.code == code and mark in ("", row.mark) and row.level is not Level.NOT_CHECKED]
    if not rows:
        known = ", ".join(sorted({row.code for row in found if row.can_be_ignored}))
        hint = (
            sentence("What can be ignored now: {known}.", known=known)
            if known
            else sentence("Nothing can be ignored now.")
        )
        raise IssueError(
            sentence("No check says {code} about this issue as it is now.", code=repr(code)), where="checks", hint=hint
        )
    return rows


def _tell(issue: Issue, rows: Sequence[Row], kind: str, words: str, by: str, now: datetime) -> None:
    Event.objects.bulk_create(
        Event(
            newsletter_id=issue.newsletter_id,
            issue=issue,
            at=now,
            kind=f"{kind}{row.mark}",
            text=f"{words}: {f'{row.where}: ' if row.where else ''}{row.text}",
            by=by.strip(),
        )
        for row in {row.mark: row for row in rows}.values()
    )


def _names(issue: Issue) -> dict[str, str]:
    """Who ignored what, by mark: the last word counts."""
    rows = Event.objects.filter(issue=issue).order_by("at", "pk").values_list("kind", "by")
    said = [(kind, by) for kind, by in rows if kind.startswith((IGNORED, MINDED))]
    names = {kind.partition(" ")[2]: by if kind.startswith(IGNORED) else "" for kind, by in said}
    return {mark: by for mark, by in names.items() if by}
