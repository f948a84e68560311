from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from newsletter.core.errors import IssueError, StaleError
from newsletter.flow.issue import edit_fields, edit_issue, swap, words_of
from newsletter.flow.issue.wording import Word, stops
from newsletter.flow.notices import last_events
from newsletter.models import Event, Issue, Placement
from tests.flow.compile.fixtures import NOW
from tests.flow.compile.fixtures import edit as edit
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db


def row(kind: str = "card", position: int = 1) -> Placement:
    return Placement.objects.select_related("issue__newsletter").get(kind=kind, position=position)


def word(name: str) -> Word:
    return next(each for each in words_of(row()) if each.name == name)


def test_each_word_says_where_it_comes_from_and_who_wrote_it(issue: Issue) -> None:
    before = word("title")
    assert (before.edited, before.origin, before.value) == (False, "feed", before.source)
    assert word("excerpt").origin == "auto"
    edit_fields(row(), {"title": "Lunch"}, now=NOW, by="Mara")
    after = word("title")
    assert (after.value, after.source, after.edited, after.by) == ("Lunch", before.value, True, "Mara")
    edit_fields(row(), {"title": None}, now=NOW, by="Ines")
    assert word("title") == before


def test_a_line_has_fewer_words_than_a_card(issue: Issue) -> None:
    assert [each.name for each in words_of(row("line"))] == ["title", "kicker", "byline"]
    assert {"dek", "picture_alt", "pick"} <= {each.name for each in words_of(row())}


def test_who_edits_what_has_changed_meanwhile_is_told_both(issue: Issue) -> None:
    seen = {"title": word("title").value, "dek": word("dek").value}
    edit_fields(row(), {"title": "Mara’s"}, now=NOW, by="Mara", seen=seen)
    with pytest.raises(StaleError, match="Mara changed this meanwhile: title") as caught:
        edit_fields(row(), {"title": "Edda’s", "dek": "New"}, now=NOW, by="Edda", seen=seen)
    assert caught.value.theirs == {"title": "Mara’s"}
    assert row().edits == {"title": "Mara’s"}
    # The same words twice are no quarrel, nor is another field.
    edit_fields(row(), {"title": "Mara’s", "dek": "New"}, now=NOW, by="Edda", seen=seen)
    assert row().edits == {"title": "Mara’s", "dek": "New"}


def test_the_issues_own_words_are_compared_too(issue: Issue) -> None:
    edit_issue(issue, {"subject": "One"}, now=NOW, by="Mara", seen={"subject": ""})
    with pytest.raises(StaleError):
        edit_issue(issue, {"subject": "Two"}, now=NOW, by="Edda", seen={"subject": ""})
    issue.refresh_from_db()
    assert issue.subject == "One"
    assert Event.objects.get().by == "Mara"


def test_edited_words_do_not_crowd_out_what_happened(issue: Issue) -> None:
    edit_issue(issue, {"subject": "One"}, now=NOW, by="Mara")
    assert Event.objects.count() == 1
    assert last_events(issue) == []


def test_only_reviews_of_one_kind_change_places(issue: Issue) -> None:
    first, second = row(position=1).review_id, row(position=2).review_id
    Placement.objects.update(pinned=True)
    swap(row(position=1), row(position=2), now=NOW, by="Mara")
    assert (row(position=1).review_id, row(position=2).review_id) == (second, first)
    with pytest.raises(IssueError, match="two cards or two lines"):
        swap(row(position=1), row("line"), now=NOW, by="Mara")


def test_an_excerpt_can_end_after_each_of_the_first_sentences(issue: Issue, edit: Callable[..., None]) -> None:
    cuts = stops(row())
    assert len(cuts) > 1
    assert [number for number, _ in cuts] == list(range(1, len(cuts) + 1))
    for (_, shorter), (_, longer) in pairwise(cuts):
        assert longer.startswith(shorter)
        assert shorter[-1] in ".!?…”"
