"""Subscribers with every kind of value, and the issue they read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from markupsafe import Markup

from newsletter.core.reader import Reader

NAMES = [
    "Ana",
    "",
    "Bob Stone",
    "Ünal, the Boss",
    "<b>&\"'",
    "{{ 7*7 }}",
    "{% raw %}",
    "zq00000000x00000z",
    "😀👩‍💻 Zoë",
    "مرحبا بك",
    "e\u0301 ne\u0308",
    "a\u00a0b",
    "x" * 300,
    "&amp;&#34;",
    "%s {0} \\n %(a)s",
    "-->",
    "]]>",
    "12",
    "upper",
    "title",
    "left",
    "x",
    "100%",
    ". dot",
    "From me",
    "=?utf-8?q?a?=",
    "[1] a=b",
    "full-width",
]
CITIES = ["", "  ", "Paris", "New\nYork", "line\r\nend", "<i>", "0", "A\\B", "\ttab", "\u2028", "é >", "&lt;"]
TOPICS = ["movie", "book", "concert", "play"]
LANGUAGES = ["en", "de", "fr", "ar", ""]


@dataclass(frozen=True)
class Review:
    title: str
    topic: str
    rating: int | None = None
    tags: tuple[str, ...] = ()


REVIEWS = (
    Review("Dune & Co <3", "movie", 4, ("a", "b")),
    Review("{{ subscriber.name }}", "book", None),
    Review("Ångström", "concert", 2, ("b",)),
)
ISSUE: dict[str, object] = {
    "reviews": REVIEWS,
    "title": "Weekly “Ünï” <b>",
    "html": Markup("<i>%s &amp; x</i>"),
    "hello": {"en": "Hello", "de": "Hallo", "fr": "Allô", "ar": "مرحبا", "": "Hi"},
    "n": 3,
    "words": ["a", "b", "Ana"],
}


def reader(rnd: Random) -> Reader:
    """A subscriber; many fields are drawn from few values, so that letters are shared."""
    attributes: dict[str, Any] = {"city": rnd.choice(CITIES), "count": rnd.choice([0, 1, 2, True, 1.0, -0.0, 7, "3"])}
    if rnd.random() < 0.5:
        attributes["plan"] = rnd.choice(["free", "gold", None])
    return Reader(
        address=rnd.choice(["a@example.org", "b+c@example.org"]),
        name=rnd.choice(NAMES),
        language=rnd.choice(LANGUAGES),
        topics=tuple(sorted(rnd.sample(TOPICS, rnd.choice([0, 1, 1, 2, 4])))),
        attributes=attributes,
        plain_text=rnd.random() < 0.3,
        joined_on=rnd.choice([None, date(2020, 2, 29), date(2026, 11, 3)]),
        unsubscribe_url=rnd.choice(["", "https://news.example.test/u/abc?x=1&y=2"]),
    )
