"""What a design may print, as a page: every variable with its type, what it is, and an example out of a real letter.

`tests/reference.py` writes docs/reference/design-context.md from it; a variable without words here is an error.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

from newsletter.core import context
from newsletter.core.reader import Reader
from tests.letters import issues
from tests.letters.everything import everything

_INTRODUCTION = """\
# What a design may print

A template sees the names below, in `letter.mjml`, `letter.txt` and `subject.txt` alike, and nothing else. All texts are
plain, in the newsletter's language, and escaped where they are printed. A text that does not exist is empty, a thing
that does not exist is `none`, a list may be empty: test with `{% if %}` before you print a heading. The examples come
from one invented issue.
"""

_CONTEXT = {
    "language": "the newsletter's language (BCP 47)",
    "dir": "`ltr` or `rtl`: how that language runs",
    "magazine": "who sends: [Magazine](#magazine)",
    "newsletter": "the weekly series: [Newsletter](#newsletter)",
    "issue": "the edition: [Issue](#issue)",
    "reviews": "every review of the issue in the order of its number, cards and lines: for a list of contents",
    "lead": "the first review, in full display: a [Card](#card), or none",
    "quote": "the pull quote: a [Quote](#quote), or none",
    "cards": "the other reviews in full display, each a [Card](#card)",
    "sections": "the same cards by rubric, each a [Section](#section); numbers may then stand out of order",
    "pairs": "second opinions: two critics on one work, each a [Pair](#pair)",
    "sponsor": "what somebody paid for: a [Sponsor](#sponsor), or none",
    "lines": "“Also this week”: reviews in one line, each a [Line](#line)",
    "corrections": "what earlier issues got wrong, each a [Correction](#correction)",
    "also_like": "“You may also like”: earlier reviews of the same works and people, each a [Line](#line)",
    "more": "“More from the magazine”: earlier reviews of the same rubrics, each a [Line](#line)",
    "promo": "the print magazine: a [Promo](#promo), or none; decided by its dates on the issue's day",
    "urls": "pages of this issue: [urls](#urls)",
    "months": "the twelve names that `words.date` takes for a month",
    "words": "the fixed words, ready to print: [words](#words)",
    "tokens": "the values of `design.toml`, and the newsletter's own on top",
}
_URLS = {
    "view_online": "the public page of this issue",
    "forward": "the page that helps to pass it on; none where there is no such page",
    "subscribe": "the newsletter's sign-up form; none where it has no open one",
}
_TITLE = "the headline, without its rubric"
_REVIEW = {
    "key": "our number of the review: unique in the letter",
    "title": _TITLE,
    "url": "where the review stands; the checks want one",
    "rubric": "`movie`, `book` ...; empty for an unsorted review, which everybody gets",
    "kicker": "the words above the headline: the rubric's, the editor's, or that it is sponsored",
    "byline": "who wrote it, with “By”",
    "critics": "who wrote it, the names alone",
    "lang": "the review's language, where it is not the issue's",
    "dir": "its direction, where it is not the issue's",
    "title_dir": "the headline's direction, where it is not the issue's: for the element around the title",
    "isolated": "the headline between Unicode isolates where it needs them: for the text part",
    "number": "its place in the letter from 1, the same for every subscriber",
}
_CLASSES: dict[type, dict[str, str]] = {
    context.Magazine: {
        "name": "its name",
        "url": "its site",
        "about": "one line about it",
        "legal_name": "the company behind it",
        "address_lines": "the postal address, a line each; every one must be printed",
        "privacy_url": "the page about privacy",
        "rights": "© with year and owner",
    },
    context.Newsletter: {
        "slug": "its short name",
        "name": "its name: the letter's h1",
        "tagline": "the line under it",
        "can_reply": "whether answers are read: then print `words.reply`",
    },
    context.Issue: {
        "slot": "its key: the day it is for, or a special issue's name",
        "number": "“No. 214”",
        "date": "the day in full",
        "subject": "the subject, as `subject.txt` prints it",
        "preview_text": "what inboxes show after the subject; empty is possible",
        "contents": "what is inside, in one line",
        "note": "the editor's note, a paragraph each",
        "note_signature": "who signed it",
        "week": "the week in words",
        "listen": "music to read by: a [Link](#link), or none",
    },
    context.Card: {
        **_REVIEW,
        "work": "the title of what is reviewed",
        "minutes": "how long it takes to read, from two minutes on",
        "dek": "the sentence under the headline; empty where it would repeat the excerpt",
        "excerpt": "its beginning, whole sentences: 60 to 90 words of the lead, 28 to 48 of a card",
        "facts": "director and cast, author and publisher, artist and label ...: by rubric, in one line",
        "picture": "a [Picture](#picture), or none: a layout of its own, not a hole",
        "rating": "a [Rating](#rating), or none; never zero stars for “not rated”",
        "stub": "when it opens: a [Stub](#stub), or none",
        "event": "a concert's day: a [CalendarDay](#calendarday), or none",
        "venue": "a concert's place",
        "exchange": "an interview's first question and answer: an [Exchange](#exchange), or none",
        "read_label": "the words of the link, which say where it goes",
        "pick": "the editor's mark, whatever the rating: print `words.pick`",
        "sponsored": "somebody paid for it; the kicker then says so",
    },
    context.Line: _REVIEW,
    context.Picture: {
        "url": "on our own host",
        "alt": "what it shows; empty only where an editor said that it decorates",
        "width": "in pixels; 0 where nobody knows",
        "height": "in pixels; 0 where nobody knows",
        "credit": "whose it is, ready to print; always print it",
        "shape": "`wide`, `square` or `tall`; empty where nobody knows",
    },
    context.Rating: {
        "text": "the rating in words: it carries the meaning, so always print it",
        "stars": "the same as glyphs where the scale has them: decoration",
        "kind": "`stars`, `number`, `letter` or `words`",
        "value": "the mark alone, for a big numeral; may be a word or two where the kind is `words`",
        "best": "the best mark of its scale; empty without one",
    },
    context.Stub: {"label": "“In theaters”, “Out now” ...", "day": "the day; empty when it is open already"},
    context.CalendarDay: {"weekday": "short", "day": "the figure", "month": "short"},
    context.Exchange: {"question": "as asked", "answer": "as answered, cut at a sentence"},
    context.Section: {
        "rubric": "its key, empty for unsorted reviews",
        "label": "its heading",
        "cards": "its cards",
    },
    context.Quote: {
        "text": "one sentence, without quotation marks",
        "credit": "whose, and on what",
        "rubric": "the review's: hide it from subscribers who do not follow that",
        "url": "the review's",
        "lang": "its language, where it is not the issue's",
        "dir": "its direction, where it is not the issue's",
    },
    context.Pair: {
        "work": "what both are about",
        "rubric": "both reviews'",
        "cards": "two [cards](#card) that stand nowhere else; one, where the lead is the other",
        "with_lead": "whether the lead is one of the two",
    },
    context.Sponsor: {
        "label": "“Sponsored”, in the newsletter's language; must be printed",
        "title": "what it is",
        "text": "a sentence or two",
        "button": "the words of the link",
        "url": "where it leads",
        "picture": "a [Picture](#picture), or none",
    },
    context.Correction: {
        "title": "the review's headline",
        "url": "where it stands",
        "text": "what is right, in an editor's words",
        "isolated": "the headline between Unicode isolates where it needs them",
    },
    context.Promo: {
        "title": "what it is",
        "text": "a sentence",
        "button": "the words of the link",
        "url": "where it leads",
        "picture": "its cover: a [Picture](#picture), or none",
    },
    context.Link: {"title": "its words", "url": "where it leads"},
}
_SUBSCRIBER = {
    "address": "their mail address",
    "name": "their name, often empty",
    "first_name": "its first word",
    "language": "their language, empty when it is not known",
    "topics": "the rubrics that they chose; none: every one",
    "attributes": "what else the magazine keeps of them, by name",
    "plain_text": "whether they want text alone",
    "joined_on": "since when; none when it is not known",
    "unsubscribe_url": "their own way out; must be printed. Empty on the public page",
    "preferences_url": "their own preferences; `#pause` behind it leads to the pause",
    "follows": "`subscriber.follows(card.rubric)`: whether they want it",
}
_WORDS_NOTE = {
    "date": "a long date: `words.date.format(day=…, month=months[…], year=…)`",
    "why_before": "the reason for this mail, up to the day of joining",
    "why_after": "the same, behind that day",
}


def design_context() -> str:
    """The page. Raises `KeyError` for a variable that nobody described, `ValueError` for words about none."""
    content = everything()
    known = context.build_context(content, {"ink": "#1A1014"})
    lines = [_INTRODUCTION, *_table("The names", known, _CONTEXT, _type_of_value)]
    lines += _table("urls", typing.cast(Mapping[str, Any], known["urls"]), _URLS, _type_of_value)
    for kind, said in _CLASSES.items():
        hints = typing.get_type_hints(kind)
        values = {name: next(_found(kind, name, content), "") for name in hints}
        lines += _table(kind.__name__, values, said, lambda name, _, hints=hints: _type(hints[name]))
    reader = replace(issues.READER, attributes={"city": "Lisbon"}, preferences_url=f"{issues.HOST}/p/AbCdEfGh")
    given = [each.name for each in fields(Reader)] + ["first_name", "follows"]
    own: dict[str, Any] = {name: getattr(reader, name) for name in given}
    lines += _table("subscriber", own, _SUBSCRIBER, _type_of_value)
    lines += ["What may be asked of a subscriber, and what it costs, is in [tracing.md](../tracing.md).\n"]
    lines += ["## words\n", "| name | in English |", "|---|---|"]
    spoken = typing.cast(Mapping[str, Any], known["words"])
    for name in sorted(spoken):
        lines.append(f"| `words.{name}` | {_cell(spoken[name])}{_noted(name)} |")
    return "\n".join(lines).rstrip() + "\n"


def described() -> set[type]:
    """The kinds of things on the page."""
    return set(_CLASSES)


def _noted(name: str) -> str:
    return f" ({_WORDS_NOTE[name]})" if name in _WORDS_NOTE else ""


def _table(heading: str, values: Mapping[str, Any], said: Mapping[str, str], typed: Any) -> list[str]:
    if left := set(said) - set(values):
        raise ValueError(f"{heading} has no {', '.join(sorted(left))}")
    prefix = {"The names": "", "urls": "urls.", "subscriber": "subscriber."}.get(heading, "")
    lines = [f"## {heading}\n", "| name | type | what it is | example |", "|---|---|---|---|"]
    for name in sorted(values, key=list(said).index if set(values) <= set(said) else None):
        lines.append(f"| `{prefix}{name}` | {typed(name, values[name])} | {said[name]} | {_example(values[name])} |")
    return [*lines, ""]


def _found(kind: type, name: str, value: object) -> Iterator[Any]:
    """What the field says wherever the content holds one of this kind, the telling ones alone."""
    if isinstance(value, kind) and getattr(value, name):
        yield getattr(value, name)
    if isinstance(value, context.IssueContent) and kind is context.Section:
        yield from _found(kind, name, context.sections(value.cards, value.language))
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _found(kind, name, getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from _found(kind, name, each)


def _type(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        return " or ".join(_type(each) for each in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return f"list of {_type(typing.get_args(hint)[0])}"
    plain = {str: "text", int: "number", bool: "true or false", type(None): "none", date: "date"}
    return plain.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"


def _type_of_value(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return "list"
    if isinstance(value, Mapping):
        return "table"
    if is_dataclass(value):
        return type(value).__name__
    plain = {"str": "text", "bool": "true or false", "method": "question", "int": "number"}
    return plain.get(type(value).__name__, type(value).__name__)


def _example(value: object) -> str:
    if isinstance(value, str | bool | int | date) and value != "":
        return _cell(f"`{value}`" if isinstance(value, bool | int | date) else str(value))
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return _cell(" / ".join(value))
    if isinstance(value, Mapping) and value:
        return _cell(", ".join(f"`{key}`: {text}" for key, text in value.items() if isinstance(text, str))[:120])
    return ""


def _cell(text: str) -> str:
    text = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= 140 else f"{text[:139].rstrip()}…"
