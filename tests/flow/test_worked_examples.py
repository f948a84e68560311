"""The worked examples of the weekly rule, by number, on the database with the real functions.

Thursdays 08:00 in New York, cutoff Wednesday 18:00, in the week of 5 November 2015: the clocks fell back that Sunday.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import pytest

from newsletter.core.content import EntryContent
from newsletter.core.errors import IssueError
from newsletter.core.week import Action, next_slot
from newsletter.flow import issue as issue_flow
from newsletter.flow.issue.facts import schedule_of
from newsletter.ledger import issues
from newsletter.models import (
    Carry,
    Delivery,
    Event,
    Issue,
    Newsletter,
    Placement,
    Poll,
    Review,
    WeekOff,
)
from newsletter.sources.fetch import Fetcher
from tests.flow.desk import EDITOR, START, Desk, entry, issue_of, local, review, titles

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk(starts_at=START, min_reviews=1)


def weekly(number: int, published: str) -> list[EntryContent]:
    """So many different reviews, one minute apart."""
    first = local(published)
    return [
        entry(f"Work {chr(65 + n // 26)}{chr(65 + n % 26)} {n}", first + timedelta(minutes=n), rubric=f"rubric {n % 5}")
        for n in range(number)
    ]


def test_example_0_the_week_of_the_seed_is_169_hours_long(desk: Desk) -> None:
    schedule = schedule_of(desk.newsletter)
    before = next_slot(schedule, local("2015-10-28 12:00"))
    after = next_slot(schedule, before.at)
    assert (before.at, after.at) == (datetime(2015, 10, 29, 12, tzinfo=UTC), datetime(2015, 11, 5, 13, tzinfo=UTC))
    assert after.cutoff == local("2015-11-04 18:00")
    assert after.at - before.at == timedelta(hours=169)


def test_example_1_a_review_seen_on_monday_is_in_thursdays_issue(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    assert titles(desk.draft("2015-11-02 10:41")) == ["Nightjar"]
    assert issue_of("Nightjar") == "2015-11-05"


def test_example_2_a_review_published_before_a_send_and_seen_after_it_is_in_the_next_issue(desk: Desk) -> None:
    desk.gather("2015-10-26 10:00", entry("Early Bird", "2015-10-26 09:00"))
    desk.send("2015-10-29 08:00")
    desk.gather("2015-10-29 09:15", entry("Cached", "2015-10-28 17:50"))
    assert titles(desk.draft("2015-10-29 09:16")) == ["Cached"]
    assert issue_of("Cached") == "2015-11-05"


def test_example_3_a_review_seen_after_the_cutoff_waits_and_an_editor_can_add_it(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    assert desk.decide("2015-11-04 18:00").action is Action.WAIT
    issue = desk.approve("2015-11-04 18:05")
    desk.gather("2015-11-04 18:20", entry("Latecomer", "2015-11-04 18:10"))
    assert Event.objects.get(kind="late arrivals").issue == issue
    assert [str(one) for one in issue_flow.late_arrivals(issue)] == ["Latecomer"]
    assert issue_of("Latecomer") is None
    assert titles(desk.send("2015-11-05 08:00")) == ["Nightjar"]
    assert titles(desk.draft("2015-11-05 08:10")) == ["Latecomer"]
    assert issue_of("Latecomer") == "2015-11-12"


def test_example_3_adding_the_latecomer_voids_the_approval_visibly(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    desk.decide("2015-11-04 18:00")
    issue = desk.approve("2015-11-04 18:05")
    freeze = issue.freeze
    assert freeze is not None
    desk.gather("2015-11-04 18:20", entry("Latecomer", "2015-11-04 18:10"))
    issue_flow.pin(review("Latecomer"), desk.newsletter, issue, now=local("2015-11-04 18:30"), by=EDITOR)
    issue.refresh_from_db()
    freeze.refresh_from_db()
    assert issue.state == "draft"
    assert issue.freeze is None
    assert freeze.voided_at == local("2015-11-04 18:30")
    assert Event.objects.filter(kind="approval voided", issue=issue).exists()
    assert sorted(titles(issue)) == ["Latecomer", "Nightjar"]
    assert sorted(titles(desk.send("2015-11-05 08:00"))) == ["Latecomer", "Nightjar"]


def test_example_4_a_post_dated_review_runs_once_and_not_before_its_date(desk: Desk) -> None:
    desk.gather("2015-11-03 09:00", entry("Preview", "2015-11-05 12:00"), entry("Nightjar", "2015-11-02 10:00"))
    assert review("Preview").embargoed_until == local("2015-11-05 12:00")
    assert titles(desk.send("2015-11-05 08:00")) == ["Nightjar"]
    desk.poll("2015-11-09 09:00")
    assert titles(desk.send("2015-11-12 08:00")) == ["Preview"]
    desk.gather("2015-11-16 09:00", entry("Other", "2015-11-16 08:00"))
    assert titles(desk.send("2015-11-19 08:00")) == ["Other"]


def test_example_5_a_flip_of_all_guids_to_https_brings_no_repeat(desk: Desk) -> None:
    contents = [
        entry(f"Piece {n}", "2015-10-27 10:00", guid=f"http://www.lantern.example.test/?p={n}",
              url=f"http://www.lantern.example.test/piece-{n}/")
        for n in range(10)
    ]  # fmt: skip
    desk.gather("2015-10-27 11:00", *contents)
    assert len(titles(desk.send("2015-10-29 08:00"))) == 10
    for one in contents:
        desk.change(one, guid=one.guid.replace("http://www.", "https://"), url=one.url.replace("http:", "https:"))
    report = desk.poll("2015-11-03 10:00")
    assert (report.new, report.changed) == (0, 0)
    assert Review.objects.count() == 10
    assert titles(desk.draft("2015-11-03 10:01")) == []


def test_example_6_a_moved_site_whose_redirects_work_brings_no_repeat(desk: Desk) -> None:
    with redirecting({"/old/nightjar": "/reviews/2015/nightjar"}) as (origin, opening):
        desk.gather(
            "2015-10-27 11:00",
            entry("Nightjar", "2015-10-27 10:00", guid="old-7", url=f"{origin}/old/nightjar"),
        )
        desk.send("2015-10-29 08:00")
        desk.shelves["feed"] = (
            entry("Nightjar", "2015-10-27 10:00", guid="new-9041", url=f"{origin}/reviews/2015/nightjar"),
        )
        report = desk.poll("2015-11-03 10:00", fetcher=Fetcher(allow=frozenset({opening})))
    assert report.new == 0
    assert Review.objects.count() == 1
    assert titles(desk.draft("2015-11-03 10:01")) == []


def test_example_6_a_new_review_of_an_old_title_that_nothing_redirects_to_is_new(desk: Desk) -> None:
    with redirecting({}) as (origin, opening):
        desk.gather("2015-10-27 11:00", entry("Nightjar", "2015-10-27 10:00", guid="old-7", url=f"{origin}/old"))
        desk.shelves["feed"] = (entry("Nightjar", "2015-11-02 10:00", guid="new", url=f"{origin}/new"),)
        report = desk.poll("2015-11-03 10:00", fetcher=Fetcher(allow=frozenset({opening})))
    assert report.new == 1


def test_example_7_a_corrected_typo_with_a_bumped_date_is_only_revisited(desk: Desk) -> None:
    piece = entry("Mirormere", "2015-11-02 10:00")
    desk.gather("2015-11-02 10:40", piece)
    desk.send("2015-11-05 08:00")
    desk.change(piece, title="Mirrormere", title_clean="Mirrormere", published_at=local("2015-11-06 09:00"))
    report = desk.poll("2015-11-06 09:30")
    assert [one.revisited for one in report.sources] == [1]
    assert review("Mirrormere").revisited_at == local("2015-11-06 09:30")
    issue = desk.draft("2015-11-06 09:31")
    assert titles(issue) == []
    with pytest.raises(IssueError, match="Run it again"):
        issue_flow.pin(review("Mirrormere"), desk.newsletter, issue, now=local("2015-11-06 10:00"), by=EDITOR)
    issue_flow.run_again(
        review("Mirrormere"), issue, reason="the corrected cut", now=local("2015-11-06 10:00"), by=EDITOR
    )
    assert titles(desk.send("2015-11-12 08:00")) == ["Mirrormere"]


def test_example_8_a_mail_server_that_is_down_delays_the_same_issue_and_marks_it_late(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    issue = desk.approve("2015-11-04 18:05")
    assert desk.decide("2015-11-05 08:00").action is Action.SEND
    desk.start(issue, "2015-11-05 08:00")
    assert not issue.late
    issues.pause(issue.pk, "the server refused the connection", now=local("2015-11-05 08:01"))
    assert Placement.objects.get().state == "reserved"
    frozen = issue.freeze_id
    assert titles(desk.draft("2015-11-05 08:30")) == []
    issues.resume(issue.pk, now=local("2015-11-05 09:30"))
    assert Placement.objects.get().state == "sent"
    desk.accept(issue, "2015-11-05 09:31")
    assert (issue.state, issue.late, issue.freeze_id) == ("sent", True, frozen)


def test_example_8_discarding_before_anything_was_accepted_gives_the_reviews_back(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    issue = desk.start(desk.approve("2015-11-04 18:05"), "2015-11-05 08:00")
    issues.pause(issue.pk, "the server is down", now=local("2015-11-05 08:01"))
    draft = issue_flow.discard(issue, "wrong subject", now=local("2015-11-05 08:30"), by=EDITOR)
    assert (draft.slot, titles(draft)) == ("2015-11-12", ["Nightjar"])
    assert set(Delivery.objects.values_list("state", flat=True)) == {"excluded"}


def test_example_9_after_one_acceptance_the_reviews_are_sent_for_good(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    issue = desk.start(desk.approve("2015-11-04 18:05"), "2015-11-05 08:00")
    desk.accept(issue, "2015-11-05 08:01", count=1)
    issues.pause(issue.pk, "a crash", now=local("2015-11-05 08:01"))
    assert Placement.objects.get().state == "sent"
    with pytest.raises(IssueError, match="can't be discarded"):
        issue_flow.discard(issue, "start again", now=local("2015-11-05 08:02"), by=EDITOR)
    with pytest.raises(IssueError, match="Stopped at 1 of 3"):
        issues.finish(issue.pk, now=local("2015-11-05 08:02"))
    issues.resume(issue.pk, now=local("2015-11-05 09:00"))
    desk.accept(issue, "2015-11-05 09:01")
    assert (issue.state, issue.late) == ("sent", False)
    assert list(Delivery.objects.values_list("state", flat=True)) == ["accepted"] * 3


def test_example_10_an_issue_that_nobody_approves_is_missed_and_the_next_holds_both_weeks(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    desk.decide("2015-11-04 18:00")
    issue = desk.draft("2015-11-04 18:00")
    assert desk.decide("2015-11-05 08:00").action is Action.MISS
    issue.refresh_from_db()
    assert (issue.state, issue.outcome_reason) == ("missed", "Missed its slot: not approved.")
    desk.gather("2015-11-09 10:00", entry("Second Week", "2015-11-09 09:00"))
    draft = desk.draft("2015-11-09 10:01")
    assert (draft.slot, sorted(titles(draft)), draft.number) == ("2015-11-12", ["Nightjar", "Second Week"], 1)


def test_example_10_a_missed_issue_can_be_brought_back_with_its_words(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    issue = desk.draft("2015-11-04 18:00")
    words = {"dek": "A night bird sings."}
    issue_flow.edit_fields(Placement.objects.get(), words, now=local("2015-11-04 18:01"), by=EDITOR)
    desk.decide("2015-11-05 08:00")
    assert issue_of("Nightjar") == "2015-11-12"
    issue_flow.revive(issue, now=local("2015-11-05 09:00"), by=EDITOR)
    placement = Placement.objects.get(state="reserved")
    assert (placement.issue, placement.edits) == (issue, words)
    assert titles(desk.send("2015-11-05 09:30")) == ["Nightjar"]
    issue.refresh_from_db()
    assert (issue.state, issue.late) == ("sent", True)
    assert titles(desk.draft("2015-11-05 10:00")) == []


def test_example_11_a_week_off_sends_both_weeks_with_the_next_issue(desk: Desk) -> None:
    desk.gather("2015-11-16 10:00", entry("Before", "2015-11-16 09:00"))
    desk.send("2015-11-19 08:00")
    assert desk.draft("2015-11-19 09:00").slot == "2015-11-26"
    desk.gather("2015-11-20 10:00", entry("Turkey", "2015-11-20 09:00"))
    assert titles(desk.draft("2015-11-20 10:01")) == ["Turkey"]
    issue_flow.week_off(desk.newsletter, date(2015, 11, 26), "Thanksgiving", now=local("2015-11-20 12:00"), by=EDITOR)
    assert Issue.objects.get(slot="2015-11-26").outcome_reason == "Week off: Thanksgiving"
    desk.gather("2015-11-30 10:00", entry("Gravy", "2015-11-30 09:00"))
    issue = desk.send("2015-12-03 08:00")
    assert (issue.slot, sorted(titles(issue))) == ("2015-12-03", ["Gravy", "Turkey"])
    assert WeekOff.objects.get().reason == "Thanksgiving"


def test_example_12_two_reviews_are_held_and_skipped_at_the_slot() -> None:
    desk = Desk(starts_at=START)  # three are needed
    desk.gather("2015-11-02 10:40", entry("One", "2015-11-02 10:00"), entry("Two", "2015-11-02 10:10"))
    assert desk.decide("2015-11-04 18:00").action is Action.HOLD
    issue = desk.draft("2015-11-04 18:00")
    assert "2 of 3 needed" in issue.held_reason
    desk.decide("2015-11-04 19:00")
    assert Event.objects.filter(kind="held").count() == 1
    assert desk.decide("2015-11-05 08:00").action is Action.SKIP
    issue.refresh_from_db()
    assert (issue.state, issue.outcome_reason) == ("skipped", "Skipped: 2 of 3 needed.")
    assert Event.objects.filter(kind="skipped", issue=issue).exists()
    assert sorted(titles(desk.draft("2015-11-05 08:01"))) == ["One", "Two"]


def test_example_13_a_festival_of_31_reviews_becomes_12_cards_10_lines_and_9_carried() -> None:
    desk = Desk(starts_at=START)
    festival = weekly(31, "2015-11-02 08:00")
    for hour in range(8):
        desk.gather(f"2015-11-02 1{hour}:40", *festival[hour * 4 : hour * 4 + 4])
    issue = desk.draft("2015-11-04 17:00")
    assert (len(titles(issue, "card")), len(titles(issue, "line"))) == (12, 10)
    assert Carry.objects.filter(issue=issue).count() == 9
    first = set(titles(desk.send("2015-11-05 08:00")))
    following = desk.draft("2015-11-05 09:00")
    second = titles(following)
    assert len(second) == 9
    assert not first & set(second)
    assert {str(row.review) for row in Carry.objects.filter(issue=issue)} == set(second)


def test_example_14_the_same_review_on_a_partners_feed_is_one_review(desk: Desk) -> None:
    desk.add_source("partner", preference=200)
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    tracked = "http://www.lantern.example.test/nightjar?utm_source=partner&utm_medium=rss#top"
    report = desk.gather(
        "2015-11-02 11:40", entry("Nightjar", "2015-11-02 10:05", guid="partner-1", url=tracked), source="partner"
    )
    assert report.new == 0
    assert review("Nightjar").entries.count() == 2
    assert review("Nightjar").representative.source.slug == "feed"  # type: ignore[union-attr]
    assert titles(desk.draft("2015-11-02 12:00")) == ["Nightjar"]


def test_example_15_two_critics_on_one_film_are_two_reviews(desk: Desk) -> None:
    page = "https://lantern.example.test/two-views-of-nightjar/"
    desk.gather(
        "2015-11-02 10:40",
        entry("Nightjar", "2015-11-02 10:00", guid="a", url=f"{page}#mara", authors=("Mara Quill",), body_text=MARA),
        entry("Nightjar", "2015-11-02 10:00", guid="b", url=f"{page}#tomas", authors=("Tomas Weir",), body_text=TOMAS),
    )
    assert titles(desk.draft("2015-11-02 11:00")) == ["Nightjar", "Nightjar"]


MARA = "Nobody sings in this film until the last reel, and then everybody does, which is how the winter ends at last."
TOMAS = "A cold, exact picture about a town that has forgotten its own harbour; I admired every frame and felt nothing."


def test_example_16_a_wrong_zone_misorders_and_never_loses(desk: Desk) -> None:
    stamped = datetime.fromisoformat("2015-08-12T17:30:00-05:00")  # EST in August: 18:30 by the clock on the wall
    desk.gather("2015-08-12 17:45", entry("Summer", stamped), entry("Other", "2015-08-12 17:00"))
    assert sorted(titles(desk.draft("2015-08-12 17:50"))) == ["Other"]  # dated ahead by three quarters of an hour
    desk.send("2015-08-13 08:00")
    assert titles(desk.send("2015-08-20 08:00")) == ["Summer"]


def test_example_17_the_day_that_is_printed_is_the_day_at_the_source(desk: Desk) -> None:
    desk.add_source("berlin", timezone="Europe/Berlin")
    seen = datetime(2016, 1, 1, 9, tzinfo=UTC)
    day_only = datetime(2016, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    desk.gather(seen, entry("Silvester", datetime(2015, 12, 31, 23, 11, tzinfo=UTC)), source="berlin")
    desk.gather(seen, entry("Neujahr", day_only, date_precision="day"), source="berlin")
    berlin = ZoneInfo("Europe/Berlin")
    assert review("Silvester").effective_at.astimezone(berlin).date() == date(2016, 1, 1)
    assert review("Neujahr").effective_at == datetime(2016, 1, 1, 11, tzinfo=UTC)
    assert review("Neujahr").embargoed_until is None


@pytest.mark.parametrize(
    ("number", "day", "sent_at"),
    [
        (18, "2026-03-29", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (19, "2026-10-25", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_examples_18_and_19_a_clock_change_sends_once(number: int, day: str, sent_at: datetime) -> None:
    desk = Desk(weekday=6, send_time=time(2, 30), timezone="Europe/Paris", cutoff_hours=8, min_reviews=1)
    desk.newsletter.approval_mode = Newsletter.ApprovalMode.AUTOMATIC
    desk.newsletter.save()
    midnight = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo("Europe/Paris")).astimezone(UTC)
    desk.gather(midnight - timedelta(days=2), entry("Nuit", midnight - timedelta(days=2, hours=1)))
    sent: list[datetime] = []
    minute = midnight
    while minute < midnight + timedelta(hours=6):
        decision = desk.decide(minute)
        if decision.action is Action.SEND:
            issue = desk.draft(minute)
            desk.start(issue, minute)
            desk.accept(issue, minute)
            sent.append(minute)
        minute += timedelta(minutes=10)
    assert sent == [sent_at]
    assert Issue.objects.get(state="sent").slot == day


def test_example_20_an_empty_feed_removes_nothing_and_is_flagged(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    desk.shelves["feed"] = ()
    report = desk.poll("2015-11-04 10:40")
    assert "Nothing was removed" in report.sources[0].warnings[0]
    assert "Nothing was removed" in Poll.objects.latest("pk").warnings[0]
    assert titles(desk.send("2015-11-05 08:00")) == ["Nightjar"]


@pytest.mark.parametrize(("dated", "tray"), [(True, "found late"), (False, "flood")])
def test_example_21_four_hundred_old_posts_go_to_a_tray_and_leave_the_draft_alone(
    desk: Desk, dated: bool, tray: str
) -> None:
    desk.gather("2015-11-02 10:40", entry("Nightjar", "2015-11-02 10:00"))
    old = [
        entry(f"Archive {n}", datetime(2009, 1, 1, tzinfo=UTC) + timedelta(days=n) if dated else None, guid=f"old-{n}")
        for n in range(400)
    ]
    report = desk.gather("2015-11-03 10:40", *old)
    assert report.sources[0].trays == ((tray, 400),)
    assert titles(desk.draft("2015-11-03 10:41")) == ["Nightjar"]
    issue_flow.include(review("Archive 7"), now=local("2015-11-03 11:00"), by=EDITOR)
    assert sorted(titles(desk.draft("2015-11-03 11:01"))) == ["Archive 7", "Nightjar"]


@contextmanager
def redirecting(moves: dict[str, str]) -> Iterator[tuple[str, tuple[str, int]]]:
    """A site on the loopback interface whose old addresses redirect: (origin, what opens the guard for it)."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = moves.get(self.path)
            self.send_response(301 if target else 200)
            if target:
                self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        port = server.server_address[1]
        yield f"http://127.0.0.1:{port}", ("127.0.0.1", port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
