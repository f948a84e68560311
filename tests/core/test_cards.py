from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from newsletter.core import cards
from newsletter.core.content import EntryContent, Rating, Release, Work
from newsletter.core.context import CalendarDay
from newsletter.core.context import Rating as Shown
from tests.letters.issues import ENTRIES

DAY = date(2026, 11, 5)
LUNCH = ENTRIES["sunday"]


@pytest.mark.parametrize(
    ("value", "best", "shown"),
    [
        ("4", "5", Shown("4 out of 5", "★★★★☆", "stars", "4", "5")),
        ("3.5", "5", Shown("3.5 out of 5", "★★★½☆", "stars", "3.5", "5")),
        ("0", "4", Shown("0 out of 4", "☆☆☆☆", "stars", "0", "4")),
        ("3.7", "5", Shown("3.7 out of 5", kind="number", value="3.7", best="5")),
        ("8.3", "10", Shown("8.3 out of 10", kind="number", value="8.3", best="10")),
        ("87", "100", Shown("87 out of 100", kind="number", value="87", best="100")),
        ("6", "5", Shown("6 out of 5", kind="number", value="6", best="5")),
        ("B+", "A+", Shown("B+", kind="letter", value="B+")),
        ("must see", "", Shown("must see", kind="words", value="must see")),
    ],
)
def test_a_rating_keeps_its_own_scale(value: str, best: str, shown: Shown) -> None:
    assert cards.rating(Rating(value, best), "en") == shown


@pytest.mark.parametrize(
    ("language", "text"),
    [("de", "8,3 von 10"), ("fr", "8,3 sur 10"), ("es", "8,3 de 10"), ("it", "8,3 su 10"), ("zh", "8.3（满分 10）")],
)
def test_a_rating_has_its_languages_decimal_sign(language: str, text: str) -> None:
    assert cards.rating(Rating("8.3", "10"), language) == Shown(text, kind="number", value=text[:3], best="10")


def test_a_grade_keeps_its_sign_behind_it_in_a_text_from_right_to_left() -> None:
    for value in ("B+", "A-"):
        assert cards.rating(Rating(value, "A+"), "ar") == Shown(f"\u2068{value}\u2069", kind="letter", value=value)
    assert cards.rating(Rating("رائع", ""), "ar") == Shown("رائع", kind="words", value="رائع")


@pytest.mark.parametrize(
    ("width", "height", "rubric", "shape"),
    [
        (1200, 675, "book", "wide"),
        (480, 720, "movie", "tall"),
        (700, 720, "movie", "square"),
        (0, 0, "book", "tall"),
        (0, 0, "music", "square"),
        (0, 0, "", ""),
    ],
)
def test_a_picture_has_the_shape_of_its_measures_or_of_its_rubric(
    width: int, height: int, rubric: str, shape: str
) -> None:
    assert cards.shape_of(width, height, rubric) == shape


def test_a_concert_that_is_over_still_has_its_day_and_place() -> None:
    work = Work("Pia Lund", "MusicEvent", "", ("Pia Lund",), (), "Corn Hall")
    concert = replace(LUNCH, rubric="concert", event_date=DAY - timedelta(3), work=work)
    card = cards.card("1", concert, on=DAY, language="de")
    assert card.event == CalendarDay("Mo", "2", "Nov")
    assert (card.venue, card.stub, card.critics) == ("Corn Hall", None, "Mara Quill")
    assert cards.card("1", LUNCH, on=DAY, language="en").event is None


def test_a_missing_rating_is_no_rating() -> None:
    assert cards.rating(None, "en") is None
    assert cards.rating(Rating("", "5"), "en") is None


def test_a_rating_speaks_the_language() -> None:
    shown = cards.rating(Rating("4", "5"), "ja")
    assert shown and shown.text == "5点中4点"


def opening(rubric: str, day: date | None, **more: str) -> EntryContent:
    return replace(LUNCH, rubric=rubric, release=Release(day, "day", **more))


@pytest.mark.parametrize(
    ("entry", "label", "day"),
    [
        (opening("movie", DAY + timedelta(1), where="theaters"), "In theaters", "Fri, Nov 6"),
        (opening("movie", DAY, where="theaters"), "In theaters now", ""),
        (opening("movie", DAY - timedelta(45), raw="Opened in cinemas"), "In theaters now", ""),
        (opening("movie", DAY + timedelta(1), where="Streamly"), "Starts", "Fri, Nov 6"),
        (opening("movie", DAY - timedelta(1), where="Streamly"), "Streaming now", ""),
        (opening("movie", DAY + timedelta(1)), "Opens", "Fri, Nov 6"),
        (opening("tv", DAY + timedelta(1)), "Starts", "Fri, Nov 6"),
        (opening("theatre", DAY), "On now", ""),
        (opening("book", DAY + timedelta(1)), "Out", "Fri, Nov 6"),
        (opening("", DAY), "Out now", ""),
        (replace(LUNCH, rubric="concert", event_date=DAY), "Live", "Thu, Nov 5"),
    ],
)
def test_the_stub_says_what_is_true_on_the_day(entry: EntryContent, label: str, day: str) -> None:
    stub = cards.stub(entry, on=DAY, language="en")
    assert stub and (stub.label, stub.day) == (label, day)


@pytest.mark.parametrize(
    "entry",
    [
        replace(LUNCH, release=None),
        opening("movie", None),
        opening("movie", DAY - timedelta(46)),
        replace(LUNCH, rubric="concert", event_date=DAY - timedelta(1)),
        replace(LUNCH, rubric="concert"),
    ],
)
def test_what_is_old_or_over_has_no_stub(entry: EntryContent) -> None:
    assert cards.stub(entry, on=DAY, language="en") is None


def test_facts_follow_the_rubric() -> None:
    assert cards.facts(LUNCH, "en") == "Directed by Orla Venn · With Dara Okoye and Finn Abara"
    assert cards.facts(ENTRIES["salt"], "en") == "Imre Vashti · Harbour & Pike · 2026"
    assert cards.facts(replace(ENTRIES["hall"], event_date=DAY), "en") == "Corn Hall · Thu, Nov 5"
    assert cards.facts(replace(LUNCH, rubric="essay"), "en") == ""
    assert cards.facts(replace(LUNCH, work=None), "en") == ""
    assert cards.facts(replace(LUNCH, work=Work("x")), "en") == ""


def test_who_made_it_is_not_said_twice() -> None:
    work = Work("Slow Weather", creators=("Ada Fontaine",))
    album = replace(LUNCH, rubric="music", work=work)
    assert cards.facts(replace(album, title_clean="Ada Fontaine, ‘Slow Weather’"), "en") == ""
    assert cards.facts(replace(album, title_clean="‘Slow Weather’ Rains"), "en") == "Ada Fontaine"


@pytest.mark.parametrize(("minutes", "shown"), [(0, ""), (1, ""), (2, "2 min"), (7, "7 min")])
def test_one_minute_is_not_worth_saying(minutes: int, shown: str) -> None:
    assert cards.card("1", replace(LUNCH, reading_minutes=minutes), on=DAY, language="en").minutes == shown


def test_the_byline_is_put_in_the_issues_language_once() -> None:
    assert cards.byline(LUNCH, "de") == "Von Mara Quill"
    assert cards.byline(replace(LUNCH, authors=(), byline="Mara Quill with Bo"), "en") == "By Mara Quill with Bo"
    assert cards.byline(replace(LUNCH, authors=(), byline=""), "en") == ""


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (LUNCH, "Read the review of See You Sunday"),
        (replace(LUNCH, work=Work("A Title That Is Longer Than a Button")), "Read the review"),
        (ENTRIES["mara"], "Read the interview"),
        (ENTRIES["list"], "Read the whole piece"),
    ],
)
def test_links_say_where_they_go(entry: EntryContent, words: str) -> None:
    assert cards.read_label(entry, "en") == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("via Halo Pictures", "Photo: Halo Pictures"),
        ("Lena Moss", "Photo: Lena Moss"),
        ("Photos: Lena Moss", "Photos: Lena Moss"),
        ("© Halo", "© Halo"),
        ("Artwork: Lena Moss", "Artwork: Lena Moss"),
        ("Cover art: Lena Moss", "Cover art: Lena Moss"),
        ("Photo: Artwork: Lena Moss", "Artwork: Lena Moss"),
        ("Photo: Photos via Halo", "Photos via Halo"),
        ("Via Photos by Lena Moss", "Photos by Lena Moss"),
        ("by Lena Moss", "Photo: Lena Moss"),
        ("Stillwater Pictures", "Photo: Stillwater Pictures"),
        ("", ""),
    ],
)
def test_a_credit_is_introduced_once(text: str, shown: str) -> None:
    assert cards.credit(text, "en") == shown


def test_a_dek_that_repeats_the_opening_is_left_out() -> None:
    first = LUNCH.body_text.split(". ")[0] + "."
    assert cards.card("1", replace(LUNCH, dek=first), on=DAY, language="en").dek == ""
    assert cards.card("1", replace(LUNCH, dek="Go and see it."), on=DAY, language="en").dek == "Go and see it."
    alone = cards.card("1", replace(LUNCH, dek="Go and see it.", body_text=""), on=DAY, language="en")
    assert (alone.dek, alone.excerpt) == ("", "Go and see it.")


def test_a_foreign_review_says_its_language_and_direction() -> None:
    card = cards.card("1", replace(LUNCH, language="ar"), on=DAY, language="en")
    assert (card.lang, card.dir) == ("ar", "rtl")
    card = cards.card("1", replace(LUNCH, language="fr"), on=DAY, language="en")
    assert (card.lang, card.dir) == ("fr", "")
    card = cards.card("1", replace(LUNCH, language="en-GB"), on=DAY, language="en-US")
    assert (card.lang, card.dir) == ("", "")


def test_text_that_runs_the_other_way_is_isolated() -> None:
    assert cards.isolated("Night Bus", "ar") == "\u2068Night Bus\u2069"
    assert cards.isolated("حافلة الليل", "en") == "\u2068حافلة الليل\u2069"
    assert cards.isolated("Night Bus", "en") == "Night Bus"
    assert cards.isolated("1984", "ar") == "1984"
    assert cards.line("1", LUNCH, language="he").byline == "מאת \u2068Mara Quill\u2069"


@pytest.mark.parametrize(
    ("title", "language", "own", "direction", "isolated"),
    [
        ("‘Night Bus’", "en", "", "", "‘Night Bus’"),
        ("‘حافلة’ (‘Night Bus’)", "en", "", "", "\u2066‘حافلة’ (‘Night Bus’)\u2069"),
        ("‘Night Bus’ (‘حافلة’)", "en", "", "", "‘Night Bus’ (‘حافلة’)"),
        ("حافلة الليل!", "en", "", "rtl", "\u2068حافلة الليل!\u2069"),
        ("‘Night Bus’ (‘حافلة’)", "en", "ar", "rtl", "\u2067‘Night Bus’ (‘حافلة’)\u2069"),
        ("Night Bus!", "ar", "", "ltr", "\u2068Night Bus!\u2069"),
        ("‘Night Bus’ (‘حافلة’)", "ar", "", "", "\u2067‘Night Bus’ (‘حافلة’)\u2069"),
        ("1984", "ar", "", "", "1984"),
    ],
)
def test_a_title_in_two_scripts_keeps_the_direction_round_it(
    title: str, language: str, own: str, direction: str, isolated: str
) -> None:
    line = cards.line("1", replace(LUNCH, title_clean=title, language=own), language=language)
    assert (line.title_dir, line.isolated) == (direction, isolated)


def test_what_is_paid_for_says_so() -> None:
    paid = replace(LUNCH, sponsored=True)
    assert cards.card("1", paid, on=DAY, language="en").kicker == "Sponsored"
    assert cards.line("1", paid, language="de").kicker == "Anzeige"


def test_an_unsorted_review_keeps_its_sources_label() -> None:
    entry = replace(LUNCH, rubric="", rubric_label="Radio Play")
    assert cards.card("1", entry, on=DAY, language="de").kicker == "Radio Play"
    assert cards.line("1", entry, language="de").kicker == "Radio Play"
