"""The invented magazine has what the demo has to show."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from newsletter.core.errors import ContentError
from newsletter.core.rubrics import RUBRICS
from newsletter.core.titles import split_title
from newsletter.demo import reviews
from newsletter.demo.pictures import SCENES, SHAPES, draw
from newsletter.demo.reviews import load_reviews

BEGAN = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)


def test_every_rubric_has_a_review() -> None:
    assert {review.rubric for review in load_reviews(BEGAN)} - {""} == set(RUBRICS)


def test_titles_split_into_the_rubric_that_the_file_claims() -> None:
    for review in load_reviews(BEGAN):
        assert split_title(review.title, brand="LANTERN").rubric == review.rubric, review.slug


def test_one_review_is_old_and_one_is_sponsored_and_the_rest_is_of_this_week() -> None:
    old = [r for r in load_reviews(BEGAN) if BEGAN - r.published_at > timedelta(days=21)]
    week = [r for r in load_reviews(BEGAN) if BEGAN - r.published_at < timedelta(days=6)]
    assert [review.slug for review in old] == ["winter-orchard"]
    assert sum(review.sponsored for review in week) == 1
    assert len(week) == 22
    assert all(review.published_at < BEGAN for review in week)


def test_there_are_a_very_long_title_and_a_right_to_left_one() -> None:
    titles = [review.title for review in load_reviews(BEGAN)]
    assert max(map(len, titles)) == 200
    assert any("\u0600" <= letter <= "\u06ff" for title in titles for letter in title)


def test_see_you_sunday_has_the_shape_of_the_first_page() -> None:
    seed = next(review for review in load_reviews(BEGAN) if review.slug == "see-you-sunday")
    paragraphs = seed.body_html.split("\n")
    assert len(paragraphs) == 8
    assert paragraphs[-1] == "<p><em>See You Sunday</em> premieres in theaters Nov. 8.</p>"
    assert seed.critic == "Mara Quill"
    assert seed.picture is not None
    assert seed.picture.credit == "Photos via See You Sunday"


def test_post_ids_and_scenes_are_unique() -> None:
    found = load_reviews(BEGAN)
    assert max(Counter(review.post_id for review in found).values()) == 1
    assert max(Counter(review.picture.scene for review in found if review.picture).values()) == 1


def test_an_unknown_key_in_a_file_is_named() -> None:
    with pytest.raises(ContentError, match=r"broken\.md: Unknown keys: colour"):
        reviews._review("broken", "---\ncolour: red\n---\nText.\n", BEGAN)


@pytest.mark.parametrize(
    ("scene", "shape"), [("sunday", "wide"), ("gig", "card"), ("radio", "square"), ("moth", "tall")]
)
def test_pictures_have_the_size_that_their_shape_promises(scene: str, shape: str) -> None:
    with Image.open(BytesIO(draw(scene, shape))) as image:
        assert image.size == SHAPES[shape]
        assert image.format == "JPEG"


def test_a_picture_is_the_same_every_time() -> None:
    first = draw("vinyl", "card")
    draw.cache_clear()
    assert draw("vinyl", "card") == first


def test_every_scene_of_a_review_can_be_drawn() -> None:
    assert {review.picture.scene for review in load_reviews(BEGAN) if review.picture} | {"cover"} == set(SCENES)
