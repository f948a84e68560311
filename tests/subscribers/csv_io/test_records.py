from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.csv_io.records import LONGEST_LINE, LONGEST_ROW, Lines, Record, records


def read(data: bytes, delimiter: str = ",") -> list[Record]:
    return list(records(Lines(io.BytesIO(data)), delimiter))


TEXT = "email,name\nana@example.org,Ána Müller\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_every_common_encoding_is_read(encoding: str) -> None:
    rows = read(TEXT.encode(encoding))
    assert [row.cells for row in rows] == [("email", "name"), ("ana@example.org", "Ána Müller")]
    assert [row.line for row in rows] == [1, 2]


def test_one_line_in_another_encoding_does_not_spoil_the_others() -> None:
    lines = Lines(io.BytesIO("a,Ürsula\n".encode() + "b,Jürgen\n".encode("cp1252") + "c,雪\n".encode()))
    assert [row.cells[1] for row in records(lines, ",")] == ["Ürsula", "Jürgen", "雪"]
    assert (lines.guessed_lines, lines.first_guessed) == (1, 2)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read_and_lines_are_counted_as_an_editor_does(ending: str) -> None:
    rows = read(ending.join(["a,b", "", '"x', 'y",z', "c,d"]).encode())
    assert [(row.line, row.cells) for row in rows] == [
        (1, ("a", "b")),
        (3, (f"x{ending}y", "z")),
        (5, ("c", "d")),
    ]


def test_an_open_quote_takes_no_other_row_along() -> None:
    good = [f"p{n}@example.org,P{n}" for n in range(LONGEST_ROW * 2)]
    rows = read("\n".join([good[0], 'x@example.org,"Xenia', *good[1:]]).encode())
    assert [row.line for row in rows if row.problem] == [2]
    assert "opened and not closed" in rows[1].problem
    assert [",".join(row.cells) for row in rows if not row.problem] == good


def test_an_open_quote_at_the_end_is_one_row() -> None:
    rows = read(b'a,b\n"c,d\ne,f\n')
    assert [(row.line, bool(row.problem)) for row in rows] == [(1, False), (2, True), (3, False)]


@pytest.mark.parametrize(
    ("line", "words"),
    [('"Ana" Smith,b', "after a closing quote"), ("x" * 140_000 + ",b", "longer than 131,072")],
)
def test_a_broken_row_says_what_is_wrong(line: str, words: str) -> None:
    rows = read(f"a,b\n{line}\nc,d\n".encode())
    assert words in rows[1].problem
    assert rows[2].cells == ("c", "d")


def test_a_line_without_end_is_one_row_in_bounded_memory() -> None:
    rows = read(b"a,b\n" + b"x" * (LONGEST_LINE * 3 + 7) + b"\nc,d\n")
    assert [(row.line, bool(row.problem)) for row in rows] == [(1, False), (2, True), (3, False)]


def test_an_over_long_line_inside_quotes_ends_the_quote() -> None:
    rows = read(b'"a,b\n' + b"x" * (LONGEST_LINE + 1) + b"\nc,d\n")
    assert [(row.line, bool(row.problem)) for row in rows] == [(1, True), (2, True), (3, False)]


def test_a_million_columns_are_only_a_row() -> None:
    assert len(read(b"," * 190_000 + b"x\n")[0].cells) == 190_001


@given(st.binary(max_size=400))
def test_no_bytes_raise_an_error(data: bytes) -> None:
    rows = read(data)
    assert [row.line for row in rows] == sorted(row.line for row in rows)


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=8),
                         min_size=2, max_size=3), max_size=6))  # fmt: skip
def test_what_csv_wrote_is_read_back(table: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(table)
    rows = read(written.getvalue().encode("utf-8-sig"))
    assert [list(row.cells) for row in rows] == [row for row in table if any(cell.strip() for cell in row)]
