"""R16: what was wrong about a sent review is corrected in the next issue when an editor says so, and only then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from newsletter.core.errors import IssueError
from newsletter.core.reader import Reader
from newsletter.flow import issue as flow
from newsletter.flow.compile import compiler
from newsletter.models import Event, Freeze, Issue
from tests.flow.desk import EDITOR, Desk, entry, local, review

pytestmark = pytest.mark.django_db

NOW = local("2015-11-05 11:00")
BY: dict[str, Any] = {"now": NOW, "by": EDITOR}
WORDS = "Its director is Orla Venn, not Olga."
ALPHA = entry("Alpha", "2015-11-02 09:00")
BRAVO = entry("Bravo", "2015-11-05 10:30")


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Alpha was sent this morning; Bravo waits in the next draft."""
    with time_machine.travel(NOW, tick=False):
        desk = Desk(starts_at=local("2015-01-01 00:00"), min_reviews=1)
        desk.gather("2015-11-02 10:00", ALPHA)
        desk.send("2015-11-05 08:00")
        desk.gather("2015-11-05 10:40", BRAVO)
        yield desk


def draft(desk: Desk) -> Issue:
    return desk.draft(NOW)


def letter(issue: Issue) -> str:
    rendered = compiler(issue).full_render(Reader(address="ada@example.org"))
    return rendered.html + rendered.text


def run(*words: str) -> str:
    out = StringIO()
    call_command("issue", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_change_after_the_send_says_once_how_to_correct_it(desk: Desk) -> None:
    for dek in ("Corrected.", "Corrected again."):
        desk.change(ALPHA, dek=dek)
        desk.poll("2015-11-05 10:50")
    told = Event.objects.get(kind="source changed")
    assert told.issue is not None and told.issue.state == "sent"
    assert f"newsletter issue correct {review('Alpha').pk}" in told.text
    assert draft(desk).corrections == [], "nothing is corrected that no editor ticked"


def test_a_change_where_nobody_was_sent_tells_nobody(desk: Desk) -> None:
    desk.add_source("mirror", preference=200)
    copy = entry("Alpha", "2015-11-02 09:00", guid="https://mirror.example.test/?p=1")
    desk.gather("2015-11-05 10:45", copy, source="mirror")
    desk.change(copy, source="mirror", dek="Another.")
    assert desk.poll("2015-11-05 10:50").changed == 1
    assert not Event.objects.filter(kind="source changed").exists()


def test_a_correction_is_printed_in_the_next_letter_and_only_there(desk: Desk) -> None:
    assert "Corrections" not in letter(draft(desk))
    flow.correct(review("Alpha"), draft(desk), WORDS, **BY)
    issue = draft(desk)
    rendered = compiler(issue).full_render(Reader(address="ada@example.org"))
    for part in (rendered.html, rendered.text):
        assert "Corrections" in part and "Alpha" in part and WORDS in part and ALPHA.url in part
    desk.send("2015-11-12 08:00")
    desk.gather("2015-11-13 09:00", entry("Charlie", "2015-11-13 08:00"))
    assert desk.draft("2015-11-13 09:00").corrections == []


def test_a_correction_carries_the_title_that_the_editor_gave_the_review(desk: Desk) -> None:
    review("Alpha").placements.update(edits={"title": "Alpha, at last"})
    flow.correct(review("Alpha"), draft(desk), "  Two\nlines. ", **BY)
    flow.correct(review("Alpha"), draft(desk), "Two lines.", **BY)
    assert draft(desk).corrections == [
        {"review": review("Alpha").pk, "title": "Alpha, at last", "url": ALPHA.url, "text": "Two lines."}
    ]
    assert Event.objects.filter(kind="correction").count() == 1, "the same words again are no change"
    flow.correct(review("Alpha"), draft(desk), WORDS, **BY)
    assert [each["text"] for each in draft(desk).corrections] == [WORDS]


def test_a_correction_is_approved_with_the_letter_and_voids_an_approval_like_any_edit(desk: Desk) -> None:
    issue = desk.approve(NOW)
    flow.correct(review("Alpha"), issue, WORDS, **BY)
    issue.refresh_from_db()
    assert issue.state == "draft"
    assert Freeze.objects.get(issue=issue).voided_at is not None
    issue = desk.approve(NOW)
    assert issue.freeze is not None and WORDS in issue.freeze.inputs
    assert WORDS in letter(issue)
    flow.take_correction_back(review("Alpha"), issue, **BY)
    issue.refresh_from_db()
    assert (issue.state, issue.corrections) == ("draft", [])
    assert "Corrections" not in letter(issue)


def test_what_can_not_be_corrected_is_refused_in_words(desk: Desk) -> None:
    issue = draft(desk)
    with pytest.raises(IssueError, match="has not sent this review"):
        flow.correct(review("Bravo"), issue, WORDS, **BY)
    with pytest.raises(IssueError, match="needs words"):
        flow.correct(review("Alpha"), issue, " \n", **BY)
    with pytest.raises(IssueError, match="corrects nothing about this review"):
        flow.take_correction_back(review("Alpha"), issue, **BY)
    desk.start(desk.approve(NOW), "2015-11-12 08:00")
    with pytest.raises(IssueError, match="sending"):
        flow.correct(review("Alpha"), issue, WORDS, **BY)


@pytest.mark.parametrize("give_up", [flow.skip, flow.discard])
def test_a_correction_outlives_an_issue_that_is_not_sent(desk: Desk, give_up: Any) -> None:
    first = draft(desk)
    flow.correct(review("Alpha"), first, WORDS, **BY)
    second = give_up(first, "ill", **BY)
    second.refresh_from_db()
    first.refresh_from_db()
    assert [each["text"] for each in second.corrections] == [WORDS]
    assert first.corrections == [], "it is printed once"


def test_a_missed_issue_that_comes_back_corrects_once(desk: Desk) -> None:
    first = draft(desk)
    flow.correct(review("Alpha"), first, WORDS, **BY)
    late = first.slot_at + timedelta(days=1)
    assert flow.decide(first, now=late).action == "miss"
    flow.revive(first, now=late, by=EDITOR)
    assert sum(len(issue.corrections) for issue in Issue.objects.all()) == 1


def test_an_editor_corrects_on_the_command_line(desk: Desk) -> None:
    shown = json.loads(run("correct", "Alpha", WORDS, "--by", "Edda", "--json"))
    assert [each["text"] for each in shown["corrections"]] == [WORDS]
    assert Event.objects.get(kind="correction").by == "Edda"
    assert f"Corrects Alpha: {WORDS}" in run("show", "next")
    assert "Corrects" not in run("correct", "Alpha", "--remove", "--issue", "next")
    with pytest.raises(IssueError, match="needs words"):
        run("correct", "Alpha")
    with pytest.raises(CommandError, match="No review is known"):
        run("correct", "Nothing", WORDS)
