"""The picture of a review on the desk: cropped around a point, one's own, the source's again; bombs are refused."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from newsletter.models import Picture
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.web.test_desk import HERE, at, form, placed
from tests.web.test_desk import edda as edda
from tests.web.test_desk import soon as soon

pytestmark = pytest.mark.django_db


def photo(width: int = 600, height: int = 400, *, left: str = "red", exif: bool = False) -> bytes:
    """Left half of one color, right half blue."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste(Image.new("RGB", (width // 2, height), left), (0, 0))
    out = io.BytesIO()
    tags = Image.Exif()
    tags[0x010E] = "where I live"
    image.save(out, "JPEG", quality=95, **({"exif": tags} if exif else {}))
    return out.getvalue()


@pytest.fixture
def media_folder(configured: Path) -> Path:
    row = placed()
    url = row.review.representative.content["pictures"][0]["url"]
    held = Picture.objects.get(source_url=url)
    held.width, held.height = 600, 400
    held.name = "ab/" + "ab" * 32 + ".jpg"
    held.save()
    (configured / "ab").mkdir()
    (configured / held.name).write_bytes(photo())
    return configured


def send(client: Client, **fields: object) -> int:
    was = placed().edits.get("picture", "")
    return client.post(f"{HERE}/picture", {"at": at(placed()), "was_picture": was, **fields}).status_code


def shown(client: Client, folder: Path) -> Image.Image:
    name = placed().edits["picture"]
    assert f"/media/{name}" in client.get(f"{HERE}/letter").content.decode()
    with Image.open(folder / name) as image:
        image.load()
        return image


def test_a_picture_is_cropped_around_the_point_that_was_pressed(edda: Client, media_folder: Path) -> None:
    # In a box of 240 by 160 pixels: a tenth from the right.
    pressed = {"crop": "tall", "point.x": "216", "point.y": "80", "wide": "240", "high": "160"}
    assert send(edda, **pressed) == 302
    image = shown(edda, media_folder)
    assert image.size == (266, 400)
    assert image.getpixel((5, 200))[2] > 200  # type: ignore[index]
    assert placed().edits["picture_focus"] == "90 50"
    page = edda.get(f"{HERE}?at={at(placed())}").content.decode()
    assert 'name="x" value="90"' in page
    assert f'src="/media/{placed().edits["picture"]}" alt="" width="56"' in page
    # By numbers, from the keyboard.
    assert send(edda, crop="square", x="0", y="100", does="crop") == 302
    image = shown(edda, media_folder)
    assert image.size == (400, 400)
    assert image.getpixel((5, 200))[0] > 200  # type: ignore[index]
    # It says of it what the source says of the whole.
    assert "Halo Pictures" in edda.get(f"{HERE}/letter").content.decode()
    assert send(edda, does="source") == 302
    assert placed().edits == {}


def test_a_point_without_a_shape_is_kept_for_later(edda: Client, media_folder: Path) -> None:
    assert send(edda, crop="", x="20", y="30") == 302
    assert placed().edits == {"picture_focus": "20 30"}
    assert send(edda, crop="", x="50", y="50") == 302
    assert placed().edits == {}


def test_an_editors_own_picture_stands_in_its_place_and_carries_nothing_along(edda: Client, media_folder: Path) -> None:
    edda.post(f"{HERE}/words", form(edda, at(placed())) | {"picture_alt": "Old", "picture_credit": "Old"})
    file = SimpleUploadedFile("me.jpg", photo(left="lime", exif=True), content_type="image/jpeg")
    assert send(edda, does="use", file=file) == 302
    image = shown(edda, media_folder)
    assert not image.getexif()
    assert b"where I live" not in (media_folder / placed().edits["picture"]).read_bytes()
    letter = edda.get(f"{HERE}/letter").content.decode()
    card = letter[letter.index(placed().edits["picture"]) :][:900]
    assert "Halo" not in card
    assert "Old" not in card
    # It is described and cropped like any other, and undone.
    edda.post(f"{HERE}/words", form(edda, at(placed())) | {"picture_alt": "A lawn", "picture_credit": "Edda"})
    assert 'alt="A lawn"' in edda.get(f"{HERE}/letter").content.decode()
    assert send(edda, crop="square", x="0", y="0") == 302
    assert shown(edda, media_folder).size == (400, 400)
    assert 'alt="A lawn"' in edda.get(f"{HERE}/letter").content.decode()
    for _ in range(4):
        edda.post(f"{HERE}/undo", {"does": "undo"})
    assert placed().edits == {}


def test_a_review_without_a_picture_can_be_given_one(edda: Client, configured: Path) -> None:
    Picture.objects.all().delete()
    assert 'name="point"' not in edda.get(f"{HERE}?at={at(placed())}").content.decode()
    assert send(edda, crop="square") == 409
    assert send(edda, does="use", file=SimpleUploadedFile("me.png", photo())) == 302
    assert shown(edda, configured).size == (600, 400)
    assert 'name="picture_alt"' in edda.get(f"{HERE}?at={at(placed())}").content.decode()


def test_what_is_no_picture_is_refused_in_words(edda: Client, configured: Path) -> None:
    bomb = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(bomb, "PNG")
    for raw, words in (
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawings"),
        (b"not a picture", "not a picture"),
        (photo()[:700], "damaged"),
        (bomb.getvalue(), "more pixels"),
        (b"\xff\xd8" + b"x" * (10 * 1024 * 1024), "larger than"),
    ):
        answer = edda.post(
            f"{HERE}/picture",
            {"at": at(placed()), "was_picture": "", "does": "use", "file": SimpleUploadedFile("x.jpg", raw)},
        )
        assert answer.status_code == 409
        assert words in answer.content.decode()
    assert send(edda, does="use") == 409
    assert send(edda, crop="round") == 409
    assert placed().edits == {}


def test_numbers_that_make_no_sense_are_the_middle_or_the_edge(edda: Client, media_folder: Path) -> None:
    for x, focus in (("9" * 30, None), ("-4", None), ("x", None), ("999", "100 50")):
        assert send(edda, crop="", x=x, y="50") == 302
        assert placed().edits.get("picture_focus") == focus
    odd = {"point.x": "5", "point.y": "5", "wide": "0", "high": "x"}
    assert send(edda, crop="", **odd) == 302
    assert placed().edits["picture_focus"] == "100 100"


def test_two_editors_on_one_picture(edda: Client, media_folder: Path) -> None:
    assert send(edda, crop="square") == 302
    answer = edda.post(f"{HERE}/picture", {"at": at(placed()), "was_picture": "", "crop": "tall"})
    assert answer.status_code == 409
    assert "meanwhile" in answer.content.decode()
    assert placed().edits["picture_crop"] == "square"


def test_a_picture_whose_file_is_gone_says_so(edda: Client, media_folder: Path) -> None:
    (media_folder / Picture.objects.get(name__startswith="ab/ab").name).unlink()
    answer = edda.post(f"{HERE}/picture", {"at": at(placed()), "was_picture": "", "crop": "tall"})
    assert answer.status_code == 409
    assert "gone" in answer.content.decode()
