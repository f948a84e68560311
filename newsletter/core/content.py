"""What a source gives: one entry's content, as plain frozen values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating as its own structured data gave it; never converted for display."""

    value: str
    best: str
    worst: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """The thing reviewed."""

    title: str
    type: str = ""
    year: str = ""
    creators: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """When and where the work opens; `precision` is "day" or "month-day" (year inferred); `raw` the line as printed."""

    date: date | None
    precision: str
    verb: str = ""
    where: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class PictureRef:
    """A picture as the source names it: absolute address, words and credit; `role` is "lead" or "inline"."""

    url: str
    alt: str = ""
    credit: str = ""
    caption: str = ""
    role: str = "lead"
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class EntryContent:
    """One thing as one source serves it.

    `title` as published, `title_clean` without rubric suffix; `rubric` is a key of `core.rubrics` or "" (unsorted);
    `body_html` is sanitised, well-formed XHTML of the allow-list only; `published_at` is aware, or None when the
    source gives none that can be believed; `date_precision` is "time" or "day"; `origins` says per field where the
    value came from ("feed", "json-ld", "auto" ...); `credit` is the picture credit that the article prints, pictures
    or not; `related` are the titles under its "More from" heading.
    """

    title: str
    title_clean: str
    url: str = ""
    guid: str = ""
    rubric: str = ""
    rubric_label: str = ""
    authors: tuple[str, ...] = ()
    byline: str = ""
    dek: str = ""
    body_html: str = ""
    body_text: str = ""
    word_count: int = 0
    reading_minutes: int = 0
    language: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    date_precision: str = "time"
    work: Work | None = None
    release: Release | None = None
    event_date: date | None = None
    rating: Rating | None = None
    pictures: tuple[PictureRef, ...] = ()
    credit: str = ""
    tags: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    sponsored: bool = False
    has_spoilers: bool = False
    origins: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def to_json(content: EntryContent) -> dict[str, Any]:
    """`content` as plain JSON values: dates in ISO 8601, tuples as lists. `from_json` reads it back, equal."""
    return {name: _plain(value) for name, value in asdict(content).items()}


def from_json(data: dict[str, Any]) -> EntryContent:
    """The content that `to_json` wrote. A field that was not known then takes its default."""
    values = {name: value for name, value in data.items() if name in EntryContent.__dataclass_fields__}
    for name in ("authors", "tags", "related", "warnings"):
        if name in values:
            values[name] = tuple(values[name])
    for name in ("published_at", "updated_at"):
        if values.get(name):
            values[name] = datetime.fromisoformat(values[name])
    if values.get("event_date"):
        values["event_date"] = date.fromisoformat(values["event_date"])
    if work := values.get("work"):
        values["work"] = Work(**{**work, "creators": tuple(work["creators"]), "cast": tuple(work["cast"])})
    if release := values.get("release"):
        values["release"] = Release(**{**release, "date": release["date"] and date.fromisoformat(release["date"])})
    if values.get("rating"):
        values["rating"] = Rating(**values["rating"])
    values["pictures"] = tuple(PictureRef(**picture) for picture in values.get("pictures", ()))
    return EntryContent(**values)


def lead_picture(content: EntryContent) -> PictureRef | None:
    """The picture to show with a review: the first that its source calls the lead, else the first."""
    return min(content.pictures, key=lambda picture: picture.role != "lead", default=None)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value
