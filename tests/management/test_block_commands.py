"""newsletter issue quote, sponsor, listen, pairs: an editor's word on what stands beside the reviews."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from newsletter.core.errors import IssueError
from newsletter.flow.compile import issue_content
from newsletter.models import Issue, IssueState, Placement
from tests.flow.desk import Desk, entry, local

pytestmark = pytest.mark.django_db

SHARP = "Dara Okoye carries the last twenty minutes with nothing but a tea towel."


@pytest.fixture
def desk() -> Iterator[Desk]:
    with time_machine.travel(local("2015-11-02 10:30"), tick=False):
        desk = Desk(starts_at=local("2015-01-01 00:00"), min_reviews=1, max_cards=2, max_lines=1)
        bodies = [
            replace(entry(name, "2015-11-02 09:00"), body_text=f"{name} begins. {SHARP}") for name in ("Alpha", "Bravo")
        ]
        desk.gather("2015-11-02 10:00", *bodies)
        yield desk


def run(*words: str) -> tuple[Any, str]:
    out, errors = StringIO(), StringIO()
    call_command("issue", *words, "--json", stdout=out, stderr=errors)
    return json.loads(out.getvalue()), errors.getvalue()


def issue() -> Issue:
    return Issue.objects.get()


def test_sentences_are_offered_and_one_is_chosen(desk: Desk) -> None:
    _, offered = run("quote")
    assert SHARP in offered and "Alpha" in offered
    values, _ = run("quote", "next", "--review", "Alpha", "--text", f"“{SHARP}”")
    assert values["blocks"]["quote"]["text"] == SHARP
    quote = issue_content(issue()).quote
    assert quote and quote.text == SHARP
    assert run("quote", "next", "--none")[0]["blocks"] == {"quote": {}}
    assert issue_content(issue()).quote is None
    assert run("quote", "next", "--rule")[0]["blocks"] == {}


def test_a_quote_is_word_for_word_and_from_this_issue(desk: Desk) -> None:
    run()
    with pytest.raises(IssueError, match="does not say that"):
        run("quote", "next", "--review", "Alpha", "--text", "Okoye carries the towel.")
    Placement.objects.filter(review__representative__title="Bravo").update(kind="line")
    with pytest.raises(IssueError, match="shows in full"):
        run("quote", "next", "--review", "Bravo", "--text", SHARP)


def test_a_sponsor_is_booked_for_one_issue(desk: Desk) -> None:
    run("sponsor", "--title", "The Orpheum Club", "--url", "https://orpheum.example.org/club")
    sponsor = issue_content(issue()).sponsor
    assert sponsor and (sponsor.title, sponsor.button) == ("The Orpheum Club", "The Orpheum Club")
    with pytest.raises(IssueError, match="The sponsor needs a url"):
        run("sponsor", "next", "--title", "Club", "--url", "ftp://orpheum.example.org")
    with pytest.raises(CommandError, match="--title and --url, --none or --rule"):
        run("sponsor", "next")


def test_music_to_read_by_and_pairs(desk: Desk) -> None:
    run("listen", "--title", "Tin Hymnal", "--url", "https://lantern.example.org/listen")
    content = issue_content(issue())
    assert content.issue.listen and content.issue.listen.url == "https://lantern.example.org/listen"
    with pytest.raises(IssueError, match="begins with https"):
        run("listen", "next", "--title", "Tin Hymnal")
    assert run("pairs", "next", "--none")[0]["blocks"]["pairs"] is False
    out = StringIO()
    call_command("issue", "show", "next", stdout=out)
    assert "Second opinions stand apart." in out.getvalue() and "Listen: Tin Hymnal" in out.getvalue()


def test_a_pick_is_marked_and_taken_back(desk: Desk) -> None:
    run("edit", "Alpha", "--pick")
    assert [card.pick for card in issue_content(issue()).shown].count(True) == 1
    run("edit", "Alpha", "--restore", "pick")
    assert not any(card.pick for card in issue_content(issue()).shown)


def test_an_editors_word_on_a_block_voids_the_approval(desk: Desk) -> None:
    desk.draft("2015-11-02 10:30")
    call_command("approve", "next", stdout=StringIO(), stderr=StringIO())
    assert issue().state == IssueState.APPROVED
    run("quote", "next", "--none")
    assert issue().state == IssueState.DRAFT
