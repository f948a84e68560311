"""Who made an issue what it is, so that somebody else can be asked to approve it."""

from __future__ import annotations

from django.db.models import Q

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence
from newsletter.flow.issue.blocks import BLOCKS
from newsletter.flow.issue.editing import COMPOSED
from newsletter.flow.issue.undoing import UNDONE
from newsletter.flow.issue.wording import EDITED
from newsletter.ledger.issues import TAKEN_BACK
from newsletter.models import Event, Issue

# Kinds of events by which a person changes what an issue says; "edited …", of one field, is another.
COMPOSING = frozenset(
    {COMPOSED, UNDONE, "pinned", "unpinned", "left out", "brought back", "run again", "correction", *BLOCKS}
)
_COMPOSED = Q(kind__in=COMPOSING) | Q(kind__startswith=EDITED)


def composers(issue: Issue) -> list[str]:
    """Who edited the issue since it was last approved, by name; nobody when the rules alone made it.

    An approval that was taken back counts for nothing: what was edited before it waits for another approval.
    """
    rows = Event.objects.filter(issue=issue)
    decided = rows.filter(kind__in=("approved", TAKEN_BACK)).order_by("pk").values_list("pk", "kind")
    standing: list[int] = []
    for pk, kind in decided:
        if kind == TAKEN_BACK:
            del standing[-1:]
        else:
            standing.append(pk)
    if standing:
        rows = rows.filter(pk__gt=standing[-1])
    return sorted(set(rows.filter(_COMPOSED).exclude(by="").values_list("by", flat=True)))


def edited_any(who: str) -> bool:
    """Whether some issue was edited under this name."""
    return Event.objects.filter(_COMPOSED, issue__isnull=False, by__iexact=who).exists()


def require_another(issue: Issue, who: str) -> None:
    """Raises `IssueError` when the newsletter wants that who edited an issue does not approve it, and `who` did."""
    if not issue.newsletter.approval_by_another:
        return
    if who.casefold() in {name.casefold() for name in composers(issue)}:
        raise IssueError(
            sentence("{who} edited this issue, so somebody else approves it.", who=who),
            where=f"{issue.newsletter.slug}/{issue.slot}",
            hint=sentence("That is approval_by_another in magazine.toml."),
        )
