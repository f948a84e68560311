"""From a review's content to the card, line and ticket stub that a design prints."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from newsletter.core import content as source
from newsletter.core.context import Card, Line, Picture, Rating, Stub
from newsletter.core.excerpt import excerpt
from newsletter.core.rubrics import RUBRICS, base_language, label
from newsletter.core.words import day_of, dir_of, names, rubric_kind, words

LEAD_WORDS = (60, 90)
CARD_WORDS = (28, 48)
OPEN_FOR_DAYS = 45
"""A release older than this is no news: no ticket stub."""

_READ_OF_LIMIT = 34
_THEATERS = re.compile(
    r"theat|cinema|cinéma|kino|salles|cines|sale\b|big screen|السينما|קולנוע|劇場|映画館|影院|院线", re.IGNORECASE
)
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def card(
    key: str,
    entry: source.EntryContent,
    *,
    on: date,
    language: str,
    picture: Picture | None = None,
    lead: bool = False,
) -> Card:
    """The card of one review as it reads on the day `on`, in the issue's `language`.

    The published title's rubric ending becomes the kicker; an automatic dek that only repeats the opening is not
    printed beside it.
    """
    low, high = LEAD_WORDS if lead else CARD_WORDS
    opening = excerpt(entry.body_text, low=low, high=high, language=entry.language or language)
    dek = entry.dek.strip()
    if opening and (not dek or _repeats(dek, opening)):
        dek = ""
    elif dek and not opening:
        opening, dek = dek, ""
    spoken = words(language)
    lang, direction = _foreign(entry, language)
    return Card(
        key=key,
        title=entry.title_clean,
        url=entry.url,
        rubric=entry.rubric,
        kicker=kicker(entry, language),
        byline=byline(entry, language),
        minutes=spoken["minutes"].format(n=entry.reading_minutes) if entry.reading_minutes else "",
        dek=dek,
        excerpt=opening,
        facts=facts(entry, language),
        picture=picture,
        rating=rating(entry.rating, language),
        stub=stub(entry, on=on, language=language),
        read_label=read_label(entry, language),
        lang=lang,
        dir=direction,
        isolated=isolated(entry.title_clean, language),
        sponsored=entry.sponsored,
    )


def line(key: str, entry: source.EntryContent, *, language: str) -> Line:
    """The one-line display of a review."""
    lang, direction = _foreign(entry, language)
    return Line(
        key=key,
        title=entry.title_clean,
        url=entry.url,
        rubric=entry.rubric,
        kicker=kicker(entry, language),
        byline=byline(entry, language),
        lang=lang,
        dir=direction,
        isolated=isolated(entry.title_clean, language),
    )


def kicker(entry: source.EntryContent, language: str) -> str:
    """The words above the headline: the rubric's, or that somebody paid for this."""
    if entry.sponsored:
        return words(language)["sponsored"]
    return label(entry.rubric, language) or entry.rubric_label


def byline(entry: source.EntryContent, language: str) -> str:
    """ "By Mara Quill" in the issue's language, never "By by"."""
    people = names(_isolated(entry.authors, language), language) if entry.authors else isolated(entry.byline, language)
    return words(language)["by"].format(names=people) if people else ""


def work_title(entry: source.EntryContent) -> str:
    """What people call the thing: the work's own title, else the review's."""
    return entry.work.title if entry.work and entry.work.title else entry.title_clean


def read_label(entry: source.EntryContent, language: str) -> str:
    """The link's words, which say where it goes."""
    spoken, kind = words(language), rubric_kind(entry.rubric)
    if kind == "review":
        title = work_title(entry)
        return (
            spoken["read_review_of"].format(title=isolated(title, language))
            if len(title) <= _READ_OF_LIMIT
            else spoken["read_review"]
        )
    return spoken["read_interview" if kind == "interview" else "read_piece"]


def facts(entry: source.EntryContent, language: str) -> str:
    """The facts line of the rubric: director and cast, author and publisher, artist and label ..."""
    rubric, work = RUBRICS.get(entry.rubric), entry.work
    if rubric is None or work is None:
        return ""
    spoken = words(language)
    by = {"movie": "directed_by", "tv": "created_by", "game": "created_by"}.get(rubric.key, "")
    parts = {
        "creators": _spoken(spoken.get(by, "{names}"), work.creators, language),
        "cast": _spoken(spoken["with_cast"], work.cast, language),
        "where": isolated(work.where, language),
        "year": work.year,
        "event": day_of(entry.event_date, language) if entry.event_date else "",
    }
    return " · ".join(filter(None, (parts.get(fact, "") for fact in rubric.facts)))


def _spoken(sentence: str, people: tuple[str, ...], language: str) -> str:
    return sentence.format(names=names(_isolated(people[:3], language), language)) if people else ""


def rating(given: source.Rating | None, language: str) -> Rating | None:
    """The rating on its own scale, never converted; None when there is none."""
    if given is None or not given.value:
        return None
    try:
        value, best = float(given.value), float(given.best)
    except ValueError:
        return Rating(given.value)
    text = words(language)["out_of"].format(value=_number(value), best=_number(best))
    if best in (4.0, 5.0) and 0 <= value <= best and (value * 2).is_integer():
        full, half = int(value), int(value * 2) % 2
        return Rating(text, stars="★" * full + "½" * half + "☆" * (int(best) - full - half))
    return Rating(text)


def stub(entry: source.EntryContent, *, on: date, language: str) -> Stub | None:
    """The ticket stub as of the day `on`: a coming date, "now" for a while after it, then nothing. A concert that is
    over has none.
    """
    spoken = words(language)
    if entry.rubric == "concert":
        if entry.event_date and entry.event_date >= on:
            return Stub(spoken["live"], day_of(entry.event_date, language))
        return None
    release = entry.release
    if release is None or release.date is None or (on - release.date).days > OPEN_FOR_DAYS:
        return None
    place = f"{release.where} {release.raw}"
    ahead, now = {
        "movie": ("opens", "open_now"),
        "theatre": ("opens", "open_now"),
        "tv": ("streaming", "streaming_now"),
    }.get(entry.rubric, ("out", "out_now"))
    if entry.rubric == "movie" and _THEATERS.search(place):
        ahead, now = "in_theaters", "in_theaters_now"
    elif entry.rubric == "movie" and release.where:
        ahead, now = "streaming", "streaming_now"
    if release.date > on:
        return Stub(spoken[ahead], day_of(release.date, language))
    return Stub(spoken[now])


def isolated(text: str, language: str) -> str:
    """`text` between Unicode isolates when it runs the other way than `language` does."""
    first = next((bidi for bidi in map(unicodedata.bidirectional, text) if bidi in ("L", "R", "AL")), "")
    differs = first and (first == "L") != (dir_of(language) == "ltr")
    return f"{_ISOLATE}{text}{_END_ISOLATE}" if differs else text


def _isolated(people: tuple[str, ...], language: str) -> list[str]:
    return [isolated(person, language) for person in people]


def credit(text: str, language: str) -> str:
    """ "Photo: …" unless the credit says so itself."""
    text = re.sub(r"^via\s+", "", text, flags=re.IGNORECASE)
    if not text or re.match(r"(photo|image|still|foto|bild|crédit|©|courtesy)", text, re.IGNORECASE):
        return text
    return words(language)["photo"].format(credit=isolated(text, language))


def _foreign(entry: source.EntryContent, language: str) -> tuple[str, str]:
    """(lang, dir) of a review written in another language than the issue's; ("", "") otherwise."""
    own = entry.language
    if not own or own.split("-")[0].casefold() in (language.split("-")[0].casefold(), base_language(language)):
        return "", ""
    direction = dir_of(own)
    return own, direction if direction != dir_of(language) else ""


def _repeats(dek: str, opening: str) -> bool:
    def key(text: str) -> str:
        return "".join(char for char in text.casefold() if char.isalnum())

    return key(opening).startswith(key(dek)[:60])


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
