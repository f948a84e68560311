"""Gather: what is new, what is known, what failed; never lost, and never one source for another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from newsletter.core.errors import SourceError
from newsletter.flow import issue as flow
from newsletter.flow.gather import gather
from newsletter.models import Event, Poll, Review, Source
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.fetch import Fetcher
from tests.factories import make_newsletter
from tests.flow.desk import Desk, entry, local, review, titles
from tests.flow.gather.answering import DAY, MONDAY, Answering, snapshot

pytestmark = pytest.mark.django_db


def test_gathering_twice_changes_nothing(desk: Desk) -> None:
    desk.gather(MONDAY, entry("Nightjar", "2015-11-02 09:00"), entry("Ironwood", None))
    before = snapshot()
    report = desk.poll("2015-11-02 11:00")
    assert snapshot() == before
    assert (report.new, report.changed) == (0, 0)
    assert [poll.outcome for poll in Poll.objects.order_by("pk")] == ["read", "read"]


def test_one_failing_source_stops_no_other_and_is_visible(desk: Desk) -> None:
    desk.add_source("broken", preference=1)
    desk.shelves["broken"] = SourceError("The server could not be reached.", where="https://broken.example.test/")
    report = desk.gather(MONDAY, entry("Nightjar", "2015-11-02 09:00"))
    desk.poll("2015-11-02 11:00")
    assert report.new == 1
    assert [one.source for one in report.failed] == ["broken"]
    broken = Source.objects.get(slug="broken")
    assert (broken.failures_in_row, broken.last_success_at) == (2, None)
    assert "could not be reached" in broken.last_error
    assert [poll.outcome for poll in Poll.objects.filter(source=broken)] == ["failed", "failed"]
    assert Event.objects.filter(kind="source failed").count() == 1, "the first failure is told, not every one"
    desk.shelves["broken"] = ()
    desk.poll("2015-11-02 12:00")
    broken.refresh_from_db()
    assert (broken.failures_in_row, broken.last_error, broken.last_success_at) == (0, "", local("2015-11-02 12:00"))


def test_a_fault_of_ours_in_one_adapter_is_a_failed_poll_and_nothing_more(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.add_source("faulty", preference=1)

    def build(kind: str, fetcher: Fetcher) -> Any:
        def answer(spec: SourceSpec) -> Gathered:
            if spec.location == "faulty":
                raise ZeroDivisionError("a hole in our reading")
            return Gathered(entries=(entry("Nightjar", "2015-11-02 09:00"),))

        return Answering("memory", answer)

    report = gather(now=local(MONDAY), build=build)
    assert report.new == 1
    assert "ZeroDivisionError" in report.failed[0].error
    assert "faulty" in caplog.text


def test_a_source_of_an_unknown_kind_fails_alone(desk: Desk) -> None:
    Source.objects.filter(slug="feed").update(kind="pigeon")
    assert "pigeon" in gather(now=local(MONDAY)).failed[0].error


def test_a_source_that_is_switched_off_is_not_read(desk: Desk) -> None:
    Source.objects.update(enabled=False)
    assert gather(now=local(MONDAY), build=desk.build).sources == ()


def test_an_unchanged_answer_is_no_empty_one(desk: Desk) -> None:
    desk.gather(MONDAY, entry("Nightjar", "2015-11-02 09:00"))

    def build(kind: str, fetcher: Fetcher) -> Any:
        return Answering("feed", lambda spec: Gathered(unchanged=True, etag=spec.etag))

    report = gather(now=local("2015-11-02 11:00"), build=build)
    assert [one.outcome for one in report.sources] == ["unchanged"]
    assert report.sources[0].warnings == ()


def test_validators_and_a_permanent_move_are_kept_for_the_next_poll(desk: Desk) -> None:
    seen: list[SourceSpec] = []

    def build(kind: str, fetcher: Fetcher) -> Any:
        def answer(spec: SourceSpec) -> Gathered:
            seen.append(spec)
            return Gathered(etag='W/"1"', last_modified="Mon", final_url="https://new.example.test/feed", raw_hash="ab")

        return Answering("feed", answer)

    Source.objects.update(kind="feed", location="http://old.example.test/feed")
    first = gather(now=local(MONDAY), build=build)
    gather(now=local("2015-11-02 11:00"), build=build)
    assert "moved for good" in first.sources[0].warnings[0]
    assert (seen[1].etag, seen[1].last_modified, seen[1].location) == ('W/"1"', "Mon", "https://new.example.test/feed")
    assert Poll.objects.order_by("pk")[0].raw_hash == "ab"


def test_the_first_import_takes_a_week_and_shows_the_rest(desk: Desk) -> None:
    Source.objects.update(first_gathered_at=None)
    report = desk.gather(
        MONDAY, entry("Fresh", "2015-10-27 09:00"), entry("Old", "2015-10-20 09:00"), entry("Undated", None)
    )
    assert dict(report.sources[0].trays) == {"": 1, "baseline": 2}
    assert titles(desk.draft(MONDAY)) == ["Fresh"]
    assert Source.objects.get().first_gathered_at == local(MONDAY)
    desk.gather("2015-11-02 11:00", entry("Later", None))
    assert sorted(titles(desk.draft("2015-11-02 11:00"))) == ["Fresh", "Later"]


def test_an_empty_answer_is_no_first_import(desk: Desk) -> None:
    Source.objects.update(first_gathered_at=None)
    desk.poll(MONDAY)
    assert Source.objects.get().first_gathered_at is None
    desk.gather("2015-11-02 11:00", *(entry(f"Old {n}", "2015-10-01 09:00") for n in range(5)))
    assert set(Review.objects.values_list("tray", flat=True)) == {"baseline"}


def test_age_is_judged_once(desk: Desk) -> None:
    desk.gather(MONDAY, entry("Patience", "2015-10-31 09:00"))
    for week in range(1, 9):
        flow.skip(desk.draft(local(MONDAY) + week * 7 * DAY), "a pause", now=local(MONDAY) + week * 7 * DAY)
    assert titles(desk.draft(local(MONDAY) + 60 * DAY)) == ["Patience"]


def test_the_most_patient_newsletter_decides_what_is_stale(desk: Desk) -> None:
    other = make_newsletter(slug="monthly", freshness_days=60)
    desk.gather(MONDAY, entry("Slow", "2015-09-20 09:00"))
    assert review("Slow").tray == Review.Tray.NONE
    other.delete()
    desk.gather("2015-11-02 11:00", entry("Slower", "2015-09-20 09:00"))
    assert review("Slower").tray == Review.Tray.FOUND_LATE


@pytest.mark.parametrize("kind", [Source.Kind.PAGE, Source.Kind.PASTE])
def test_what_an_editor_names_by_hand_goes_to_no_tray(desk: Desk, kind: str) -> None:
    source = desk.add_source("byhand", first_gathered_at=None)
    Source.objects.filter(pk=source.pk).update(kind=kind)
    desk.gather(MONDAY, entry("Named", "2009-01-01 09:00"), source="byhand")
    assert titles(desk.draft(MONDAY)) == ["Named"]


def test_a_busy_source_may_bring_many_at_once(desk: Desk) -> None:
    for week in range(8):
        at = local("2015-09-01 10:00") + 7 * week * DAY
        desk.shelves["feed"] = ()
        desk.gather(at, *(entry(f"Work {week} {n}", at - timedelta(hours=1)) for n in range(8)))
    at = local("2015-11-01 10:00")
    report = desk.gather(at, *(entry(f"Festival {n}", at - timedelta(hours=1)) for n in range(20)))
    assert dict(report.sources[0].trays) == {"": 20}
    report = desk.gather(at + DAY, *(entry(f"Deluge {n}", at) for n in range(60)))
    assert dict(report.sources[0].trays) == {"flood": 60}
    # A flood is not the new norm.
    report = desk.gather(at + 2 * DAY, *(entry(f"Deluge II {n}", at) for n in range(60)))
    assert dict(report.sources[0].trays) == {"flood": 60}


def test_a_newsletter_that_begins_later_does_not_start_with_years_of_reviews(desk: Desk) -> None:
    desk.gather(MONDAY, entry("Old News", "2015-11-02 09:00"))
    later = local(MONDAY) + 200 * DAY
    young = make_newsletter(slug="young", starts_at=later)
    young.sources.set(Source.objects.all())
    desk.gather(later, entry("Fresh", later - timedelta(hours=1)))
    draft = flow.ensure_draft(young, now=later)
    flow.place(draft, now=later)
    assert titles(draft) == ["Fresh"]
    (told,) = flow.why("Old News", young, now=later)
    assert (told.state, told.says) == ("out", "It was first seen long before the newsletter began: pin it to run it.")
