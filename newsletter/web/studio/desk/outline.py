"""The left of the desk: what is in the issue, in order, and what could be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from newsletter.core.content import lead_picture
from newsletter.flow.issue import late_arrivals
from newsletter.flow.issue.facts import content_of, our_sources
from newsletter.ledger.issues import OPEN
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Carry, Entry, Issue, LeftOut, Picture, Pin, Placement, PlacementState, Review
from newsletter.web.studio.words import gettext as _

MOST = 12
"""Reviews of one reason in the tray: a first import may leave thousands there."""


@dataclass(frozen=True, slots=True)
class Item:
    """One review, placed or not. `thumb` is the path of its picture; `does` the verb that brings it in ("" if none)."""

    key: int
    title: str
    thumb: str = ""
    why: str = ""
    kind: str = ""
    is_lead: bool = False
    is_first: bool = False
    is_last: bool = False
    is_pinned: bool = False
    is_edited: bool = False
    does: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Items under one heading."""

    key: str
    name: str
    items: list[Item] = field(default_factory=list)


def outline(issue: Issue) -> list[Group]:
    """The lead, the cards and the lines, in the letter's order."""
    rows = placements(issue)
    thumbs = _thumbs(row.review for row in rows)
    thumbs |= {row.review_id: f"/media/{row.edits['picture']}" for row in rows if row.edits.get("picture")}
    pins = set(Pin.objects.filter(newsletter=issue.newsletter_id, issue=issue).values_list("review", flat=True))
    of = {kind: [row for row in rows if row.kind == kind] for kind in Placement.Kind.values}
    items = {
        kind: [
            Item(
                row.review_id,
                str(row.edits.get("title") or content_of(row.review).title_clean or row.review),
                thumbs.get(row.review_id, ""),
                row.why,
                kind,
                is_lead=kind == Placement.Kind.CARD and at == 0,
                is_first=kind == Placement.Kind.CARD and at == 0,
                is_last=kind == Placement.Kind.LINE and at == len(group) - 1,
                is_pinned=row.review_id in pins,
                is_edited=bool(row.edits),
            )
            for at, row in enumerate(group)
        ]
        for kind, group in of.items()
    }
    cards, lines = items["card"], items["line"]
    return [
        Group("lead", _("Lead"), cards[:1]),
        Group("cards", _("Cards"), cards[1:]),
        Group("lines", _("In brief"), lines),
    ]


def tray(issue: Issue) -> list[Group]:
    """What is not in the issue and could be, by the reason. Nothing once the issue is decided."""
    if issue.state not in OPEN:
        return []
    newsletter = issue.newsletter
    active = Placement.objects.filter(newsletter=newsletter, state__in=ACTIVE).values("review")
    reviews = Review.objects.select_related("representative").order_by("-effective_at", "-pk")
    left_for_good = LeftOut.objects.filter(newsletter=newsletter, issue=None).values("review")
    ours = reviews.filter(pk__in=Entry.objects.filter(our_sources(newsletter)).values("review"))
    waiting = ours.exclude(pk__in=active).exclude(pk__in=left_for_good)
    trays = waiting.filter(included_at=None)
    left = LeftOut.objects.filter(issue=issue).values("review")
    ran = Placement.objects.filter(newsletter=newsletter, state=PlacementState.SENT).values("review")
    found: list[tuple[str, str, str, Iterable[Review]]] = [
        ("fits", _("Fits, no room"), "add", reviews.filter(pk__in=Carry.objects.filter(issue=issue).values("review"))),
        ("late", _("After the cutoff"), "add", late_arrivals(issue)),
        ("found-late", _("Found late"), "add", trays.filter(tray=Review.Tray.FOUND_LATE)[:MOST]),
        ("flood", _("Many at once"), "add", trays.filter(tray=Review.Tray.FLOOD)[:MOST]),
        ("baseline", _("From before"), "add", trays.filter(tray=Review.Tray.BASELINE)[:MOST]),
        ("left-out", _("Left out of this issue"), "back", reviews.filter(pk__in=left)),
        ("revisited", _("Revisited"), "", ours.filter(pk__in=ran, revisited_at__isnull=False)[:MOST]),
    ]
    groups: list[Group] = []
    for key, name, does, rows in found:
        listed = list(rows)
        thumbs = _thumbs(listed)
        items = [
            Item(row.pk, content_of(row).title_clean or str(row), thumbs.get(row.pk, ""), why=name, does=does)
            for row in listed
        ]
        if items:
            groups.append(Group(key, name, items))
    return groups


def placements(issue: Issue) -> list[Placement]:
    """The reviews in the issue, cards first."""
    rows = Placement.objects.filter(issue=issue, state__in=ACTIVE).select_related(
        "issue__newsletter", "review__representative"
    )
    return sorted(rows, key=lambda row: (row.kind != Placement.Kind.CARD, row.position, row.pk))


def _thumbs(reviews: Iterable[Review]) -> dict[int, str]:
    """The path of the picture of each review that has one, by its id."""
    wanted = {row.pk: picture.url for row in reviews if (picture := lead_picture(content_of(row))) is not None}
    held = Picture.objects.filter(source_url__in=list(wanted.values())).exclude(name="")
    names = dict(held.values_list("source_url", "name"))
    return {key: f"/media/{names[url]}" for key, url in wanted.items() if url in names}
