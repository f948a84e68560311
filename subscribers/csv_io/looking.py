"""The first rows of a file, and what its columns seem to mean: for a person who says whether that is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from subscribers.csv_io import columns as columns_module
from subscribers.csv_io.columns import MAPPABLE, STOPPING
from subscribers.csv_io.tables import tables
from subscribers.errors import ImportFileError

ROWS = 4
MOST_TABLES = 20
LONGEST = 80  # letters of a cell that are shown


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, what it seems to mean ("" for nothing that we know), and its first cells. What is
    `fixed` nobody can change: it says who left, or belongs to our own export.
    """

    header: str
    meaning: str
    samples: tuple[str, ...]

    @property
    def fixed(self) -> bool:
        return bool(self.meaning) and (self.meaning in STOPPING or self.meaning not in MAPPABLE)


@dataclass(frozen=True, slots=True)
class Look:
    """One table. Without a header (a bare list of addresses) its columns have none; `service` is whose export it is."""

    name: str
    service: str
    encoding: str
    has_header: bool
    columns: tuple[Column, ...]


def look(file: BinaryIO, name: str, *, encoding: str = "") -> list[Look]:
    """Each table of the file, at most `MOST_TABLES`. Raises `ImportFileError` for what is no table."""
    found = []
    for table in islice(tables(file, columns_module.printable(name), None, encoding), MOST_TABLES):
        first = next(table.rows, None)
        if first is None or first.problem:
            problem = first.problem if first else "There is nothing but separators in it."
            raise ImportFileError(f"The first line can't be read: {problem}")
        rows = [row.cells for row in islice(table.rows, ROWS) if not row.problem]
        meanings = columns_module.guesses(first.cells)
        if not meanings:
            rows.insert(0, first.cells)
        headers: Sequence[str] = first.cells if meanings else [""] * len(first.cells)
        columns = tuple(
            Column(_shown(header), meaning, _samples(rows, index))
            for index, (header, meaning) in enumerate(zip(headers, meanings or [""] * len(headers), strict=True))
        )
        found.append(Look(table.name, columns_module.service_of(first.cells), table.encoding, bool(meanings), columns))
    return found


def _samples(rows: list[tuple[str, ...]], index: int) -> tuple[str, ...]:
    cells = [_shown(cells[index]) for cells in rows if index < len(cells)]
    return tuple(cell for cell in cells if cell)[:3]


def _shown(cell: str) -> str:
    text = columns_module.printable(cell).strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
