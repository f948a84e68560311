"""A file of subscribers -> the list, row by row, with a report that adds up. A dry run gives the same report.

What holds whatever the file says:
- an unsubscribed or suppressed person stays so; the row is reported as kept out;
- who is on the list already is left as they are, so importing a file twice changes nothing;
- a row that says unsubscribed, bounced or complained stops mail, and is never the beginning of mail;
- the statement of consent goes word for word into the proof of every row that is added, with the consent columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from typing import BinaryIO

from django.db import IntegrityError, transaction

from subscribers.csv_io import columns as columns_module
from subscribers.csv_io import writing
from subscribers.csv_io.columns import Columns
from subscribers.csv_io.deciding import differs, fate, known, state_after
from subscribers.csv_io.records import Record
from subscribers.csv_io.report import COUNTS, Differences, ImportReport, Outcome, TableRead
from subscribers.csv_io.rows import Row, RowError, Wish
from subscribers.csv_io.rows import read as read_row
from subscribers.csv_io.seen import Seen, SeenAddresses
from subscribers.csv_io.tables import Table, tables
from subscribers.errors import ImportFileError
from subscribers.models import MailingList

CHUNK = 500  # rows to a transaction


def import_file(
    file: BinaryIO,
    mailing_list: MailingList,
    *,
    name: str,
    wording: str,
    now: datetime,
    known_topics: Collection[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    keep_columns: bool = False,
    leave: Collection[str] = (),
    encoding: str = "",
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    differences: Differences | None = None,
) -> ImportReport:
    """Read `file` (binary: CSV, XLSX, or a zip of CSV files) into `mailing_list`. `name` is what the proof calls the
    file; `wording` states how these people agreed. `mapping`, `keep_columns` and `leave` as in `columns.read`,
    `encoding` as in `tables`. `progress` hears
    the number of rows after each chunk, `differences` every row's outcome.

    Each chunk of rows is one transaction: after a crash the same file is simply imported again. Memory stays flat.
    Raises `ImportFileError` when there is no statement or a table has no column of addresses; the tables before it in
    an archive stand then.
    """
    if len(wording.strip()) < 10:
        raise ImportFileError("Say how these people agreed, in a sentence: it is the proof kept with each of them.")
    name = columns_module.printable(name)
    report = ImportReport(file=name, list_slug=mailing_list.slug, dry_run=dry_run)
    read: list[Table] = []
    with SeenAddresses() as seen:
        for table in tables(file, name, mapping, encoding):
            found, rows = _start(table, report, mapping, keep=keep_columns, leave=leave)
            where = name if table.name == name else f"{name} {table.name}"
            proof = writing.Proof(where, wording, now)
            while chunk := list(islice(rows, CHUNK)):
                outcomes: list[Outcome] = []
                good = _readable(chunk, found, known_topics, table.kind, now, report, outcomes)
                outcomes += _apply(good, mailing_list, seen, report, proof)
                if differences is not None:
                    differences.write(table.name, sorted(outcomes, key=lambda one: one.line))
                if progress is not None:
                    progress(report.rows)
            read.append(table)
    report.warnings += chain.from_iterable(table.warnings for table in read)
    # Not across tables: these follow one another in the order of the archive.
    order = {table.name: number for number, table in enumerate(report.tables)}
    report.problems.sort(key=lambda problem: (order.get(problem.file, 0), problem.line))
    return report


def _start(
    table: Table, report: ImportReport, mapping: Mapping[str, str] | None, *, keep: bool, leave: Collection[str]
) -> tuple[Columns, Iterator[Record]]:
    """Read the header. Raises `ImportFileError` for an empty table or one without addresses."""
    where = "" if table.name == report.file else f"{table.name}: "
    header = next(table.rows, None)
    if header is None or header.problem:
        problem = header.problem if header else "There is nothing but separators in it."
        raise ImportFileError(f"{where}The first line can't be read: {problem}")
    try:
        found = columns_module.read(header.cells, mapping, keep=keep, leave=leave)
    except ImportFileError as error:
        raise ImportFileError(f"{where}{error}") from None
    report.tables.append(
        TableRead(
            name=table.name,
            service=found.service,
            encoding=table.encoding,
            delimiter=table.delimiter,
            columns=sorted(found.at, key=found.at.__getitem__),
            attributes=[name for _, name in found.attributes],
            proof=[name for _, name in found.proof],
            ignored_columns=list(found.ignored),
        )
    )
    if not found.has_header:
        report.warnings.append(f"There is no header: the columns are taken for {', '.join(found.at)}.")
        return found, chain([header], table.rows)
    return found, table.rows


def _readable(
    chunk: list[Record],
    found: Columns,
    known_topics: Collection[str] | None,
    kind: str,
    now: datetime,
    report: ImportReport,
    outcomes: list[Outcome],
) -> list[Row]:
    good: list[Row] = []
    for record in chunk:
        report.rows += 1
        try:
            good.append(read_row(record, found, known_topics, now=now, kind=kind))
        except RowError as error:
            report.refused += 1
            report.note(record.line, "refused", str(error))
            shown = found.cell(record.cells, "email")[:254]
            outcomes.append(Outcome(record.line, shown, "refused", reason=str(error)))
    return good


def _apply(
    rows: list[Row], mailing_list: MailingList, seen: SeenAddresses, report: ImportReport, proof: writing.Proof
) -> list[Outcome]:
    """Decide and write one chunk. A person who subscribes in this very moment makes the keys collide: decide again."""
    if not rows:
        return []
    for last_try in (False, False, True):
        trial = replace(report, problems=[], problems_left_off=0)
        seen_here = seen.among({row.address.key for row in rows})
        try:
            with transaction.atomic():
                outcomes = _decide(rows, mailing_list, seen_here, trial, proof)
        except IntegrityError:
            if last_try:
                raise
        else:
            break
    seen.keep(seen_here)
    for count in COUNTS:
        setattr(report, count, getattr(trial, count))
    for problem in trial.problems:
        report.note(problem.line, problem.kind, problem.reason)
    report.problems_left_off += trial.problems_left_off
    return outcomes


def _decide(
    rows: list[Row], mailing_list: MailingList, seen: dict[str, Seen], report: ImportReport, proof: writing.Proof
) -> list[Outcome]:
    before = known(rows, mailing_list)
    states: dict[str, str] = {}
    fresh: list[Row] = []
    stops: list[Row] = []
    outcomes: list[Outcome] = []
    for row in rows:
        key = row.address.key
        if row.warning:
            report.note(row.line, "warning", row.warning)
        came_to, reason = fate(row, before, seen.get(key))
        on_list = key in before.subscriptions or (key in seen and seen[key].on_list)
        # Who is unsubscribed and was never on the list is new on it, unsubscribed.
        if came_to == "added" or (came_to == "stopped" and row.wish == Wish.UNSUBSCRIBED and not on_list):
            fresh.append(row)
        elif came_to == "stopped":
            stops.append(row)
        elif came_to == "kept_out":
            report.note(row.line, "kept out", reason)
        setattr(report, came_to, getattr(report, came_to) + 1)
        was = states.get(key, before.state(key))
        states[key] = state_after(row, came_to, was)
        if came_to == "already":
            reason = differs(row, before)
        spoken = came_to.replace("_", " ")
        outcomes.append(Outcome(row.line, row.address.shown, spoken, was, states[key], reason or row.warning))
        seen[key] = seen.get(key, Seen()).after(row, came_to, was_on_list=key in before.subscriptions)
    if not report.dry_run:
        # A row that would add, and a later one that stops: in this order.
        writing.add(fresh, before, mailing_list, proof)
        for row in stops:
            writing.stop(row, mailing_list, proof)
    return outcomes
