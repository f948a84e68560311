"""Steps of editors: each is taken back as an edit of its own, and only while nobody changed the same since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.core.errors import IssueError
from newsletter.flow import issue as flow
from newsletter.flow.issue import undoing
from newsletter.flow.issue.composing import composers
from newsletter.models import Event, Issue, IssueState, LeftOut, Newsletter, Pin, Placement, Review, Step
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import make_review
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def soon(issue: Issue) -> None:
    issue.slot_at, issue.cutoff_at = timezone.now() + timedelta(days=1), timezone.now() + timedelta(hours=1)
    issue.save()
    Newsletter.objects.update(starts_at=timezone.now() - timedelta(days=30))
    Review.objects.update(first_seen_at=timezone.now() - timedelta(days=1), effective_at=timezone.now())
    Placement.objects.update(pinned=True)


def first() -> Placement:
    return Placement.objects.get(kind="card", position=1, state="reserved")


def title(issue: Issue, words: str, by: str = "edda") -> None:
    now = timezone.now()
    flow.recorded(issue, lambda: flow.edit_fields(first(), {"title": words}, now=now, by=by), now=now, by=by)


def undo(issue: Issue, by: str = "edda") -> flow.Undone:
    return flow.undo(issue, now=timezone.now(), by=by)


def redo(issue: Issue, by: str = "edda") -> flow.Undone:
    return flow.redo(issue, now=timezone.now(), by=by)


def test_a_hundred_edits_are_taken_back_one_by_one_and_done_again(issue: Issue) -> None:
    for number in range(100):
        title(issue, f"Version {number}")
    for number in range(98, -1, -1):
        undo(issue)
        assert first().edits == {"title": f"Version {number}"}
    undo(issue)
    assert first().edits == {}
    with pytest.raises(IssueError, match="nothing of yours"):
        undo(issue)
    for number in range(100):
        redo(issue)
        assert first().edits == {"title": f"Version {number}"}
    with pytest.raises(IssueError, match="nothing to do again"):
        redo(issue)


def test_only_so_many_steps_are_kept(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "MOST", 3)
    for number in range(5):
        title(issue, f"Version {number}")
    assert Step.objects.count() == 3


def test_another_edit_ends_what_could_be_done_again(issue: Issue) -> None:
    title(issue, "One")
    undo(issue)
    title(issue, "Two")
    with pytest.raises(IssueError):
        redo(issue)
    undo(issue)
    assert first().edits == {}


def test_what_somebody_else_changed_since_is_shown_and_stays(issue: Issue) -> None:
    title(issue, "Before")
    title(issue, "Edda’s")
    title(issue, "Mara’s", by="mara")
    found = undo(issue)
    assert found.is_refused
    assert found.theirs == {"title": "Mara’s"}
    assert found.ours == {"title": "Before"}
    assert "now “Mara’s”, yours “Before”" in found.text
    assert first().edits == {"title": "Mara’s"}
    # The step is out of the way: the one before it is refused for its own reasons, and then there is none.
    assert undo(issue).is_refused
    with pytest.raises(IssueError):
        undo(issue)
    assert not undo(issue, by="mara").is_refused
    assert first().edits == {"title": "Edda’s"}


def test_an_edit_of_another_field_is_in_nobodys_way(issue: Issue) -> None:
    title(issue, "Edda’s")
    now = timezone.now()
    flow.recorded(issue, lambda: flow.edit_fields(first(), {"dek": "Mara’s"}, now=now, by="mara"), now=now, by="mara")
    undo(issue)
    assert first().edits == {"dek": "Mara’s"}


def test_taking_back_is_an_edit_with_a_name_and_voids_an_approval(issue: Issue) -> None:
    title(issue, "New", by="mara")
    Issue.objects.update(state=IssueState.APPROVED, approved_by="ada")
    undo(issue, by="mara")
    assert Issue.objects.get().state == IssueState.DRAFT
    assert Event.objects.filter(kind=undoing.UNDONE, by="mara", text__startswith="Taken back: headline of").exists()
    assert Event.objects.filter(kind=f"edited {first().pk}/title", by="mara").count() == 2
    assert composers(issue) == ["mara"]
    Issue.objects.update(state=IssueState.SENDING)
    with pytest.raises(IssueError, match="nothing of it changes"):
        redo(issue, by="mara")


def places() -> list[tuple[str, int, int]]:
    rows = Placement.objects.filter(state="reserved").order_by("kind", "position", "pk")
    return list(rows.values_list("kind", "position", "review"))


def test_every_kind_of_edit_is_taken_back_and_done_again(issue: Issue) -> None:
    late = make_review("garden", tray=Review.Tray.FOUND_LATE)
    line = Placement.objects.get(kind="line")
    series, now = issue.newsletter, timezone.now()
    acts = [
        lambda: flow.edit_issue(issue, {"subject": "S", "note": "N"}, now=now, by="edda"),
        lambda: flow.move(line, kind="card", position=1, now=now, by="edda"),
        lambda: flow.swap(*Placement.objects.filter(kind="card").order_by("position")[1:3], now=now, by="edda"),
        lambda: flow.pin(late, series, issue, now=now, by="edda"),
        lambda: flow.edit_fields(Placement.objects.get(review=late), {"title": "Late"}, now=now, by="edda"),
        lambda: flow.unpin(late, series, issue, now=now, by="edda"),
        lambda: flow.leave_out(first().review, series, issue, now=now, by="edda"),
        lambda: flow.take_out(issue, "quote", now=now, by="edda"),
        lambda: flow.play(issue, "Rain", "https://rain.example.test/", now=now, by="edda"),
        lambda: flow.leave_to_rule(issue, "quote", now=now, by="edda"),
    ]

    def all_of_it() -> object:
        issue.refresh_from_db()
        texts = (issue.subject, issue.note, issue.blocks)
        chosen = (list(Pin.objects.values_list("review")), list(LeftOut.objects.values_list("review")))
        edits = list(Placement.objects.filter(state="reserved").order_by("review").values_list("edits"))
        return places(), texts, chosen, edits

    states = [all_of_it()]
    for act in acts:
        flow.recorded(issue, act, now=now, by="edda")
        states.append(all_of_it())
    for state in states[-2::-1]:
        assert not undo(issue).is_refused
        assert all_of_it() == state
    for state in states[1:]:
        assert not redo(issue).is_refused
        assert all_of_it() == state


def test_an_act_that_changes_nothing_or_fails_is_no_step(issue: Issue) -> None:
    flow.recorded(issue, lambda: None, now=timezone.now(), by="edda")
    with pytest.raises(IssueError):
        flow.recorded(
            issue,
            lambda: flow.move(first(), kind="poem", position=1, now=timezone.now(), by="edda"),
            now=timezone.now(),
            by="edda",
        )
    assert not Step.objects.exists()
