"""Where else a review can be read: a review shows one of its entries and names the others (R20)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.models import Entry, Review


@dataclass(frozen=True, slots=True)
class AlsoAt:
    """An entry that is not the one shown: the name of its source, and its address ("" when it has none)."""

    source: str
    url: str

    def __str__(self) -> str:
        return f"{self.source}, {self.url}" if self.url else self.source


def also_at(reviews: Iterable[Review]) -> dict[int, tuple[AlsoAt, ...]]:
    """For each review, by its id, its entries but the representative, of the preferred sources first; none twice."""
    shown = {review.pk: review.representative_id for review in reviews}
    rows = Entry.objects.filter(review__in=shown).exclude(pk__in=[pk for pk in shown.values() if pk is not None])
    found: dict[int, dict[AlsoAt, None]] = {pk: {} for pk in shown}
    for row in rows.select_related("source").order_by("source__preference", "source", "-last_seen_at", "pk"):
        found[row.review_id].setdefault(AlsoAt(row.source.name, str(row.content.get("url", ""))))
    return {pk: tuple(each) for pk, each in found.items()}
