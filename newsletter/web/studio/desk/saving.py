"""What the desk's forms do: each becomes one call of the flow's own verbs."""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction
from django.http import QueryDict

from newsletter.core.errors import IssueError, StaleError
from newsletter.flow import issue as flow
from newsletter.flow.issue.editing import even
from newsletter.ledger import issues
from newsletter.models import Issue, Placement, Review
from newsletter.web.studio.desk.inspector import LENGTH, MOST
from newsletter.web.studio.desk.outline import placements

BLOCKS = ("quote", "sponsor", "listen")
_OF_ISSUE = ("subject", "preview_text", "note", "note_signature")


def words(issue: Issue, at: str, form: QueryDict, *, now: datetime, by: str) -> None:
    """Write what was typed in the form `at`. Raises `StaleError` (then nothing of it was written), `IssueError`."""
    seen = {name.removeprefix("was_"): _text(form, name) for name in form if name.startswith("was_")}
    typed = {name: _text(form, name) for name in seen}
    used, colon, suggestion = _text(form, "use").partition(":")
    if colon and used in typed:
        typed[used] = suggestion
    for name, text in typed.items():
        if len(text) > MOST.get(name, LENGTH):
            raise IssueError(
                f"This is too long: {len(text)} characters, and {MOST.get(name, LENGTH)} are the most.", where=name
            )
    revert = form.get("revert", "")
    if at in BLOCKS:
        _block(issue, at, form, now=now, by=by)
    elif at == "issue":
        changed = {name: typed[name] for name in _OF_ISSUE if name in typed and even(typed[name]) != even(seen[name])}
        if revert in _OF_ISSUE:
            changed[revert] = ""
            seen.pop(revert, None)
        if changed:
            flow.edit_issue(issue, changed, now=now, by=by, seen={name: seen[name] for name in changed if name in seen})
    else:
        row = placed(issue, at)
        fields: dict[str, str | None] = {}
        for word in flow.words_of(row):
            if word.name == revert:
                fields[word.name] = None
                seen.pop(word.name, None)
            elif word.name in typed and even(typed[word.name]) != even(seen[word.name]):
                own = even(typed[word.name])
                back = own == even(word.source)
                if not back or word.edited:
                    # The source's own words, or no mark any more, are nobody's edit.
                    fields[word.name] = None if back else own
        if fields:
            flow.edit_fields(row, fields, now=now, by=by, seen={name: seen[name] for name in fields if name in seen})


def order(issue: Issue, form: QueryDict, *, now: datetime, by: str) -> str:
    """Do what a button of the outline says; returns it in a sentence. Raises `IssueError`, `LedgerError`."""
    key, verb = form.get("review", ""), form.get("verb", "")
    review = Review.objects.filter(pk=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if review is None:
        raise IssueError("There is no such review.", hint="Look at the issue as it is now.")
    newsletter = issue.newsletter
    match verb:
        case "add" | "pin":
            flow.pin(review, newsletter, issue, now=now, by=by)
            return f"{review} is in this issue."
        case "unpin":
            flow.unpin(review, newsletter, issue, now=now, by=by)
            return f"{review} is placed by rule again."
        case "exclude":
            flow.leave_out(review, newsletter, issue, now=now, by=by)
            return f"{review} was left out of this issue."
        case "back":
            flow.bring_back(review, newsletter, issue, now=now, by=by)
            return f"{review} may run again."
        case "up" | "down":
            _step(issue, review, 1 if verb == "down" else -1, now=now, by=by)
        case "lead" | "card" | "line":
            row = placed(issue, f"review-{review.pk}")
            flow.move(
                row, kind="card" if verb == "lead" else verb, position=1 if verb == "lead" else None, now=now, by=by
            )
        case "before":
            _drop(issue, review, form.get("other", ""), now=now, by=by)
        case _:
            raise IssueError(f"There is no such button: {verb!r}.")
    return _place(issue, review)


def placed(issue: Issue, at: str) -> Placement:
    """The placement that "review-KEY" names. Raises `IssueError` when the review is not in the issue (any more)."""
    found = next((row for row in placements(issue) if f"review-{row.review_id}" == at), None)
    if found is None:
        raise IssueError("This review is not in the issue any more.", hint="Look at the issue as it is now.")
    return found


def _step(issue: Issue, review: Review, by_one: int, *, now: datetime, by: str) -> None:
    """One place up or down; from the first line it becomes the last card, and the other way round."""
    rows = placements(issue)
    at = next((place for place, row in enumerate(rows) if row.review_id == review.pk), None)
    if at is None:
        raise IssueError("This review is not in the issue any more.", hint="Look at the issue as it is now.")
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
        return f"{review} is not in this issue."
    alike = [each for each in rows if each.kind == row.kind]
    return f"{review} is {row.kind} {alike.index(row) + 1} of {len(alike)}."


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
        key, _, text = _text(form, "choice").partition(":")
        chosen = next((each for each in placements(issue) if str(each.review_id) == key), None)
        if chosen is None:
            raise IssueError("Choose one of the sentences.", where="quote")
        flow.choose_quote(issue, chosen.review, text, now=now, by=by)
    elif block == "listen":
        flow.play(issue, _text(form, "title"), _text(form, "url"), now=now, by=by)
    else:
        insert = {name: _text(form, name) for name in ("title", "text", "button", "url", "picture", "alt")}
        flow.book_sponsor(issue, insert, now=now, by=by)


def _text(form: QueryDict, name: str) -> str:
    # PostgreSQL keeps no NUL.
    return even(form.get(name, "").replace("\x00", ""))[: 4 * LENGTH]
