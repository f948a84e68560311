"""Ratings, kept as given; a wrong one is worse than none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.content import Rating
from newsletter.core.ratings import LETTERS, rating_share, read_rating


@pytest.mark.parametrize(
    ("value", "best", "worst", "kept"),
    [
        ("4", "5", "1", ("4", "5")),
        (4, None, None, ("4", "5")),
        ("3,5", None, None, ("3.5", "5")),
        ("3.5/5", None, None, ("3.5", "5")),
        ("3 out of 4", None, None, ("3", "4")),
        ("8.3", 10, None, ("8.3", "10")),
        ("83%", None, None, ("83", "100")),
        ("83", "100", None, ("83", "100")),
        ("★★★½", None, None, ("3.5", "5")),
        ("★★★★☆", None, None, ("4", "5")),
        ("½", None, None, ("0.5", "5")),
        ("b+", None, None, ("B+", "A+")),
        ("0", "5", "0", ("0", "5")),
    ],
)
def test_a_rating_is_kept_on_its_own_scale(value: object, best: object, worst: object, kept: tuple[str, str]) -> None:
    rating, trouble = read_rating(value, best, worst)
    assert rating is not None and not trouble
    assert (rating.value, rating.best) == kept


@pytest.mark.parametrize("value", [None, "", "0", 0, [], {}, True])
def test_no_rating_is_none_without_a_word(value: object) -> None:
    assert read_rating(value) == (None, "")


@pytest.mark.parametrize(
    ("value", "best", "worst"),
    [
        ("6", "5", None),
        ("8.3", None, None),
        ("-1", "5", None),
        ("1", "5", "2"),
        ("great", "5", None),
        ("4", "0", None),
        ("★★★★★★★", None, None),
    ],
)
def test_a_rating_that_fits_no_scale_is_thrown_away_with_a_reason(value: object, best: object, worst: object) -> None:
    rating, trouble = read_rating(value, best, worst)
    assert rating is None and "left out" in trouble


def test_shares_are_for_sorting_across_scales() -> None:
    assert rating_share(Rating("4", "5")) == 0.8
    assert rating_share(Rating("3", "5", "1")) == 0.5
    assert rating_share(Rating("A+", "A+", "F")) == 1.0
    assert rating_share(Rating("F", "A+", "F")) == 0.0
    assert rating_share(None) is None
    assert rating_share(Rating("x", "5")) is None
    assert rating_share(Rating("1", "0")) is None
    assert rating_share(Rating("1", "1", "1")) is None


@given(
    st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.sampled_from(LETTERS)),
    st.one_of(st.none(), st.text(max_size=5), st.integers()),
    st.one_of(st.none(), st.integers()),
)
def test_any_rating_is_read_and_its_share_is_one(value: object, best: object, worst: object) -> None:
    rating, trouble = read_rating(value, best, worst)
    assert not (rating and trouble)
    share = rating_share(rating)
    assert share is None or 0.0 <= share <= 1.0
