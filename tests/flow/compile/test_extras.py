"""What stands beside the reviews of a letter, from real rows: quote, second opinions, inserts, earlier reviews."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.core.content import Rating, Work, from_json, to_json
from newsletter.flow import compile as compiling
from newsletter.flow.compile import extras
from newsletter.flow.gather.mentioning import note
from newsletter.models import Entry, Issue, LeftOut, Mention, Picture, Placement, Review, SignupForm
from tests.flow.compile.fixtures import BASE, NOW, add, make_review

pytestmark = pytest.mark.django_db

LONG_AGO, RECENT = datetime(2026, 6, 4, 12, tzinfo=UTC), datetime(2026, 10, 22, 12, tzinfo=UTC)


def past_issue(issue: Issue, at: datetime) -> Issue:
    return Issue.objects.create(
        newsletter=issue.newsletter, slot=f"{at:%Y-%m-%d}", slot_at=at, cutoff_at=NOW, number=1, created_at=NOW
    )


def change(review: Review, **fields: object) -> Review:
    """Give a review of the store other content, as its source would."""
    entry = review.representative
    assert entry
    content = replace(from_json(entry.content), **fields)  # type: ignore[arg-type]
    Entry.objects.filter(pk=entry.pk).update(content=to_json(content), title=content.title)
    note(entry, content)
    return review


def lead_of(issue: Issue) -> Review:
    return Placement.objects.get(issue=issue, kind="card", position=1).review


def second(issue: Issue, position: int = 4, **fields: object) -> Placement:
    """Another critic on this week's lead."""
    placed = add(issue, "sunday", position=position)
    text = "I laughed, and on the way home I could not say at what. " * 3
    change(
        placed.review,
        **{"title": "Again", "title_clean": "Again", "authors": ("Bo Lindqvist",), "body_text": text, **fields},
    )
    return placed


def test_earlier_reviews_are_offered_but_never_recent_or_waiting_ones(issue: Issue) -> None:
    old = add(past_issue(issue, LONG_AGO), "night", state="sent")
    add(past_issue(issue, RECENT), "salt", state="sent")
    make_review("sunday")
    before = make_review("sunday", tray=Review.Tray.BASELINE)
    make_review("garden", tray=Review.Tray.BASELINE)
    content = compiling.issue_content(issue)
    # The same work and people as this week's lead and card; a game shares nothing with the week.
    assert [line.key for line in content.also_like] == [str(before.pk), str(old.review_id)]
    assert content.more == ()


def test_more_is_what_pages_name_then_what_is_of_the_same_rubrics_newest_first(issue: Issue) -> None:
    other = Work("Another", "Movie", "2020", ("Nobody Known",))
    named = change(make_review("mara", tray=Review.Tray.BASELINE), title="Tove Adeyemi: LANTERN Interview")
    movies = [
        change(
            make_review("sunday", tray=Review.Tray.BASELINE), work=other, title=f"Movie {n}", title_clean=f"Movie {n}"
        )
        for n in range(3)
    ]
    for age, review in enumerate(movies):
        Review.objects.filter(pk=review.pk).update(effective_at=datetime(2026, 3, 20 - age, tzinfo=UTC))
    change(lead_of(issue), related=("Tove Adeyemi: LANTERN Interview", "Nothing We Know"))
    content = compiling.issue_content(issue)
    assert [line.key for line in content.more] == [str(review.pk) for review in (named, *movies[:2])]
    assert content.also_like == ()


@pytest.mark.parametrize("why", ["sponsored", "for good", "reserved", "no address", "taken out of its tray"])
def test_what_must_not_run_is_not_linked_to(issue: Issue, why: str) -> None:
    review = make_review("sunday", tray=Review.Tray.BASELINE)
    assert [line.key for line in compiling.issue_content(issue).also_like] == [str(review.pk)]
    match why:
        case "sponsored":
            change(review, sponsored=True)
        case "for good":
            LeftOut.objects.create(newsletter=issue.newsletter, review=review, reason="No", at=NOW)
        case "reserved":
            later = past_issue(issue, datetime(2026, 11, 12, 13, tzinfo=UTC))
            Placement.objects.create(newsletter=issue.newsletter, issue=later, review=review, at=NOW)
        case "no address":
            Entry.objects.filter(review=review).update(url_key="")
        case _:
            Review.objects.filter(pk=review.pk).update(included_at=NOW)
    content = compiling.issue_content(issue)
    assert (content.also_like, content.more) == ((), ())


def test_earlier_reviews_cost_two_queries_however_many_there_are(issue: Issue) -> None:
    entries = [from_json(row.review.representative.content) for row in Placement.objects.filter(issue=issue)]  # type: ignore[union-attr]

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            extras.related(issue, entries)
        return len(captured)

    few = queries()
    for _ in range(12):
        make_review("sunday", tray=Review.Tray.BASELINE)
    assert queries() == few == 2


def test_a_changed_entry_is_found_by_what_it_mentions_now() -> None:
    review = make_review("sunday")
    assert "person:orla venn" in set(Mention.objects.values_list("key", flat=True))
    change(review, work=Work("The Quiet Floor", "Movie", "2026", ("Sol Whitaker",)))
    keys = set(Mention.objects.values_list("key", flat=True))
    assert {"person:sol whitaker", "work:the quiet floor"} <= keys
    assert not {"person:orla venn", "work:see you sunday"} & keys


def test_two_critics_on_one_work_are_a_pair_and_stand_nowhere_else(issue: Issue) -> None:
    placed = second(issue)
    content = compiling.issue_content(issue)
    assert [pair.with_lead for pair in content.pairs] == [True]
    assert [card.key for card in content.pairs[0].cards] == [str(placed.review_id)]
    assert str(placed.review_id) not in {card.key for card in content.cards}
    assert [each.number for each in content.placed] == [1, 2, 3, 4, 5]
    assert content.pairs[0].work == "See You Sunday"
    issue.blocks = {"pairs": False}
    assert compiling.issue_content(issue).pairs == ()
    assert str(placed.review_id) in {card.key for card in compiling.issue_content(issue).cards}


def test_a_pair_without_the_lead_has_both(issue: Issue) -> None:
    other = Work("The Quiet Floor", "Movie")
    one = second(
        issue, work=other, authors=("Ines Okafor",), body_text="Nobody leaves the table, and why should they. " * 3
    )
    two = second(issue, 5, work=other)
    content = compiling.issue_content(issue)
    (pair,) = content.pairs
    assert ([card.key for card in pair.cards], pair.with_lead) == ([str(one.review_id), str(two.review_id)], False)


def test_the_same_critic_twice_is_no_second_opinion(issue: Issue) -> None:
    second(issue, authors=("Mara Quill",))
    assert compiling.issue_content(issue).pairs == ()


BODY = (
    "The road of the title is forty miles long and white on both sides. "
    "Imre Vashti walks it twice in this novel, once at nineteen and once at seventy. "
    "Nothing is explained, and the whole village listens. "
    "A novel has rarely made silence sound so much like an argument with the weather."
)


def test_the_quote_is_a_sentence_that_the_letter_does_not_print_anyway(issue: Issue) -> None:
    change(lead_of(issue), body_text="He went on. " * 30 + f"\n{BODY}")
    content = compiling.issue_content(issue)
    quote = content.quote
    assert quote and content.lead
    assert quote.text in BODY and quote.text not in content.lead.excerpt
    assert (quote.credit, quote.url) == ("Mara Quill on See You Sunday", content.lead.url)


def test_the_editors_quote_wins_and_can_be_none(issue: Issue) -> None:
    issue.blocks = {"quote": {"review": lead_of(issue).pk, "text": "Go and see it."}}
    quote = compiling.issue_content(issue).quote
    assert quote and (quote.text, quote.rubric) == ("Go and see it.", "movie")
    assert quote.credit == "Mara Quill on See You Sunday"
    issue.blocks = {"quote": {}}
    assert compiling.issue_content(issue).quote is None


def test_a_quote_of_a_review_that_left_the_issue_gives_way_to_the_rule(issue: Issue) -> None:
    issue.blocks = {"quote": {"review": 999_999, "text": "Gone."}}
    quote = compiling.issue_content(issue).quote
    assert quote is None or quote.text != "Gone."


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        ({"title": "Print", "url": "https://lantern.example/print"}, True),
        ({"title": "Print", "url": "https://x.example", "start": "2026-11-05", "end": "2026-11-05"}, True),
        ({"title": "Print", "url": "https://x.example", "start": "2026-11-06"}, False),
        ({"title": "Print", "url": "https://x.example", "end": "2026-11-04"}, False),
        ({"title": "Print", "url": "https://x.example", "end": "soon"}, False),
        ({"title": "Print"}, False),
        ({}, False),
    ],
)
def test_the_print_magazine_hides_outside_its_dates(issue: Issue, table: dict[str, str], shown: bool) -> None:
    issue.newsletter.print_promo = table
    promo = compiling.issue_content(issue).promo
    assert (promo is not None) is shown
    if promo:
        assert promo.button == "Print"


def test_the_sponsor_is_the_first_whose_dates_hold_the_issue_or_the_editors(issue: Issue) -> None:
    booked = [
        {"title": "Past", "url": "https://a.example", "end": "2026-11-01"},
        {"title": "Now", "url": "https://b.example", "start": "2026-11-01", "end": "2026-11-30"},
        {"title": "Also", "url": "https://c.example"},
    ]
    issue.newsletter.sponsors = booked

    def shown() -> tuple[str, str] | None:
        found = compiling.issue_content(issue).sponsor
        return found and (found.label, found.title)

    assert shown() == ("Sponsored", "Now")
    issue.blocks = {"sponsor": {"title": "Mine", "url": "https://d.example"}}
    assert shown() == ("Sponsored", "Mine")
    issue.blocks = {"sponsor": {}}
    assert shown() is None
    issue.blocks, issue.newsletter.language = {}, "de"
    assert shown() == ("Anzeige", "Now")


def test_an_inserts_picture_is_ours_or_none(issue: Issue) -> None:
    table = {"title": "Club", "url": "https://b.example", "picture": "https://b.example/ad.png", "alt": "Four seats"}
    issue.newsletter.sponsors = [table]
    assert (found := compiling.issue_content(issue).sponsor) and found.picture is None
    Picture.objects.create(
        source_url="https://b.example/ad.png", name=f"aa/{'a' * 64}.png", width=600, height=200, fetched_at=NOW
    )
    assert (found := compiling.issue_content(issue).sponsor) and found.picture
    assert found.picture.url == f"{BASE}/media/aa/{'a' * 64}.png"
    assert (found.picture.alt, found.picture.shape) == ("Four seats", "wide")


@pytest.mark.parametrize(
    ("mode", "rated"), [("show", [True, True]), ("hide", [False, False]), ("rated rubrics", [True, False])]
)
def test_ratings_are_shown_hidden_or_for_rated_rubrics_alone(issue: Issue, mode: str, rated: list[bool]) -> None:
    Placement.objects.filter(issue=issue, position__gt=1).delete()
    feature = change(add(issue, "mara", position=2).review, rating=Rating("4", "5"))
    issue.newsletter.ratings = mode
    shown = compiling.issue_content(issue).shown
    assert [card.rating is not None for card in shown] == rated
    assert shown[1].key == str(feature.pk)


def test_an_editors_pick_and_the_music_to_read_by(issue: Issue, edit: Callable[..., None]) -> None:
    edit(issue, 2, pick="yes")
    issue.blocks = {"listen": {"title": "Tin Hymnal", "url": "https://lantern.example/listen"}}
    content = compiling.issue_content(issue)
    assert [card.pick for card in content.shown] == [False, True, False]
    assert content.issue.listen and content.issue.listen.title == "Tin Hymnal"


def test_the_sign_up_form_is_linked_while_it_is_open(issue: Issue) -> None:
    assert compiling.issue_content(issue).subscribe_url == ""
    form = SignupForm.objects.create(slug="weekly", newsletter=issue.newsletter)
    assert compiling.issue_content(issue).subscribe_url == f"{BASE}/s/weekly"
    form.is_open = False
    form.save()
    assert compiling.issue_content(issue).subscribe_url == ""


def test_privacy_leads_to_the_magazines_page_or_ours(issue: Issue) -> None:
    assert compiling.issue_content(issue).magazine.privacy_url == f"{BASE}/privacy/weekly"
    issue.newsletter.magazine.privacy_url = "https://lantern.example/privacy"
    assert compiling.issue_content(issue).magazine.privacy_url == "https://lantern.example/privacy"
