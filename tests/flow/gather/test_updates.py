"""What an entry that changed does to its review: waiting, in a draft, approved, sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.flow import issue as flow
from newsletter.flow.gather import gather
from newsletter.models import Entry, Event, Placement, Poll, Source
from tests.factories import make_newsletter, make_source
from tests.flow.desk import EDITOR, Desk, entry, issue_of, local, review, titles
from tests.flow.gather.answering import MONDAY

pytestmark = pytest.mark.django_db


def test_a_draft_shows_the_new_text_at_once_and_keeps_the_editors_words(desk: Desk) -> None:
    piece = entry("Nightjar", "2015-11-02 09:00")
    desk.gather(MONDAY, piece)
    row = Placement.objects.get()
    flow.edit_fields(row, {"title": "Nightjar, at last"}, now=local(MONDAY), by=EDITOR)
    desk.change(piece, dek="A new line.", title="Night Jar", title_clean="Night Jar")
    assert desk.poll("2015-11-02 11:00").changed == 1
    row = Placement.objects.get()
    entry_row = row.review.representative
    assert entry_row is not None
    assert entry_row.content["dek"] == "A new line."
    assert row.edits == {"title": "Nightjar, at last"}
    assert row.content_hash != entry_row.content_hash, "what the editor saw is not what is there now"
    assert "keep the editor's words" in Event.objects.get(kind="source changed").text


def test_an_approved_issue_stays_as_approved_and_says_that_its_source_changed(desk: Desk) -> None:
    piece = entry("Nightjar", "2015-11-02 09:00")
    desk.gather(MONDAY, piece)
    issue = desk.approve("2015-11-02 10:30")
    desk.change(piece, dek="Corrected.")
    desk.poll("2015-11-02 11:00")
    issue.refresh_from_db()
    assert issue.state == "approved"
    assert "after the approval" in Event.objects.get(kind="source changed", issue=issue).text


def test_a_change_after_the_send_is_nothing_without_a_new_date(desk: Desk) -> None:
    piece = entry("Nightjar", "2015-11-02 09:00")
    desk.gather(MONDAY, piece)
    desk.send("2015-11-05 08:00")
    desk.change(piece, dek="Corrected.")
    report = desk.poll("2015-11-05 11:00")
    assert (report.changed, report.sources[0].revisited) == (1, 0)
    assert review("Nightjar").revisited_at is None


def test_an_old_post_with_a_new_date_is_revisited_and_not_run(desk: Desk) -> None:
    piece = entry("Evergreen", "2012-11-02 09:00")
    desk.gather(MONDAY, piece)
    desk.change(piece, published_at=local("2015-11-03 09:00"))
    assert desk.poll("2015-11-03 10:00").sources[0].revisited == 1
    assert titles(desk.draft("2015-11-03 11:00")) == []
    assert issue_of("Evergreen") is None
    rules = {rule.rule: rule for rule in flow.why("Evergreen", desk.newsletter, now=local("2015-11-03 12:00"))[0].rules}
    assert not rules["R17 revisited"].passed


def test_a_waiting_review_follows_a_corrected_date_and_embargo(desk: Desk) -> None:
    piece = entry("Preview", "2015-11-05 12:00")
    desk.gather(MONDAY, piece)
    assert titles(desk.draft(MONDAY)) == []
    desk.change(piece, published_at=local("2015-11-02 10:30"))
    desk.poll("2015-11-02 11:00")
    assert titles(desk.draft("2015-11-02 11:00")) == ["Preview"]
    desk.change(piece, published_at=local("2015-11-06 12:00"))
    desk.poll("2015-11-02 12:00")
    assert titles(desk.draft("2015-11-02 12:00")) == [], "its source took it back until Friday"
    assert Placement.objects.get().state == "released"


def test_late_arrivals_are_told_once_and_only_to_their_newsletter(desk: Desk) -> None:
    other = make_newsletter(slug="other")
    other.sources.set([desk.add_source("elsewhere")])
    desk.newsletter.sources.set(Source.objects.filter(slug="feed"))
    desk.gather(MONDAY, entry("Nightjar", "2015-11-02 09:00"))
    flow.place(flow.ensure_draft(other, now=local(MONDAY)), now=local(MONDAY))
    desk.approve("2015-11-04 18:30")
    desk.gather("2015-11-04 19:00", entry("Late", "2015-11-04 18:50"), entry("Later", "2015-11-04 18:55"))
    desk.poll("2015-11-04 20:00")
    told = Event.objects.get(kind="late arrivals")
    assert (told.newsletter, told.text.split(" in ")[0]) == (desk.newsletter, "2 reviews came")


def test_what_an_entry_warns_of_is_told_with_its_title_and_not_without_end(desk: Desk) -> None:
    named = replace(entry("Nightjar", "2015-11-02 09:00"), warnings=("date '2026-13-45' can't be read",))
    report = desk.gather(MONDAY, named, entry("Quiet", "2015-11-02 09:00"))
    assert report.sources[0].warnings == ("“Nightjar”: date '2026-13-45' can't be read",)
    assert Poll.objects.get().warnings == list(report.sources[0].warnings)
    many = tuple(f"trouble {number}" for number in range(30))
    desk.shelves["feed"] = (replace(named, title="Long " * 40, warnings=many),)
    warnings = desk.poll("2015-11-02 11:00").sources[0].warnings
    assert warnings[0].endswith(" Long…”: trouble 0") and len(warnings[0]) < 80
    assert (len(warnings), warnings[-1]) == (21, "10 more warnings of entries are not shown.")


def test_what_a_file_warns_of_is_told_with_its_name(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: A\nurl: javascript:alert(1)\n---\nWords.")
    source = make_source("files", kind="folder", location=str(tmp_path))
    (report,) = gather(now=local(MONDAY), sources=[source]).sources
    assert [warning[:37] for warning in report.warnings] == ["a.md: the address 'javascript:alert(1"]
    assert Entry.objects.get().content["url"] == ""
