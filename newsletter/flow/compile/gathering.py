"""What an issue's rows say now, as the content of a letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from newsletter.core import cards, context, suggest
from newsletter.core.content import EntryContent, from_json
from newsletter.core.identity import title_key
from newsletter.core.prose import plain
from newsletter.core.words import long_date, week_of, words
from newsletter.models import Issue, Newsletter, Picture, Placement, PlacementState, Review

ACTIVE = (PlacementState.RESERVED, PlacementState.SENT)
RELATED = 3
NOT_WITHIN = timedelta(weeks=8)
"""A review that ran more recently than this is not linked to again."""

_Item = TypeVar("_Item", context.Card, context.Line)
_LINE_EDITS = ("title", "kicker", "byline")
_CARD_EDITS = (*_LINE_EDITS, "dek", "excerpt", "facts", "read_label")


def gather_content(issue: Issue, base_url: str) -> context.IssueContent:
    """The issue's content, in the newsletter's language, dated by its slot. Reads rows, changes nothing."""
    newsletter = issue.newsletter
    day = slot_date(issue)
    language = newsletter.language
    rows = _placements(issue)
    placed = [(row, _content(row.review)) for row in rows]
    pictures = _pictures([entry for _, entry in placed], base_url, language)
    shown: list[context.Card] = []
    lines: list[context.Line] = []
    for row, entry in placed:
        if row.kind == Placement.Kind.CARD:
            found = _picture_of(entry, pictures)
            card = cards.card(str(row.review_id), entry, on=day, language=language, picture=found, lead=not shown)
            shown.append(_edited_card(card, row.edits, language))
        else:
            line = cards.line(str(row.review_id), entry, language=language)
            lines.append(_edited(line, row.edits, _LINE_EDITS, language))
    hooks = _hooks(placed)
    subject = issue.subject or next(iter(suggest.subjects(hooks, language)), "")
    content = context.IssueContent(
        language=language,
        magazine=magazine_of(newsletter, day),
        newsletter=context.Newsletter(
            slug=newsletter.slug,
            name=newsletter.name,
            tagline=newsletter.tagline,
            can_reply=bool(newsletter.reply_to),
        ),
        issue=context.Issue(
            slot=issue.slot,
            number=words(language)["number"].format(n=issue.number),
            date=long_date(day, language),
            subject=plain(subject),
            preview_text=plain(issue.preview_text or suggest.preview_text(hooks, subject, language)),
            contents=suggest.contents(hooks, language),
            note=tuple(filter(None, map(plain, issue.note.splitlines()))),
            note_signature=plain(issue.note_signature),
            week=week_of(day, language),
        ),
        lead=shown[0] if shown else None,
        cards=tuple(shown[1:]),
        lines=tuple(lines),
        corrections=tuple(_correction(each, language) for each in issue.corrections),
        more=tuple(_related(issue, [entry for _, entry in placed], [row.review_id for row in rows])),
        promo=promo(newsletter.print_promo, day),
        view_online_url=f"{base_url}/i/{newsletter.slug}/{issue.slot}",
    )
    return context.numbered(content)


def subject_suggestions(issue: Issue) -> tuple[str, ...]:
    """Up to three subjects by rule, for an editor to choose from; the first is used when nobody writes one."""
    placed = [(row, _content(row.review)) for row in _placements(issue)]
    return suggest.subjects(_hooks(placed), issue.newsletter.language)


def slot_date(issue: Issue) -> date:
    """The local date on which the issue is read."""
    return issue.slot_at.astimezone(ZoneInfo(issue.newsletter.timezone)).date()


def promo(table: dict[str, Any], day: date) -> context.Promo | None:
    """The print magazine's slot on `day`: None outside its dates, without a link, or when a date can't be read."""
    try:
        start, end = (date.fromisoformat(str(table[key])) if table.get(key) else None for key in ("start", "end"))
    except ValueError:
        return None
    texts = {key: plain(str(table.get(key, ""))) for key in ("title", "text", "button", "url", "picture", "alt")}
    if not texts["url"] or (start and day < start) or (end and day > end):
        return None
    picture = context.Picture(texts["picture"], texts["alt"] or texts["title"]) if texts["picture"] else None
    return context.Promo(texts["title"], texts["text"], texts["button"] or texts["title"], texts["url"], picture)


def _placements(issue: Issue) -> list[Placement]:
    rows = Placement.objects.filter(issue=issue, state__in=ACTIVE).select_related("review__representative")
    return sorted(rows, key=lambda row: (row.kind != Placement.Kind.CARD, row.position, row.pk))


def _hooks(placed: list[tuple[Placement, EntryContent]]) -> list[suggest.Hook]:
    return [suggest.Hook(_work(row, entry), entry.title_clean, entry.body_text) for row, entry in placed]


def _content(review: Review) -> EntryContent:
    if review.representative is None:
        return EntryContent(title="", title_clean="")
    return from_json(review.representative.content)


def _pictures(entries: list[EntryContent], base_url: str, language: str) -> dict[str, context.Picture]:
    """The pictures that we hold, by the address their source gave."""
    refs = {ref.url: (ref, entry) for entry in entries for ref in entry.pictures}
    found: dict[str, context.Picture] = {}
    for row in Picture.objects.filter(source_url__in=list(refs)).exclude(name=""):
        ref, entry = refs[row.source_url]
        found[row.source_url] = context.Picture(
            url=f"{base_url}/media/{row.name}",
            alt=plain(ref.alt),
            width=row.width,
            height=row.height,
            credit=cards.credit(plain(ref.credit or entry.credit), language),
            shape=cards.shape_of(row.width, row.height, entry.rubric),
        )
    return found


def _picture_of(entry: EntryContent, pictures: dict[str, context.Picture]) -> context.Picture | None:
    ordered = sorted(entry.pictures, key=lambda ref: ref.role != "lead")
    return next((pictures[ref.url] for ref in ordered if ref.url in pictures), None)


def _edited(item: _Item, edits: dict[str, Any], names: tuple[str, ...], language: str) -> _Item:
    own: dict[str, Any] = {name: plain(str(edits[name])) for name in names if name in edits}
    return cards.titled(replace(item, **own), own.get("title", item.title), language)


def _edited_card(card: context.Card, edits: dict[str, Any], language: str) -> context.Card:
    """The editor's own words win over the source's (R16)."""
    card = _edited(card, edits, _CARD_EDITS, language)
    picture = card.picture
    if picture and ("picture_alt" in edits or "picture_credit" in edits):
        picture = replace(
            picture,
            alt=plain(str(edits.get("picture_alt", picture.alt))),
            credit=plain(str(edits.get("picture_credit", picture.credit))),
        )
    card = replace(card, picture=picture)
    # Words that an editor took away stay away.
    return card if "picture_alt" in edits else cards.described(card)


def _correction(row: dict[str, Any], language: str) -> context.Correction:
    title = plain(row["title"])
    return context.Correction(title, row["url"], plain(row["text"]), cards.isolated(title, language))


def _work(row: Placement, entry: EntryContent) -> str:
    return plain(str(row.edits["title"])) if "title" in row.edits and not entry.work else cards.work_title(entry)


def magazine_of(newsletter: Newsletter, day: date) -> context.Magazine:
    """Who sends, as it stands under a letter of that day."""
    row = newsletter.magazine
    owner = row.legal_name or row.name
    return context.Magazine(
        name=row.name,
        url=row.url,
        about=plain(row.about),
        legal_name=row.legal_name,
        address_lines=tuple(filter(None, map(plain, row.postal_address.splitlines()))),
        privacy_url=row.privacy_url,
        rights=f"© {day.year} {owner}",
    )


def _related(issue: Issue, entries: list[EntryContent], placed: list[int]) -> list[context.Line]:
    """Up to three earlier reviews from the store: those that the week's reviews name themselves, then those of the
    same work, people or rubric; none that is in this issue, waits for a later one, or ran within eight weeks.
    """
    newsletter = issue.newsletter
    named = {title_key(title) for entry in entries for title in entry.related}
    people = {name for entry in entries if entry.work for name in (*entry.work.creators, *entry.work.cast)}
    rubrics = {entry.rubric for entry in entries}
    ran = Placement.objects.filter(newsletter=newsletter, state=PlacementState.SENT)
    old = ran.filter(issue__slot_at__lt=issue.slot_at - NOT_WITHIN).values("review")
    recent = ran.filter(issue__slot_at__gte=issue.slot_at - NOT_WITHIN).values("review")
    shelf = (
        Review.objects.filter(pk__in=old) | Review.objects.filter(tray=Review.Tray.BASELINE, included_at=None)
    ).exclude(pk__in=recent)
    shelf = shelf.exclude(pk__in=placed).select_related("representative").order_by("-effective_at", "-pk")
    found: list[tuple[int, int, Review, EntryContent]] = []
    for place, review in enumerate(shelf[:300]):
        entry = _content(review)
        if not entry.url:
            continue
        theirs = set(entry.work.creators + entry.work.cast) if entry.work else set()
        rank = 3 if title_key(entry.title) in named else 2 if people & theirs else 1 if entry.rubric in rubrics else 0
        if rank:
            found.append((-rank, place, review, entry))
    found.sort(key=lambda each: each[:2])
    return [cards.line(str(review.pk), entry, language=newsletter.language) for _, _, review, entry in found[:RELATED]]
