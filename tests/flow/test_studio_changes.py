"""The studio's settings and magazine.toml are one truth: neither takes the other back unseen."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from newsletter.core.errors import ConfigError, KeyRefusedError, StudioError
from newsletter.flow.apply import apply_text, change_in_studio, dump_text
from newsletter.flow.issue import approve
from newsletter.models import Event, Issue, IssueState, Magazine, Newsletter, StudioChange
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.flow.test_apply import FULL

pytestmark = pytest.mark.django_db


def set_time(now: datetime, at: str = "09:00") -> None:
    change_in_studio("newsletters", "weekly", {"send_time": at}, now=now, by="mara")


def test_what_the_studio_changes_is_what_the_dump_says_and_the_log_tells(now: datetime) -> None:
    apply_text(FULL, now=now)
    changes = change_in_studio(
        "newsletters", "weekly", {"send_time": "09:00", "name": "Lantern Weekly"}, now=now, by="mara"
    )
    assert [change.field for change in changes] == ["send_time"]
    assert 'send_time = "09:00"' in dump_text()
    event = Event.objects.get(kind="setting changed")
    assert event.text == 'newsletters weekly: send_time: "07:30" -> "09:00"'
    assert (event.by, event.newsletter) == ("mara", Newsletter.objects.get())


def test_an_older_file_is_refused_with_the_difference_and_nothing_is_changed(now: datetime) -> None:
    apply_text(FULL, now=now)
    set_time(now)
    with pytest.raises(StudioError) as refused:
        apply_text(FULL.replace('name = "Site"', 'name = "Sight"'), now=now)
    said = str(refused.value)
    assert 'newsletters weekly: send_time: "09:00" -> "07:30" (set in the studio by mara, 2026-11-03 17:00 UTC)' in said
    assert "newsletter dump" in said
    assert "--over-studio" in said
    assert f"{Newsletter.objects.get().send_time:%H:%M}" == "09:00"
    assert 'name = "Site"' in dump_text()


def test_a_dry_run_shows_the_difference_and_refuses_nothing(now: datetime) -> None:
    apply_text(FULL, now=now)
    set_time(now)
    (change,) = apply_text(FULL, now=now, dry_run=True)
    assert change.studio.startswith("mara, ")
    assert StudioChange.objects.count() == 1


def test_on_purpose_it_is_taken_back_and_the_file_is_asked_no_more(now: datetime) -> None:
    apply_text(FULL, now=now)
    set_time(now)
    assert len(apply_text(FULL, now=now, over_studio=True)) == 1
    assert not StudioChange.objects.exists()
    apply_text(FULL.replace("07:30", "06:00"), now=now)
    assert f"{Newsletter.objects.get().send_time:%H:%M}" == "06:00"


def test_a_file_that_caught_up_or_speaks_of_something_else_goes_in(now: datetime) -> None:
    apply_text(FULL, now=now)
    set_time(now)
    apply_text('[[newsletters]]\nslug = "weekly"\ntagline = "A line"', now=now)
    assert StudioChange.objects.count() == 1
    assert apply_text(dump_text(), now=now) == []
    assert not StudioChange.objects.exists()


def test_changed_there_and_back_nothing_stands_against_the_file(now: datetime) -> None:
    apply_text(FULL, now=now)
    set_time(now)
    set_time(now + timedelta(hours=1), "07:30")
    assert apply_text(FULL, now=now) == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("timezone", "Mars/Olympus", "knows no time zone"),
        ("from_name", "Lantern\r\nBcc: all@example.org", "one line"),
        ("from_name", "x" * 201, "at most 200"),
        ("from_address", "no address", "takes one mail address"),
        ("design", "Marquee; rm", "short name"),
        ("account", "other", "not among accounts"),
        ("return_path", "bounces@elsewhere.example.net", "another domain"),
        ("send_time", "25:00", 'like "08:00"'),
        ("name", "a\x00b", "one line"),
    ],
)
def test_what_a_file_could_not_say_the_studio_cannot_either(now: datetime, field: str, value: str, says: str) -> None:
    apply_text(FULL, now=now)
    before = dump_text()
    with pytest.raises(KeyRefusedError, match=says) as refused:
        change_in_studio("newsletters", "weekly", {field: value}, now=now, by="mara")
    assert refused.value.field == field
    assert dump_text() == before
    assert not StudioChange.objects.exists()


def test_the_studio_makes_no_row(now: datetime) -> None:
    apply_text(FULL, now=now)
    with pytest.raises(ConfigError, match="any more"):
        change_in_studio("newsletters", "monthly", {"name": "Monthly"}, now=now, by="mara")
    assert Newsletter.objects.count() == 1


def approved(issue: Issue, now: datetime) -> Issue:
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    approve(issue, "otto", now=now)
    assert Issue.objects.get().state == IssueState.APPROVED
    return issue


@pytest.mark.parametrize(
    ("table", "row", "values", "void"),
    [
        ("newsletters", "weekly", {"from_name": "LANTERN & friends"}, True),
        ("newsletters", "weekly", {"design": "colophon"}, True),
        ("magazine", "lantern", {"legal_name": "Lantern GmbH"}, True),
        ("newsletters", "weekly", {"send_time": "09:00"}, False),
        ("newsletters", "weekly", {"from_name": "LANTERN"}, False),
    ],
)
def test_what_changes_the_letter_voids_an_approval_and_says_so(
    issue: Issue, now: datetime, table: str, row: str, values: dict[str, str], void: bool
) -> None:
    approved(issue, now)
    change_in_studio(table, row, values, now=now, by="mara")
    assert Issue.objects.get().state == (IssueState.DRAFT if void else IssueState.APPROVED)
    told = [event.text for event in Event.objects.filter(kind="approval voided", by="mara")]
    what = next(iter(values)).replace("_", " ")
    assert told == ([f"The approval by otto is void: {what} changed in the settings. Approve again."] if void else [])


def test_a_file_that_changes_the_letter_voids_it_as_well(issue: Issue, now: datetime) -> None:
    approved(issue, now)
    apply_text('[[newsletters]]\nslug = "weekly"\ntagline = "Another line"', now=now, dry_run=True)
    assert Issue.objects.get().state == IssueState.APPROVED
    apply_text('[[newsletters]]\nslug = "weekly"\ntagline = "Another line"', now=now)
    assert Issue.objects.get().state == IssueState.DRAFT
