"""Gather: what is new, what is known, what failed; never lost, never twice, and never one source for another."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image

from newsletter.core.content import EntryContent, PictureRef
from newsletter.core.errors import SourceError
from newsletter.flow import gather as gather_module
from newsletter.flow import issue as flow
from newsletter.flow.gather import gather
from newsletter.models import Entry, Event, Newsletter, Picture, Placement, Poll, Review, Source
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.fetch import Fetcher
from tests.factories import make_newsletter, make_source
from tests.flow.desk import EDITOR, Desk, entry, issue_of, local, review, titles

pytestmark = pytest.mark.django_db

MONDAY = "2015-11-02 10:00"
DAY = timedelta(days=1)


@pytest.fixture
def desk() -> Desk:
    return Desk(starts_at=local("2015-01-01 00:00"), min_reviews=1)


class Answering:
    """A source of any kind that gives what a test wants."""

    def __init__(self, kind: str, answer: Callable[[SourceSpec], Gathered]) -> None:
        self.kind = kind
        self.gather = answer


def snapshot() -> list[Any]:
    """Everything that gathering made, but for when it was last seen."""
    reviews = list(Review.objects.order_by("pk").values())
    entries = list(Entry.objects.order_by("pk").values())
    for row in entries:
        row.pop("last_seen_at")
    return [reviews, entries, list(Placement.objects.order_by("pk").values()), list(Event.objects.values())]


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


# --- first import, stale, flood -----------------------------------------------------------------------------------


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


# --- gaps ---------------------------------------------------------------------------------------------------------


def test_a_feed_that_shares_nothing_with_its_last_poll_may_have_lost_posts(desk: Desk) -> None:
    desk.gather(MONDAY, entry("One", "2015-11-02 09:00"))
    desk.shelves["feed"] = (entry("Two", "2015-11-04 09:00"),)
    (told,) = desk.poll("2015-11-04 10:00").sources
    assert "posts between 2015-11-02 15:00 and 2015-11-04 14:00 UTC may have been missed" in told.warnings[0]
    desk.shelves["feed"] = (entry("Three", "2015-11-04 10:30"), *desk.shelves["feed"])  # type: ignore[misc]
    assert desk.poll("2015-11-04 11:00").sources[0].warnings == ()


def test_new_guids_at_known_addresses_are_no_gap(desk: Desk) -> None:
    piece = entry("One", "2015-11-02 09:00")
    desk.gather(MONDAY, piece)
    desk.change(piece, guid="changed")
    report = desk.poll("2015-11-02 11:00")
    assert (report.new, report.sources[0].warnings) == (0, ())


# --- identity -----------------------------------------------------------------------------------------------------


def test_a_guid_used_again_for_another_article_is_a_new_review_and_stays_one(desk: Desk) -> None:
    piece = entry("The Quiet Harbour", "2015-11-02 09:00")
    desk.gather(MONDAY, piece)
    other = replace(entry("Midnight Circus", "2015-11-03 09:00"), guid=piece.guid)
    desk.shelves["feed"] = (other,)
    assert desk.poll("2015-11-03 10:00").new == 1
    before = snapshot()
    assert desk.poll("2015-11-03 11:00").new == 0
    assert snapshot() == before
    desk.shelves["feed"] = (replace(other, body_text="Rewritten."), piece)
    report = desk.poll("2015-11-03 12:00")
    assert (report.new, report.changed) == (0, 1)
    third = replace(entry("Saltwater Hymns", "2015-11-04 09:00"), guid=piece.guid)
    desk.shelves["feed"] = (third,)
    assert desk.poll("2015-11-04 10:00").new == 1
    assert sorted(titles(desk.draft("2015-11-04 11:00"))) == ["Midnight Circus", "Saltwater Hymns", "The Quiet Harbour"]


def test_the_same_post_id_at_the_same_site_is_one_review(desk: Desk) -> None:
    desk.add_source("rest", preference=50)
    guid = "https://lantern.example.test/?p=7"
    desk.gather(MONDAY, entry("Nightjar", "2015-11-02 09:00", guid=guid))
    elsewhere = entry("Nightjar", "2015-11-02 09:00", guid=guid, url="https://lantern.example.test/2015/nightjar/")
    assert desk.gather("2015-11-02 11:00", elsewhere, source="rest").new == 0
    assert review("Nightjar").entries.count() == 2


def test_two_entries_of_one_poll_with_one_address_are_one_review(desk: Desk) -> None:
    piece = entry("Nightjar", "2015-11-02 09:00")
    report = desk.gather(MONDAY, piece, replace(piece, guid="twice", url=f"{piece.url}?utm_medium=rss"))
    assert report.new == 1
    assert desk.poll("2015-11-02 11:00").changed == 0


def test_an_entry_that_a_feed_lists_twice_does_not_change_at_every_poll(desk: Desk) -> None:
    piece = entry("Nightjar", "2015-11-02 09:00")
    desk.shelves["feed"] = (piece, replace(piece, body_text="A shorter text."))
    assert desk.poll(MONDAY).new == 1
    assert desk.poll("2015-11-02 11:00").changed == 0


def test_a_review_shows_its_preferred_source_then_full_text_then_the_earliest(desk: Desk) -> None:
    desk.add_source("partner", preference=200)
    desk.add_source("better", preference=10)
    full = entry("Nightjar", "2015-11-02 09:00", word_count=900)
    teaser = replace(full, guid="teaser", word_count=40, body_text="Night falls.")

    def shown() -> str:
        representative = review("Nightjar").representative
        assert representative is not None
        return f"{representative.source.slug} {representative.content['word_count']}"

    desk.gather(MONDAY, replace(full, guid="partner"), source="partner")
    assert shown() == "partner 900"
    desk.gather("2015-11-02 11:00", teaser)
    assert shown() == "feed 40"
    desk.gather("2015-11-02 12:00", replace(teaser, guid="better"), source="better")
    assert shown() == "better 40"


def test_full_text_is_shown_rather_than_a_teaser_of_an_equal_source(desk: Desk) -> None:
    desk.add_source("other")
    full = entry("Nightjar", "2015-11-02 09:00", word_count=900)
    desk.gather(MONDAY, replace(full, guid="teaser", word_count=40))
    desk.gather("2015-11-02 11:00", full, source="other")
    assert review("Nightjar").representative.content["word_count"] == 900  # type: ignore[union-attr]


def test_very_long_keys_and_foreign_titles_are_stored(desk: Desk) -> None:
    long = "ü" * 900
    desk.gather(
        MONDAY,
        entry("Nightjar\u2028{{ 7*7 }}", "2015-11-02 09:00", guid=long, url=f"https://a.example.test/{long}?p={long}"),
        entry("مراجعة", "2015-11-02 09:00", guid="tag:a.example.test,2015:" + "x" * 500),
    )
    assert desk.poll("2015-11-02 11:00").new == 0
    assert Review.objects.count() == 2


# --- updates ------------------------------------------------------------------------------------------------------


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


# --- pictures -----------------------------------------------------------------------------------------------------


def picture_of(origin: str, path: str, **fields: Any) -> EntryContent:
    refs = (PictureRef(f"{origin}/inline.png", role="inline"), PictureRef(f"{origin}{path}", alt="A bird."))
    return entry(f"Work at {path}", "2015-11-02 09:00", pictures=refs, **fields)


def test_the_lead_picture_is_stored_and_a_broken_one_holds_nothing_up(desk: Desk, tmp_path: Path) -> None:
    with pictures() as (origin, opening, asked):
        fetcher = Fetcher(allow=frozenset({opening}))
        report = desk.gather(
            MONDAY,
            picture_of(origin, "/bird.png"),
            picture_of(origin, "/gone.png"),
            entry("Without", "2015-11-02 09:00"),
            fetcher=fetcher,
            media_folder=tmp_path,
        )
        assert (report.new, report.pictures, report.picture_errors) == (3, 1, 1)
        again = desk.poll("2015-11-02 10:10", fetcher=fetcher, media_folder=tmp_path)
        assert (again.pictures, again.picture_errors) == (0, 0)
        assert sorted(asked) == ["/bird.png", "/gone.png"], "the lead only, and each once"
        later = desk.poll("2015-11-02 11:10", fetcher=fetcher, media_folder=tmp_path)
        assert (later.pictures, later.picture_errors) == (0, 1)
        long_after = desk.poll("2015-11-09 11:10", fetcher=fetcher, media_folder=tmp_path)
        assert (long_after.pictures, long_after.picture_errors) == (0, 0)
    stored = Picture.objects.get(source_url__endswith="/bird.png")
    assert (stored.error, stored.width, stored.media_type) == ("", 64, "image/jpeg")
    assert (tmp_path / stored.name).stat().st_size == stored.size
    assert "status 404" in Picture.objects.get(source_url__endswith="/gone.png").error
    assert len(titles(desk.draft("2015-11-02 12:00"))) == 3


def test_the_pictures_of_sponsors_are_fetched_and_ours_are_not_asked_for(desk: Desk, tmp_path: Path) -> None:
    with pictures() as (origin, opening, asked):
        newsletter = Newsletter.objects.get()
        insert = {"title": "Club", "url": "https://orpheum.example.org/"}
        newsletter.sponsors = [{**insert, "picture": f"{origin}/bird.png"}, insert]
        newsletter.print_promo = {**insert, "picture": f"{settings.NEWSLETTER.base_url}/media/aa/b.png"}
        newsletter.save()
        fetcher = Fetcher(allow=frozenset({opening}), pause=0)
        for stored in (1, 0):
            report = gather(now=local("2015-11-02 10:00"), fetcher=fetcher, media_folder=tmp_path, sources=[])
            assert (report.pictures, report.picture_errors) == (stored, 0)
        assert asked == ["/bird.png"]


def test_a_picture_is_stored_as_wide_as_the_widest_design_wants_it(
    desk: Desk, tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=tmp_path)
    for name, text in (("small", "picture_width = 240"), ("tiny", "picture_width = 120"), ("broken", "= no TOML")):
        folder = tmp_path / "templates" / "email" / name
        folder.mkdir(parents=True)
        (folder / "design.toml").write_text(text)
    buffer = io.BytesIO()
    Image.new("RGB", (2000, 1000), "teal").save(buffer, "PNG")
    alone = desk.add_source("alone")
    other = make_newsletter(slug="other", design="tiny")
    other.sources.add(alone)
    desk.newsletter.sources.remove(alone)

    def stored(design: str, name: str, source: str = "feed") -> int:
        desk.newsletter.design = design
        desk.newsletter.save()
        with pictures(buffer.getvalue()) as (origin, opening, _):
            content = replace(
                picture_of(origin, "/bird.png"), title=name, guid=name, url=f"https://x.example.test/{name}"
            )
            desk.gather(
                MONDAY, content, source=source, fetcher=Fetcher(allow=frozenset({opening})), media_folder=tmp_path
            )
        return int(Picture.objects.get(source_url=f"{origin}/bird.png").width)

    assert stored("small", "one") == 240
    assert stored("small", "two", "alone") == 120, "only the newsletters that use a source count"
    other.sources.add(Source.objects.get(slug="feed"))
    assert stored("small", "three") == 240, "the widest of two"
    other.delete()
    assert stored("broken", "four") == 1200
    assert "can't be read: broken/design.toml" in caplog.text


def test_a_full_disk_and_an_endless_address_cost_a_picture_and_no_review(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gather_module.pictures.media, "store_picture", full)
    endless = "/" + "x" * 2100
    report = desk.gather(
        MONDAY,
        picture_of("https://a.example.test", "/bird.png"),
        picture_of("https://a.example.test", endless),
        media_folder=tmp_path,
    )
    assert (report.new, report.pictures, report.picture_errors) == (2, 0, 2)
    assert "No space left" in Picture.objects.get().error


@contextmanager
def pictures(bird: bytes = b"") -> Iterator[tuple[str, tuple[str, int], list[str]]]:
    """A site with one picture: (origin, what opens the guard for it, the paths that were asked for)."""
    asked: list[str] = []
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, "PNG")
    bird = bird or buffer.getvalue()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = bird if self.path == "/bird.png" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        port = server.server_address[1]
        yield f"http://127.0.0.1:{port}", ("127.0.0.1", port), asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
