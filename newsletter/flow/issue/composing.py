"""Who made an issue what it is, so that somebody else can be asked to approve it."""

from __future__ import annotations

from django.db.models import Q

from newsletter.core.errors import IssueError
from newsletter.flow.issue.blocks import BLOCKS
from newsletter.flow.issue.editing import COMPOSED, EDITED
from newsletter.models import Event, Issue

# Kinds of events by which a person changes what an issue says; "edited …", of one field, is another.
COMPOSING = frozenset(
    {COMPOSED, "pinned", "unpinned", "left out", "brought back", "run again", "correction", "approval voided", *BLOCKS}
)


def composers(issue: Issue) -> list[str]:
    """Who edited the issue since it was last approved, by name; nobody when the rules alone made it."""
    rows = Event.objects.filter(issue=issue)
    approved = rows.filter(kind="approved").order_by("-pk").values_list("pk", flat=True).first()
    if approved is not None:
        rows = rows.filter(pk__gt=approved)
    return sorted(
        set(rows.filter(Q(kind__in=COMPOSING) | Q(kind__startswith=EDITED)).exclude(by="").values_list("by", flat=True))
    )


def require_another(issue: Issue, who: str) -> None:
    """Raises `IssueError` when the newsletter wants that who edited an issue does not approve it, and `who` did."""
    if not issue.newsletter.approval_by_another:
        return
    if who.casefold() in {name.casefold() for name in composers(issue)}:
        raise IssueError(
            f"{who} edited this issue, so somebody else approves it.",
            where=f"{issue.newsletter.slug}/{issue.slot}",
            hint="That is approval_by_another in magazine.toml.",
        )
