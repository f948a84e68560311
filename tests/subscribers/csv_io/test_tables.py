"""Workbooks and archives, good and hostile: what is read is bounded, what is not read is said."""

from __future__ import annotations

import contextlib
import io
import random
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import Workbook

from subscribers.csv_io import Differences, ImportReport, import_file
from subscribers.csv_io import xlsx as xlsx_module
from subscribers.csv_io.records import Record
from subscribers.csv_io.tables import tables
from subscribers.errors import ImportFileError
from subscribers.models import Subscription
from tests.factories import make_list, make_subscription

CONSENT = "Asked on paper cards in 2026."
SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = f'<worksheet xmlns="{SPACE}"><dimension ref="A1"/><sheetData>{{}}</sheetData></worksheet>'


def bring_in(data: bytes, now: datetime, name: str = "people.xlsx", **options: Any) -> ImportReport:
    return import_file(io.BytesIO(data), make_list(), name=name, wording=CONSENT, now=now, **options)


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    assert book.active
    for row in rows:
        book.active.append(row)
    book.create_sheet("Another").append(["nobody"])
    book.save(out)
    return out.getvalue()


def with_sheet(xml: bytes | str, **parts: bytes | str) -> bytes:
    """A workbook whose first sheet is this XML, other parts replaced too."""
    source, out = io.BytesIO(workbook(("email",))), io.BytesIO()
    changed = {
        "xl/worksheets/sheet1.xml": xml,
        **{name.replace("__", "/") + ".xml": text for name, text in parts.items()},
    }
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changed.pop(name, None) or old.read(name))
        for name, text in changed.items():
            new.writestr(name, text)
    return out.getvalue()


def cell(text: str, place: str = "") -> str:
    return f'<c{place} t="inlineStr"><is><t>{text}</t></is></c>'


@pytest.mark.django_db
def test_the_first_sheet_of_a_workbook_is_read_as_a_spreadsheet_shows_it(now: datetime) -> None:
    data = workbook(
        (None, None),
        ("E-Mail", "Name", "Joined", "confirmed at", "Size", "VIP", None),
        (
            "ana@example.org",
            "Ana",
            datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC).replace(tzinfo=None),
            date(2024, 5, 7),
            43.0,
            True,
        ),
        (None, "", None),
        ("bo@example.org", 12, None, None, 4.5),
        ("nobody", "No", None),
    )
    report = bring_in(data, now, keep_columns=True)
    assert (report.rows, report.added, report.refused) == (3, 2, 1)
    assert (report.problems[0].line, report.tables[0].encoding) == (6, "")
    ana, bo = Subscription.objects.select_related("subscriber").order_by("pk")
    assert (ana.joined_at, ana.confirmed_at) == (
        datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), datetime(2024, 5, 7, tzinfo=UTC)
    )  # fmt: skip
    assert ana.subscriber.attributes == {"Size": "43", "VIP": "true"}
    assert (bo.subscriber.name, bo.subscriber.attributes) == ("12", {"Size": "4.5"})


BOMB = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "workbook of an old kind, or a locked one"),
        (lambda: b"PK\x03\x04" + bytes(600), "The archive is damaged"),
        (lambda: workbook(("email",))[:-40], "The archive is damaged"),
        (lambda: with_sheet(BOMB + SHEET.format("&b;")), "not one that a spreadsheet wrote"),
        (lambda: with_sheet(SHEET.format("").encode("utf-16")), "not one that a spreadsheet wrote"),
        (lambda: with_sheet("<worksheet"), "The workbook can't be read"),
        (lambda: with_sheet("", xl__workbook="<workbook/>"), "The workbook can't be read"),
    ],
)
def test_what_is_no_workbook_is_refused_whole(data: Any, words: str) -> None:
    with pytest.raises(ImportFileError, match=words):
        for table in tables(io.BytesIO(data()), "people.xlsx"):
            list(table.rows)


@pytest.mark.parametrize("what", ["text", "row", "shared texts", "tail"])
def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_parsed(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_module, "LARGEST_PART", 2**20)
    noise = "".join(f"{number:x}" for number in range(600_000))  # 2.9 MB that pack to a third
    data = {
        "text": lambda: with_sheet(SHEET.format(f"<row>{cell(noise)}</row>")),
        "row": lambda: with_sheet(SHEET.format(f"<row>{''.join(cell(str(n)) for n in range(260_000))}</row>")),
        "tail": lambda: with_sheet(SHEET.format("") + "<hyperlink/>" * 1_500_000),
        "shared texts": lambda: with_sheet(SHEET.format(""), xl__sharedStrings=f"<sst><si><t>{noise}</t></si></sst>"),
    }[what]()
    tracemalloc.start()
    try:
        with pytest.raises(ImportFileError, match=r"without end|too large"):
            for table in tables(io.BytesIO(data), "people.xlsx"):
                list(table.rows)
        assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    finally:
        tracemalloc.stop()


def rows_of(data: bytes) -> list[Record]:
    return [row for table in tables(io.BytesIO(data), "people.xlsx") for row in table.rows]


def test_a_sheet_that_breaks_off_gives_what_can_be_read() -> None:
    rows = "".join(f'<row r="{n}">{cell(f"p{n}@example.org")}</row>' for n in range(1, 3001))
    found = rows_of(with_sheet(SHEET.format(f"{rows}</nothing>")))
    assert [row.line for row in found] == list(range(1, len(found) + 1)) and len(found) > 1000
    assert found[0].cells == ("p1@example.org",) and not any(row.problem for row in found[:-1])
    assert found[-1].problem.startswith("The workbook can't be read from here on (ParseError).")


def test_a_row_that_claims_to_be_the_thousand_millionth_ends_the_sheet() -> None:
    rows = f'<row r="1">{cell("email")}</row><row r="1000000000">{cell("ana@example.org")}</row>'
    found = rows_of(with_sheet(SHEET.format(rows)))
    assert [row.line for row in found] == [1, 1_048_577]
    assert "at most 1,048,576 rows" in found[1].problem


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.csv": bytes(5 * 2**20)}, "a.csv unpacks to a thousand times its size"),
        ({f"{number}.csv": b"email\n" for number in range(201)}, "201 files in it; at most 200"),
        ({"readme.md": b"hello", "__MACOSX/._a.csv": b"x", ".a.csv": b"x"}, "There is no CSV file in the archive"),
    ],
)
def test_an_archive_that_is_no_export_is_refused_whole(files: dict[str, bytes], words: str) -> None:
    with pytest.raises(ImportFileError, match=words):
        list(tables(io.BytesIO(zipped(files)), "export.zip"))


def mutants(seed: int, number: int) -> Iterator[bytes]:
    """Workbooks and archives with a few bytes changed: of the archive, or of the XML in it."""
    draw = random.Random(seed)
    book = workbook(("email", "name"), ("ana@example.org", "Ana"), ("bo@example.org", 3.5))
    whole = [book, zipped({"a.csv": b"email,name\nana@example.org,Ana\n" * 30, "b.csv": b"email\nbo@example.org\n"})]
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    odd = (b"999999999", b"<row/>", b"-1", b"ZZZZ9", b"<c/>", b't="s"', b"1e999", b"")
    for _ in range(number):
        name = draw.choice([*parts, ""])
        data = bytearray(parts[name] if name else draw.choice(whole))
        for _ in range(draw.randrange(1, 4)):
            place = draw.randrange(len(data) - 30)
            if name:
                data[place : place + draw.randrange(30)] = draw.choice(odd)
            else:
                data[place] = draw.randrange(256)
        yield zipped({**parts, name: bytes(data)}) if name else bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_no_mutant_of_a_workbook_or_an_archive_raises_anything_but_its_own_error(seed: int) -> None:
    read = 0
    for data in mutants(seed, 150):
        with contextlib.suppress(ImportFileError):
            read += len(rows_of(data))
    assert read > 200


@pytest.mark.django_db
def test_a_damaged_archive_gives_what_can_be_read_and_says_where_it_ends(now: datetime) -> None:
    lines = b"email\n" + b"".join(b"p%d@example.org\n" % number for number in range(40_000))
    data = bytearray(zipped({"a.csv": lines}))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    report = bring_in(bytes(data), now, "export.zip", dry_run=True)
    assert 0 < report.rows < 40_001
    assert report.refused >= 1
    assert "The archive is damaged from here on" in report.problems[-1].reason


def test_a_locked_archive_is_named() -> None:
    data = bytearray(zipped({"a.csv": b"email\n"}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        place = data.index(mark) + (6 if mark.endswith(b"\x04") else 8)
        data[place] |= 1
    with pytest.raises(ImportFileError, match="locked with a password"):
        list(tables(io.BytesIO(bytes(data)), "export.zip"))


@pytest.mark.django_db
@pytest.mark.parametrize("dry_run", [True, False])
def test_the_list_of_differences_has_every_row_once_with_its_state_before_and_after(
    now: datetime, dry_run: bool
) -> None:
    make_subscription("ana@example.org")
    make_subscription("gone@example.org", state="unsubscribed", state_at=now - timedelta(days=3))
    make_subscription("old@example.org", name="Old", language="de", topics=["book"], attributes={"shoe": "43"})
    text = (
        "email,status,name,topics,shoe\nana@example.org,\nANA@example.org,unsubscribed\nbo@example.org,pending\n"
        "bo@example.org,bounced\ngone@example.org,\n=nobody,\nneu@example.org,paused\n"
        "old@example.org,paused,=New,movie,44\n"
    )
    out = io.StringIO()
    bring_in(text.encode(), now, "people.csv", differences=Differences(out), dry_run=dry_run, keep_columns=True)
    assert out.getvalue().splitlines() == [
        "file,line,email,outcome,before,after,reason",
        "people.csv,2,ana@example.org,already,active,active,",
        "people.csv,3,ANA@example.org,stopped,active,unsubscribed,",
        "people.csv,4,bo@example.org,added,,pending,",
        "people.csv,5,bo@example.org,stopped,pending,pending suppressed,",
        "people.csv,6,gone@example.org,kept out,unsubscribed,unsubscribed,"
        "The person unsubscribed on 2026-10-31: only they can come back.",
        "people.csv,7,'=nobody,refused,,,An email address must have an @-sign.",
        "people.csv,8,neu@example.org,added,,paused,",
        "people.csv,9,old@example.org,already,active,active,\"The file says name '=New', not 'Old'; "
        "topics 'movie', not 'book'; "
        "status 'paused', not 'active'; shoe '44': left as it is.\"",
    ]
