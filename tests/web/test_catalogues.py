"""The words for readers: complete in five languages, compiled as they stand, with nothing lost on the way."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation import ngettext

FOLDER = Path(settings.LOCALE_PATHS[0])
COMPLETE = [code for code in settings.COMPLETE_LANGUAGES if code != "en"]
FIELDS = re.compile(r"%\(\w+\)s|\{\w+\}")


def catalogue(code: str) -> Catalog:
    with (FOLDER / translation.to_locale(code) / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=translation.to_locale(code))


def messages(code: str) -> Iterator[Message]:
    return (message for message in catalogue(code) if message.id)


def _ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, tuple | list) else (str(message.id),)


def _texts(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, tuple | list) else (str(message.string),)


def gathered(configuration: str, file: Path, *keywords: str) -> set[object]:
    """Every sentence in the code and pages that `configuration` names, by way of `file`."""
    root = FOLDER.parent.parent
    command = [
        sys.executable,
        "-m",
        "babel.messages.frontend",
        "-q",
        "extract",
        "-F",
        configuration,
        "-k",
        "gettext_lazy",
        *(part for keyword in keywords for part in ("-k", keyword)),
        "-o",
        str(file),
        ".",
    ]
    subprocess.run(command, cwd=root, check=True)
    with file.open("rb") as found:
        return {message.id for message in read_po(found) if message.id}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> set[object]:
    """Every sentence for readers."""
    return gathered("babel.cfg", tmp_path_factory.mktemp("words") / "all.pot")


@pytest.mark.parametrize("code", COMPLETE)
def test_every_sentence_is_translated_and_none_is_left_over(code: str, said: set[object]) -> None:
    found = list(messages(code))
    assert {message.id for message in found} == said, "make messages"
    for message in found:
        assert all(text and text.strip() for text in _texts(message)), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("code", [code for code, _ in settings.LANGUAGES if code != "en"])
def test_no_field_is_lost_or_made_up_in_a_translation(code: str) -> None:
    for message in messages(code):
        for text in _texts(message):
            assert set(FIELDS.findall(text)) == set(FIELDS.findall(_ids(message)[-1])), (code, message.id)


@pytest.mark.parametrize("code", [code for code, _ in settings.LANGUAGES if code != "en"])
def test_what_is_compiled_is_what_is_written(code: str) -> None:
    with (FOLDER / translation.to_locale(code) / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = {_ids(message): _texts(message) for message in read_mo(file) if message.id}
    assert compiled == {_ids(message): _texts(message) for message in messages(code)}, "make messages"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "لا أعداد"), (1, "عدد واحد"), (2, "عددان"), (5, "5 أعداد"), (11, "11 عددًا"), (100, "100 عدد")],
)
def test_arabic_counts_in_six_ways(number: int, words: str) -> None:
    with translation.override("ar"):
        assert words in ngettext("%(num)s issue", "%(num)s issues", number) % {"num": number}


@pytest.mark.parametrize(
    ("code", "one", "many"), [("de", "Ausgabe", "Ausgaben"), ("fr", "numéro", "numéros"), ("es", "número", "números")]
)
def test_others_count_in_two(code: str, one: str, many: str) -> None:
    with translation.override(code):
        said = [ngettext("%(num)s issue", "%(num)s issues", number) % {"num": number} for number in (1, 7)]
    assert said == [f"1 {one}", f"7 {many}"]
    if code == "fr":
        with translation.override(code):
            assert ngettext("%(num)s issue", "%(num)s issues", 0) % {"num": 0} == "0 numéro"
