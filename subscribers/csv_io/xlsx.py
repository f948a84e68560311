"""The first sheet of a workbook as rows, in bounded memory, whatever the workbook is.

openpyxl reads a sheet as a stream, but holds one row, the shared texts and each single text whole, and fills gaps
between rows. So the XML is looked through first, as bytes and without a parser: no document types, no text and no row
without end.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from lzma import LZMAError
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from subscribers.csv_io.records import Record
from subscribers.errors import ImportFileError

LARGEST_PART = 64 * 2**20  # bytes of a part that is read whole: shared texts, styles, the workbook
LARGEST_SHEET = 2 * 2**30
LONGEST_RUN = 2**20  # bytes without a tag: Excel's longest text is 32,767 letters
LONGEST_ROW = 8 * 2**20  # bytes
LONGEST_TAIL = 16 * 2**20  # bytes of links, formats and checks after the rows: these are read whole
MOST_ROWS = 1_048_576  # of a sheet, says Excel
_PIECE = 2**16
_END = re.compile(rb"</(?:\w+:)?sheetData>")
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")  # some programs write <x:row>
_TRIM = re.compile(r"[\t\r\n]+")


DAMAGE = (BadZipFile, zlib.error, EOFError, OSError, LZMAError)
"""What reading a broken member of an archive may raise."""


def open_member(archive: ZipFile, member: ZipInfo, name: str) -> IO[bytes]:
    """Raises `ImportFileError` for a member that is broken, locked or packed in a way that Python does not know."""
    try:
        return archive.open(member)
    except (*DAMAGE, NotImplementedError, RuntimeError, ValueError) as error:
        raise ImportFileError(f"{name} is damaged, or packed in a way that is not read.") from error


def sheet_rows(archive: ZipFile) -> Iterator[Record]:
    """The rows of the first sheet that are not blank, numbered as the spreadsheet shows them.

    Raises `ImportFileError` for what is no workbook, or is one that can't be meant as a list.
    """
    _look_through(archive)
    # Imported here: a CSV file needs none of it.
    from openpyxl import load_workbook

    try:
        book = load_workbook(archive.fp, read_only=True, data_only=True, keep_links=False)  # type: ignore[arg-type]
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()  # what it says of its own size is not to be believed
    except Exception as error:  # its errors are of every kind: KeyError, TypeError, ParseError ...
        raise ImportFileError(f"The workbook can't be read ({type(error).__name__}). Save it as CSV.") from error
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    number = 0
    while True:
        try:
            number, values = next(rows)
        except StopIteration:
            break
        except Exception as error:
            problem = f"The workbook can't be read from here on ({type(error).__name__}). Save it as CSV."
            yield Record(number + 1, (), problem)
            break
        if number > MOST_ROWS:
            yield Record(number, (), f"A sheet has at most {MOST_ROWS:,} rows: nothing after this one was read.")
            break
        cells = tuple(_text(value) for value in values)
        if any(cells):
            # A row ends with its last cell; what follows is only formatted.
            while not cells[-1]:
                cells = cells[:-1]
            yield Record(number, cells)
    book.close()


def _look_through(archive: ZipFile) -> None:
    for member in archive.infolist():
        name = member.filename.lower()
        if not name.endswith((".xml", ".rels")):
            continue
        sheet = "worksheets/" in name
        if member.file_size > (LARGEST_SHEET if sheet else LARGEST_PART):
            raise ImportFileError("The workbook is too large to be read as one. Save the sheet as CSV.")
        with open_member(archive, member, "The workbook") as part:
            run = row = tail = 0
            before = b""
            while piece := part.read(_PIECE):
                both = before + piece
                if b"\x00" in piece or b"<!DOCTYPE" in both or b"<!ENTITY" in both:
                    raise ImportFileError("The workbook is not one that a spreadsheet wrote: it is not read.")
                run = 0 if b"<" in piece else run + len(piece)
                ended = bool(tail) or _END.search(both)
                row = 0 if not sheet or ended or _ROW.search(both) else row + len(piece)
                tail += len(piece) if sheet and ended else 0
                if run > LONGEST_RUN or row > LONGEST_ROW or tail > LONGEST_TAIL:
                    raise ImportFileError("The workbook has a text or a row without end: it is not read.")
                before = piece[-40:]


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date() | time():
            return value.isoformat()
        case str():
            return value
        case _:
            return _TRIM.sub(" ", str(value))
