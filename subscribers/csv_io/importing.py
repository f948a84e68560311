"""A file of subscribers -> the list, row by row, with a report that adds up. A dry run gives the same report.

What holds whatever the file says:
- an unsubscribed or suppressed person stays so; the row is reported as kept out;
- who is on the list already is left as they are, so importing a file twice changes nothing;
- a row that says unsubscribed, bounced or complained stops mail, and is never the beginning of a subscription;
- the statement of consent goes word for word into the proof of every row that is added.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction

from subscribers import consent, suppression
from subscribers.csv_io import columns as columns_module
from subscribers.csv_io.columns import Columns
from subscribers.csv_io.records import Lines, Record, records
from subscribers.csv_io.rows import Row, RowError, Wish
from subscribers.csv_io.rows import read as read_row
from subscribers.errors import ImportFileError
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    MailingList,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)

CHUNK = 500  # rows to a transaction
MOST_PROBLEMS = 10_000  # kept one by one; the counts go on
_REASONS = {
    Wish.BOUNCE: SuppressionReason.BOUNCE,
    Wish.COMPLAINT: SuppressionReason.COMPLAINT,
    Wish.MANUAL: SuppressionReason.MANUAL,
}
_STATES = {
    Wish.ACTIVE: SubscriptionState.ACTIVE,
    Wish.PENDING: SubscriptionState.PENDING,
    Wish.PAUSED: SubscriptionState.PAUSED,
    Wish.UNSUBSCRIBED: SubscriptionState.UNSUBSCRIBED,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that did not do what it asked for (`refused`, `kept out`), or did so with a remark (`warning`)."""

    line: int
    kind: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """`rows` is always added + stopped + already + kept_out + refused.

    added     on the list now, in the state that the row named
    stopped   was unsubscribed or suppressed, as the row said
    already   on the list already, or named by an earlier line: nothing was changed
    kept_out  unsubscribed or suppressed, and left so
    refused   could not be read
    """

    file: str
    list_slug: str
    dry_run: bool
    encoding: str = ""
    delimiter: str = ""
    columns: list[str] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    rows: int = 0
    added: int = 0
    stopped: int = 0
    already: int = 0
    kept_out: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    problems_left_off: int = 0
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for `--json`."""
        return dataclasses.asdict(self)

    def note(self, line: int, kind: str, reason: str) -> None:
        """Keep one problem, as long as there is room."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(line, kind, reason))
        else:
            self.problems_left_off += 1


def import_file(
    file: BinaryIO,
    mailing_list: MailingList,
    *,
    name: str,
    wording: str,
    now: datetime,
    known_topics: Collection[str] | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Read `file` (binary, read once) into `mailing_list`. `name` is what the proof calls the file; `wording` states
    how these people agreed. `progress` hears the number of rows after each chunk.

    Each chunk of rows is one transaction: after a crash the same file is simply imported again. Raises
    `ImportFileError` when there is no statement or no column of addresses; then nothing was changed.
    """
    if len(wording.strip()) < 10:
        raise ImportFileError("Say how these people agreed, in a sentence: it is the proof kept with each of them.")
    report = ImportReport(file=name, list_slug=mailing_list.slug, dry_run=dry_run)
    lines = Lines(file)
    try:
        found, rows = _start(lines, report)
        seen: dict[str, _Seen] = {}
        while chunk := list(islice(rows, CHUNK)):
            good = _readable(chunk, found, known_topics, report)
            _apply(good, mailing_list, seen, report, name=name, wording=wording, now=now)
            if progress is not None:
                progress(report.rows)
    finally:
        lines.release()
    if lines.guessed_lines:
        report.warnings.append(
            f"{lines.guessed_lines:,} lines are not UTF-8 and were read as Windows-1252 (the first is line "
            f"{lines.first_guessed}): look at the accents in the names."
        )
    report.problems.sort(key=lambda problem: problem.line)
    return report


@dataclass(frozen=True, slots=True)
class _Seen:
    """An address that an earlier line of this file named, and what those lines did to it."""

    on_list: bool = False
    unsubscribed: bool = False
    suppressed: bool = False

    def after(self, row: Row, fate: str, *, was_on_list: bool) -> _Seen:
        """What is so once this row is applied."""
        on_list = self.on_list or was_on_list or fate == "added" or (fate, row.wish) == ("stopped", Wish.UNSUBSCRIBED)
        # A complaint ends the subscription too, where there is one.
        ended = fate == "stopped" and on_list and row.wish in (Wish.UNSUBSCRIBED, Wish.COMPLAINT)
        return _Seen(
            on_list=on_list,
            unsubscribed=self.unsubscribed or ended,
            suppressed=self.suppressed or (fate == "stopped" and row.wish in _REASONS),
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database knew of the people of one chunk before it."""

    people: dict[str, Subscriber]
    subscriptions: dict[str, Subscription]
    suppressed: dict[str, str]


def _start(lines: Lines, report: ImportReport) -> tuple[Columns, Iterator[Record]]:
    """Read the header. Raises `ImportFileError` for an empty file or one without addresses."""
    delimiter = ""
    while (line := lines.take()) is not None:
        text = line.text.strip("\ufeff \r\n")
        if line.too_long:
            lines.give_back([line])
            break
        if text.lower().startswith("sep=") and len(text) == 5:  # spreadsheets put it there for one another
            delimiter = text[4]
        elif text.strip():
            lines.give_back([line])
            break
    else:
        raise ImportFileError("The file is empty.")
    delimiter = delimiter or columns_module.sniff(text)
    rows = records(lines, delimiter)
    header = next(rows, None)
    if header is None or header.problem:
        problem = header.problem if header else "There is nothing but separators in it."
        raise ImportFileError(f"The first line can't be read: {problem}")
    found = columns_module.read(header.cells)
    report.encoding, report.delimiter = lines.encoding, delimiter
    report.columns, report.ignored_columns = sorted(found.at, key=found.at.__getitem__), list(found.ignored)
    if not found.has_header:
        report.warnings.append(f"There is no header: the columns are taken for {', '.join(found.at)}.")
        return found, _with(header, rows)
    return found, rows


def _with(first: Record, rest: Iterator[Record]) -> Iterator[Record]:
    yield first
    yield from rest


def _readable(
    chunk: list[Record], found: Columns, known_topics: Collection[str] | None, report: ImportReport
) -> list[Row]:
    good: list[Row] = []
    for record in chunk:
        report.rows += 1
        try:
            good.append(read_row(record, found, known_topics))
        except RowError as error:
            report.refused += 1
            report.note(record.line, "refused", str(error))
    return good


def _apply(
    rows: list[Row],
    mailing_list: MailingList,
    seen: dict[str, _Seen],
    report: ImportReport,
    *,
    name: str,
    wording: str,
    now: datetime,
) -> None:
    """Decide and write one chunk. A person who subscribes in this very moment makes the keys collide: decide again."""
    for last_try in (False, False, True):
        trial = dataclasses.replace(report, problems=[])
        seen_here = {row.address.key: seen[row.address.key] for row in rows if row.address.key in seen}
        try:
            with transaction.atomic():
                _decide(rows, mailing_list, seen_here, trial, name=name, wording=wording, now=now)
        except IntegrityError:
            if last_try:
                raise
        else:
            break
    seen.update(seen_here)
    for count in ("added", "stopped", "already", "kept_out"):
        setattr(report, count, getattr(trial, count))
    for problem in trial.problems:
        report.note(problem.line, problem.kind, problem.reason)


def _decide(
    rows: list[Row],
    mailing_list: MailingList,
    seen: dict[str, _Seen],
    report: ImportReport,
    *,
    name: str,
    wording: str,
    now: datetime,
) -> None:
    known = _known(rows, mailing_list)
    fresh: list[Row] = []
    stops: list[Row] = []
    for row in rows:
        if row.warning:
            report.note(row.line, "warning", row.warning)
        fate, reason = _fate(row, known, seen.get(row.address.key))
        stopping = row.wish not in (Wish.ACTIVE, Wish.PENDING, Wish.PAUSED)
        if fate in ("added", "stopped"):
            (stops if stopping else fresh).append(row)
        if fate == "kept_out":
            report.note(row.line, "kept out", reason)
        setattr(report, fate, getattr(report, fate) + 1)
        before = seen.get(row.address.key, _Seen())
        seen[row.address.key] = before.after(row, fate, was_on_list=row.address.key in known.subscriptions)
    if report.dry_run:
        return
    _add(fresh, known, mailing_list, name=name, wording=wording, now=now)
    for row in stops:
        _stop(row, mailing_list, name=name, now=now)


def _fate(row: Row, known: _Known, seen: _Seen | None) -> tuple[str, str]:
    """The count that the row belongs to, and why it is kept out."""
    key = row.address.key
    subscription = known.subscriptions.get(key)
    if row.wish in _REASONS:
        suppressed = key in known.suppressed or (seen is not None and seen.suppressed)
        return ("already" if suppressed else "stopped"), ""
    if row.wish == Wish.UNSUBSCRIBED:
        # Also for a suppressed address: should the suppression be lifted one day, the unsubscribe must stand.
        gone = subscription is not None and subscription.state == SubscriptionState.UNSUBSCRIBED
        return ("already" if gone or (seen is not None and seen.unsubscribed) else "stopped"), ""
    if seen is not None:
        return "already", ""
    if key in known.suppressed:
        return "kept_out", f"The address is suppressed ({known.suppressed[key]}): it is never mailed."
    if subscription is None:
        return "added", ""
    if subscription.state == SubscriptionState.UNSUBSCRIBED:
        day = f"{subscription.state_at:%Y-%m-%d}"
        return "kept_out", f"The person unsubscribed on {day}: only they can come back."
    return "already", ""


def _known(rows: list[Row], mailing_list: MailingList) -> _Known:
    keys = {row.address.key for row in rows}
    people = {person.address_key: person for person in Subscriber.objects.filter(address_key__in=keys)}
    subscriptions = Subscription.objects.filter(mailing_list=mailing_list, subscriber__address_key__in=keys)
    return _Known(
        people=people,
        subscriptions={row.subscriber.address_key: row for row in subscriptions.select_related("subscriber")},
        suppressed=suppression.reasons(keys),
    )


def _add(rows: list[Row], known: _Known, mailing_list: MailingList, *, name: str, wording: str, now: datetime) -> None:
    """New subscriptions, and the people who are new too, in three statements."""
    unknown = [
        Subscriber(
            address=row.address.shown,
            address_key=row.address.key,
            name=row.name,
            language=row.language,
            created_at=now,
        )
        for row in rows
        if row.address.key not in known.people
    ]
    people = {**known.people, **{person.address_key: person for person in Subscriber.objects.bulk_create(unknown)}}
    subscriptions = Subscription.objects.bulk_create(
        Subscription(
            mailing_list=mailing_list,
            subscriber=people[row.address.key],
            state=_STATES[row.wish],
            topics=list(row.topics),
            joined_at=now,
            confirmed_at=now if row.wish != Wish.PENDING else None,
            state_at=now,
        )
        for row in rows
    )
    ConsentEvent.objects.bulk_create(
        ConsentEvent(
            subscription=subscription,
            address_key=row.address.key,
            list_slug=mailing_list.slug,
            kind=ConsentKind.IMPORTED,
            at=now,
            origin=f"import {name} line {row.line}"[:200],
            wording=wording,
            evidence={"file": name, "line": row.line, "state": str(row.wish)},
        )
        for row, subscription in zip(rows, subscriptions, strict=True)
    )


def _stop(row: Row, mailing_list: MailingList, *, name: str, now: datetime) -> None:
    """A row that ends something. Few of a file's rows are, and each may touch other lists: one by one."""
    origin = f"import {name} line {row.line}"[:200]
    if row.wish in _REASONS:
        suppression.suppress(row.address.key, _REASONS[row.wish], now=now, evidence=origin)
        return
    person, _ = Subscriber.objects.get_or_create(
        address_key=row.address.key,
        defaults={"address": row.address.shown, "name": row.name, "language": row.language, "created_at": now},
    )
    # Written down even for somebody new: otherwise the next file would bring them in.
    subscription, _ = Subscription.objects.get_or_create(
        mailing_list=mailing_list,
        subscriber=person,
        defaults={"state": SubscriptionState.PENDING, "joined_at": now, "state_at": now, "topics": list(row.topics)},
    )
    consent.unsubscribe(subscription, now=now, origin=origin)
