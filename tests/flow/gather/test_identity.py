"""Which entries are one review, which are two, and when posts may have been missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.models import Review
from tests.flow.desk import Desk, entry, review, titles
from tests.flow.gather.answering import MONDAY, snapshot

pytestmark = pytest.mark.django_db


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
