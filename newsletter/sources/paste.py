"""A pasted review: title, byline, paragraphs, and whatever else was on the page when somebody pressed copy."""

from __future__ import annotations

import re
from dataclasses import replace

from newsletter.core.bylines import is_byline
from newsletter.core.content import EntryContent
from newsletter.core.entry import Found, make_entry
from newsletter.core.errors import ContentError, SourceError
from newsletter.core.prose import plain
from newsletter.core.sentence import sentence
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.feed import paragraphs, settings_of

MAX_PASTE = 500_000
_ADDRESS = re.compile(r"^https?://\S+$")


class PasteSource:
    """Text that somebody pasted; `SourceSpec.location` is the text itself."""

    kind = "paste"

    def gather(self, spec: SourceSpec) -> Gathered:
        """Read the text as one review. Raises `SourceError` when nothing is in it, or only a title."""
        try:
            return Gathered(entries=(read_paste(spec.location, spec),))
        except ContentError as error:
            raise SourceError(error.message, where=spec.name, hint=error.hint) from error


def read_paste(text: str, spec: SourceSpec) -> EntryContent:
    """Read pasted text (or pasted HTML) as a review.

    The first line is the title; a byline and an address may follow it; every other line, or every run of lines between
    blank lines, is a paragraph. What nobody can infer is named in the entry's warnings.
    """
    if len(text) > MAX_PASTE:
        raise ContentError(
            sentence("The paste is longer than {max_paste} characters.", max_paste=f"{MAX_PASTE:,}"),
            hint=sentence("Paste one review at a time."),
        )
    if re.search(r"<(?:p|div|br|h1)\b[^>]*>", text, re.IGNORECASE):
        return _finish(Found(bodies=(("paste", text),)), spec)
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    head = [index for index, line in enumerate(lines) if plain(line)]
    if not head:
        raise ContentError(sentence("The paste is empty."), hint=sentence("Paste the review's title and text."))
    title, rest = plain(lines[head[0]]), lines[head[0] + 1 :]
    byline = url = ""
    while rest:
        line = plain(rest[0])
        if not line:
            rest = rest[1:]
        elif not byline and is_byline(line):
            byline, rest = line, rest[1:]
        elif not url and _ADDRESS.match(line):
            url, rest = line, rest[1:]
        else:
            break
    body = _paragraphs(rest)
    if not body:
        raise ContentError(sentence("The paste has a title but no text."), hint=sentence("Paste the whole review."))
    return _finish(
        Found(titles=(("paste", _escape(title)),), url=url, bylines=(("paste", byline),), bodies=(("paste", body),)),
        spec,
    )


def _paragraphs(lines: list[str]) -> str:
    """Markup of the text. A page's copy has one line a paragraph; a mail's has wrapped lines, blank ones between."""
    solid = [line for line in lines if plain(line)]
    long_lines = sum(1 for line in solid if len(line) > 100)
    wrapped = len(solid) > 3 and long_lines == 0 and any(not plain(line) for line in lines)
    text = "\n".join(plain(line) for line in lines) if wrapped else "\n\n".join(plain(line) for line in solid)
    return paragraphs(text)


def _finish(found: Found, spec: SourceSpec) -> EntryContent:
    entry = make_entry(found, settings_of(spec))
    missing = [
        name
        for name, there in (
            ("an address", entry.url),
            ("a date", entry.published_at),
            ("an author", entry.authors),
            ("a language", entry.language),
            ("a rubric", entry.rubric),
        )
        if not there
    ]
    if not missing:
        return entry
    return replace(entry, warnings=(*entry.warnings, f"the paste does not say {', '.join(missing)}"))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
