"""Taking an edit back, and doing it again: each is an edit of its own, by somebody, with its event.

A step is what one act of an editor changed, thing by thing, with what it was and what it became. The things:
"issue/subject" and the other words of the issue, "block/quote", "correction/REVIEW", "words/REVIEW/FIELD" (an editor's
own; None is the source's), "place/REVIEW" ([kind, position, pinned, why]; None is not in the issue), "pin/REVIEW" and
"left/REVIEW". It is taken back only while each of them still is what the step made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence
from newsletter.flow.issue.editing import edit_fields, spoken
from newsletter.flow.issue.picturing import FIELDS as PICTURED
from newsletter.ledger import issues, placements
from newsletter.models import Event, Issue, LeftOut, Pin, Placement, PlacementState, Review, Step

MOST = 200
"""Steps kept of one editor and issue."""

UNDONE = "undone"
"""The kind of the event of a step taken back or done again."""

_WORDS = ("subject", "preview_text", "note", "note_signature", "max_cards")
_SPOKEN = {"place": "place", "pin": "pin", "left": "leaving out", "correction": "correction"}
_Done = TypeVar("_Done")
_State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of it: `text` says it in a sentence; `at` is what it was about ("review-7", "issue", "quote").

    Where somebody changed the same thing since, nothing was changed: `theirs` are the words as they are now and `ours`
    what the step would have made of them, by field.
    """

    text: str
    at: str
    theirs: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    is_refused: bool = False


@transaction.atomic
def recorded(issue: Issue, act: Callable[[], _Done], *, now: datetime, by: str) -> _Done:
    """Do what `act` does to the issue, and remember it as a step of `by`. Raises what `act` raises."""
    issues.lock(issue.pk)
    before = _state(issue.pk)
    done = act()
    after = _state(issue.pk)
    changes = [
        [thing, before.get(thing), after.get(thing)]
        for thing in sorted(before.keys() | after.keys())
        if before.get(thing) != after.get(thing)
    ]
    if changes:
        mine = Step.objects.filter(issue=issue, by=by)
        mine.filter(state=Step.State.UNDONE).update(state=Step.State.DROPPED)
        Step.objects.create(issue=issue, by=by, at=now, text=_said(changes)[:300], changes=changes)
        kept = mine.order_by("-pk").values_list("pk", flat=True)[MOST - 1 : MOST].first()
        if kept is not None:
            mine.filter(pk__lt=kept).delete()
    return done


def next_steps(issue: Issue, by: str) -> tuple[Step | None, Step | None]:
    """(what `by` would take back next, what they would do again next)."""
    mine = Step.objects.filter(issue=issue, by=by)
    # The last that was taken back is the first of those by number: later ones were taken back before it.
    return mine.filter(state=Step.State.DONE).last(), mine.filter(state=Step.State.UNDONE).order_by("pk").first()


@transaction.atomic
def undo(issue: Issue, *, now: datetime, by: str) -> Undone:
    """Take the last step of `by` back. Voids an approval. Raises `IssueError` when there is none, or the issue is
    decided.
    """
    issues.lock(issue.pk)
    step = next_steps(issue, by)[0]
    if step is None:
        raise IssueError(sentence("There is nothing of yours to take back."))
    changes = [(thing, after, before) for thing, before, after in step.changes]
    return _go(issue, step, changes, Step.State.UNDONE, "Taken back", now, by)


@transaction.atomic
def redo(issue: Issue, *, now: datetime, by: str) -> Undone:
    """Do the step again that `by` took back last. Raises as `undo` does."""
    issues.lock(issue.pk)
    step = next_steps(issue, by)[1]
    if step is None:
        raise IssueError(sentence("There is nothing to do again."))
    changes = [(thing, before, after) for thing, before, after in step.changes]
    return _go(issue, step, changes, Step.State.DONE, "Done again", now, by)


def _go(
    issue: Issue, step: Step, changes: list[tuple[str, Any, Any]], state: str, verb: str, now: datetime, by: str
) -> Undone:
    """`changes` are (thing, what it must be, what it is to be)."""
    held = _state(issue.pk)
    at = _at(changes)
    stale = [(thing, held.get(thing), wanted) for thing, is_now, wanted in changes if held.get(thing) != is_now]
    if stale:
        Step.objects.filter(pk=step.pk).update(state=Step.State.DROPPED)
        told = "; ".join(
            f"{_thing(thing)}: now {_shown(theirs)}, yours {_shown(ours)}" for thing, theirs, ours in stale
        )
        return Undone(
            sentence("Not taken back, somebody changed this since: {what}.", what=told)
            if state == Step.State.UNDONE
            else sentence("Not done again, somebody changed this since: {what}.", what=told),
            _at(stale),
            theirs={_field(thing): _plain(theirs) for thing, theirs, _ in stale if _is_field(thing)},
            ours={_field(thing): _plain(ours) for thing, _, ours in stale if _is_field(thing)},
            is_refused=True,
        )
    row = issues.lock(issue.pk)
    if row.state not in issues.OPEN:
        raise IssueError(sentence("The issue is {state}: nothing of it changes any more.", state=row.state))
    issues.void_approval(issue.pk, f"an edit was {verb.lower()}", now=now, by=by)
    _apply(issues.lock(issue.pk), {thing: wanted for thing, _, wanted in changes}, now, by)
    Step.objects.filter(pk=step.pk).update(state=state)
    text = f"{verb}: {step.text}."
    Event.objects.create(newsletter=row.newsletter, issue=row, at=now, kind=UNDONE, text=text, by=by)
    issue.refresh_from_db()
    return Undone(text, at)


def _state(issue_id: int) -> _State:
    """Every thing of the issue that an editor can change, as plain JSON; what is not there is not in it."""
    row = Issue.objects.get(pk=issue_id)
    state: _State = {f"issue/{name}": value for name in _WORDS if (value := getattr(row, name)) not in ("", None)}
    state |= {f"block/{name}": value for name, value in row.blocks.items()}
    state |= {f"correction/{each['review']}": each for each in row.corrections}
    for one in Placement.objects.filter(issue=issue_id, state=PlacementState.RESERVED):
        state[f"place/{one.review_id}"] = [one.kind, one.position, one.pinned, one.why]
        state |= {f"words/{one.review_id}/{name}": value for name, value in one.edits.items()}
    for kind, model in (("pin", Pin), ("left", LeftOut)):
        for review in model.objects.filter(issue=issue_id).values_list("review", flat=True):
            state[f"{kind}/{review}"] = True
    return state


def _apply(issue: Issue, wanted: Mapping[str, Any], now: datetime, by: str) -> None:
    """Make these things what they are to be; the issue is locked, a draft, and as it was looked at."""
    fields = {thing.partition("/")[2]: value for thing, value in wanted.items() if thing.startswith("issue/")}
    written: dict[str, Any] = {
        name: value if value is not None or name == "max_cards" else "" for name, value in fields.items()
    }
    blocks, corrections = dict(issue.blocks), list(issue.corrections)
    for thing, value in wanted.items():
        kind, _, name = thing.partition("/")
        if kind == "block":
            blocks.pop(name, None)
            blocks |= {} if value is None else {name: value}
        elif kind == "correction":
            corrections = [each for each in corrections if str(each["review"]) != name]
            corrections += [] if value is None else [value]
        elif kind in ("pin", "left"):
            _choose(issue, kind, int(name), bool(value), now, by)
    issues.write(issue.pk, {**written, "blocks": blocks, "corrections": corrections}, now=now, by=by)
    for name in fields:
        text = f"The {spoken(name)} of the issue was edited."
        Event.objects.create(
            newsletter=issue.newsletter, issue=issue, at=now, kind=f"edited issue/{name}", text=text, by=by
        )
    for thing, value in wanted.items():
        if thing.startswith("place/"):
            _put(issue, int(thing.partition("/")[2]), value, now)
    words: dict[int, dict[str, str | None]] = {}
    for thing, value in wanted.items():
        if thing.startswith("words/"):
            _, key, name = thing.split("/")
            words.setdefault(int(key), {})[name] = value
    for one in Placement.objects.filter(issue=issue, state=PlacementState.RESERVED, review__in=list(words)):
        edit_fields(one, words[one.review_id], now=now, by=by, also=PICTURED)


def _choose(issue: Issue, kind: str, review: int, is_wanted: bool, now: datetime, by: str) -> None:
    model: Any = Pin if kind == "pin" else LeftOut
    rows = model.objects.filter(newsletter=issue.newsletter, issue=issue, review=review)
    if not is_wanted:
        rows.delete()
    elif not rows.exists():
        model.objects.create(newsletter=issue.newsletter, issue=issue, review_id=review, at=now, by=by)


def _put(issue: Issue, review: int, place: list[Any] | None, now: datetime) -> None:
    """One review at its place, or out of the issue. Raises `IssueError` when another issue has it by now."""
    row = Placement.objects.filter(issue=issue, review=review, state=PlacementState.RESERVED).first()
    if place is None:
        if row is not None:
            placements.release([row.pk], now)
        return
    kind, position, pinned, why = place
    if row is None:
        found = Review.objects.select_related("representative").get(pk=review)
        saw = found.representative.content_hash if found.representative else ""
        row = placements.reserve(issue, review, kind=kind, position=position, why=why, content_hash=saw, now=now)
        if row is None:
            raise IssueError(sentence("Another issue holds this review by now."), where=str(found))
    placements.arrange(row, kind=kind, position=position, why=why, pinned=pinned)


# In words.


def _at(changes: list[tuple[str, Any, Any]]) -> str:
    """What of the desk shows it: the review whose words changed, a block, the issue."""
    for kind in ("words", "block", "issue", "correction"):
        for thing, _, _ in changes:
            head, _, rest = thing.partition("/")
            if head == kind:
                return f"review-{rest.partition('/')[0]}" if kind == "words" else rest if kind == "block" else kind
    return "issue"


def _is_field(thing: str) -> bool:
    """Whether it is words of one field of a form."""
    return thing.startswith(("words/", "issue/"))


def _field(thing: str) -> str:
    return thing.rpartition("/")[2]


def _thing(thing: str) -> str:
    kind, _, rest = thing.partition("/")
    key, _, name = rest.partition("/")
    if kind == "words":
        return f'{spoken(name)} of "{_title(key)}"'
    if kind in ("issue", "block"):
        return spoken(rest)
    return f'{_SPOKEN[kind]} of "{_title(key)}"'


def _title(key: str) -> str:
    return str(Review.objects.select_related("representative").filter(pk=key).first() or "a review that is gone")


def _said(changes: list[list[Any]]) -> str:
    """What a step was, by the thing that tells most."""
    order = ("left", "pin", "words", "issue", "block", "correction", "place")
    things = [change[0] for change in changes]
    kind = next(kind for kind in order if any(thing.startswith(f"{kind}/") for thing in things))
    ours = [thing for thing in things if thing.startswith(f"{kind}/")]
    if kind == "place" and len(ours) > 1:
        return "order of the reviews"
    more = f" and {len(ours) - 1} more" if len(ours) > 1 else ""
    return f"{_thing(ours[0])}{more}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(str(each) for each in value.values())
    if isinstance(value, list):
        return f"{value[0]} {value[1]}"
    return "" if value is None else str(value)


def _shown(value: Any) -> str:
    text = _plain(value)
    return f"“{text}”" if text else "nothing of its own"
