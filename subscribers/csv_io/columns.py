"""Which column is what: our own four names, and those of the common services' exports."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from subscribers.address import parse
from subscribers.csv_io.cells import unguard
from subscribers.csv_io.records import DELIMITERS, split
from subscribers.errors import AddressError, ImportFileError

# What a column means -> the headers that mean it, in the shape that `_plain` gives them.
_NAMES: dict[str, tuple[str, ...]] = {
    "email": ("email", "e mail", "email address", "e mail address", "mail", "address", "subscriber email", "adresse",
              "e mail adresse", "adresse e mail", "courriel", "correo", "correo electrónico", "indirizzo email"),
    "name": ("name", "full name", "display name", "nom complet", "nombre completo", "nome completo"),
    "first name": ("first name", "firstname", "given name", "fname", "vorname", "prénom", "nombre"),
    "last name": ("last name", "lastname", "surname", "family name", "lname", "nachname", "apellido", "apellidos",
                  "cognome"),
    "language": ("language", "lang", "locale", "sprache", "langue", "idioma", "lingua"),
    "topics": ("topics", "topic", "interests", "themen", "rubrics"),
    "status": ("status", "state"),
    # A date in one of these says what became of the person.
    "unsubscribed at": ("unsubscribed at", "unsub time"),
    "cleaned at": ("clean time", "cleaned at"),
    # "true" or "false".
    "wants mail": ("subscribed to emails", "subscribed"),
    "mail off": ("email disabled",),
}  # fmt: skip
_MEANINGS = {name: meaning for meaning, names in _NAMES.items() for name in names}
_WITHOUT_HEADER = ("email", "name", "language", "topics")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each meaning is, by index; `width` is the number of columns, `ignored` the other headers."""

    at: dict[str, int]
    width: int
    ignored: tuple[str, ...] = ()
    has_header: bool = True

    def cell(self, cells: Sequence[str], meaning: str) -> str:
        """The cell of that meaning, trimmed, its guard taken off; "" where there is no such column."""
        index = self.at.get(meaning)
        if index is None or index >= len(cells):
            return ""
        return unguard(cells[index]).strip(" \t\r\n\u00a0\ufeff")


def sniff(header: str) -> str:
    """The delimiter that makes the most sense of the first line."""

    def sense(delimiter: str) -> tuple[int, int]:
        cells = split(header, delimiter)
        return sum(_plain(cell) in _MEANINGS for cell in cells), len(cells)

    return max(DELIMITERS, key=sense)


def read(cells: Sequence[str]) -> Columns:
    """The columns that a header names. A bare list of addresses needs no header.

    Raises `ImportFileError` when no column, or more than one, is the address.
    """
    if any(_is_address(cell) for cell in cells):
        if not _is_address(cells[0]) or len(cells) > len(_WITHOUT_HEADER):
            raise ImportFileError("The first line has to name the columns, such as: email,name,language,topics")
        names = _WITHOUT_HEADER[: len(cells)]
        return Columns({name: index for index, name in enumerate(names)}, len(cells), has_header=False)
    at: dict[str, int] = {}
    ignored: list[str] = []
    for index, cell in enumerate(cells):
        meaning = _MEANINGS.get(_plain(cell))
        if meaning is None:
            ignored.append(cell.strip()[:60])
        elif meaning in at:
            raise ImportFileError(f"Two columns of the first line are the {meaning}: leave one of them out.")
        else:
            at[meaning] = index
    if "email" not in at:
        seen = ", ".join(repr(name) for name in ignored[:8] if name) or "none that we know"
        raise ImportFileError(f"No column of the first line is 'email'. Its columns: {seen}.")
    return Columns(at, len(cells), tuple(name for name in ignored if name))


def _plain(header: str) -> str:
    text = unicodedata.normalize("NFKC", unguard(header)).strip("\ufeff \t\r\n").casefold()
    return re.sub(r"[\s_./-]+", " ", text).strip()


def _is_address(cell: str) -> bool:
    try:
        parse(unguard(cell.strip()))
    except AddressError:
        return False
    return True
