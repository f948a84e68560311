"""What the desk's forms do: each becomes one call of the flow's own verbs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import QueryDict

from newsletter import media
from newsletter.core.errors import IssueError, StaleError
from newsletter.flow import issue as flow
from newsletter.flow.issue.editing import even
from newsletter.flow.issue.facts import content_of
from newsletter.ledger import issues
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Issue, Placement, Review
from newsletter.web.studio.desk.inspector import LENGTH, MOST
from newsletter.web.studio.desk.outline import placements
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import ngettext

BLOCKS = ("quote", "sponsor", "listen", "promo")
LISTEN = ("title", "url")
SPONSOR = ("title", "text", "button", "url", "picture", "alt")
_OF_ISSUE = ("subject", "preview_text", "note", "note_signature")


@dataclass(frozen=True, slots=True)
class Typed:
    """A form of words, read: `words` are what stands in it and `seen` what it was made from, by field. `revert` is the
    field that is to be as its source has it, "" for none.
    """

    words: dict[str, str]
    seen: dict[str, str]
    revert: str = ""


def typed_in(form: QueryDict) -> Typed:
    """What the form holds. Raises `IssueError` for a field that is too long."""
    seen = {name.removeprefix("was_"): _text(form, name) for name in form if name.startswith("was_")}
    typed = {name: _text(form, name) for name in seen}
    used, colon, suggestion = _text(form, "use").partition(":")
    if colon and used in typed:
        typed[used] = suggestion
    for name, text in typed.items():
        if len(text) > MOST.get(name, LENGTH):
            told = ngettext(
                "This is too long: %(num)s character, and %(most)s are the most.",
                "This is too long: %(num)s characters, and %(most)s are the most.",
                len(text),
            )
            raise IssueError(told % {"num": len(text), "most": MOST.get(name, LENGTH)}, where=name)
    return Typed(typed, seen, form.get("revert", ""))


def of_issue(typed: Typed) -> dict[str, str]:
    """The issue's own words that were changed, as they are to be."""
    words, seen = typed.words, typed.seen
    changed = {name: words[name] for name in _OF_ISSUE if name in words and even(words[name]) != even(seen[name])}
    return changed | ({typed.revert: ""} if typed.revert in _OF_ISSUE else {})


def of_review(typed: Typed, row: Placement) -> dict[str, str | None]:
    """The fields of a review that were changed, as they are to be; None for the source's own again."""
    fields: dict[str, str | None] = {}
    for word in flow.words_of(row):
        if word.name == typed.revert:
            fields[word.name] = None
        elif word.name in typed.words and even(typed.words[word.name]) != even(typed.seen[word.name]):
            own = even(typed.words[word.name])
            back = own == even(word.source)
            if not back or word.edited:
                # The source's own words, or no mark any more, are nobody's edit.
                fields[word.name] = None if back else own
    return fields


def words(issue: Issue, at: str, form: QueryDict, *, now: datetime, by: str) -> None:
    """Write what was typed in the form `at`, as a step that can be taken back. Raises `StaleError` (then nothing of it
    was written), `IssueError`.
    """
    flow.recorded(issue, lambda: _write(issue, at, form, now=now, by=by), now=now, by=by)


def _write(issue: Issue, at: str, form: QueryDict, *, now: datetime, by: str) -> None:
    typed = typed_in(form)
    seen = {name: text for name, text in typed.seen.items() if name != typed.revert}
    if at in BLOCKS:
        _block(issue, at, form, now=now, by=by)
    elif at == "correction":
        _correct(issue, form, now=now, by=by)
    elif at == "issue":
        if changed := of_issue(typed):
            flow.edit_issue(issue, changed, now=now, by=by, seen={name: seen[name] for name in changed if name in seen})
    else:
        row = placed(issue, at)
        if fields := of_review(typed, row):
            flow.edit_fields(row, fields, now=now, by=by, seen={name: seen[name] for name in fields if name in seen})


def tried_words(issue: Issue, at: str, form: QueryDict) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """(the issue's fields, edits by placement) as they would be if the form `at` was saved. Raises `IssueError`."""
    if at in BLOCKS:
        value = _value_of(issue, at, form)
        return {"blocks": {**issue.blocks, at: value} if value else issue.blocks}, {}
    if at == "correction":
        return {}, {}
    typed = typed_in(form)
    if at == "issue":
        return {name: even(text) for name, text in of_issue(typed).items()}, {}
    row = placed(issue, at)
    edits = {name: text for name, text in {**row.edits, **of_review(typed, row)}.items() if text is not None}
    return {}, {row.pk: edits}


def order(issue: Issue, form: QueryDict, *, now: datetime, by: str) -> str:
    """Do what a button of the outline says, as a step that can be taken back; returns it in a sentence. Raises
    `IssueError`, `LedgerError`.
    """
    return flow.recorded(issue, lambda: _order(issue, form, now=now, by=by), now=now, by=by)


def _order(issue: Issue, form: QueryDict, *, now: datetime, by: str) -> str:
    key, verb = form.get("review", ""), form.get("verb", "")
    review = Review.objects.filter(pk=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if review is None:
        raise IssueError(_("There is no such review."), hint=_("Look at the issue as it is now."))
    newsletter = issue.newsletter
    match verb:
        case "add" | "pin":
            flow.pin(review, newsletter, issue, now=now, by=by)
            return _("%(review)s is in this issue.") % {"review": review}
        case "unpin":
            flow.unpin(review, newsletter, issue, now=now, by=by)
            return _("%(review)s is placed by rule again.") % {"review": review}
        case "exclude":
            flow.leave_out(review, newsletter, issue, now=now, by=by)
            return _("%(review)s was left out of this issue.") % {"review": review}
        case "back":
            flow.bring_back(review, newsletter, issue, now=now, by=by)
            return _("%(review)s may run again.") % {"review": review}
        case "up" | "down":
            _step(issue, review, 1 if verb == "down" else -1, now=now, by=by)
        case "lead" | "card" | "line":
            row = placed(issue, f"review-{review.pk}")
            flow.move(
                row, kind="card" if verb == "lead" else verb, position=1 if verb == "lead" else None, now=now, by=by
            )
        case "section-up" | "section-down":
            rubric = content_of(placed(issue, f"review-{review.pk}").review).rubric
            flow.move_section(issue, rubric, 1 if verb == "section-down" else -1, now=now, by=by)
        case "before":
            _drop(issue, review, form.get("other", ""), now=now, by=by)
        case _:
            raise IssueError(_("There is no such button: %(verb)s.") % {"verb": repr(verb)})
    return _place(issue, review)


def picture(
    issue: Issue, form: QueryDict, file: UploadedFile[Any] | None, *, folder: Path, now: datetime, by: str
) -> None:
    """Do what the form of a review's picture says, as a step. Raises `IssueError`, `PictureError`, `StaleError`."""
    row = placed(issue, form.get("at", ""))
    seen = form.get("was_picture", "")
    if form.get("does") == "source":
        flow.recorded(issue, lambda: flow.source_picture(row, now=now, by=by, seen=seen), now=now, by=by)
    elif form.get("does") == "use":
        if file is None:
            raise IssueError(_("Choose a picture on your computer first."), where="picture")
        # One byte more than is taken: enough to see that it is too much.
        raw = file.read(media.MAX_SOURCE_BYTES + 1)
        flow.recorded(
            issue, lambda: flow.use_picture(row, raw, folder=folder, now=now, by=by, seen=seen), now=now, by=by
        )
    else:
        crop, focus = form.get("crop", ""), _focus(form)
        flow.recorded(
            issue,
            lambda: flow.crop_picture(row, crop, focus, folder=folder, now=now, by=by, seen=seen),
            now=now,
            by=by,
        )


def _focus(form: QueryDict) -> tuple[int, int]:
    """The focal point in percent: where the picture was pressed, else what the two fields say."""

    def number(name: str, usual: int) -> int:
        text = form.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else usual

    if "point.x" in form:
        wide, high = max(1, number("wide", 1)), max(1, number("high", 1))
        return round(100 * number("point.x", 0) / wide), round(100 * number("point.y", 0) / high)
    return number("x", 50), number("y", 50)


def placed(issue: Issue, at: str) -> Placement:
    """The placement that "review-KEY" names. Raises `IssueError` when the review is not in the issue (any more)."""
    key = at.partition("review-")[2]
    rows = Placement.objects.filter(issue=issue, state__in=ACTIVE).select_related(
        "issue__newsletter", "review__representative"
    )
    found = rows.filter(review=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if found is None:
        raise IssueError(_("This review is not in the issue any more."), hint=_("Look at the issue as it is now."))
    return found


def _step(issue: Issue, review: Review, by_one: int, *, now: datetime, by: str) -> None:
    """One place up or down; from the first line it becomes the last card, and the other way round."""
    rows = placements(issue)
    at = next((place for place, row in enumerate(rows) if row.review_id == review.pk), None)
    if at is None:
        raise IssueError(_("This review is not in the issue any more."), hint=_("Look at the issue as it is now."))
    row, there = rows[at], at + by_one
    if not 0 <= there < len(rows):
        return
    other = rows[there]
    if other.kind == row.kind:
        flow.swap(row, other, now=now, by=by)
    else:
        flow.move(row, kind=other.kind, position=None if by_one < 0 else 1, now=now, by=by)


def _drop(issue: Issue, review: Review, other: str, *, now: datetime, by: str) -> None:
    """Where a pointer let it go: before another review, "cards" or "lines" for the end of those."""
    row = placed(issue, f"review-{review.pk}")
    if other in ("cards", "lines"):
        flow.move(row, kind=other[:-1], position=None, now=now, by=by)
        return
    before = placed(issue, f"review-{other}")
    if before.pk == row.pk:
        return
    alike = [each for each in placements(issue) if each.kind == before.kind and each.pk != row.pk]
    place = next(number for number, each in enumerate(alike, 1) if each.pk == before.pk)
    flow.move(row, kind=before.kind, position=place, now=now, by=by)


def _place(issue: Issue, review: Review) -> str:
    rows = placements(issue)
    row = next((each for each in rows if each.review_id == review.pk), None)
    if row is None:
        return _("%(review)s is not in this issue.") % {"review": review}
    alike = [each for each in rows if each.kind == row.kind]
    told = (
        _("%(review)s is card %(place)s of %(number)s.")
        if row.kind == Placement.Kind.CARD
        else _("%(review)s is line %(place)s of %(number)s.")
    )
    return told % {"review": review, "place": alike.index(row) + 1, "number": len(alike)}


@transaction.atomic
def _block(issue: Issue, block: str, form: QueryDict, *, now: datetime, by: str) -> None:
    # Under the lock, so that what is compared is what is overwritten.
    row = issues.lock(issue.pk)
    theirs = json.dumps(row.blocks.get(block), sort_keys=True)
    if theirs != form.get(f"was_{block}", ""):
        raise StaleError({block: theirs})
    does = form.get("does", "")
    if does == "out":
        flow.take_out(issue, block, now=now, by=by)
    elif does == "rule":
        flow.leave_to_rule(issue, block, now=now, by=by)
    elif block == "quote":
        value = _value_of(issue, block, form)
        if not value:
            raise IssueError(_("Choose one of the sentences."), where="quote")
        review = next(each.review for each in placements(issue) if each.review_id == value["review"])
        flow.choose_quote(issue, review, value["text"], now=now, by=by)
    elif block == "listen":
        flow.play(issue, _text(form, "title"), _text(form, "url"), now=now, by=by)
    else:
        verb = flow.promote if block == "promo" else flow.book_sponsor
        verb(issue, {name: _text(form, name) for name in SPONSOR}, now=now, by=by)


def _correct(issue: Issue, form: QueryDict, *, now: datetime, by: str) -> None:
    key = form.get("taken") or form.get("review", "")
    found = Review.objects.filter(pk=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if found is None:
        raise IssueError(_("Choose which review the correction is about."), where="correction")
    if form.get("taken"):
        flow.take_correction_back(found, issue, now=now, by=by)
    else:
        flow.correct(found, issue, _text(form, "text"), now=now, by=by)


def _value_of(issue: Issue, block: str, form: QueryDict) -> dict[str, Any]:
    """What the form of a block says, as issues keep it; {} for nothing."""
    if block == "quote":
        key, _, text = _text(form, "choice").partition(":")
        found = next((each for each in placements(issue) if str(each.review_id) == key), None)
        return {"review": found.review_id, "text": text} if found is not None and text else {}
    names = LISTEN if block == "listen" else SPONSOR
    value = {name: text for name in names if (text := _text(form, name))}
    return value if {"title", "url"} <= set(value) else {}


def _text(form: QueryDict, name: str) -> str:
    # PostgreSQL keeps no NUL.
    return even(form.get(name, "").replace("\x00", ""))[: 4 * LENGTH]
