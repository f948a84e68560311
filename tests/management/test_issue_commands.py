"""gather, issue, approve, why: what an editor types, what it prints, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from newsletter.core.errors import IssueError, SourceError
from newsletter.flow.compile import frozen
from newsletter.flow.gather import gather
from newsletter.management.arguments import issue_from, issue_name
from newsletter.models import Issue, Placement, Source
from tests.factories import make_newsletter, make_source
from tests.flow.desk import Desk, entry, local, review, titles

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Iterator[Desk]:
    with time_machine.travel(local("2015-11-02 10:30"), tick=False):
        desk = Desk(starts_at=local("2015-01-01 00:00"), min_reviews=1, max_cards=2, max_lines=1)
        desk.gather(
            "2015-11-02 10:00", *(entry(name, "2015-11-02 09:00") for name in ("Alpha", "Bravo", "Charlie", "Delta"))
        )
        yield desk


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


def run_json(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def test_issue_makes_the_draft_places_and_shows_it(desk: Desk) -> None:
    text = run("issue")
    assert "weekly/2015-11-05  no. 1  draft" in text
    assert "Goes out Thursday, 05 November 2015, 08:00 America/New_York (13:00 UTC)" in text
    assert text.count("■") == 2
    assert "No room, so they wait for the next issue" in text
    values = run_json("issue")
    assert (values["state"], len(values["cards"]), len(values["lines"]), len(values["carried"])) == ("draft", 2, 1, 1)
    assert run_json("issue", "show", "next") == values


def test_an_issue_is_named_in_several_ways(desk: Desk) -> None:
    issue = desk.send("2015-11-05 08:00")
    desk.draft("2015-11-05 09:00")
    for text in ("weekly/2015-11-05", "2015-11-05", "last", "weekly/last"):
        assert issue_from(text) == issue
    assert issue_name(issue_from("next")) == issue_name(issue_from("weekly/next")) == "weekly/2015-11-12"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2015-11-06", r'no issue "2015-11-06". The latest are: weekly/2015-11-05 \(draft\)'),
        ("weekly/2015-11-06", r"The latest are: weekly/2015-11-05 \(draft\)"),
        ("monthly/next", 'no newsletter "monthly". Known: weekly'),
        ("last", "no issue"),
        ("", "no issue"),
    ],
)
def test_an_unknown_issue_is_refused_with_the_nearest_ones(desk: Desk, text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        issue_from(text)
    assert caught.value.returncode == 2


def test_without_any_issue_or_newsletter_the_next_step_is_named() -> None:
    with pytest.raises(CommandError, match="newsletter apply"):
        run("issue")
    make_newsletter()
    with pytest.raises(CommandError, match="Type: newsletter issue"):
        issue_from("next")


def test_a_slot_that_two_newsletters_have_must_be_named_in_full(desk: Desk) -> None:
    make_newsletter(slug="other", starts_at=local("2015-01-01 00:00"))
    assert [one["issue"] for one in run_json("issue")] == ["other/2015-11-05", "weekly/2015-11-05"]
    with pytest.raises(CommandError, match="other/2015-11-05, weekly/2015-11-05"):
        issue_from("2015-11-05")
    with pytest.raises(CommandError, match="say which one"):
        run("why", "Alpha")
    assert "IN: It is placed" in run("why", "Alpha", "--newsletter", "weekly")
    assert run_json("issue", "--newsletter", "other")["issue"] == "other/2015-11-05"


def test_approve_freezes_and_says_when_it_goes(desk: Desk) -> None:
    text = run("approve", "next", "--by", "Edda")
    assert "weekly/2015-11-05 is approved by Edda" in text
    assert "Thursday, 05 November 2015, 08:00" in text
    assert "Approved by Edda" in run("issue")
    with pytest.raises(IssueError, match="only a draft can be approved"):
        run("approve", "next", "--by", "Edda")


def test_approve_takes_only_what_was_looked_at(desk: Desk) -> None:
    with pytest.raises(IssueError, match="has changed since you looked"):
        run("approve", "next", "--fingerprint", "0" * 64)
    assert Issue.objects.get().state == "draft"
    shown = frozen(Issue.objects.get()).fingerprint
    assert run_json("approve", "--fingerprint", shown)["fingerprint"] == shown


def test_approve_speaks_json(desk: Desk) -> None:
    values = run_json("approve", "--by", "Edda")
    assert (values["issue"], values["state"], len(values["fingerprint"])) == ("weekly/2015-11-05", "approved", 64)


def test_why_prints_each_rule(desk: Desk) -> None:
    text = run("why", "Alpha")
    assert "✓ R7 ledger: It is reserved for this issue." in text
    assert run_json("why", "Alpha")[0]["state"] == "in"
    with pytest.raises(CommandError, match="newsletter gather"):
        run("why", "Unheard Of")


def test_the_other_places_of_a_review_are_named(desk: Desk) -> None:
    desk.add_source("mirror", name="The Mirror", preference=200)
    alpha = entry("Alpha", "2015-11-02 09:00")
    desk.gather("2015-11-02 10:10", replace(alpha, guid="https://mirror.example.test/?p=1"), source="mirror")
    values = run_json("issue", "show", "next")
    assert [row["also_at"] for row in (*values["cards"], *values["lines"])] == [
        [{"source": "The Mirror", "url": alpha.url}],
        [],
        [],
    ]
    assert f"\n        also at The Mirror, {alpha.url}\n" in run("issue", "show", "next")
    assert f"Also at The Mirror, {alpha.url}" in run("why", "Alpha")
    assert run_json("why", "Alpha")[0]["also_at"] == [{"source": "The Mirror", "url": alpha.url}]
    assert run_json("why", "Bravo")[0]["also_at"] == []
    review("Alpha").entries.filter(source__slug="mirror").update(content={})
    assert "\n        also at The Mirror\n" in run("issue", "show", "next")


def test_a_source_that_fails_is_named_with_its_first_failure(desk: Desk) -> None:
    desk.add_source("gone", name="The Gone")
    desk.shelves["gone"] = SourceError("The server answers 503.")
    other = make_source("other", name="Not ours")
    Source.objects.filter(pk=other.pk).update(failures_in_row=1, last_tried_at=local("2015-11-02 10:12"))
    for minute in (12, 20):
        gather(now=local(f"2015-11-02 10:{minute}"), sources=[Source.objects.get(slug="gone")], build=desk.build)
    (failing,) = run_json("issue", "show", "next")["failing"]
    assert (failing["source"], failing["name"], failing["tries"]) == ("gone", "The Gone", 2)
    assert failing["since"].startswith("2015-11-02 15:12")
    assert "! The Gone can't be read since Monday, 02 November 2015, 10:12" in run("issue", "show", "next")
    desk.newsletter.sources.clear()
    assert [one["source"] for one in run_json("issue", "show", "next")["failing"]] == ["gone", "other"]
    desk.shelves["gone"] = ()
    gather(now=local("2015-11-02 10:25"), sources=[Source.objects.get(slug="gone")], build=desk.build)
    assert [one["source"] for one in run_json("issue", "show", "next")["failing"]] == ["other"]


def test_the_verbs_of_an_editor(desk: Desk) -> None:
    issue = Issue.objects.get()
    number = str(review("Delta").pk)
    assert run_json("issue", "pin", number, "--issue", "next", "--by", "Edda")["cards"][0]["title"] == "Delta"
    assert run_json("issue", "unpin", number, "--issue", "next")["carried"] == ["Delta"]
    run("issue", "leave-out", "Alpha", "--issue", "next")
    assert "Alpha" not in titles(issue)
    run("issue", "bring-back", "Alpha", "--issue", "next")
    run("issue", "leave-out", "Alpha", "--reason", "an advertisement")
    assert "Alpha" not in titles(issue)
    run("issue", "bring-back", "Alpha")
    run("issue", "note", "next", "--subject", "Four works", "--note", "Hello.", "--max-cards", "4")
    issue.refresh_from_db()
    assert (issue.subject, issue.note, len(titles(issue, "card"))) == ("Four works", "Hello.", 4)
    desk.gather("2015-11-02 10:20", entry("Archive", "2009-11-02 09:00"))
    assert "Archive" in run("issue", "include", "Archive")
    assert run_json("issue", "skip", "next", "--reason", "ill", "--by", "Edda")["outcome"] == "ill"
    assert run_json("issue", "discard", "next", "--reason", "again")["state"] == "discarded"
    assert run_json("issue", "week-off", "2015-11-19", "--reason", "holiday")["issue"] == "weekly/2015-11-26"


def test_an_editor_gives_a_review_words_of_their_own(desk: Desk) -> None:
    desk.approve("2015-11-02 10:30")
    row = Placement.objects.get(review=review("Alpha"))
    values = run_json("issue", "edit", "Alpha", "--title", "Alpha!", "--alt", "A door", "--credit", "", "--by", "Edda")
    assert (values["state"], values["approved_by"]) == ("draft", "")
    row.refresh_from_db()
    assert row.edits == {"title": "Alpha!", "picture_alt": "A door", "picture_credit": ""}
    every = ("kicker", "byline", "dek", "excerpt", "facts", "read-label")
    run("issue", "edit", "Alpha", "--issue", "next", *(word for name in every for word in (f"--{name}", "Ours")))
    run("issue", "edit", "Alpha", "--restore", "title", "--restore", "credit")
    row.refresh_from_db()
    ours = {name.replace("-", "_"): "Ours" for name in every}
    assert row.edits == {"picture_alt": "A door", **ours}


def test_an_editor_moves_a_review(desk: Desk) -> None:
    issue = Issue.objects.get()
    first, second = titles(issue, "card")
    (line,) = titles(issue, "line")
    run("issue", "move", second, "1")
    assert titles(issue, "card") == [second, first]
    run("issue", "move", first, "1")
    assert titles(issue, "card") == [first, second]
    run("issue", "move", first, "99999", "--issue", "next")
    assert titles(issue, "card") == [second, first]
    run("issue", "move", line, "--card")
    assert titles(issue, "card") == [second, first, line]
    values = run_json("issue", "move", line, "1", "--line")
    assert [row["title"] for row in values["cards"]] == [second, first]
    assert values["lines"][0]["title"] == line
    assert values["lines"][0]["why"] == "R15: moved by an editor"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("edit", "Alpha"), "Say what to edit"),
        (("edit", "Alpha", "--dek", "x", "--restore", "dek"), "Either --dek or --restore dek"),
        (("edit", "Alpha", "--restore", "price"), "invalid choice"),
        (("edit", "Nobody", "--dek", "x"), "No review is known"),
        (("edit", "Delta", "--dek", "x"), "“Delta” is not in weekly/2015-11-05. Bring it in with"),
        (("move", "Alpha"), "Say where to"),
        (("move", "Alpha", "first"), "invalid int"),
        (("move", "Alpha", "1", "--card", "--line"), "not allowed with"),
        (("move", "Alpha", "0"), "a position from 1"),
    ],
)
def test_an_edit_that_can_not_be_is_refused_in_words(desk: Desk, words: tuple[str, ...], message: str) -> None:
    with pytest.raises((CommandError, IssueError), match=message):
        run("issue", *words)


def test_what_was_sent_is_not_edited(desk: Desk) -> None:
    desk.send("2015-11-05 08:00")
    with pytest.raises(IssueError, match="The issue is sent"):
        run("issue", "edit", "Alpha", "--issue", "last", "--dek", "Too late")
    with pytest.raises(IssueError, match="The issue is sent"):
        run("issue", "move", "Alpha", "2", "--issue", "last")


def test_run_again_and_revive_on_the_command_line(desk: Desk) -> None:
    desk.send("2015-11-05 08:00")
    desk.draft("2015-11-05 09:00")
    values = run_json("issue", "run-again", "Alpha", "--reason", "it won a prize")
    assert [row["run"] for row in values["cards"] if row["title"] == "Alpha"] == [2]
    Issue.objects.filter(slot="2015-11-12").update(state="missed")
    Placement.objects.filter(issue__slot="2015-11-12").update(state="released")
    assert run_json("issue", "revive", "weekly/2015-11-12", "--by", "Edda")["state"] == "draft"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("issue", "pin", "Nothing", "--issue", "next"), "No review is known"),
        (("issue", "pin", "a", "--issue", "next"), "names several reviews"),
        (("issue", "pin", "9999"), "No review is known"),
        (("issue", "week-off", "Thanksgiving"), "is no date"),
        (("issue", "note", "next"), "Say what to set"),
        (("issue", "skip", "next"), "--reason"),
        (("gather", "unknown"), 'no source "unknown". Known: feed'),
    ],
)
def test_bad_input_is_refused_in_words(desk: Desk, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*words)


def test_a_refusal_by_the_rules_names_what_to_do(desk: Desk) -> None:
    with pytest.raises(IssueError, match="needs a reason"):
        run("issue", "leave-out", "Alpha")
    with pytest.raises(IssueError, match="goes out on Thursdays"):
        run("issue", "week-off", "2015-11-06")


@pytest.mark.parametrize("state", ["sending", "paused", "sent", "skipped"])
def test_every_state_says_what_comes_next(desk: Desk, state: str) -> None:
    Issue.objects.update(state=state, paused_reason="the server is down", outcome_reason="Skipped: ill.")
    text = run("issue", "show", "2015-11-05")
    wanted = {"sending": "being sent", "paused": "--resume", "sent": "newsletter report", "skipped": "Skipped: ill."}
    assert wanted[state] in text


def test_gather_reads_a_folder_and_a_failure_is_exit_code_3(tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    folder.mkdir()
    (folder / "nightjar.md").write_text("---\ntitle: Nightjar\ndate: 2015-11-02\n---\nA night bird sings.\n")
    make_source("folder", kind="folder", location=str(folder))
    assert "New reviews: 1." in run("gather")
    make_source("missing", kind="folder", location=str(tmp_path / "missing"))
    with pytest.raises(CommandError, match="1 of 2 sources could not be read") as caught:
        run("gather", "--json")
    assert caught.value.returncode == 3
    assert run_json("gather", "folder")["sources"][0]["outcome"] == "read"
    Source.objects.all().delete()
    assert "no source yet" in run("gather")


def test_without_a_name_the_account_of_this_machine_approves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "edda")
    assert "is approved by edda" in run("approve", "next")


def test_a_machine_that_does_not_know_its_account_still_approves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert "is approved by the command line" in run("approve", "next")
