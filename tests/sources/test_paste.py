"""The review that started the project, as its invented twin: pasted with everything that stood round it."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from newsletter.core.content import EntryContent
from newsletter.core.dates import read_release
from newsletter.core.errors import ContentError, SourceError
from newsletter.sources.base import SourceSpec
from newsletter.sources.paste import PasteSource, read_paste

SPEC = SourceSpec(name="Paste", kind="paste", location="", brand="LANTERN")
TEXT = (Path(__file__).parent.parent / "fixtures" / "pastes" / "see-you-sunday.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sunday() -> EntryContent:
    return read_paste(TEXT, SPEC)


def test_the_title_loses_its_rubric_at_the_last_colon_only(sunday: EntryContent) -> None:
    assert (
        sunday.title == "‘See You Sunday’ Lets a Family Argue in the Kitchen: It Is Kinder Than It Looks: Movie Review"
    )
    assert sunday.title_clean == "‘See You Sunday’ Lets a Family Argue in the Kitchen: It Is Kinder Than It Looks"
    assert (sunday.rubric, sunday.rubric_label) == ("movie", "Movie Review")


def test_there_is_one_work_one_author_one_credit(sunday: EntryContent) -> None:
    assert sunday.work is not None and (sunday.work.title, sunday.work.type) == ("See You Sunday", "movie")
    assert (sunday.authors, sunday.byline) == (("Mara Quill",), "Mara Quill")
    assert sunday.credit == "Photos via See You Sunday"


def test_there_are_seven_paragraphs_and_a_release_line(sunday: EntryContent) -> None:
    paragraphs = sunday.body_text.split("\n\n")
    assert len(paragraphs) == sunday.body_html.count("<p>") == 7
    assert not any(paragraph.endswith(("\u00a0", " ")) for paragraph in paragraphs)
    assert sunday.release is not None
    assert (sunday.release.raw, sunday.release.precision, sunday.release.verb, sunday.release.where) == (
        "See You Sunday premieres in theaters Nov. 6.",
        "month-day",
        "premieres",
        "in theaters",
    )
    assert (sunday.word_count > 440, sunday.reading_minutes) == (True, 2)


def test_the_year_of_the_release_comes_from_the_date_of_publication() -> None:
    release = read_release("See You Sunday premieres in theaters Nov. 6.", date(2026, 11, 2))
    assert release is not None and release.date == date(2026, 11, 6)


def test_nothing_of_the_page_round_it_is_in_the_body(sunday: EntryContent) -> None:
    for junk in ("More from", "print magazine", "inbox", "About Us", "©", "also like", "Subscribe", "Photos via"):
        assert junk not in sunday.body_text and junk not in sunday.body_html


def test_three_related_titles_of_three_kinds_are_kept(sunday: EntryContent) -> None:
    assert [title.rpartition(": ")[2] for title in sunday.related] == [
        "Concert Review",
        "Movie Review",
        "LANTERN Interview",
    ]
    assert "#30DaysLive" in sunday.related[1]


def test_no_rating_is_none_and_never_zero(sunday: EntryContent) -> None:
    assert sunday.rating is None


def test_what_the_paste_does_not_say_is_listed(sunday: EntryContent) -> None:
    assert sunday.warnings == ("the paste does not say an address, a date, a language",)


def test_the_excerpt_is_whole_sentences_and_marked_as_automatic(sunday: EntryContent) -> None:
    assert sunday.dek.startswith("Every family has a sentence") and sunday.dek.endswith("in the background.")
    assert sunday.origins["dek"] == "auto"


def test_windows_and_old_mac_line_ends_change_nothing(sunday: EntryContent) -> None:
    assert read_paste(TEXT.replace("\n", "\r\n"), SPEC) == sunday
    assert read_paste(TEXT.replace("\n", "\r"), SPEC) == sunday


def test_a_quotation_mark_in_a_pasted_address_ends_no_attribute() -> None:
    entry = read_paste('Nightjar: Album Review\nhttps://x.example/"onmouseover=alert(1)\n\nQuiet, and then not.', SPEC)
    assert entry.url == "https://x.example/%22onmouseover=alert(1)"


def test_pasted_markup_is_read_as_markup() -> None:
    entry = read_paste("<h1>Nightjar: Album Review</h1><p>by Ed Kerr</p><p>Quiet and then not.</p>", SPEC)
    assert entry.body_text.endswith("Quiet and then not.")


def test_text_wrapped_as_in_a_mail_keeps_its_paragraphs() -> None:
    entry = read_paste(
        "Nightjar: Album Review\nby Ed Kerr\nhttps://lantern.example.org/nightjar\n\nQuiet, and\nthen not.\n\nAnd then\nquiet again.\n",
        SPEC,
    )
    assert entry.body_text == "Quiet, and then not.\n\nAnd then quiet again."
    assert entry.url == "https://lantern.example.org/nightjar"
    assert (entry.rubric, entry.authors) == ("music", ("Ed Kerr",))


def test_markup_and_templates_in_a_paste_stay_words() -> None:
    entry = read_paste("{{ 7*7 }} <b> & Co: Film Review\n\nWords <script>alert(1)</script> {% raw %}.", SPEC)
    assert entry.title_clean == "{{ 7*7 }} <b> & Co"
    assert entry.body_html == "<p>Words &lt;script&gt;alert(1)&lt;/script&gt; {% raw %}.</p>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" \n\u00a0\n", "empty"),
        ("Only a Title: Movie Review", "no text"),
        ("x" * 600_000, "longer than"),
    ],
)
def test_a_paste_that_can_not_be_a_review_says_why(text: str, words: str) -> None:
    with pytest.raises(ContentError, match=words):
        read_paste(text, SPEC)


def test_a_paste_is_a_source_of_one_entry(sunday: EntryContent) -> None:
    gathered = PasteSource().gather(SourceSpec(name="Paste", kind="paste", location=TEXT, brand="LANTERN"))
    assert gathered.entries == (sunday,)
    with pytest.raises(SourceError, match="Paste: The paste is empty"):
        PasteSource().gather(SPEC)
