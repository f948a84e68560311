"""What a design sees: an issue's content as frozen plain values, ready to print and in the newsletter's language."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

from newsletter.core.words import date_pattern, dir_of, words


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on our own host: absolute https address, natural width and height in pixels."""

    url: str
    alt: str
    width: int = 0
    height: int = 0
    credit: str = ""  # ready to print: "Photo: via Halo Pictures"


@dataclass(frozen=True, slots=True)
class Rating:
    """`text` carries the meaning ("4 out of 5", "B+"); `stars` ("★★★★☆") decorate it where the scale has them."""

    text: str
    stars: str = ""


@dataclass(frozen=True, slots=True)
class Stub:
    """A ticket stub: when and where the work opens. `day` is "" when it is open already."""

    label: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A review in full display. `rubric` is "" for an unsorted one, which every subscriber gets.

    `lang`, `dir` and `title_dir` are given only where they differ from the issue's own. `isolated` is the title,
    between Unicode isolates where its direction differs, for the text part.
    """

    key: str
    title: str
    url: str
    rubric: str = ""
    kicker: str = ""
    byline: str = ""
    minutes: str = ""
    dek: str = ""
    excerpt: str = ""
    facts: str = ""
    picture: Picture | None = None
    rating: Rating | None = None
    stub: Stub | None = None
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
    lang: str = ""
    dir: str = ""
    title_dir: str = ""
    isolated: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Correction:
    """What an earlier issue got wrong about a review, in an editor's words. `isolated` is the title, as in `Card`."""

    title: str
    url: str
    text: str
    isolated: str = ""


@dataclass(frozen=True, slots=True)
class Promo:
    """The print magazine's slot."""

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
    """The edition. `slot` is its key; `date` is ready to print; `contents` names what is inside, in one line;
    `note` is the editor's, a paragraph each.
    """

    slot: str
    number: str
    date: str
    subject: str
    preview_text: str
    contents: str = ""
    note: tuple[str, ...] = ()
    note_signature: str = ""


@dataclass(frozen=True, slots=True)
class IssueContent:
    """All that a letter says, but for the subscriber. Plain data: what approval freezes."""

    language: str
    magazine: Magazine
    newsletter: Newsletter
    issue: Issue
    lead: Card | None = None
    cards: tuple[Card, ...] = ()
    lines: tuple[Line, ...] = ()
    corrections: tuple[Correction, ...] = ()
    more: tuple[Line, ...] = ()
    promo: Promo | None = None
    view_online_url: str = ""


def build_context(content: IssueContent, tokens: Mapping[str, Any]) -> dict[str, object]:
    """The names a design's templates know, but `subscriber`, which the compiler adds."""
    spoken = words(content.language)
    fill = {"magazine": content.magazine.name, "newsletter": content.newsletter.name}
    for key in ("why", "reply", "more_from"):
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
        "lead": content.lead,
        "cards": content.cards,
        "lines": content.lines,
        "corrections": content.corrections,
        "more": content.more,
        "promo": content.promo,
        "urls": types.MappingProxyType({"view_online": content.view_online_url}),
        "months": months,
        "words": types.MappingProxyType(spoken),
        "tokens": types.MappingProxyType(dict(tokens)),
    }


def has_something_for(content: IssueContent, topics: tuple[str, ...]) -> bool:
    """Whether a subscriber to `topics` (empty: all) finds at least one review in this issue."""
    placed = (*((content.lead,) if content.lead else ()), *content.cards, *content.lines)
    return not topics or any(not each.rubric or each.rubric in topics for each in placed)


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
