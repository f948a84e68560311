"""From what somebody pressed in the letter to the field that it comes from: by its words, its link or its picture."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from newsletter.core.context import Card, IssueContent, Line
from newsletter.flow.compile.gathering import gather_content
from newsletter.models import Issue

_OF_CARD = ("title", "dek", "excerpt", "facts", "byline", "kicker", "read_label")
_OF_LINE = ("title", "byline", "kicker")


def field_at(issue: Issue, *, text: str, link: str, picture: str) -> tuple[str, str] | None:
    """(what of the desk shows it, the name of its field), or None for what no field of the desk holds.

    `text` is what was pressed on, or some of it; `link` where it leads; `picture` the address of a picture.
    """
    content = gather_content(issue, str(settings.NEWSLETTER.base_url).rstrip("/"))
    words, file = _flat(text), picture.rpartition("/media/")[2]
    for at, field, value in _pictures(content):
        if file and value.endswith(f"/media/{file}"):
            return at, field
    # A review's link says which one was meant where two print the same words.
    own = [item for item in content.placed if link and item.url == link]
    for exactly in (True, False):
        for items in (own, content.placed):
            for at, field, value in _words(content, items):
                if words and (words == value if exactly else words in value or value in words):
                    return at, field
    return (f"review-{own[0].key}", "title") if own else None


def _words(content: IssueContent, items: list[Card | Line] | tuple[Card | Line, ...]) -> Iterator[tuple[str, str, str]]:
    """(what shows it, field, words) of all that the desk can edit, in the order of the letter."""
    for paragraph in content.issue.note:
        yield "issue", "note", _flat(paragraph)
    if content.issue.note_signature:
        yield "issue", "note_signature", _flat(content.issue.note_signature)
    for item in items:
        for name in _OF_CARD if isinstance(item, Card) else _OF_LINE:
            if value := _flat(str(getattr(item, name))):
                yield f"review-{item.key}", name, value
        if isinstance(item, Card) and item.rating is not None:
            yield f"review-{item.key}", "rating", _flat(item.rating.text)
        if isinstance(item, Card) and item.picture is not None and item.picture.credit:
            yield f"review-{item.key}", "picture_credit", _flat(item.picture.credit)
    blocks = (("quote", content.quote), ("sponsor", content.sponsor), ("promo", content.promo))
    for block, held in (*blocks, ("listen", content.issue.listen)):
        for name in ("text", "title", "button"):
            if value := _flat(str(getattr(held, name, "") or "")):
                yield block, name, value
    for correction in content.corrections:
        yield "correction", "text", _flat(correction.text)


def _pictures(content: IssueContent) -> Iterator[tuple[str, str, str]]:
    for card in content.shown:
        if card.picture is not None:
            yield f"review-{card.key}", "picture", card.picture.url
    for block, held in (("sponsor", content.sponsor), ("promo", content.promo)):
        if held is not None and held.picture is not None:
            yield block, "picture", held.picture.url


def _flat(text: str) -> str:
    return " ".join(text.split()).strip("“”\"'→← ")
