"""Structured data: whose rating it is, and every way of writing it wrong."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.jsonld import PageData, read_page_data

HERE = "https://lantern.example.org/film/harbor"


def script(data: object) -> str:
    return f'<script type="application/ld+json">{data if isinstance(data, str) else json.dumps(data)}</script>'


def read(*data: object) -> PageData:
    return read_page_data("".join(script(each) for each in data), (HERE, ""))


def review(value: object = 4, url: str = "", **more: object) -> dict[str, object]:
    made: dict[str, object] = {
        "@type": "Review",
        "reviewRating": {"ratingValue": value, "bestRating": 5},
        "itemReviewed": {"@type": "Movie", "name": "Harbor"},
    }
    return {**made, **({"url": url} if url else {}), **more}


@pytest.mark.parametrize(
    "url", [HERE, HERE + "/", "http://www.lantern.example.org/film/harbor", "//lantern.example.org/film/harbor"]
)
def test_a_review_that_names_this_page_counts(url: str) -> None:
    rating = read(review(4, url), review(1, "https://lantern.example.org/film/other")).rating
    assert rating is not None and rating.value == "4"


def test_a_review_of_another_page_never_counts() -> None:
    assert read(review(1, "https://lantern.example.org/film/other")).rating is None
    assert read(review(1, mainEntityOfPage={"@id": "https://lantern.example.org/film/other"})).rating is None


def test_the_only_review_that_names_no_page_counts() -> None:
    assert read(review(3)).rating is not None


def test_two_reviews_that_name_no_page_are_nobodys() -> None:
    assert read(review(3), review(5)).rating is None
    assert read([review(3), review(5)]).rating is None


def test_a_review_inside_somebody_elses_list_never_counts() -> None:
    assert read({"@type": "ItemList", "itemListElement": [{"item": review(2)}]}).rating is None


def test_a_rating_of_readers_is_not_the_critics() -> None:
    assert (
        read({"@type": "Movie", "name": "Harbor", "aggregateRating": {"ratingValue": 4.9, "bestRating": 5}}).rating
        is None
    )


def test_the_review_within_this_pages_article_counts() -> None:
    data = read(
        {"@type": "BlogPosting", "url": HERE, "headline": "H", "review": review("3,5")},
        review(1, "https://x.example.org/"),
    )
    assert data.rating is not None and data.rating.value == "3.5" and data.headline == "H"


def test_a_rating_above_its_best_is_thrown_away_with_a_warning() -> None:
    data = read(review(9))
    assert data.rating is None and "outside its own scale" in data.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "<![CDATA[ %s ]]>", "//<![CDATA[\n%s\n//]]>", "<!-- %s -->", "%s;", "%s trailing words", "/*<![CDATA[*/%s/*]]>*/", "\ufeff%s",
    ],
)  # fmt: skip
def test_wrapped_json_is_read(text: str) -> None:
    assert read(text % json.dumps(review(4))).rating is not None


def test_escaped_json_raw_line_breaks_and_trailing_commas_are_read() -> None:
    assert read(json.dumps(review(4)).replace('"', "&quot;")).rating is not None
    assert read('{"@type":"Article","headline":"two\nlines",}').headline == "two lines"


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "null", '"words"', "5", "", "   ", "{'a': 1}", "\x00"])
def test_what_is_no_json_says_nothing(text: str) -> None:
    data = read(text)
    assert data.headline == "" and data.rating is None


def test_the_work_has_its_people() -> None:
    subject = {
        "@type": "Movie",
        "name": "Harbor",
        "datePublished": "2026-11-06",
        "director": [{"name": "A"}, "B"],
        "actor": {"name": "C"},
    }
    work = read(review(4, itemReviewed=subject)).work
    assert work is not None
    assert (work.title, work.type, work.year, work.creators, work.cast) == (
        "Harbor",
        "movie",
        "2026",
        ("A", "B"),
        ("C",),
    )


def test_a_product_is_no_work() -> None:
    assert read(review(4, itemReviewed={"@type": "Product", "name": "Knife"})).work is None


def test_authors_publishers_and_pictures_in_every_shape() -> None:
    data = read(
        {
            "@type": ["NewsArticle"],
            "@id": HERE,
            "headline": ["H"],
            "author": [{"name": ["A"]}, "B"],
            "publisher": {"name": "P"},
            "image": {"url": "/i.jpg"},
            "inLanguage": "en",
            "articleSection": ["Film", "x"],
        }
    )
    assert (data.authors, data.publisher, data.picture, data.language, data.section) == (
        ("A", "B"),
        "P",
        "/i.jpg",
        "en",
        "Film",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.sampled_from(["Review", "Movie", HERE, "4"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "@type",
                    "@graph",
                    "@id",
                    "url",
                    "review",
                    "reviewRating",
                    "ratingValue",
                    "bestRating",
                    "itemReviewed",
                    "name",
                    "author",
                    "image",
                    "headline",
                    "mainEntityOfPage",
                    "about",
                    "startDate",
                    "location",
                    "actor",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_without_an_exception(data: object) -> None:
    read(data)
