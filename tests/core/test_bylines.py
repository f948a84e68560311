"""Bylines and picture credits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.bylines import Byline, believable_author, is_byline, picture_credit, read_byline, split_caption


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("by Mara Quill", ("Mara Quill",)),
        ("By  Mara Quill", ("Mara Quill",)),
        ("by by Mara Quill", ("Mara Quill",)),
        ("Review by Mara Quill", ("Mara Quill",)),
        ("Words: Mara Quill", ("Mara Quill",)),
        ("von Nele Brandt und Kai Holm", ("Nele Brandt", "Kai Holm")),
        ("par Lou Martin et Zoé Blanc", ("Lou Martin", "Zoé Blanc")),
        ("por Ana Sol y Leo Paz", ("Ana Sol", "Leo Paz")),
        ("di Rosa Bo e Ugo Fo", ("Rosa Bo", "Ugo Fo")),
        ("af Ida Lund", ("Ida Lund",)),
        ("Mara Quill, Ed Kerr & Lu Wen", ("Mara Quill", "Ed Kerr", "Lu Wen")),
        ("Mara Quill, Ed Kerr, and Lu Wen", ("Mara Quill", "Ed Kerr", "Lu Wen")),
        ("E. Marsh and Byron Vonn", ("E. Marsh", "Byron Vonn")),
        ("Vonda Parker", ("Vonda Parker",)),
        ("", ()),
    ],
)
def test_a_byline_gives_its_names(line: str, authors: tuple[str, ...]) -> None:
    assert read_byline(line).authors == authors


@pytest.mark.parametrize(
    "line",
    [
        "by Mara Quill, with photos by Jo Lind",
        "by Mara Quill; photos by Jo Lind",
        "By Mara Quill (photos: Jo Lind)",
        "von Mara Quill, Fotos: Jo Lind",
    ],
)
def test_who_took_the_pictures_is_a_credit_and_no_author(line: str) -> None:
    assert read_byline(line) == Byline(("Mara Quill",), "Mara Quill", "Jo Lind")


@pytest.mark.parametrize(
    "line", ["by Mara Quill", "Words: Mara Quill and Ed Kerr", "Von Nele Brandt", "Review by Ana de Sol"]
)
def test_a_line_that_is_only_a_byline_is_known(line: str) -> None:
    assert is_byline(line)


@pytest.mark.parametrize(
    "line",
    [
        "By the sea nobody counts.",
        "By then it was late, and nobody",
        "Mara Quill",
        "",
        "by",
        "By Mara Quill. And more.",
        "par " + "Name " * 12,
        "De nuit tous les chats sont gris",
    ],
)
def test_a_sentence_is_no_byline(line: str) -> None:
    assert not is_byline(line)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "admin",
        "LANTERN",
        "Lantern",
        "a@b.example.org",
        "https://x.example.org",
        "www.x.example.org",
        "x" * 90,
        "...",
        "Staff",
    ],
)
def test_an_unbelievable_author_is_refused(name: str) -> None:
    assert not believable_author(name, "LANTERN")


def test_a_person_is_believed() -> None:
    assert believable_author("Mara Quill", "LANTERN")


@pytest.mark.parametrize(
    "line",
    [
        "Photos via See You Sunday",
        "Photo: Jo Lind",
        "Photo by Jo Lind",
        "(Photo credit: Jo Lind)",
        "Image courtesy of Nightjar Pictures",
        "Courtesy of Nightjar Pictures",
        "© Nightjar Pictures",
        "Foto: Kai Holm",
        "Crédit photo : Lou Martin",
        "Still via Harbor Films",
        "All photos by Jo Lind",
    ],
)
def test_a_credit_line_is_known(line: str) -> None:
    assert picture_credit(line) == line.strip("()")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Photographs lie, the film says.",
        "Images of rain fill the screen.",
        "Photo of a lifetime",
        "The photo by the door is a clue, and it stays one.",
        "Photo: " + "x" * 130,
        "Picture this: a man, alone",
    ],
)
def test_a_sentence_about_pictures_is_no_credit(line: str) -> None:
    assert picture_credit(line) == ""


@pytest.mark.parametrize(
    ("caption", "parts"),
    [
        ("The band at dawn. Photo: Jo Lind", ("The band at dawn.", "Photo: Jo Lind")),
        ("The band (Photo by Jo Lind)", ("The band", "Photo by Jo Lind")),
        ("The band | © Jo Lind", ("The band", "© Jo Lind")),
        ("Photo: Jo Lind", ("", "Photo: Jo Lind")),
        ("Only a caption", ("Only a caption", "")),
        ("", ("", "")),
    ],
)
def test_a_caption_gives_up_its_credit(caption: str, parts: tuple[str, str]) -> None:
    assert split_caption(caption) == parts


@given(st.text(max_size=150))
def test_any_line_is_read(line: str) -> None:
    read_byline(line)
    is_byline(line)
    picture_credit(line)
    split_caption(line)
