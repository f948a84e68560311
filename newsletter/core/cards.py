"""From a review's content to the card, line and ticket stub that a design prints."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date
from typing import TypeVar

from newsletter.core import content as source
from newsletter.core.context import CalendarDay, Card, Line, Picture, Rating, Stub
from newsletter.core.excerpt import excerpt
from newsletter.core.exchange import first_exchange
from newsletter.core.ratings import LETTERS
from newsletter.core.rubrics import RUBRICS, base_language, label
from newsletter.core.words import day_of, day_parts, decimal, dir_of, names, rubric_kind, words

LEAD_WORDS = (60, 90)
CARD_WORDS = (28, 48)
BRIEF_WORDS = (16, 30)
MANY = 14
"""More cards than this, and each says less: nobody reads thirty openings."""
OPEN_FOR_DAYS = 45
"""A release older than this is no news: no ticket stub."""

WORTH_SAYING = 2
"""From so many minutes on a card says how long a review is: one minute on every card tells nobody anything."""

_READ_OF_LIMIT = 34
_THEATERS = re.compile(
    r"theat|cinema|cinéma|kino|salles|cines|sale\b|big screen|السينما|קולנוע|劇場|映画館|影院|院线", re.IGNORECASE
)
_ISOLATES = {"": "\u2068", "ltr": "\u2066", "rtl": "\u2067"}
_END_ISOLATE = "\u2069"
_DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
# A credit that introduces itself: "Photos by", "Artwork: X", "Still courtesy of", "© X", or any words before a colon.
_INTRODUCED = re.compile(
    r"photo|foto|(?:images?|immagin[ei]|imagen(?:es)?|stills?|bild(?:er)?|artwork|illustrations?|courtesy)\b|crédit|©|写真|图片"
    r"|[^\W\d_]+(?: [^\W\d_]+){0,2}\s?[:：]",
    re.IGNORECASE,
)
_FIRST_OF_TWO = re.compile(r"[^\W\d_]+\s?[:：]\s*(?=\S)")

_Titled = TypeVar("_Titled", Card, Line)


def card(
    key: str,
    entry: source.EntryContent,
    *,
    on: date,
    language: str,
    picture: Picture | None = None,
    lead: bool = False,
    brief: bool = False,
) -> Card:
    """The card of one review as it reads on the day `on`, in the issue's `language`; `brief` among many others.

    The published title's rubric ending becomes the kicker; an automatic dek that only repeats the opening is not
    printed beside it.
    """
    low, high = LEAD_WORDS if lead else BRIEF_WORDS if brief else CARD_WORDS
    opening = excerpt(entry.body_text, low=low, high=high, language=entry.language or language)
    dek = entry.dek.strip()
    if opening and (not dek or _repeats(dek, opening)):
        dek = ""
    elif dek and not opening:
        opening, dek = dek, ""
    spoken = words(language)
    lang, direction = _foreign(entry, language)
    concert = entry.rubric == "concert"
    bare = Card(
        key=key,
        title=entry.title_clean,
        url=entry.url,
        rubric=entry.rubric,
        kicker=kicker(entry, language),
        byline=byline(entry, language),
        critics=critics(entry, language),
        work=isolated(entry.work.title, language) if entry.work else "",
        minutes=spoken["minutes"].format(n=entry.reading_minutes) if entry.reading_minutes >= WORTH_SAYING else "",
        dek=dek,
        excerpt=opening,
        facts=facts(entry, language),
        picture=picture,
        rating=rating(entry.rating, language),
        stub=stub(entry, on=on, language=language),
        event=CalendarDay(*day_parts(entry.event_date, language)) if concert and entry.event_date else None,
        venue=isolated(entry.work.where, language) if concert and entry.work else "",
        exchange=(
            first_exchange(entry.body_html, entry.body_text, entry.language or language)
            if entry.rubric == "interview"
            else None
        ),
        read_label=read_label(entry, language),
        lang=lang,
        dir=direction,
        sponsored=entry.sponsored,
    )
    return titled(bare, entry.title_clean, language)


def line(key: str, entry: source.EntryContent, *, language: str) -> Line:
    """The one-line display of a review."""
    lang, direction = _foreign(entry, language)
    bare = Line(
        key=key,
        title=entry.title_clean,
        url=entry.url,
        rubric=entry.rubric,
        kicker=kicker(entry, language),
        byline=byline(entry, language),
        critics=critics(entry, language),
        lang=lang,
        dir=direction,
    )
    return titled(bare, entry.title_clean, language)


def titled(item: _Titled, title: str, language: str) -> _Titled:
    """`item` under `title`, with all that follows from a title's own direction."""
    base = item.dir or dir_of(language)
    run = direction_of(title, base)
    return replace(
        item,
        title=title,
        title_dir=run if run != dir_of(language) else "",
        isolated=isolated(title, language, base=base),
    )


def shape_of(width: int, height: int, rubric: str = "") -> str:
    """ "wide", "square" or "tall"; where the measures are not known, what pictures of the rubric are."""
    if width <= 0 or height <= 0:
        known = RUBRICS.get(rubric)
        width, height = known.ratio if known else (0, 0)
    if not height:
        return ""
    return "tall" if height > width * 1.15 else "wide" if width > height * 1.15 else "square"


def described(card: Card) -> Card:
    """`card` with a picture that says at least what it belongs to, where nobody says what it shows."""
    if card.picture is None or card.picture.alt:
        return card
    return replace(card, picture=replace(card.picture, alt=card.title))


def kicker(entry: source.EntryContent, language: str) -> str:
    """The words above the headline: the rubric's, or that somebody paid for this."""
    if entry.sponsored:
        return words(language)["sponsored"]
    return label(entry.rubric, language) or entry.rubric_label


def critics(entry: source.EntryContent, language: str) -> str:
    """Who wrote it: "Mara Quill and Bo Lindqvist"."""
    return names(_isolated(entry.authors, language), language) if entry.authors else isolated(entry.byline, language)


def byline(entry: source.EntryContent, language: str) -> str:
    """ "By Mara Quill" in the issue's language, never "By by"."""
    people = critics(entry, language)
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
    # "Ada Fontaine, ‘Slow Weather’" has said whose record it is.
    said = entry.title_clean.casefold()
    makers = () if not by and all(name.casefold() in said for name in work.creators) else work.creators
    parts = {
        "creators": _spoken(spoken.get(by, "{names}"), makers, language),
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
        # Isolated, or the sign of a "B+" would stand before it in a text from right to left.
        shown = isolated(given.value, language)
        return Rating(shown, kind="letter" if given.value in LETTERS else "words", value=given.value)
    shown, top = decimal(value, language), decimal(best, language)
    text = words(language)["out_of"].format(value=shown, best=top)
    if best in (4.0, 5.0) and 0 <= value <= best and (value * 2).is_integer():
        full, half = int(value), int(value * 2) % 2
        stars = "★" * full + "½" * half + "☆" * (int(best) - full - half)
        return Rating(text, stars=stars, kind="stars", value=shown, best=top)
    return Rating(text, kind="number", value=shown, best=top)


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


def _strong(text: str) -> list[str]:
    return [_DIRECTIONS[bidi] for bidi in map(unicodedata.bidirectional, text) if bidi in _DIRECTIONS]


def direction_of(text: str, base: str) -> str:
    """ "ltr" or "rtl": `base`, unless all letters of `text` run the other way. A title in two scripts keeps the
    direction of what it stands in, whichever script comes first; else its quotes and brackets land on the wrong side.
    """
    strong = _strong(text)
    return strong[0] if strong and base not in strong else base


def isolated(text: str, language: str, *, base: str = "") -> str:
    """`text` between Unicode isolates when it, or its beginning, runs the other way than `language` does. `base` is
    the direction of a text in two scripts: that of `language` unless given.
    """
    own, strong = dir_of(language), _strong(text)
    run = direction_of(text, base or own)
    if not strong or strong[0] == run == own:
        return text
    return f"{_ISOLATES['' if strong[0] == run else run]}{text}{_END_ISOLATE}"


def _isolated(people: tuple[str, ...], language: str) -> list[str]:
    return [isolated(person, language) for person in people]


def credit(text: str, language: str) -> str:
    """ "Photo: …" unless the credit introduces itself; the second word of two ("Photo: Artwork: X") is enough."""
    text = re.sub(r"^(?:via|by)\s+", "", text, flags=re.IGNORECASE)
    label = _FIRST_OF_TWO.match(text)
    if label and _INTRODUCED.match(text, label.end()):
        text = text[label.end() :]
    if not text or _INTRODUCED.match(text):
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
