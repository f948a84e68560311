"""The words of one review in an issue: as they read now, as the source has them, and who wrote them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from newsletter.core.context import Card, Line
from newsletter.core.excerpt import excerpt
from newsletter.core.prose import sentences
from newsletter.flow.compile.gathering import as_its_source_says, with_edits
from newsletter.flow.issue.facts import content_of
from newsletter.models import Event, Newsletter, Placement

EDITED = "edited "
"""What the kind of an event begins with that says who edited a field; "PLACEMENT/FIELD" or "issue/FIELD" follows."""

LINE_FIELDS = ("title", "kicker", "byline")
CARD_FIELDS = (*LINE_FIELDS, "dek", "excerpt", "facts", "read_label")
PICTURE_FIELDS = ("picture_alt", "picture_credit")
_ORIGIN = {"title": "title", "byline": "authors", "dek": "dek"}
_STOPS = 6


@dataclass(frozen=True, slots=True)
class Word:
    """One field. `source` is what it reads without an editor, `origin` "feed" or "auto" where that comes from;
    `edited` whether an editor's words stand there, `by` whose they are ("" when nobody knows).
    """

    name: str
    value: str
    source: str
    origin: str
    edited: bool = False
    by: str = ""


def words_of(row: Placement) -> list[Word]:
    """Every field of a review in an issue that can hold an editor's own words, in the order in which they are read."""
    bare = as_its_source_says(row, str(settings.NEWSLETTER.base_url).rstrip("/"))
    now = with_edits(bare, row)
    names: tuple[str, ...] = LINE_FIELDS
    if isinstance(bare, Card):
        has_picture = isinstance(now, Card) and now.picture is not None
        has_rating = row.issue.newsletter.ratings != Newsletter.Ratings.HIDE
        names = (*CARD_FIELDS, *(("rating",) if has_rating else ()), *(PICTURE_FIELDS if has_picture else ()), "pick")
    entry = content_of(row.review)
    by = _editors(row)
    return [
        Word(
            name,
            _value(now, name),
            _value(bare, name),
            "auto" if name not in _ORIGIN or entry.origins.get(_ORIGIN[name]) == "auto" else "feed",
            edited=name in row.edits,
            by=by.get(name, "") if name in row.edits else "",
        )
        for name in names
    ]


def stops(row: Placement) -> list[tuple[int, str]]:
    """Excerpts that end where the review's first sentences end: (how many, the words), the shortest first."""
    entry = content_of(row.review)
    language = entry.language or row.issue.newsletter.language
    found: dict[str, int] = {}
    count = 0
    for paragraph in entry.body_text.splitlines():
        for sentence in sentences(paragraph):
            count += len(sentence.split())
            if len(found) < _STOPS:
                text = excerpt(entry.body_text, low=count, high=max(count, 1), language=language)
                found.setdefault(text, len(found) + 1)
    return [(number, text) for text, number in found.items() if text]


def _value(item: Card | Line, name: str) -> str:
    if isinstance(item, Card):
        if name == "pick":
            return "yes" if item.pick else ""
        if name == "rating":
            given = item.rating
            return "" if given is None else f"{given.value}/{given.best}" if given.best else given.value
        if name in PICTURE_FIELDS:
            picture = item.picture
            return "" if picture is None else picture.alt if name == "picture_alt" else picture.credit
    return str(getattr(item, name))


def _editors(row: Placement) -> dict[str, str]:
    rows = Event.objects.filter(issue=row.issue_id, kind__startswith=f"{EDITED}{row.pk}/").order_by("at", "pk")
    return {kind.partition("/")[2]: by for kind, by in rows.values_list("kind", "by")}
