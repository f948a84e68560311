"""The ways of looking at a letter on the desk, and who may change what is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from newsletter.core.inverted import inverted
from newsletter.flow.people import Role, role_of
from newsletter.models import Issue, IssueState
from newsletter.web.studio.words import gettext_lazy

VIEWS = {
    "desktop": gettext_lazy("Desktop"),
    "phone": gettext_lazy("Phone"),
    "dark": gettext_lazy("Dark"),
    "forced": gettext_lazy("Dark, forced"),
    "text": gettext_lazy("Plain text"),
    "bare": gettext_lazy("No pictures"),
    "inbox": gettext_lazy("Inbox"),
}
"""In the order of the number keys (product.md 5.6); "as subscriber" and "split" are keys 8 and 9."""

SPLIT = "split"
ASIDE = {name: words for name, words in VIEWS.items() if name != "inbox"}
"""What can stand beside another."""

KINDS = frozenset({"html", "forced"})
"""Kinds of HTML that a frame can show; all views but these two are looks of the first."""


@dataclass(frozen=True, slots=True)
class View:
    """`name` as addresses have it ("phone", "split-desktop-dark"), and the views that stand side by side in it."""

    name: str
    shown: tuple[str, ...]

    @property
    def is_split(self) -> bool:
        """Whether two stand side by side."""
        return len(self.shown) > 1


def view_of(name: str, left: str = "", right: str = "") -> View:
    """The view that an address names; `left` and `right` are what the form of the split view sends beside it. What
    makes no sense is the first view.
    """
    first, *others = name.split("-")
    if first == SPLIT:
        pair = (left or (others[:1] or [""])[0], right or (others[1:2] or [""])[0])
        shown = tuple(each if each in ASIDE else usual for each, usual in zip(pair, ("desktop", "phone"), strict=True))
        return View("-".join((SPLIT, *shown)), shown)
    return View(name, (name,)) if name in VIEWS else View("desktop", ("desktop",))


def kind_of(view: str) -> str:
    """What a frame of this view shows: "html", or "forced"."""
    return view if view in KINDS else "html"


def looked(html: str, kind: str) -> str:
    """The letter's HTML as that kind of frame shows it."""
    return inverted(html) if kind == "forced" else html


def may_edit(user: AbstractBaseUser | AnonymousUser | User, issue: Issue) -> bool:
    """Whether `user` may change the issue: an editor a draft; an approved one who may approve: it is void then."""
    needed = Role.APPROVER if issue.state == IssueState.APPROVED else Role.EDITOR
    return (role_of(user) or 0) >= needed  # type: ignore[arg-type] # every user of ours has a role
