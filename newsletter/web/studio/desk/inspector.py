"""The right of the desk: the words of what is chosen, each with where they come from, and a way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from newsletter.flow.compile import subject_suggestions
from newsletter.flow.issue import Pictured, pictured, quotes, words_of
from newsletter.flow.issue.editing import last_editor, spoken
from newsletter.flow.issue.wording import stops
from newsletter.models import Issue, Placement, PlacementState
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy, ngettext

LONG = frozenset({"dek", "excerpt", "facts", "picture_alt", "note", "text"})
MOST = {"subject": 300, "preview_text": 300, "note_signature": 200, "url": 1000, "picture": 1000}
WIDE = 240
"""Pixels that a picture takes at most, either way: a form can say where in it somebody pressed."""

SENT = 60
"""Reviews that a correction can be about: older ones are corrected by command."""

LENGTH = 8000
"""Characters that a field without a bound of its own takes."""

_HELP = {
    "title": gettext_lazy("The headline in this letter."),
    "excerpt": gettext_lazy("How much of the review is shown."),
    "rating": gettext_lazy("Like 4/5, 83%, ★★★½ or B+. Empty: none is shown."),
    "picture_alt": gettext_lazy("What the picture shows, for those who can’t see it."),
    "picture_credit": gettext_lazy("Whose picture it is."),
    "read_label": gettext_lazy("The words of the link."),
    "subject": gettext_lazy("Up to 60 characters show in most inboxes. Empty: the first suggestion."),
    "preview_text": gettext_lazy("What inboxes show after the subject. Empty: made from the reviews."),
    "note": gettext_lazy("To all readers, above the reviews. A paragraph each line."),
    "note_signature": gettext_lazy("Who says so."),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `was` is what the form was made from, `value` what stands in it: what somebody typed, when
    that could not be saved; `theirs` then is what others wrote meanwhile. `chip` says where the words come from.
    """

    name: str
    label: str
    value: str
    was: str
    chip: str
    is_long: bool = False
    is_tick: bool = False
    is_edited: bool = False
    help: str = ""
    most: int = LENGTH
    source: str = ""
    theirs: str | None = None
    suggestions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A review's picture: `of` is what there is (None: nothing yet), `was` what the form was made from, `box` its
    measures on the screen in pixels.
    """

    of: Pictured | None
    was: str
    box: tuple[int, int] = (0, 0)

    @property
    def shapes(self) -> dict[str, str]:
        """What it can be cropped to, in words."""
        return {"": _("Whole"), "wide": _("Wide, 3 to 2"), "square": _("Square"), "tall": _("Tall, 2 to 3")}


@dataclass(frozen=True, slots=True)
class Panel:
    """What is chosen: its name, its fields, and how the form calls it."""

    at: str
    name: str
    fields: list[Field]
    kind: str = "words"
    choices: list[tuple[str, str, bool]] = field(default_factory=list)
    block: str = ""
    can_take_out: bool = False
    can_leave: bool = False
    picture: Picture | None = None
    corrections: list[tuple[str, str, str]] = field(default_factory=list)


def of_review(row: Placement, typed: Mapping[str, str], theirs: Mapping[str, str]) -> Panel:
    """The fields of one review."""
    fields = []
    for word in words_of(row):
        chip = _edited(word.by) if word.edited else _("auto") if word.origin == "auto" else _("from feed")
        cuts = stops(row) if word.name == "excerpt" else []
        fields.append(
            Field(
                word.name,
                _("Editor’s pick") if word.name == "pick" else _label(word.name),
                typed.get(word.name, word.value),
                theirs.get(word.name, word.value),
                chip,
                is_long=word.name in LONG,
                is_tick=word.name == "pick",
                is_edited=word.edited,
                help=str(_HELP.get(word.name, "")),
                source=word.source if word.edited else "",
                theirs=theirs.get(word.name),
                suggestions=tuple((_words(text), text) for _stop, text in cuts if text != word.value),
            )
        )
    title = next(each.value for each in fields if each.name == "title")
    picture = None if row.kind != Placement.Kind.CARD else _picture(row)
    return Panel(f"review-{row.review_id}", title, fields, picture=picture)


def _picture(row: Placement) -> Picture:
    found = pictured(row)
    was = str(row.edits.get("picture", ""))
    if found is None or not found.width:
        return Picture(found, was)
    high = round(WIDE * found.height / found.width)
    return Picture(found, was, (WIDE, high) if high <= WIDE else (round(WIDE * WIDE / high), WIDE))


def of_issue(issue: Issue, typed: Mapping[str, str], theirs: Mapping[str, str]) -> Panel:
    """Subject, preview text, the note to readers."""
    suggested = tuple((text, text) for text in subject_suggestions(issue) if text != issue.subject)
    fields = []
    for name in ("subject", "preview_text", "note", "note_signature"):
        value = str(getattr(issue, name))
        by = last_editor(issue, f"issue/{name}") if value else ""
        chip = _edited(by) if value else _("auto") if name in ("subject", "preview_text") else _("empty")
        fields.append(
            Field(
                name,
                _label(name),
                typed.get(name, value),
                theirs.get(name, value),
                chip,
                is_long=name in LONG,
                is_edited=bool(value),
                help=str(_HELP[name]),
                most=MOST.get(name, LENGTH),
                theirs=theirs.get(name),
                suggestions=suggested if name == "subject" else (),
            )
        )
    return Panel("issue", _("The letter’s own words"), fields)


def of_block(issue: Issue, block: str, typed: Mapping[str, str], theirs: Mapping[str, str]) -> Panel:
    """The quote, the sponsor, or music to read by."""
    value = issue.blocks.get(block)
    was = theirs.get(block, json.dumps(value, sort_keys=True))
    nobody = _("empty") if block == "listen" else _("auto")
    said = nobody if value is None else _("chosen by an editor") if value else _("taken out")
    choices: list[tuple[str, str, bool]] = []
    fields = [Field(block, "", was, was, said, theirs=_told(theirs.get(block)))]
    if block == "quote":
        chosen = (value or {}).get("text", "")
        choices = [
            (f"{review.pk}:{text}", f"{text} — {review}", text == typed.get("text", chosen))
            for review, text in quotes(issue)
        ]
    else:
        names = ("title", "url") if block == "listen" else ("title", "text", "button", "url", "picture", "alt")
        held = value if isinstance(value, dict) else {}
        called = {
            "title": _("Title"),
            "text": _("Text"),
            "button": _("Button"),
            "url": _("Address (https://…)"),
            "picture": _("Picture’s address"),
            "alt": _("What the picture shows"),
        }
        fields += [
            Field(
                name,
                called[name],
                typed.get(name, str(held.get(name, ""))),
                "",
                "",
                is_long=name in LONG,
                most=MOST.get(name, LENGTH),
            )
            for name in names
        ]
    headings = {
        "quote": _("The quote"),
        "sponsor": _("The sponsor"),
        "listen": _("Music to read by"),
        "promo": _("The print magazine"),
    }
    return Panel(
        block, headings[block], fields, kind="block", choices=choices, block=block,
        can_take_out=value != {} and block != "listen", can_leave=value is not None,
    )  # fmt: skip


def of_corrections(issue: Issue, typed: Mapping[str, str]) -> Panel:
    """What the issue corrects of earlier ones (R16), and the reviews that were sent lately, the newest first."""
    sent = Placement.objects.filter(newsletter=issue.newsletter_id, state=PlacementState.SENT).exclude(issue=issue)
    rows = sent.select_related("review__representative", "issue").order_by("-issue__slot_at", "position", "pk")
    return Panel(
        "correction",
        _("Corrections"),
        [
            Field(
                "text", _("What was wrong, and what is right"), typed.get("text", ""), "", "", is_long=True, most=LENGTH
            )
        ],
        kind="correction",
        choices=[
            (str(row.review_id), f"{row.review} ({row.issue.slot})", typed.get("review") == str(row.review_id))
            for row in rows[:SENT]
        ],
        corrections=[(str(each["review"]), str(each["title"]), str(each["text"])) for each in issue.corrections],
    )


def _label(name: str) -> str:
    words = spoken(name)
    return _(words[:1].upper() + words[1:])


def _edited(by: str) -> str:
    return _("edited by %(name)s") % {"name": by} if by else _("edited")


def _words(text: str) -> str:
    count = len(text.split())
    return ngettext("%(num)s word", "%(num)s words", count) % {"num": count}


def _told(text: str | None) -> str | None:
    """A block as another editor left it, in words."""
    if text is None:
        return None
    value: Any = json.loads(text)
    return "; ".join(str(each) for each in value.values()) if value else _("nothing of its own")
