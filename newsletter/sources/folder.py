"""A folder of reviews: Markdown with front matter, HTML pages, plain text. One bad file never stops the others."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

from newsletter.core.content import EntryContent, PictureRef, Rating, Release, Work
from newsletter.core.dates import read_moment
from newsletter.core.entry import Found, make_entry
from newsletter.core.errors import ContentError, SourceError
from newsletter.core.prose import without_controls
from newsletter.core.ratings import read_rating
from newsletter.core.rubrics import RUBRICS, rubric_for_label
from newsletter.core.sentence import sentence
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.feed import paragraphs, settings_of
from newsletter.sources.page import found_in
from newsletter.sources.paste import read_paste

MAX_FILE = 2 * 1024 * 1024
MAX_FILES = 2000
MAX_FRONT_MATTER = 50_000
_SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".txt": "text"}
_KEYS = frozenset(
    [
        "title",
        "url",
        "guid",
        "author",
        "authors",
        "byline",
        "date",
        "updated",
        "language",
        "lang",
        "rubric",
        "tags",
        "categories",
        "dek",
        "excerpt",
        "description",
        "picture",
        "image",
        "alt",
        "credit",
        "caption",
        "rating",
        "best",
        "work",
        "release",
        "event_date",
        "slug",
        "layout",
        "draft",
    ]
)


class FolderSource:
    """A folder on this machine; its files are read in the order of their names, sub-folders included."""

    kind = "folder"

    def gather(self, spec: SourceSpec) -> Gathered:
        """Read every review of the folder. Raises `SourceError` when the folder itself can't be read."""
        root = Path(spec.location).expanduser()
        if not root.is_dir():
            raise SourceError(
                sentence("There is no such folder."),
                where=spec.location,
                hint=sentence("Make it, or correct the path."),
            )
        files = sorted(path for path in root.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
        real_root = root.resolve()
        entries: list[EntryContent] = []
        warnings: list[str] = []
        digest = hashlib.sha256()
        if len(files) > MAX_FILES:
            warnings.append(f"the folder holds {len(files)} files: only the first {MAX_FILES} are read")
        for path in files[:MAX_FILES]:
            name = path.relative_to(root).as_posix()
            if any(part.startswith(".") for part in Path(name).parts):
                continue
            try:
                if not path.resolve().is_relative_to(real_root):
                    raise ContentError(sentence("The link leads out of the folder."), where=name)
                raw = path.read_bytes()
                digest.update(name.encode() + b"\0" + raw)
                if entry := read_file(raw, name, spec):
                    entries.append(entry)
            except ContentError as error:
                warnings.append(str(error) + " Left out.")
            except OSError as error:
                warnings.append(f"{name}: can't be read ({error.strerror}). Left out.")
        return Gathered(entries=tuple(entries), raw_hash=digest.hexdigest(), warnings=tuple(warnings))


def read_file(raw: bytes, name: str, spec: SourceSpec) -> EntryContent | None:
    """Read one file; None for a draft. Raises `ContentError` that names the file, and the line where there is one."""
    if len(raw) > MAX_FILE:
        raise ContentError(sentence("The file is larger than {max_file} bytes.", max_file=f"{MAX_FILE:,}"), where=name)
    try:
        text = without_controls(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ContentError(
            sentence("The file is not UTF-8 text."), where=f"{name}:{line}", hint=sentence("Save it as UTF-8.")
        ) from error
    kind = _SUFFIXES[Path(name).suffix.lower()]
    facts, body, line = _front_matter(text, name)
    front = _Front(facts, name)
    if front.get("draft").lower() in ("true", "yes", "1"):
        return None
    if kind == "text" and not facts:
        try:
            return _warned(replace(read_paste(text, spec), guid=name), name)
        except ContentError as error:
            raise ContentError(error.message, where=name, hint=error.hint) from error
    if kind == "markdown":
        body = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(body)
    elif kind == "text":
        body = paragraphs(body)
    else:
        body, front = _html(body, front)
    return _make(front, body, name, spec)


@dataclass(frozen=True, slots=True)
class _Front:
    """Front matter, every value asked for by name and given as text."""

    facts: dict[str, object]
    file: str

    def get(self, *names: str) -> str:
        for name in names:
            value = self.facts.get(name)
            if isinstance(value, datetime | date):
                return value.isoformat()
            if isinstance(value, str | int | float):
                return str(value)
        return ""

    def list(self, *names: str) -> list[str]:
        for name in names:
            value = self.facts.get(name)
            if isinstance(value, list):
                return [str(item) for item in value if isinstance(item, str | int | float)]
            if isinstance(value, str) and value.strip():
                return [part.strip() for part in value.split(",")]
        return []


def _front_matter(text: str, name: str) -> tuple[dict[str, object], str, int]:
    """(facts, body, line on which the body starts). Raises `ContentError` with the line of a mistake."""
    match = re.match(r"\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)", text.replace("\r\n", "\n"), re.DOTALL)
    if not match:
        if re.match(r"\s*---[ \t]*\r?\n\w+\s*:", text):
            raise ContentError(
                sentence("The front matter is never closed."),
                where=f"{name}:1",
                hint=sentence("End it with a line of three dashes."),
            )
        return {}, text, 1
    before = match[0][: match.start(1) - match.start()].count("\n")
    if len(match[1]) > MAX_FRONT_MATTER:
        raise ContentError(
            sentence(
                "The front matter is longer than {max_front_matter} characters.",
                max_front_matter=f"{MAX_FRONT_MATTER:,}",
            ),
            where=f"{name}:1",
        )
    try:
        # Not libyaml's loader: deep nesting overruns its stack and ends the whole process.
        facts = yaml.load(match[1], Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = before + 1 + (mark.line if mark else 0)
        problem = str(getattr(error, "problem", "") or "it is not YAML")
        raise ContentError(
            sentence("The front matter can't be read: {problem}.", problem=problem),
            where=f"{name}:{line}",
            hint=sentence('Put a value that holds ": " in quotes.'),
        ) from error
    except RecursionError as error:
        raise ContentError(sentence("The front matter is nested too deeply."), where=f"{name}:{before + 1}") from error
    except ValueError as error:
        line = before + 1 + _line_of_bad_value(match[1])
        raise ContentError(
            sentence("The front matter can't be read: {error}.", error=error), where=f"{name}:{line}"
        ) from error
    if facts is None:
        facts = {}
    if not isinstance(facts, dict):
        raise ContentError(sentence("The front matter is not a list of keys and values."), where=f"{name}:{before + 1}")
    return (
        {str(key).lower(): value for key, value in facts.items()},
        text.replace("\r\n", "\n")[match.end() :],
        match[0].count("\n") + 1,
    )


def _line_of_bad_value(text: str) -> int:
    """The line (from 0) of the first value that looks like a date or number and is none ("2026-13-45")."""
    try:
        whole = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return 0
    for _, value in whole.value if isinstance(whole, yaml.MappingNode) else []:
        try:
            yaml.SafeLoader("").construct_document(value)
        except ValueError:
            return int(value.start_mark.line)
        except (yaml.YAMLError, RecursionError):
            continue
    return 0


def _html(markup: str, front: _Front) -> tuple[str, _Front]:
    """An HTML file is read as the page it is, unless it is only a fragment of one."""
    if not re.search(r"<(?:html|body|article|main)\b", markup, re.IGNORECASE):
        return markup, front
    found = found_in(markup, front.get("url"))
    facts = dict(front.facts)
    for key, told in (
        ("title", found.titles),
        ("author", found.bylines),
        ("date", found.dates),
        ("language", found.languages),
    ):
        if not facts.get(key) and (value := next((value for _, value in told if value), "")):
            facts[key] = value
    return next((value for _, value in found.bodies if value), ""), _Front(facts, front.file)


def _make(front: _Front, body: str, name: str, spec: SourceSpec) -> EntryContent:
    warnings = [f"unknown key {key!r} in the front matter" for key in sorted(set(front.facts) - _KEYS)]
    rating, trouble = _rating(front)
    if trouble:
        warnings.append(trouble)
    picture = front.get("picture", "image")
    rubric = front.get("rubric")
    rubric_key = rubric if rubric in RUBRICS else rubric_for_label(rubric, spec.language)
    if rubric and not rubric_key:
        warnings.append(f"there is no rubric {rubric!r}")
    release = read_moment(front.get("release"), zone=spec.timezone)
    event = read_moment(front.get("event_date"), zone=spec.timezone)
    found = Found(
        titles=(("front matter", _escaped(front.get("title"))),),
        url=front.get("url"),
        guid=front.get("guid") or name,
        base_url=front.get("url"),
        bylines=(("front matter", _escaped(", ".join(front.list("authors", "author", "byline")))),),
        deks=(("excerpt", _escaped(front.get("dek", "excerpt", "description"))),),
        bodies=(("file", body),),
        dates=(("front matter", front.get("date")),),
        updates=(("front matter", front.get("updated")),),
        languages=(("front matter", front.get("language", "lang")),),
        pictures=(
            (
                (
                    "front matter",
                    PictureRef(picture, alt=front.get("alt"), credit=front.get("credit"), caption=front.get("caption")),
                ),
            )
            if picture
            else ()
        ),
        categories=tuple(_escaped(tag) for tag in (*([rubric] if rubric else []), *front.list("tags", "categories"))),
        rating=("front matter", rating) if rating else None,
        work=("front matter", Work(front.get("work"), type=rubric_key)) if front.get("work") else None,
        release=("front matter", Release(release.when.date(), "day")) if release else None,
        event_date=event.when.date() if event else None,
        warnings=tuple(warnings),
    )
    settings = settings_of(spec)
    if rubric_key:
        settings = replace(settings, rubric_map=((rubric, rubric_key), *settings.rubric_map))
    try:
        return _warned(make_entry(found, settings), name)
    except ContentError as error:
        raise ContentError(error.message, where=name, hint=error.hint) from error


def _rating(front: _Front) -> tuple[Rating | None, str]:
    return read_rating(front.get("rating"), front.get("best"))


def _warned(entry: EntryContent, name: str) -> EntryContent:
    return replace(entry, warnings=tuple(f"{name}: {warning}" for warning in entry.warnings))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
