"""The demo says in words whatever did not go as scripted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.demo.mailbox import keep
from newsletter.demo.people import REFUSED
from newsletter.demo.week import Week
from newsletter.flow.gather import GatherReport, SourceReport
from newsletter.flow.report import Counts, Named, Report
from newsletter.models import Issue, IssueState

NOW = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)
COUNTS = Counts(frozen=2, pending=0, claimed=0, accepted=1, failed=1, excluded=0, uncertain=0, waiting=0, undecided=0)


@pytest.fixture
def week(tmp_path: Path) -> Week:
    """A week as scripted: one accepted, one refused."""
    keep(tmp_path, "nora@example.org", b"one message")
    names = {"failed": (Named(REFUSED, "refused: 550 5.1.1"),)}
    report = Report(
        issue="weekly/2026-11-04", subject="", state="sent", label="", sentence="Stopped at 1 of 2.", started_at=NOW,
        finished_at=NOW, counts=COUNTS, reasons={}, names=names,
    )  # fmt: skip
    issue = Issue(state=IssueState.SENT)
    return Week(issue, GatherReport(NOW), report, 12, 9, 40, 1, tmp_path, tmp_path)


def test_a_week_as_scripted_has_none(week: Week) -> None:
    assert week.surprises() == []
    assert week.placed == 21


def test_a_source_that_fails_is_named(week: Week) -> None:
    broken = SourceReport("x", "LANTERN", "failed", error="no answer")
    [words] = replace(week, gathered=GatherReport(NOW, (broken,))).surprises()
    assert words == "LANTERN could not be read: no answer"


def test_missing_pictures_and_an_empty_issue_are_said(week: Week) -> None:
    found = replace(week, gathered=GatherReport(NOW, picture_errors=3), cards=0, lines=0).surprises()
    assert found == ["3 pictures could not be stored.", "There is no review in the issue."]


def test_a_stopped_send_is_told_in_the_reports_own_sentence(week: Week) -> None:
    assert replace(week, issue=Issue(state=IssueState.PAUSED)).surprises() == ["Stopped at 1 of 2."]


@pytest.mark.parametrize(
    "refused", [(), (Named("theo@example.org", "refused: 550"),), (Named(REFUSED, "not composed"),)]
)
def test_another_refusal_than_the_scripted_one_is_a_surprise(week: Week, refused: tuple[Named, ...]) -> None:
    [words] = replace(week, report=replace(week.report, names={"failed": refused})).surprises()
    assert "should have been refused" in words


def test_doubt_and_a_message_too_many_are_said(week: Week) -> None:
    keep(week.mailbox, "nora@example.org", b"one message")
    uncertain = replace(week.report, counts=replace(COUNTS, frozen=3, uncertain=1, undecided=1))
    assert replace(week, report=uncertain).surprises() == [
        "1 deliveries are uncertain.",
        "1 messages were accepted, but 2 are in the mailbox.",
    ]
