"""What a page offers to be read by."""

from __future__ import annotations

import pytest

from newsletter.core.discovery import MOST_FEEDS, Offer, feed_name, guesses, offers_of

HERE = "https://lantern.example.org/reviews/door/"


def feed(href: str, title: str = "", kind: str = "application/rss+xml") -> str:
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'


def page(*head: str, body: str = "") -> str:
    return f"<html><head><title>LANTERN</title>{''.join(head)}</head><body>{body}</body></html>"


def test_the_rest_interface_comes_before_feeds_and_feeds_of_comments_are_none() -> None:
    found = offers_of(
        page(
            feed("/feed/", "LANTERN » Feed"),
            feed("/comments/feed/", "LANTERN » Comments Feed"),
            feed("/reviews/door/feed/", "LANTERN » Open Door Comments Feed"),
            '<link rel="https://api.w.org/" href="https://lantern.example.org/magazine/wp-json/">',
        ),
        HERE,
    )
    assert [(offer.kind, offer.location) for offer in found.offers] == [
        ("wordpress", "https://lantern.example.org/magazine/"),
        ("feed", "https://lantern.example.org/feed/"),
    ]
    assert found.offers[1].why == "The page names this feed: “LANTERN » Feed”."
    assert (found.name, found.login) == ("LANTERN", False)


def test_the_site_names_itself_and_ghost_is_read_by_its_feed() -> None:
    head = (
        '<meta name="generator" content="Ghost 5.8"><meta property="og:site_name" content="The Lantern">',
        feed("../rss/"),
    )
    found = offers_of(page(*head), HERE)
    assert found.name == "The Lantern"
    assert found.offers == (
        Offer("feed", "https://lantern.example.org/reviews/rss/", "This is a Ghost site: its feed has the whole text."),
    )


@pytest.mark.parametrize(
    "head",
    [
        feed("javascript:alert(1)"),
        feed("mailto:desk@example.org"),
        feed("http://[x"),
        feed("", "Nothing"),
        '<link rel="alternate" type="text/html" hreflang="de" href="/de/">',
        '<link rel="stylesheet" type="application/rss+xml" href="/feed/">',
        '<link rel="https://api.w.org/" href="/?rest_route=/">',
    ],
)
def test_what_is_no_feed_is_not_offered(head: str) -> None:
    assert offers_of(page(head), HERE).offers == ()


def test_one_feed_named_twice_is_one_offer_and_a_hundred_are_a_few() -> None:
    same = offers_of(page(feed("/feed/"), feed("https://lantern.example.org/feed/")), HERE)
    assert len(same.offers) == 1
    many = offers_of(page(*(feed(f"/{number}/feed/") for number in range(100))), HERE)
    assert len(many.offers) == MOST_FEEDS


def test_a_log_in_is_told_from_a_page() -> None:
    assert offers_of(page(body='<form><input name="q"><input type="Password"></form>'), HERE).login
    assert not offers_of("", HERE).login
    assert offers_of("\x00<<<>", HERE).offers == ()


def test_a_site_that_names_no_feed_has_it_where_most_have() -> None:
    assert [offer.location for offer in guesses("https://lantern.example.org:8443/a/b?c#d")] == [
        "https://lantern.example.org:8443/feed/",
        "https://lantern.example.org:8443/rss/",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "<rss><channel><title>LANTERN &amp;amp; Co</title><item><title>Door</title></item></channel></rss>",
            "LANTERN & Co",
        ),
        ("<rss><channel><title><![CDATA[ LANTERN ]]></title></channel></rss>", "LANTERN"),
        ('<feed><title type="text">مصباح</title><entry><title>Door</title></entry></feed>', "مصباح"),
        ("<rss><channel><item><title>Door</title></item></channel></rss>", ""),
        (
            '{"version": "https://jsonfeed.org/version/1.1", "title": "LANTERN", "items": [{"title": "Door"}]}',
            "LANTERN",
        ),
        ('{"items": [{"title": "Door"}]}', ""),
        ("", ""),
        ("<title" * 100_000, ""),
        ('{"' * 100_000, ""),
    ],
)
def test_a_feed_names_itself_before_its_first_entry(text: str, name: str) -> None:
    assert feed_name(text) == name
