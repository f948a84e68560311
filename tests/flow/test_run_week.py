"""One pass after another, as cron makes them: what is due is done, and nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import Model
from pytest_django import Settings

from newsletter.core.errors import ConfigError
from newsletter.flow import run_week
from newsletter.flow.apply import apply_text
from newsletter.flow.week import WeekReport, due_sources, fetcher_from, would_do
from newsletter.management.commands.week import sentences
from newsletter.models import (
    Account,
    Delivery,
    Event,
    Freeze,
    Issue,
    IssueState,
    Newsletter,
    Placement,
    Poll,
    Source,
    WeekOff,
)
from tests.factories import make_subscription
from tests.homes import magazine_toml, publish

pytestmark = pytest.mark.django_db

SLOT = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)  # a Thursday
HOUR = timedelta(hours=1)

Week = Callable[[datetime], WeekReport]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return tmp_path / "desk"


@pytest.fixture
def week(tmp_path: Path, settings: Settings) -> Week:
    """One pass at a given moment, in an installation of its own."""
    settings.NEWSLETTER = replace(
        settings.NEWSLETTER,
        home=tmp_path,
        secret_key="a key for tests only, of forty letters or more",
        base_url="https://news.example.test",
        media_folder=tmp_path / "media",
        outbox_folder=tmp_path / "outbox",
    )
    return lambda at: run_week(at, config=settings.NEWSLETTER, environ={})


def _open(desk: Path, *, people: int = 3, reviews: int = 3, **fields: object) -> Newsletter:
    """A magazine with some reviews published before its Thursday."""
    for number in range(reviews):
        publish(desk, f"Paper Boat {number}", f"2026-11-0{number + 1}")
    apply_text(magazine_toml(desk, slot=SLOT, **fields), now=SLOT - 72 * HOUR)
    newsletter = Newsletter.objects.get()
    for number in range(people):
        make_subscription(f"reader{number}@example.org", newsletter.mailing_list)
    return newsletter


def test_a_whole_week_runs_by_itself(week: Week, desk: Path, tmp_path: Path) -> None:
    _open(desk)
    first = week(SLOT - 48 * HOUR)
    assert first.gathered is not None
    assert (first.gathered.new, first.decided, first.delivered) == (3, [], [])
    draft = Issue.objects.get()
    assert (draft.slot, draft.state, draft.placements.count()) == ("2026-11-05", IssueState.DRAFT, 3)

    sent = week(SLOT)
    assert [(one.issue, one.action) for one in sent.decided] == [("weekly/2026-11-05", "send")]
    assert [(one.state, one.accepted, one.frozen, one.clean) for one in sent.delivered] == [("sent", 3, 3, True)]
    assert not sent.failed and not sent.needs_a_person
    assert len(list((tmp_path / "outbox").rglob("*.eml"))) == 3

    draft.refresh_from_db()
    assert draft.state == IssueState.SENT
    assert "Paper Boat 1" in draft.public_html
    assert [issue.slot for issue in Issue.objects.filter(state=IssueState.DRAFT)] == ["2026-11-12"]


def test_nothing_happens_twice(week: Week, desk: Path, tmp_path: Path) -> None:
    _open(desk)
    week(SLOT - 48 * HOUR)
    week(SLOT)
    files = {path: path.read_bytes() for path in (tmp_path / "outbox").rglob("*.eml")}
    rows = list(Delivery.objects.order_by("pk").values())
    for minutes in (0, 1, 30, 600):
        later = week(SLOT + timedelta(minutes=minutes))
        assert (later.decided, later.delivered, later.problems) == ([], [], [])
    assert {path: path.read_bytes() for path in (tmp_path / "outbox").rglob("*.eml")} == files
    assert list(Delivery.objects.order_by("pk").values()) == rows


def test_an_issue_that_nobody_approved_is_missed_and_its_reviews_wait(week: Week, desk: Path) -> None:
    _open(desk, approval="required")
    week(SLOT - 48 * HOUR)
    report = week(SLOT + timedelta(minutes=1))
    assert [one.action for one in report.decided] == ["miss"]
    assert report.needs_a_person and not report.failed
    issue = Issue.objects.get(state=IssueState.DRAFT)
    assert (issue.slot, issue.placements.filter(state="reserved").count()) == ("2026-11-12", 3)
    assert Delivery.objects.count() == 0


def test_a_thin_issue_is_held_then_skipped(week: Week, desk: Path) -> None:
    _open(desk, reviews=2, min_reviews=3, cutoff_hours=14)
    week(SLOT - 48 * HOUR)
    held = week(SLOT - 13 * HOUR)
    assert [one.action for one in held.decided] == ["hold"]
    assert held.needs_a_person
    assert Issue.objects.get().held_reason
    assert held.decided[0].reason == "Too few reviews: 2 of 3 needed. Include some or approve anyway before the slot."
    again = week(SLOT - 12 * HOUR)
    assert [(one.action, one.news) for one in (*held.decided, *again.decided)] == [("hold", True), ("hold", False)]
    assert again.needs_a_person
    assert (len(sentences(held)), sentences(again)) == (1, [])
    Issue.objects.update(held_reason="Something else.")
    assert len(sentences(week(SLOT - 11 * HOUR))) == 1
    skipped = week(SLOT)
    assert [(one.action, one.reason) for one in skipped.decided] == [("skip", "Skipped: 2 of 3 needed.")]


def test_nobody_is_told_to_approve_an_empty_issue(week: Week, desk: Path) -> None:
    desk.mkdir()
    _open(desk, reviews=0, cutoff_hours=14)
    week(SLOT - 48 * HOUR)
    held = week(SLOT - 13 * HOUR)
    assert held.decided[0].reason == "Too few reviews: 0 of 1 needed. Gather, or include some, before the slot."


def test_a_week_off_is_left_alone(week: Week, desk: Path) -> None:
    newsletter = _open(desk)
    WeekOff.objects.create(newsletter=newsletter, slot="2026-11-05")
    week(SLOT - 48 * HOUR)
    week(SLOT)
    assert [issue.slot for issue in Issue.objects.all()] == ["2026-11-12"]


def test_sources_are_read_hourly_and_more_often_before_a_cutoff(week: Week, desk: Path) -> None:
    _open(desk, cutoff_hours=14)
    cutoff = SLOT - 14 * HOUR
    at, reads = cutoff - 7 * HOUR, 0
    while at < cutoff + HOUR:
        reads += bool(week(at).gathered)
        at += timedelta(minutes=7, seconds=30)
    # One in the first hour, four in each of the next six, one at the cutoff itself, none in the hour after it.
    assert reads == Poll.objects.count() == 1 + 24 + 1


def test_only_one_process_reads_a_due_source(week: Week, desk: Path) -> None:
    _open(desk)
    due = due_sources(SLOT - 48 * HOUR)
    assert [source.slug for source in due] == ["desk"]
    Source.objects.update(last_tried_at=SLOT - 48 * HOUR)  # another process was faster
    from newsletter.flow import week as steps

    assert [steps._claim(source, SLOT - 48 * HOUR) for source in due] == [False]


def test_one_failing_source_is_seen_and_stops_nobody(week: Week, desk: Path, tmp_path: Path) -> None:
    newsletter = _open(desk)
    broken = Source.objects.create(slug="gone", name="Gone", kind="folder", location=str(tmp_path / "gone"))
    newsletter.sources.add(broken)
    report = week(SLOT - 48 * HOUR)
    assert report.gathered is not None
    assert [source.source for source in report.gathered.failed] == ["gone"]
    assert report.gathered.new == 3
    assert report.needs_a_person and not report.failed
    assert [one.state for one in week(SLOT).delivered] == ["sent"]


def test_one_newsletters_fault_is_not_the_others_week(week: Week, desk: Path) -> None:
    first = _open(desk)
    text = magazine_toml(desk, slot=SLOT).replace(
        'slug = "weekly"\nname = "Lantern Weekly"\nlist', 'slug = "other"\nname = "Other"\nlist'
    )
    apply_text(text, now=SLOT - 72 * HOUR)
    week(SLOT - 48 * HOUR)
    Issue.objects.filter(newsletter=first).delete()
    Newsletter.objects.filter(pk=first.pk).update(timezone="Nowhere/Land")  # only a fault can write that
    report = week(SLOT)
    assert [(problem.where, problem.held) for problem in report.problems] == [("weekly", False)]
    assert "Nowhere/Land" in report.problems[0].text
    assert report.failed
    assert [(one.issue, one.state) for one in report.delivered] == [("other/2026-11-05", "sent")]


def test_a_design_that_is_gone_holds_the_issue(week: Week, desk: Path) -> None:
    _open(desk)
    week(SLOT - 48 * HOUR)
    Newsletter.objects.update(design="no-such-design")
    report = week(SLOT)
    assert [one.action for one in report.decided] == ["hold"]
    assert "no-such-design" in report.decided[0].reason
    assert report.needs_a_person and not report.delivered


def test_a_dry_run_says_what_is_due_and_does_nothing(week: Week, desk: Path) -> None:
    _open(desk, cutoff_hours=14)
    assert would_do(SLOT - 48 * HOUR) == ["Would read Desk."]
    week(SLOT - 48 * HOUR)
    models: tuple[type[Model], ...] = (Issue, Placement, Delivery, Freeze, Event, Poll, Source)
    before = [list(model._default_manager.order_by("pk").values()) for model in models]
    sentences = would_do(SLOT)
    assert sentences[0] == "Would read Desk."
    assert sentences[1].startswith("Would send Lantern Weekly")
    assert "to 3 people" in sentences[1]
    assert len(sentences) == 2
    assert "miss" in would_do(SLOT + 24 * HOUR)[1]
    assert [list(model._default_manager.order_by("pk").values()) for model in models] == before
    assert [one.state for one in week(SLOT).delivered] == ["sent"]
    assert would_do(SLOT) == []


def test_an_issue_for_nobody_waits_for_a_person(week: Week, desk: Path) -> None:
    _open(desk, people=0)
    week(SLOT - 48 * HOUR)
    report = week(SLOT)
    assert report.needs_a_person
    assert Issue.objects.get(slot="2026-11-05").state != IssueState.SENT


def test_a_clock_that_was_off_for_weeks_sends_one_issue_and_says_what_it_missed(week: Week, desk: Path) -> None:
    _open(desk)
    week(SLOT - 48 * HOUR)
    report = week(SLOT + timedelta(days=21))
    assert "miss" in [one.action for one in report.decided]
    started = Issue.objects.filter(started_at__isnull=False)
    assert started.count() <= 1
    assert len(report.delivered) == started.count()


def test_an_account_that_can_not_send_pauses_the_issue_and_loses_nobody(week: Week, desk: Path, tmp_path: Path) -> None:
    _open(desk)
    week(SLOT - 48 * HOUR)
    Account.objects.update(
        kind="smtp",
        settings={"host": "127.0.0.1", "port": 1, "password_env": "NOT_SET_ANYWHERE", "username": "x", "tls": "tls"},
    )
    report = week(SLOT)
    assert [(one.state, one.pending, one.clean) for one in report.delivered] == [("paused", 3, False)]
    assert "NOT_SET_ANYWHERE" in report.delivered[0].paused_reason
    assert report.needs_a_person


def test_the_report_is_plain_data_without_addresses(week: Week, desk: Path) -> None:
    _open(desk)
    week(SLOT - 48 * HOUR)
    text = json.dumps(week(SLOT).as_dict())
    assert '"accepted": 3' in text
    assert "reader0" not in text


def test_without_a_key_nothing_is_begun(week: Week, desk: Path, settings: Settings) -> None:
    _open(desk)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, secret_key="")
    with pytest.raises(ConfigError, match="secret key"):
        run_week(SLOT, config=settings.NEWSLETTER, environ={})
    assert Issue.objects.count() == 0


def test_the_fetcher_is_the_one_that_the_configuration_describes(settings: Settings) -> None:
    config = replace(settings.NEWSLETTER, fetch_contact="desk@lantern.example.org", fetch_seconds=5, fetch_megabytes=1)
    fetcher = fetcher_from(config)
    assert "desk@lantern.example.org" in fetcher.user_agent
    assert (fetcher.deadline, fetcher.max_bytes, fetcher.allow) == (5.0, 1024 * 1024, frozenset())


def test_the_guard_opens_for_exactly_the_inner_addresses_that_the_owner_names(settings: Settings) -> None:
    config = replace(settings.NEWSLETTER, fetch_inner=("127.0.0.1:8080", "CMS.internal:80"))
    assert fetcher_from(config).allow == {("127.0.0.1", 8080), ("cms.internal", 80)}


@pytest.mark.parametrize("text", ["127.0.0.1", "host:", ":80", "host:99999", "host:port"])
def test_an_inner_address_that_is_not_host_and_port_is_refused(settings: Settings, text: str) -> None:
    with pytest.raises(ConfigError, match="not host:port"):
        fetcher_from(replace(settings.NEWSLETTER, fetch_inner=(text,)))
