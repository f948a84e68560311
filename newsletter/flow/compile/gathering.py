"""What an issue's rows say now, as the content of a letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings

from newsletter.core import cards, context, suggest
from newsletter.core.content import EntryContent, from_json
from newsletter.core.prose import plain
from newsletter.core.ratings import read_rating
from newsletter.core.rubrics import RUBRICS
from newsletter.core.words import long_date, week_of, words
from newsletter.flow.compile import extras
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Issue, Newsletter, Picture, Placement, Review

_Item = TypeVar("_Item", context.Card, context.Line)
_LINE_EDITS = ("title", "kicker", "byline")
UPLOADED = "upload:"
"""What the address of a picture begins with that an editor brought."""
_CARD_EDITS = (*_LINE_EDITS, "dek", "excerpt", "facts", "read_label")


def gather_content(
    issue: Issue,
    base_url: str,
    *,
    edits: Mapping[int, dict[str, Any]] | None = None,
    related: Callable[[Issue, list[EntryContent]], extras.Related] = extras.related,
) -> context.IssueContent:
    """The issue's content, in the newsletter's language, dated by its slot. Reads rows, changes nothing.

    `edits` stand in place of a placement's own, by its key: words that nobody has saved. `related` finds the earlier
    reviews.
    """
    newsletter = issue.newsletter
    day = slot_date(issue)
    language = newsletter.language
    rows = _placements(issue)
    for row in rows:
        row.edits = (edits or {}).get(row.pk, row.edits)
    placed = [(row, _content(row.review)) for row in rows]
    pictures = _pictures([entry for _, entry in placed], base_url, language)
    chosen = _chosen(rows, base_url)
    shown: list[tuple[context.Card, EntryContent]] = []
    lines: list[context.Line] = []
    brief = _is_brief(rows)
    for row, entry in placed:
        if row.kind == Placement.Kind.CARD:
            card = _card(row, entry, newsletter, day, _picture_of(entry, pictures), lead=not shown, brief=brief)
            shown.append((_edited_card(card, row.edits, newsletter, chosen), entry))
        else:
            line = cards.line(str(row.review_id), entry, language=language)
            lines.append(_edited(line, row.edits, _LINE_EDITS, language))
    alone, pairs = extras.paired(issue, shown)
    also_like, more = related(issue, [entry for _, entry in placed])
    hooks = _hooks(placed)
    subject = issue.subject or next(iter(suggest.subjects(hooks, language)), "")
    magazine = magazine_of(newsletter, day)
    content = context.IssueContent(
        language=language,
        # What the letter says about privacy is true wherever it leads: the magazine's own page, or ours.
        magazine=replace(magazine, privacy_url=magazine.privacy_url or f"{base_url}/privacy/{newsletter.slug}"),
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
            listen=extras.listen(issue),
        ),
        lead=alone[0] if alone else None,
        quote=extras.quote(issue, shown, language),
        cards=alone[1:],
        pairs=pairs,
        sponsor=extras.sponsor(issue, day, language, base_url),
        lines=tuple(lines),
        corrections=tuple(_correction(each, language) for each in issue.corrections),
        also_like=also_like,
        more=more,
        promo=extras.promo(promo_of(issue), day, base_url),
        view_online_url=f"{base_url}/i/{newsletter.slug}/{issue.slot}",
        subscribe_url=extras.subscribe_url(issue, base_url),
    )
    return context.numbered(content)


def promo_of(issue: Issue) -> dict[str, Any]:
    """The print magazine's insert: this issue's own ({}: none), else the newsletter's."""
    table: dict[str, Any] = issue.blocks.get("promo", issue.newsletter.print_promo)
    return table


def as_its_source_says(row: Placement, base_url: str) -> context.Card | context.Line:
    """One review of an issue as it would read without an editor's words; `with_edits` puts them on."""
    issue = row.issue
    entry, language = _content(row.review), issue.newsletter.language
    if row.kind != Placement.Kind.CARD:
        return cards.line(str(row.review_id), entry, language=language)
    rows = _placements(issue)
    first = next(one for one in rows if one.kind == Placement.Kind.CARD)
    picture = _picture_of(entry, _pictures([entry], base_url, language))
    lead, brief = first.pk == row.pk, _is_brief(rows)
    card = _card(row, entry, issue.newsletter, slot_date(issue), picture, lead=lead, brief=brief)
    return cards.described(card)


def with_edits(item: context.Card | context.Line, row: Placement) -> context.Card | context.Line:
    """`item` in the editor's own words (R16)."""
    language = row.issue.newsletter.language
    if isinstance(item, context.Card):
        base_url = str(settings.NEWSLETTER.base_url).rstrip("/")
        return _edited_card(item, row.edits, row.issue.newsletter, _chosen([row], base_url))
    return _edited(item, row.edits, _LINE_EDITS, language)


def subject_suggestions(issue: Issue) -> tuple[str, ...]:
    """Up to three subjects by rule, for an editor to choose from; the first is used when nobody writes one."""
    placed = [(row, _content(row.review)) for row in _placements(issue)]
    return suggest.subjects(_hooks(placed), issue.newsletter.language)


def slot_date(issue: Issue) -> date:
    """The local date on which the issue is read."""
    return issue.slot_at.astimezone(ZoneInfo(issue.newsletter.timezone)).date()


def _placements(issue: Issue) -> list[Placement]:
    rows = Placement.objects.filter(issue=issue, state__in=ACTIVE).select_related("review__representative")
    return sorted(rows, key=lambda row: (row.kind != Placement.Kind.CARD, row.position, row.pk))


def _is_brief(rows: list[Placement]) -> bool:
    return sum(row.kind == Placement.Kind.CARD for row in rows) > cards.MANY


def _card(
    row: Placement,
    entry: EntryContent,
    newsletter: Newsletter,
    day: date,
    picture: context.Picture | None,
    *,
    lead: bool,
    brief: bool,
) -> context.Card:
    """The card as the source has it."""
    made = cards.card(
        str(row.review_id), entry, on=day, language=newsletter.language, picture=picture, lead=lead, brief=brief
    )
    return _rated(made, newsletter)


def _rated(card: context.Card, newsletter: Newsletter) -> context.Card:
    rubric = RUBRICS.get(card.rubric)
    return extras.with_ratings(card, newsletter.ratings, rubric is not None and rubric.rated)


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


def _chosen(rows: list[Placement], base_url: str) -> dict[str, context.Picture]:
    """The pictures that editors chose or cropped, by their file. Nobody has said yet what they show."""
    names = {str(row.edits["picture"]) for row in rows if row.edits.get("picture")}
    held = Picture.objects.filter(name__in=names) if names else ()
    return {
        row.name: context.Picture(
            f"{base_url}/media/{row.name}", "", row.width, row.height, shape=cards.shape_of(row.width, row.height)
        )
        for row in held
    }


def _edited_card(
    card: context.Card, edits: dict[str, Any], newsletter: Newsletter, chosen: Mapping[str, context.Picture]
) -> context.Card:
    """The editor's own words win over the source's (R16), and so do the editor's picture and rating."""
    language = newsletter.language
    if "rating" in edits:
        own_rating = cards.rating(read_rating(edits["rating"])[0], language)
        card = _rated(replace(card, rating=own_rating), newsletter)
    card = _edited(card, edits, _CARD_EDITS, language)
    picture = card.picture
    own = chosen.get(str(edits.get("picture", "")))
    if own is not None:
        is_upload = str(edits.get("picture_from", "")).startswith(UPLOADED)
        same = None if is_upload else picture
        picture = own if same is None else replace(own, alt=same.alt, credit=same.credit)
    if picture and ("picture_alt" in edits or "picture_credit" in edits):
        picture = replace(
            picture,
            alt=plain(str(edits.get("picture_alt", picture.alt))),
            credit=plain(str(edits.get("picture_credit", picture.credit))),
        )
    card = replace(card, picture=picture, pick=bool(edits.get("pick")))
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
