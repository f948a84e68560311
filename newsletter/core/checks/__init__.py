"""The checks before approval: rows that block, that warn, and that say honestly what was not checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from newsletter.core.checks.letter import HEAVY, LIMIT, envelope, links, words
from newsletter.core.checks.reviews import cards, pictures, reviews
from newsletter.core.checks.rows import FIRM, Level, Row, Subject
from newsletter.core.sentence import sentence

__all__ = ["FIRM", "HEAVY", "LIMIT", "Level", "Row", "Subject", "check"]

LATE = timedelta(minutes=15)


def check(subject: Subject) -> list[Row]:
    """Every finding, blocking ones first."""
    found = [
        *envelope(subject),
        *links(subject),
        *words(subject),
        *reviews(subject),
        *cards(subject),
        *pictures(subject.content),
        *_time(subject),
        *_not_checked(subject),
    ]
    order = list(Level)
    return sorted(found, key=lambda row: order.index(row.level))


def _time(subject: Subject) -> Iterator[Row]:
    late = subject.now - subject.slot_at
    if late > subject.grace:
        hint = sentence("It goes out only when a person sends it.")
        yield Row(Level.WARN, sentence("Its slot is long past."), sentence("issue"), hint, code="slot-past")
    elif late > LATE:
        hint = sentence("Approve it now, or give it another slot.")
        yield Row(
            Level.WARN, sentence("Its slot is past: it goes out late."), sentence("issue"), hint, code="slot-past"
        )
    for title in subject.guessed_dates:
        text, hint = sentence("The source gave no date that can be believed."), sentence("The day we saw it is used.")
        yield Row(Level.WARN, text, title, hint, code="date-guessed", anchor=_titled(subject, title))
    if subject.approved_differs:
        yield Row(
            Level.WARN,
            sentence("Something changed since the approval; what was approved is what goes out."),
            sentence("issue"),
            sentence("Edit it, or approve it again, to take the change."),
            code="approval-differs",
        )


def _not_checked(subject: Subject) -> Iterator[Row]:
    if subject.dead is None:
        hint = sentence("Click them in the preview, or type: newsletter checks ISSUE --links")
        yield Row(
            Level.NOT_CHECKED, sentence("Whether each link still answers."), sentence("links"), hint, code="links"
        )
    hint = "newsletter preview ISSUE --mail YOU"
    yield Row(Level.NOT_CHECKED, sentence("How Outlook draws this."), sentence("design"), hint, code="outlook")
    if subject.domain is not None:
        yield from subject.domain
    elif subject.mails_people:
        yield Row(
            Level.NOT_CHECKED,
            sentence("Whether the From domain has SPF, DKIM and DMARC."),
            sentence("sender"),
            "newsletter domain check",
            code="domain",
        )


def _titled(subject: Subject, title: str) -> str:
    """The anchor of the review with that title."""
    found = next((each for each in subject.content.placed if each.title == title), None)
    return f"review/{found.key}/title" if found else ""
