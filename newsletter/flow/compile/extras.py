"""What stands in a letter beside its reviews: the quote, second opinions, bought and house inserts, earlier reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Q, QuerySet, Sum, Value, When

from newsletter.core import cards, context
from newsletter.core.content import EntryContent, from_json
from newsletter.core.inserts import first_open, insert_texts, is_open
from newsletter.core.kinship import mentions, second_opinions, title_mention
from newsletter.core.prose import plain
from newsletter.core.quotes import best_quote
from newsletter.core.words import rubric_kind, words
from newsletter.models import Issue, LeftOut, Picture, Placement, PlacementState, Review, SignupForm

RELATED = 3
NOT_WITHIN = timedelta(weeks=8)
"""A review that ran more recently than this is not linked to again."""

_MOST_KEYS = 900
_NEARNESS = {"work": 3, "person": 2, "title": 9, "rubric": 1}

Shown = Sequence[tuple[context.Card, EntryContent]]
Related = tuple[tuple[context.Line, ...], tuple[context.Line, ...]]


def quote(issue: Issue, shown: Shown, language: str) -> context.Quote | None:
    """The editor's sentence; else the most distinctive one that the letter does not print anyway, of the first review
    that has any. What people say in an interview is not its critic's, and nobody quotes what was paid for.
    """
    chosen = issue.blocks.get("quote")
    if chosen == {}:
        return None
    if chosen:
        for card, _ in shown:
            if card.key == str(chosen["review"]):
                return _quoted(card, plain(str(chosen["text"])), language)
    for place, (card, entry) in enumerate(shown):
        if card.sponsored or (rubric_kind(card.rubric) != "review" and card.rubric != "feature"):
            continue
        beside = [other.body_text for at, (_, other) in enumerate(shown) if at != place]
        text = best_quote(
            entry.body_text, entry.language or language, beside=beside, printed=f"{card.dek} {card.excerpt}"
        )
        if text:
            return _quoted(card, text, language)
    return None


def _quoted(card: context.Card, text: str, language: str) -> context.Quote:
    both = words(language)["quote_of"].format(critic=card.critics, work=card.work)
    credit = both if card.critics and card.work else card.critics or card.work
    return context.Quote(text, credit, card.rubric, card.url, card.lang, card.dir)


def paired(issue: Issue, shown: Shown) -> tuple[tuple[context.Card, ...], tuple[context.Pair, ...]]:
    """(cards that stand alone, the lead first; second opinions)."""
    everything = tuple(card for card, _ in shown)
    if issue.blocks.get("pairs") is False:
        return everything, ()
    pairs: list[context.Pair] = []
    taken: set[int] = set()
    for one, other in second_opinions([entry for _, entry in shown]):
        with_lead = one == 0
        places = (other,) if with_lead else (one, other)
        pairs.append(
            context.Pair(
                everything[one].work,
                everything[one].rubric,
                tuple(everything[place] for place in places),
                with_lead=with_lead,
            )
        )
        taken.update(places)
    return tuple(card for place, card in enumerate(everything) if place not in taken), tuple(pairs)


def promo(table: Mapping[str, Any], day: date, base_url: str = "") -> context.Promo | None:
    """The print magazine's insert on `day`: None outside its dates, or when something of it can't be read."""
    if not is_open(table, day):
        return None
    texts = insert_texts(table)
    picture = _picture(texts["picture"], texts["alt"], base_url)
    return context.Promo(texts["title"], texts["text"], texts["button"], texts["url"], picture)


def sponsor(issue: Issue, day: date, language: str, base_url: str) -> context.Sponsor | None:
    """This issue's own sponsor; else the first of the newsletter's whose dates hold `day`."""
    own = issue.blocks.get("sponsor")
    table = first_open(issue.newsletter.sponsors if own is None else [own], day)
    if table is None:
        return None
    texts = insert_texts(table)
    picture = _picture(texts["picture"], texts["alt"], base_url)
    label = words(language)["sponsored"]
    return context.Sponsor(label, texts["title"], texts["text"], texts["button"], texts["url"], picture)


def listen(issue: Issue) -> context.Link | None:
    """The editor's music to read by."""
    link = issue.blocks.get("listen")
    return context.Link(plain(str(link["title"])), str(link["url"])) if link else None


def subscribe_url(issue: Issue, base_url: str) -> str:
    """The page of the newsletter's first open form; "" without one."""
    form = SignupForm.objects.filter(newsletter=issue.newsletter_id, is_open=True).order_by("pk").first()
    return f"{base_url}/s/{form.slug}" if form else ""


def _picture(url: str, alt: str, base_url: str) -> context.Picture | None:
    """The picture as we hold it; None for what was not fetched: another host would learn who reads the letter."""
    own = f"{base_url}/media/"
    held = Picture.objects.exclude(name="")
    row = (held.filter(name=url[len(own) :]) if url.startswith(own) else held.filter(source_url=url)).first()
    if row is not None:
        shape = cards.shape_of(row.width, row.height)
        return context.Picture(f"{own}{row.name}", alt, row.width, row.height, "", shape)
    return context.Picture(url, alt) if base_url and url.startswith(own) else None


def related(issue: Issue, entries: Sequence[EntryContent]) -> Related:
    """("you may also like", "more from the magazine"), up to three each, from the store by plain SQL: what shares a
    work or people with the week's reviews; what their pages name, then what is of the same rubrics, newest first.

    From what this newsletter sent, and what its sources had before they were first gathered. Never what is in this
    issue, waits for another, ran within eight weeks, was left out for good or paid for.
    """
    found = {key for entry in entries for key in mentions(entry)}
    near = [key for key in sorted(found) if key.startswith(("work:", "person:"))]
    named = {title_mention(title) for entry in entries for title in entry.related}
    alike = [*sorted(filter(None, named)), *(key for key in sorted(found) if key.startswith("rubric:"))]
    also = _nearest(_shelf(issue), near)
    more = _nearest(_shelf(issue).exclude(pk__in=[review.pk for review in also]), alike)
    return _lines(also, issue.newsletter.language), _lines(more, issue.newsletter.language)


def _shelf(issue: Issue) -> QuerySet[Review]:
    newsletter = issue.newsletter_id
    ran = Placement.objects.filter(newsletter=newsletter, state=PlacementState.SENT)
    since = issue.slot_at - NOT_WITHIN
    waits = Placement.objects.filter(newsletter=newsletter, state=PlacementState.RESERVED)
    for_good = LeftOut.objects.filter(newsletter=newsletter, issue=None)
    return (
        Review.objects.filter(
            Q(pk__in=ran.filter(issue__slot_at__lt=since).values("review"))
            | Q(tray=Review.Tray.BASELINE, included_at=None)
        )
        .exclude(pk__in=ran.filter(issue__slot_at__gte=since).values("review"))
        .exclude(pk__in=waits.values("review"))
        .exclude(pk__in=for_good.values("review"))
        .exclude(representative__url_key="")
        .exclude(representative__content__sponsored=True)
    )


def _nearest(shelf: QuerySet[Review], keys: list[str]) -> list[Review]:
    """The reviews that mention the most of `keys`, the rarer kinds first, then the newest."""
    weights = [
        When(representative__mentions__key__startswith=f"{kind}:", then=Value(n)) for kind, n in _NEARNESS.items()
    ]
    near = shelf.filter(representative__mentions__key__in=keys[:_MOST_KEYS])
    near = near.annotate(nearness=Sum(Case(*weights, default=Value(0))))
    return list(near.select_related("representative").order_by("-nearness", "-effective_at", "-pk")[:RELATED])


def _lines(reviews: Sequence[Review], language: str) -> tuple[context.Line, ...]:
    entries = [(review.pk, from_json(review.representative.content)) for review in reviews if review.representative]
    return tuple(cards.line(str(key), entry, language=language) for key, entry in entries)


def with_ratings(card: context.Card, mode: str, rated: bool) -> context.Card:
    """`card` with its rating as the newsletter wants ratings: shown, hidden, or where the rubric expects one."""
    return card if mode == "show" or (mode == "rated rubrics" and rated) else replace(card, rating=None)
