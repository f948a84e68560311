"""Bodies: what stands round an article goes, what belongs to it is taken apart."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.body import byline_of, read_body
from newsletter.core.page import read_page

PROSE = "This paragraph has as many words as a paragraph of a review usually has, which is to say more than forty of them, so that nobody could take it for a teaser, a caption, a credit or anything else that stands round an article without being a part of it. "


@pytest.mark.parametrize(
    "line",
    [
        "Continue reading…", "The post Harbor appeared first on LANTERN.", "Advertisement", "Related: Ten films about rain", "Read more: All our reviews", "Sign up for our weekly newsletter", "The best of LANTERN in your inbox!",
        "Get the print magazine.", "Share this:", "Share on Facebook", "Tweet", "Follow us on Instagram", "Support our journalism", "12 shares", "3 Comments", "Filed under: Film, Reviews", "This post contains affiliate links.",
        "We use cookies to make things better.", "©2023 Lantern Press LLC.  All Right Reserved.", "Copyright 2026 LANTERN", "Home › Reviews › Film", "Click here to enter", "Buy now on Amazon", "[photogallery]", "[caption id=5]",
        "La entrada Puerto se publicó primero en FARO.", "Der Beitrag Hafen erschien zuerst auf LATERNE.", "Anzeige",
    ],
)  # fmt: skip
def test_a_junk_line_is_left_out_wherever_it_stands(line: str) -> None:
    for markup in (
        f"<p>{PROSE}</p><p>{line}</p><p>{PROSE}</p>",
        f"<p>{line}</p><p>{PROSE}</p>",
        f"<p>{PROSE}</p><p>{line}</p>",
        f"<p>{PROSE}</p><ul><li>{line}</li></ul>",
    ):
        body = read_body(markup)
        assert set(body.text.split("\n\n")) == {PROSE.strip()}, body.text


@pytest.mark.parametrize(
    "line",
    [
        "Share prices fall in this film, and so does everybody.",
        "The best seat is in your living room.",
        "Buy the ticket, take the ride, it says; I did both.",
        "“Advertisement,” she says, is a love story.",
        "He laughs [sic] and leaves.",
        "[laughs] It was raining.",
        "More from the same director would be welcome, since this one has only begun to say what he wants to say.",
    ],
)
def test_a_sentence_that_only_sounds_like_junk_stays(line: str) -> None:
    assert line in read_body(f"<p>{PROSE}</p><p>{line}</p><p>{PROSE}</p>").text


@pytest.mark.parametrize(
    "box",
    [
        '<div class="sharedaddy">x words</div>',
        '<div id="comments">x words</div>',
        '<section class="post-related-posts">x words</section>',
        "<aside>x words</aside>",
        "<nav>x words</nav>",
        "<form>x words</form>",
        '<p class="newsletter-signup">x words</p>',
        '<div role="navigation">x words</div>',
        '<div class="cookie-notice">x words</div>',
        "<script>x words</script>",
        "<style>x words</style>",
    ],
)
def test_a_box_that_is_named_as_junk_is_left_out(box: str) -> None:
    assert "x words" not in read_body(f"<p>{PROSE}</p>{box}<p>{PROSE}</p>").text


def test_a_body_that_is_named_like_junk_as_a_whole_is_still_the_body() -> None:
    assert read_body(f'<div class="content with-related-posts"><p>{PROSE}</p><p>{PROSE}</p></div>').text.startswith(
        "This paragraph"
    )


def test_a_list_of_other_articles_between_two_paragraphs_is_cut_out() -> None:
    body = read_body(f"<p>{PROSE}</p><h3>You may also like</h3><ul><li>One</li><li>Two</li></ul><p>{PROSE} End.</p>")
    assert body.related == ("One", "Two")
    assert body.text.split("\n\n") == [PROSE.strip(), f"{PROSE}End.".strip()]


def test_a_heading_with_nothing_under_it_is_never_printed() -> None:
    assert (
        read_body(f"<h2>Harbor</h2><p>{PROSE}</p><h3>You may also like</h3>", title="Harbor").html
        == f"<p>{PROSE.strip()}</p>"
    )
    assert read_body(f"<hr><p>{PROSE}</p><h3>Coda</h3><hr>").html == f"<p>{PROSE.strip()}</p>"


def test_the_title_and_the_byline_at_the_front_are_taken_off() -> None:
    body = read_body(
        f"<h1>Harbor: Film Review</h1><p>by Mara Quill and Ed Kerr</p><p>{PROSE}</p>", title="‘Harbor’: Film Review"
    )
    assert byline_of(body) == ("Mara Quill", "Ed Kerr")
    assert body.html == f"<p>{PROSE.strip()}</p>"


def test_a_byline_at_the_end_counts_too() -> None:
    assert read_body(f"<p>{PROSE}</p><p>Words: Ana Sol</p>").byline == "Words: Ana Sol"


def test_an_authors_box_is_kept_apart() -> None:
    body = read_body(f'<p>{PROSE}</p><div class="author-bio"><b>Ed Kerr</b> owns three umbrellas.</div>')
    assert body.author_bio == "Ed Kerr owns three umbrellas." and "umbrellas" not in body.text


def test_the_credit_of_the_article_goes_to_pictures_without_one() -> None:
    body = read_body(
        f"<img src='https://a.test/a.jpg'><img src='https://a.test/b.jpg'><p>{PROSE}</p><p>Photos via Harbor Films</p>"
    )
    assert [picture.credit for picture in body.pictures] == ["Photos via Harbor Films"] * 2
    assert body.credit == "Photos via Harbor Films" and "via" not in body.text


@pytest.mark.parametrize(
    "image",
    [
        "<img src='https://stats.example.org/x.gif'>",
        "<img src='https://a.test/x.gif' width=1 height=1>",
        "<img src='https://a.test/x.gif' width='0'>",
        "<img src='https://a.test/x.gif' style='display:none'>",
        "<img src='https://a.test/b.gif?p=1'>",
        "<img src='https://feeds.feedburner.com/~r/x'>",
        "<img src='data:image/gif;base64,R0'>",
        "<img src='https://secure.gravatar.com/avatar/x'>",
        "<img>",
    ],
)
def test_counters_and_avatars_are_no_pictures(image: str) -> None:
    assert read_body(f"<p>{PROSE}</p>{image}").pictures == ()


def test_the_widest_of_a_set_and_a_lazy_picture_are_found() -> None:
    body = read_body(
        "<img src='data:,' data-src='/lazy.jpg'><img src=/s.jpg srcset='/m.jpg 800w, /l.jpg 1600w, /xl.jpg 9000w'>",
        base_url="https://a.test/",
    )
    assert [picture.url for picture in body.pictures] == ["https://a.test/lazy.jpg", "https://a.test/l.jpg"]


def test_a_smiley_becomes_its_words() -> None:
    assert read_body("<p>Well <img class='wp-smiley' src='/s.png' alt='🙂'> then</p>").text == "Well 🙂 then"


def test_escaped_markup_is_unescaped_once() -> None:
    assert read_body("&lt;p&gt;One &amp;amp; two&lt;/p&gt;").html == "<p>One &amp; two</p>"


def test_spoilers_are_kept_and_marked() -> None:
    body = read_body("<div class='spoiler'><p>The boat did it.</p></div>")
    assert body.has_spoilers and body.text == "The boat did it."


def test_a_table_to_buy_from_is_left_out_and_one_of_facts_stays() -> None:
    row = "<tr><td>Length</td><td>{}</td></tr>"
    assert read_body(f"<p>{PROSE}</p><table>{row.format('Buy now')}{row.format('x')}</table>").html.endswith("</p>")
    assert read_body(f"<p>{PROSE}</p><table>{row.format('90 minutes')}{row.format('x')}</table>").html.endswith(
        "</table>"
    )


def test_a_release_line_of_its_own_is_taken_out() -> None:
    body = read_body(f"<p>{PROSE}</p><p>Harbor opens in theaters Nov. 6.</p>", published=date(2026, 11, 2))
    assert body.release is not None and body.release.date == date(2026, 11, 6)
    assert "opens" not in body.text


def test_a_body_of_nothing_but_a_release_line_keeps_it() -> None:
    assert read_body("<p>Harbor opens in theaters Nov. 6.</p>").text == "Harbor opens in theaters Nov. 6."


@pytest.mark.parametrize(
    "markup",
    ["x<br>" * 40_000, "&" * 200_000, "<b>x</b>" * 25_000, "<span>" * 250 + "<b>x</b>" * 25_000 + "<p>y", "[a " + "=" * 200_000, "<figure>" + "<img src=a>" * 20_000, "A. " * 60_000, "<h2>Related</h2><p>a</p>" * 8_000, "<iframe src=//a.test/x></iframe>x" * 6_000, "<ul><li>" * 25_000],
    ids=["br", "amp", "b", "deep", "shortcode", "figure", "dots", "related", "iframe", "lists"],
)  # fmt: skip
def test_markup_made_to_cost_time_costs_little(markup: str) -> None:
    started = time.process_time()
    read_body(markup)
    assert time.process_time() - started < 5


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<img src=/a.jpg>",
                "<figure>",
                "<figcaption>",
                "Photo: Jo Lind",
                "More from LANTERN",
                "by Mara Quill",
                "<ul><li>",
                "About Us",
                PROSE,
                "Harbor opens Nov. 6.",
                "<div class=share>",
                "</div>",
                "<h3>",
                "</h3>",
                "<aside>",
                "<header>",
                "<time>",
                "<h1>",
                "[gallery]",
                "\u00a0",
            ]
        ),
        max_size=25,
    )
)
def test_any_body_and_any_page_is_read(pieces: list[str]) -> None:
    markup = "".join(pieces)
    body = read_body(markup, base_url="https://a.test/", title="Harbor", published=date(2026, 11, 2))
    assert "<img" not in body.html
    read_page(f"<article>{markup}</article>", "https://a.test/")
