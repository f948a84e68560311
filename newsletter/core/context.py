"""What a design sees: an issue's content as frozen plain values, ready to print and in the newsletter's language."""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import Any

from newsletter.core.rubrics import section_label
from newsletter.core.words import date_pattern, dir_of, words


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on our own host: absolute https address, natural width and height in pixels (0: not known).

    `shape` is "wide", "square" or "tall"; "" where nobody knows.
    """

    url: str
    alt: str
    width: int = 0
    height: int = 0
    credit: str = ""  # ready to print: "Photo: via Halo Pictures"
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """`text` carries the meaning ("4 out of 5", "B+"); `stars` ("★★★★☆") decorate it where the scale has them.

    `kind` says how it was given: "stars", "number", "letter" or "words". `value` is the mark alone, for a big numeral
    ("8.3", "B+"), `best` the best one there is, "" without a scale.
    """

    text: str
    stars: str = ""
    kind: str = ""
    value: str = ""
    best: str = ""


@dataclass(frozen=True, slots=True)
class Stub:
    """A ticket stub, or release chip: when and where the work opens. `day` is "" when it is open already."""

    label: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day in three pieces, for a date block: "Mon", "2", "Nov"."""

    weekday: str
    day: str
    month: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """The first question of an interview and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link by its words."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """A review in full display. `rubric` is "" for an unsorted one, which every subscriber gets.

    `critics` are the names without "By", `work` is what the review is about. `event` and `venue` are a concert's own,
    also when it is over; `exchange` is an interview's. `pick` is the editor's mark, whatever the rating.
    `lang`, `dir` and `title_dir` are given only where they differ from the issue's own. `isolated` is the title,
    between Unicode isolates where its direction differs, for the text part.
    """

    key: str
    title: str
    url: str
    rubric: str = ""
    kicker: str = ""
    byline: str = ""
    critics: str = ""
    work: str = ""
    minutes: str = ""
    dek: str = ""
    excerpt: str = ""
    facts: str = ""
    picture: Picture | None = None
    rating: Rating | None = None
    stub: Stub | None = None
    event: CalendarDay | None = None
    venue: str = ""
    exchange: Exchange | None = None
    pick: bool = False
    read_label: str = ""
    lang: str = ""
    dir: str = ""
    title_dir: str = ""
    isolated: str = ""
    sponsored: bool = False
    number: int = 0  # its place in the issue, from 1, the same for every subscriber


@dataclass(frozen=True, slots=True)
class Line:
    """A review in one line, or a link to an earlier one."""

    key: str
    title: str
    url: str
    rubric: str = ""
    kicker: str = ""
    byline: str = ""
    critics: str = ""
    lang: str = ""
    dir: str = ""
    title_dir: str = ""
    isolated: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """The cards of one rubric under one heading."""

    rubric: str
    label: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """The sharpest sentence of a review: `text` without quotation marks, `credit` says whose and of what ("Mara Quill
    on See You Sunday"). `rubric` and `url` are the review's.
    """

    text: str
    credit: str = ""
    rubric: str = ""
    url: str = ""
    lang: str = ""
    dir: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two critics on one work. `cards` are the two reviews, which stand nowhere else; where the lead is one of them
    (`with_lead`), `cards` is the other alone.
    """

    work: str
    rubric: str
    cards: tuple[Card, ...]
    with_lead: bool = False


@dataclass(frozen=True, slots=True)
class Sponsor:
    """Somebody paid for this. `label` ("Sponsored") must be printed."""

    label: str
    title: str
    text: str
    button: str
    url: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What an earlier issue got wrong about a review, in an editor's words. `isolated` is the title, as in `Card`."""

    title: str
    url: str
    text: str
    isolated: str = ""


@dataclass(frozen=True, slots=True)
class Promo:
    """The print magazine's insert."""

    title: str
    text: str
    button: str
    url: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Magazine:
    """Who sends. `address_lines` is the postal address, a line each; `rights` is "© 2026 Lantern Press LLC"."""

    name: str
    url: str = ""
    about: str = ""
    legal_name: str = ""
    address_lines: tuple[str, ...] = ()
    privacy_url: str = ""
    rights: str = ""


@dataclass(frozen=True, slots=True)
class Newsletter:
    """The weekly series."""

    slug: str
    name: str
    tagline: str = ""
    can_reply: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """The edition. `slot` is its key; `date` and `week` ("Week of November 5") are ready to print; `contents` names
    what is inside, in one line; `note` is the editor's, a paragraph each; `listen` is music to read by.
    """

    slot: str
    number: str
    date: str
    subject: str
    preview_text: str
    contents: str = ""
    note: tuple[str, ...] = ()
    note_signature: str = ""
    week: str = ""
    listen: Link | None = None


@dataclass(frozen=True, slots=True)
class IssueContent:
    """All that a letter says, but for the subscriber. Plain data: what approval freezes.

    `more` are earlier reviews of the same rubrics, `also_like` those of the same works and people: none is in both.
    """

    language: str
    magazine: Magazine
    newsletter: Newsletter
    issue: Issue
    lead: Card | None = None
    quote: Quote | None = None
    cards: tuple[Card, ...] = ()
    pairs: tuple[Pair, ...] = ()
    sponsor: Sponsor | None = None
    lines: tuple[Line, ...] = ()
    corrections: tuple[Correction, ...] = ()
    also_like: tuple[Line, ...] = ()
    more: tuple[Line, ...] = ()
    promo: Promo | None = None
    view_online_url: str = ""
    forward_url: str = ""
    subscribe_url: str = ""

    @property
    def shown(self) -> tuple[Card, ...]:
        """Every review in full display, in the order in which they are printed."""
        lead = (self.lead,) if self.lead else ()
        return (*lead, *self._paired(with_lead=True), *self.cards, *self._paired(with_lead=False))

    def _paired(self, *, with_lead: bool) -> tuple[Card, ...]:
        return tuple(card for pair in self.pairs if pair.with_lead is with_lead for card in pair.cards)

    @property
    def placed(self) -> tuple[Card | Line, ...]:
        """Every review of the issue, in the order in which they are printed."""
        return (*self.shown, *self.lines)


def numbered(content: IssueContent) -> IssueContent:
    """`content` with every review's number set: its place in the letter, from 1."""
    place = itertools.count(1)

    def card(each: Card) -> Card:
        return replace(each, number=next(place))

    # In the order of `placed`, which is not that of the fields.
    lead = content.lead and card(content.lead)
    pairs = {at: pair for at, pair in enumerate(content.pairs) if not pair.with_lead}
    first = {
        at: replace(pair, cards=tuple(map(card, pair.cards)))
        for at, pair in enumerate(content.pairs)
        if at not in pairs
    }
    cards = tuple(map(card, content.cards))
    last = {at: replace(pair, cards=tuple(map(card, pair.cards))) for at, pair in pairs.items()}
    both = first | last
    return replace(
        content,
        lead=lead,
        cards=cards,
        pairs=tuple(both[at] for at in range(len(content.pairs))),
        lines=tuple(replace(line, number=next(place)) for line in content.lines),
    )


def sections(cards: Iterable[Card], language: str) -> tuple[Section, ...]:
    """The cards by rubric, in the order in which the rubrics first appear."""
    found: dict[str, list[Card]] = {}
    for card in cards:
        found.setdefault(card.rubric, []).append(card)
    return tuple(
        Section(rubric, section_label(rubric, language) or words(language)["reviews"], tuple(group))
        for rubric, group in found.items()
    )


def build_context(content: IssueContent, tokens: Mapping[str, Any]) -> dict[str, object]:
    """The names a design's templates know, but `subscriber`, which the compiler adds."""
    spoken = words(content.language)
    fill = {"magazine": content.magazine.name, "newsletter": content.newsletter.name}
    for key in ("why", "reply", "more_from", "forwarded"):
        spoken[key] = spoken[key].format_map(fill)
    # Cut at the date, which is the subscriber's own: a name with braces in it must never become a format.
    before, _, after = spoken.pop("why_since").partition("{date}")
    spoken |= {"why_before": before.format_map(fill), "why_after": after.format_map(fill)}
    spoken["date"], months = date_pattern(content.language)
    return {
        "language": content.language,
        "dir": dir_of(content.language),
        "magazine": content.magazine,
        "newsletter": content.newsletter,
        "issue": content.issue,
        "reviews": content.placed,
        "lead": content.lead,
        "quote": content.quote,
        "cards": content.cards,
        "sections": sections(content.cards, content.language),
        "pairs": content.pairs,
        "sponsor": content.sponsor,
        "lines": content.lines,
        "corrections": content.corrections,
        "also_like": content.also_like,
        "more": content.more,
        "promo": content.promo,
        "urls": types.MappingProxyType(
            {
                "view_online": content.view_online_url,
                "forward": content.forward_url,
                "subscribe": content.subscribe_url,
            }
        ),
        "months": months,
        "words": types.MappingProxyType(spoken),
        "tokens": types.MappingProxyType(dict(tokens)),
    }


def has_something_for(content: IssueContent, topics: tuple[str, ...]) -> bool:
    """Whether a subscriber to `topics` (empty: all) finds at least one review in this issue."""
    return not topics or any(not each.rubric or each.rubric in topics for each in content.placed)


def to_json(value: object) -> Any:
    """A frozen dataclass of this module as plain JSON values: fields by name, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    return value


def from_json(data: Mapping[str, Any]) -> IssueContent:
    """What `to_json` made of an IssueContent. Raises `KeyError` or `TypeError` where a field is missing or unknown.

    A field with a default may be missing: what was frozen before there was such a field says nothing of it.
    """
    content = _read(IssueContent, data)
    assert isinstance(content, IssueContent)
    return content


def _read(kind: Any, data: Any) -> Any:
    if isinstance(kind, types.UnionType):
        (kind,) = (each for each in typing.get_args(kind) if each is not type(None))
        return None if data is None else _read(kind, data)
    if typing.get_origin(kind) is tuple:
        return tuple(_read(typing.get_args(kind)[0], each) for each in data)
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        unknown = set(data) - set(hints)
        if unknown:
            raise TypeError(f"{kind} has no {', '.join(sorted(unknown))}")
        needed = [each.name for each in fields(kind) if each.name in data or each.default is MISSING]
        return kind(**{name: _read(hints[name], data[name]) for name in needed})  # type: ignore[operator]
    return data
