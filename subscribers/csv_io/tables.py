"""A file -> the tables in it: a CSV file is one, a workbook's first sheet is one, a zip has one for each CSV in it.

Everything is read as a stream; what an archive says of its own sizes is checked before anything is unpacked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from subscribers.csv_io import columns as columns_module
from subscribers.csv_io.records import Lines, Record, records
from subscribers.csv_io.xlsx import DAMAGE, open_member, sheet_rows
from subscribers.errors import ImportFileError

MOST_MEMBERS = 200
LARGEST = 4 * 2**30  # bytes of all tables of an archive, unpacked
SMALLEST_SHARE = 1000  # a table that packs better than 1:1,000 is a bomb, not a list

_TEXT = (".csv", ".tsv", ".txt")
_OLE = b"\xd0\xcf\x11\xe0"  # Excel before 2007, and locked workbooks of today


@dataclass(slots=True)
class Table:
    """One table: `rows` is read once, its first the header. `encoding` and `delimiter` are "" for a sheet; `warnings`
    are complete when the rows are read. `kind` is what the name in an archive says of everybody in it: "unsubscribed",
    "cleaned", "nonsubscribed" (Mailchimp), or "".
    """

    name: str
    rows: Iterator[Record]
    encoding: str = ""
    delimiter: str = ""
    kind: str = ""
    warnings: list[str] = field(default_factory=list)


def tables(file: BinaryIO, name: str, mapping: Mapping[str, str] | None = None, encoding: str = "") -> Iterator[Table]:
    """Every table of `file`, one after the other: read each before you take the next. An archive is read back and
    forth, so `file` must be seekable then. `encoding` is that of CSV, "" to find out.

    Raises `ImportFileError` for what is no table and no archive of tables.
    """
    start = _first_bytes(file)
    if start.startswith(_OLE):
        raise ImportFileError("This is a workbook of an old kind, or a locked one. Save it as XLSX or CSV.")
    if not start.startswith(b"PK\x03\x04"):
        yield from _lines_of(file, name, mapping, encoding)
        return
    try:
        archive = ZipFile(file)
    except (*DAMAGE, NotImplementedError, ValueError) as error:
        raise ImportFileError("The archive is damaged, or comes through a pipe: name the file itself.") from error
    with archive:
        members = archive.infolist()
        _check_sizes(members)
        if any(member.filename == "[Content_Types].xml" for member in members):
            yield Table(name, _to_the_damage(sheet_rows(archive)))
            return
        found = [member for member in members if _is_table(member)]
        if not found:
            raise ImportFileError("There is no CSV file in the archive.")
        for member in found:
            name = columns_module.printable(PurePosixPath(member.filename).name)[:100]
            with open_member(archive, member, name) as inner:
                for table in _lines_of(inner, name, mapping, encoding):  # type: ignore[arg-type]
                    table.kind = _kind(table.name)
                    yield table


def _lines_of(file: BinaryIO, name: str, mapping: Mapping[str, str] | None, encoding: str) -> Iterator[Table]:
    try:
        lines = Lines(file, encoding)
    except DAMAGE as error:
        raise ImportFileError(f"{name} in the archive is damaged.") from error
    try:
        delimiter = _delimiter(lines, mapping)
        table = Table(name, _to_the_damage(records(lines, delimiter)), lines.encoding, delimiter)
        yield table
        if lines.guessed_lines:
            table.warnings.append(
                f"{lines.guessed_lines:,} lines are not UTF-8 and were read as Windows-1252 (the first is line "
                f"{lines.first_guessed}): look at the accents in the names."
            )
    finally:
        lines.release()


def _delimiter(lines: Lines, mapping: Mapping[str, str] | None) -> str:
    """What the first line with anything in it tells; the line is given back. Raises `ImportFileError` without one."""
    while (line := lines.take()) is not None:
        text = line.text.strip("\ufeff \r\n")
        if text.lower().startswith("sep=") and len(text) == 5:  # spreadsheets put it there for one another
            return text[4]
        if line.too_long or text.strip():
            lines.give_back([line])
            return columns_module.sniff(text, mapping)
    raise ImportFileError("The file is empty.")


def _to_the_damage(rows: Iterator[Record]) -> Iterator[Record]:
    """The rows; where the archive is broken, one last that says so."""
    line = 0
    try:
        for row in rows:
            line = row.line
            yield row
    except DAMAGE:
        yield Record(line + 1, (), "The archive is damaged from here on: nothing after this row was read.")


def _check_sizes(members: list[ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise ImportFileError(f"The archive has {len(members):,} files in it; at most {MOST_MEMBERS} are looked at.")
    if any(member.flag_bits & 1 for member in members):
        raise ImportFileError("The archive is locked with a password. Unpack it first.")
    if sum(member.file_size for member in members) > LARGEST:
        raise ImportFileError(f"The archive would unpack to more than {LARGEST // 2**30} GB.")
    for member in members:
        # The size is binding: no more than this is ever unpacked of a member.
        if member.file_size > 2**20 and member.file_size > SMALLEST_SHARE * member.compress_size:
            name = columns_module.printable(member.filename)[:100]
            raise ImportFileError(f"{name} unpacks to a thousand times its size: this is no list.")


def _is_table(member: ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not member.is_dir() and not hidden and path.suffix.lower() in _TEXT


def _kind(name: str) -> str:
    found = re.match(r"(unsubscribed|cleaned|nonsubscribed)", name.lower())
    return found[1] if found else ""


def _first_bytes(file: BinaryIO) -> bytes:
    peek = getattr(file, "peek", None)
    if peek is not None:
        return bytes(peek(4)[:4])
    start = file.read(4)
    file.seek(-len(start), 1)
    return start
