from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import time_machine
from django.core.management import call_command

from newsletter.core.checks import Row
from newsletter.core.errors import IssueError
from newsletter.flow.answering import dead_links
from newsletter.flow.compile import blockers, checks, ignore, mind
from newsletter.flow.issue import approve, decide
from newsletter.models import Event, Issue, IssueState, Newsletter, Placement, PlacementState
from newsletter.sources.fetch import Fetcher
from tests.flow.compile.fixtures import NOW, add

pytestmark = pytest.mark.django_db


@pytest.fixture
def undescribed(issue: Issue, edit: Callable[..., None]) -> Issue:
    """The lead's picture is not described, which blocks."""
    edit(issue, 1, picture_alt="")
    return issue


def found(issue: Issue) -> list[Row]:
    return checks(issue, NOW, ask_dns=False)


def test_what_is_ignored_blocks_no_more_and_is_kept_with_a_name(undescribed: Issue) -> None:
    with pytest.raises(IssueError, match="not described"):
        approve(undescribed, "Mara", now=NOW)
    (row,) = ignore(undescribed, found(undescribed), "alt-missing", by="Mara", now=NOW)
    event = Event.objects.get(issue=undescribed)
    assert (event.by, event.kind) == ("Mara", f"ignored {row.mark}")
    assert event.text.startswith("Ignored this time: “See You Sunday”")
    assert blockers(undescribed, NOW) == ()
    assert [each.ignored_by for each in found(undescribed) if each.code == "alt-missing"] == ["Mara"]
    assert approve(undescribed, "Mara", now=NOW).state == IssueState.APPROVED


def test_it_blocks_again_as_soon_as_the_thing_changes_and_when_somebody_minds(undescribed: Issue) -> None:
    ignore(undescribed, found(undescribed), "alt-missing", by="Mara", now=NOW)
    mind(undescribed, found(undescribed), "alt-missing", by="Ines", now=NOW)
    assert len(blockers(undescribed, NOW)) == 1
    ignore(undescribed, found(undescribed), "alt-missing", by="Mara", now=NOW)
    assert blockers(undescribed, NOW) == ()
    card = Placement.objects.get(issue=undescribed, kind="card", position=1)
    entry = card.review.representative
    assert entry
    # Another picture: nobody has said anything about that one.
    entry.content["pictures"] = [{**entry.content["pictures"][0], "url": "https://lantern.example/pictures/salt.png"}]
    entry.save()
    assert len(blockers(undescribed, NOW)) == 1


def test_approval_by_schedule_obeys_the_checks_and_what_was_ignored(undescribed: Issue) -> None:
    Newsletter.objects.update(approval_mode=Newsletter.ApprovalMode.AUTOMATIC)
    Issue.objects.update(placed_at=NOW)
    due = undescribed.slot_at
    decide(undescribed, now=due)
    assert undescribed.state == IssueState.DRAFT
    assert "not described" in undescribed.held_reason
    ignore(undescribed, found(undescribed), "alt-missing", by="Mara", now=due)
    decide(undescribed, now=due)
    assert (undescribed.state, undescribed.approved_by) == (IssueState.APPROVED, "schedule")


def test_what_the_law_asks_for_and_what_was_not_found_cannot_be_ignored(issue: Issue) -> None:
    issue.newsletter.magazine.postal_address = ""
    issue.newsletter.magazine.save()
    with pytest.raises(IssueError, match="Nobody may ignore this: The postal address"):
        ignore(issue, found(issue), "address-missing", by="Mara", now=NOW)
    with pytest.raises(IssueError, match="No check says 'alt-missing'"):
        ignore(issue, found(issue), "alt-missing", by="Mara", now=NOW)
    with pytest.raises(IssueError, match="needs a name"):
        ignore(issue, found(issue), "subject-long", by=" ", now=NOW)
    assert not Event.objects.exists()


def test_the_command_ignores_by_name_and_says_so(undescribed: Issue, capsys: pytest.CaptureFixture[str]) -> None:
    with time_machine.travel(NOW, tick=False):
        call_command("checks", undescribed.slot, "--ignore", "alt-missing", "--by", "Mara", "--json")
        said = json.loads(capsys.readouterr().out)
        assert said["blocking"] == 0
        (row,) = [row for row in said["findings"] if row["code"] == "alt-missing"]
        assert row["ignored_by"] == "Mara"
        assert row["anchor"].endswith("/picture_alt")
        with pytest.raises(SystemExit):
            call_command("checks", undescribed.slot, "--mind", "alt-missing", "--by", "Mara")
    assert "[alt-missing]" in capsys.readouterr().out


def test_an_address_that_another_review_went_out_with_blocks_unless_it_runs_again(issue: Issue) -> None:
    before = Issue.objects.create(
        newsletter=issue.newsletter, slot="2026-10-29", slot_at=NOW, cutoff_at=NOW, number=213, created_at=NOW
    )
    add(before, "salt", state=PlacementState.SENT)
    assert blockers(issue, NOW) == (
        "The Salt Road Walks Itself: This address went out with the issue of 2026-10-29. "
        "Leave it out, or run it again on purpose.",
    )
    Placement.objects.filter(issue=issue, position=2).update(run=2, run_reason="By demand.")
    assert blockers(issue, NOW) == ()


class Pages(BaseHTTPRequestHandler):
    """/gone is gone, /secret is not for us, everything else is there."""

    def do_GET(self) -> None:
        status = {"/gone": 404, "/secret": 403}.get(self.path, 200)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        pass


def test_only_pages_that_are_not_there_count_as_dead() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        port = server.server_address[1]
        here = f"http://127.0.0.1:{port}"
        fetcher = Fetcher(allow=frozenset({("127.0.0.1", port)}), deadline=10.0)
        dead = dead_links(fetcher)([f"{here}{path}" for path in ("/there", "/gone", "/secret")])
        assert list(dead) == [f"{here}/gone"]
        assert "404" in dead[f"{here}/gone"]
    finally:
        server.shutdown()
        server.server_close()


def test_a_dead_link_is_a_finding_of_the_issue(issue: Issue) -> None:
    rows = checks(issue, NOW, ask_dns=False, dead=lambda urls: {urls[0]: "Not found (status 404)."})
    (row,) = [row for row in rows if row.code == "dead-link"]
    assert row.blocks
    assert row.anchor.startswith("review/")
    assert replace(row, about="other").mark != row.mark
