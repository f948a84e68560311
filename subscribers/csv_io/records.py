"""Bytes -> rows with line numbers, in bounded memory, whatever the bytes are.

Encodings: UTF-8 with or without byte order mark, UTF-16 and UTF-32 by their mark (UTF-16 also by its look), and
Windows-1252 line by line where a line is not UTF-8. A row that can't be read (an open quote, a line without end) is
handed on as such, and reading goes on with the next line.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from subscribers.errors import ImportFileError

DELIMITERS = (",", ";", "\t", "|")
LONGEST_LINE = 200_000  # letters
LONGEST_ROW = 60  # lines: a quote that has not been closed by then was never meant to be
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """One row; `line` is the number of its first line, from 1. `problem` says why it can't be read ("" when it can)."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    too_long: bool = False


class Lines:
    """The lines of a file, with one look ahead. `encoding` is what they are read as; `guessed_lines` counts those that
    were no UTF-8 and were read as Windows-1252, `first_guessed` is the first such line's number (0: none).
    """

    def __init__(self, file: BinaryIO, encoding: str = "") -> None:
        """`file` is read once, front to back, from where it stands. `encoding` when a person says which it is; raises
        `ImportFileError` for one that does not exist.
        """
        buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file)  # type: ignore[type-var]
        self.encoding = _named(encoding) if encoding else _encoding(buffered.peek(4096)[:4096])
        # A byte that is no UTF-8 comes through as a lone surrogate, so that its line can be read again.
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
        self._text = io.TextIOWrapper(buffered, encoding=self.encoding, errors=errors, newline="")
        self._number = 0
        self._ahead: deque[_Line] = deque()
        self.guessed_lines = 0
        self.first_guessed = 0

    def take(self) -> _Line | None:
        """The next line, its ending included; None at the end."""
        if self._ahead:
            return self._ahead.popleft()
        text = self._text.readline(LONGEST_LINE)
        if not text:
            return None
        self._number += 1
        if len(text) >= LONGEST_LINE and not text.endswith(("\n", "\r")):
            self._skip_line()
            return _Line(self._number, "", too_long=True)
        return _Line(self._number, self._readable(text))

    def release(self) -> None:
        """Leave the file to whoever opened it: a text layer that is thrown away would close it behind their back."""
        self._text.detach()

    def give_back(self, lines: list[_Line]) -> None:
        """Put lines back, to be taken again in the same order."""
        self._ahead.extendleft(reversed(lines))

    def _skip_line(self) -> None:
        while (rest := self._text.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
            pass

    def _readable(self, text: str) -> str:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            self.guessed_lines += 1
            self.first_guessed = self.first_guessed or self._number
            return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
        return text


class _OpenQuoteError(Exception):
    """The row went on for too many lines."""


def records(lines: Lines, delimiter: str) -> Iterator[Record]:
    """Every row that is not blank. The csv module reads each from its own line on, so one mistake stays one row."""
    while (first := lines.take()) is not None:
        if first.too_long:
            yield Record(first.number, (), f"The line is longer than {LONGEST_LINE:,} letters.")
            continue
        taken = [first]
        try:
            cells = next(csv.reader(_following(lines, taken), delimiter=delimiter, strict=True))
        except (csv.Error, _OpenQuoteError) as error:
            lines.give_back(taken[1:])
            yield Record(first.number, (), _quote_problem(error))
            continue
        if any(cell.strip() for cell in cells):
            yield Record(first.number, tuple(cells))


def split(text: str, delimiter: str) -> list[str]:
    """One line's cells, as well as they can be had: for looking at a header, not for data."""
    return next(csv.reader([text], delimiter=delimiter), [])


def _following(lines: Lines, taken: list[_Line]) -> Iterator[str]:
    yield taken[0].text
    while (line := lines.take()) is not None:
        taken.append(line)
        if line.too_long or len(taken) > LONGEST_ROW:
            raise _OpenQuoteError
        yield line.text


def _quote_problem(error: Exception) -> str:
    if isinstance(error, csv.Error) and "expected after" in str(error):
        return 'There is text after a closing quote. Inside quotes a quote is written twice: "".'
    if isinstance(error, csv.Error) and "field limit" in str(error):
        return "A cell is longer than 131,072 letters."
    return "A quote is opened and not closed."


def _named(encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
        "é".encode(found.name, "replace")
    except (LookupError, ValueError) as error:
        raise ImportFileError(f"There is no encoding {encoding[:40]!r}: write it like cp1251 or shift_jis.") from error
    return "utf-8-sig" if found.name == "utf-8" else found.name


def _encoding(sample: bytes) -> str:
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    # Latin letters in UTF-16 are every second byte zero; no other text file has zeros at all.
    if len(sample) >= 4 and sample.count(0) * 3 >= len(sample):
        return "utf-16-le" if sample[1::2].count(0) > sample[0::2].count(0) else "utf-16-be"
    return "utf-8"
