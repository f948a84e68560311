"""Check a magazine.toml, or a form of the studio's, then change what differs, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import models, transaction

from newsletter.config.toml import Document, nearest, write, write_value
from newsletter.core.errors import ConfigError, IssueError, KeyRefusedError
from newsletter.core.sentence import ended, sentence
from newsletter.flow.apply import studio
from newsletter.flow.apply.dump import shown
from newsletter.flow.apply.readers import Refused, check_account, check_location, check_return_path, check_segment
from newsletter.flow.apply.tables import NEEDED, Field, Table, tables
from newsletter.ledger import issues
from newsletter.models import Account, Event, Issue, IssueState, Magazine, Newsletter, Source

_NOT_IN_LETTERS = frozenset(
    {"account", "sources", "weekday", "send_time", "timezone", "cutoff_hours", "approval", "approval_by_another",
     "quiet_weeks", "starts_at", "min_reviews", "under_minimum", "max_cards", "max_lines", "freshness_days",
     "first_import_days", "grace_hours", "min_gap_hours"}
)  # fmt: skip
"""A newsletter's keys that change nothing of what was approved: they are about the weeks to come, or the way out."""

_READ_WITH = frozenset({"kind", "location", "language", "timezone", "rubric_map"})
"""A source's keys that its entries are read with: they are read again, also where nothing has changed there."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one row. For a new row (`created`) `before` is None, and only what the file gave is listed.

    Values are as the file has them. `studio` says who chose `before` in the studio, and when; "" for nobody. Of a new
    row it says who removed it there.
    """

    table: str
    row: str
    field: str
    before: Any
    after: Any
    created: bool
    studio: str = ""

    def __str__(self) -> str:
        name = self.table if self.table == "magazine" else f"{self.table} {self.row}"
        if self.created:
            removed = f"; removed in the studio by {self.studio}" if self.studio else ""
            return f"{name}: {self.field} = {write_value(self.after)} (new{removed})"
        by = f" (set in the studio by {self.studio})" if self.studio else ""
        return f"{name}: {self.field}: {write_value(self.before)} -> {write_value(self.after)}{by}"


@dataclass(frozen=True, slots=True)
class _Row:
    """One checked table of the file: what it says, and where."""

    table: Table
    path: tuple[str | int, ...]
    key: str
    values: Mapping[str, Any]


def apply_text(
    text: str,
    *,
    now: datetime,
    file: str = "magazine.toml",
    designs: Collection[str] | None = None,
    home: Path | None = None,
    dry_run: bool = False,
    over_studio: bool = False,
) -> list[Change]:
    """Create or change the magazine from `text`, and say what changed; an empty list when nothing had to.

    What the file does not mention stays as it is. `now` becomes the start of a newsletter that gives none. `designs`
    are the known designs (None: any name will do), `home` is where an account's secret files are looked for. What
    changes a letter voids the approvals of issues that have not begun. All or nothing: raises `ConfigError` with file
    and line, before anything is written, and `StudioError` with every difference when the file would take back what
    somebody has chosen in the studio since, unless `over_studio`.
    """
    document = Document(text, file)
    rows = _read(document, tables(designs))
    with transaction.atomic():
        marks = studio.marks()
        changes = [change for row in rows for change in _write(row, document, now, home)]
        changes = [replace(change, studio=marks.said(change.table, change.row, change.field)) for change in changes]
        taken_back = [str(change) for change in changes if change.studio]
        if taken_back and not (over_studio or dry_run):
            raise studio.refusal(file, taken_back)
        # What the file names is the file's again, whether it changed anything or has caught up.
        marks.forget((row.table.name, row.key, name) for row in rows for name in row.values)
        _void(changes, now, by="")
        if dry_run:
            transaction.set_rollback(True)
    return changes


def read_values(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What `values` would be in the database, each looked at alone; nothing is written. Raises `KeyRefusedError`."""
    known = next(each for each in tables() if each.name == table)
    data = {known.key: "x", **values}
    document = Document(write({table: data if known.one else [data]}), "")
    return {name: value for name, value in _read(document, (known,))[0].values.items() if name in values}


def change_in_studio(
    table: str,
    row: str,
    values: Mapping[str, Any],
    *,
    now: datetime,
    by: str,
    designs: Collection[str] | None = None,
    home: Path | None = None,
) -> list[Change]:
    """What `apply` does with a file of one table that says `values`, for somebody in the studio; returns what changed.

    Each change is in the log, and kept apart from what files say: see `apply_text`. Raises `KeyRefusedError` for a
    value that can't stand there, and `ConfigError` when there is no such row: the studio makes none.
    """
    known = next(each for each in tables(designs) if each.name == table)
    data = {known.key: row, **values}
    document = Document(write({table: data if known.one else [data]}), "")
    with transaction.atomic():
        if not known.model._default_manager.filter(**{known.key: row}).exists():
            raise ConfigError(
                sentence('There is no "{row}" among {table} any more.', row=row, table=table),
                hint=sentence("Look at it as it is now."),
            )
        changes = [change for read in _read(document, (known,)) for change in _write(read, document, now, home)]
        _void(changes, now, by=by)
        newsletter = Newsletter.objects.filter(slug=row).first() if table == "newsletters" else None
        for change in changes:
            studio.note(table, row, change.field, change.before, now=now, by=by)
            Event.objects.create(newsletter=newsletter, at=now, kind="setting changed", text=str(change), by=by)
    return changes


def _void(changes: Iterable[Change], now: datetime, *, by: str) -> None:
    """Take back the approvals of letters that would come out otherwise now. One that has begun goes on as approved."""
    waiting = Issue.objects.filter(state=IssueState.APPROVED)
    for issue in waiting.select_related("newsletter").order_by("pk"):
        mine = {
            change.field
            for change in changes
            if change.table == "magazine"
            or (change.table == "newsletters" and change.row == issue.newsletter.slug
                and change.field not in _NOT_IN_LETTERS)
        }  # fmt: skip
        if mine:
            why = f"{' and '.join(sorted(mine)).replace('_', ' ')} changed in the settings"
            # Begun this very moment: it is decided, and goes out as it was approved.
            with suppress(IssueError):
                issues.void_approval(issue.pk, why, now=now, by=by)


def _read(document: Document, known: tuple[Table, ...]) -> list[_Row]:
    names = [table.name for table in known]
    for name in document.data:
        if name not in names:
            raise ConfigError(
                sentence('There is no table "{name}".', name=name),
                where=document.where((name,)),
                hint=nearest(name, names),
            )
    rows = []
    for table in known:
        found = document.data.get(table.name, {} if table.one else [])
        listed = [found] if table.one else found
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            sign = f"[{table.name}]" if table.one else f"[[{table.name}]]"
            raise ConfigError(
                sentence('"{name}" is written as {sign}.', name=table.name, sign=sign),
                where=document.where((table.name,)),
                hint=sentence("See the sample."),
            )
        seen: dict[str, tuple[str | int, ...]] = {}
        for position, item in enumerate(listed):
            if not item:
                continue
            path: tuple[str | int, ...] = (table.name,) if table.one else (table.name, position)
            row = _read_row(document, table, path, item)
            if row.key in seen:
                raise ConfigError(
                    sentence(
                        '"{key}" is there twice; the first is on line {line}.',
                        key=row.key,
                        line=document.line(seen[row.key]),
                    ),
                    where=document.where(path),
                )
            seen[row.key] = path
            rows.append(row)
    return rows


def _read_row(document: Document, table: Table, path: tuple[str | int, ...], item: Mapping[str, Any]) -> _Row:
    names = [field.name for field in table.fields]
    values = {}
    for name, value in item.items():
        where = document.where((*path, name))
        if name not in names:
            raise ConfigError(
                sentence('{table} has no "{name}".', table=table.name, name=name),
                where=where,
                hint=nearest(name, names),
            )
        try:
            values[name] = table.field(name).read(value)
        except Refused as refused:
            raise KeyRefusedError(
                ended(sentence('"{name}" {refused}', name=name, refused=refused.message)),
                field=name,
                where=where,
                hint=refused.hint,
            ) from refused
    if table.key not in values and table.one:
        first = table.model._default_manager.order_by("pk").first()
        values[table.key] = getattr(first, table.key) if first else table.field(table.key).default
    if table.key not in values:
        raise ConfigError(sentence('"{key}" is missing.', key=table.key), where=document.where(path))
    return _Row(table, path, values[table.key], values)


def _write(row: _Row, document: Document, now: datetime, home: Path | None) -> list[Change]:
    table = row.table
    found = table.model._default_manager.filter(**{table.key: row.key}).first()
    if found is None and table.one and table.model._default_manager.exists():
        raise ConfigError(
            sentence("The magazine's slug can't change."),
            where=document.where((*row.path, table.key)),
            hint=sentence("Take the line out."),
        )
    created = found is None or not table.rows().filter(pk=found.pk).exists()
    model = found or table.model(**{table.key: row.key})
    if created and isinstance(model, Source):
        _bring_back(model, row.values.get("location", ""))
    changes: list[Change] = []
    sources: list[models.Model] | None = None
    for field in table.fields:
        if field.name not in row.values and not created:
            continue
        value = _value(row, field, document, now)
        before = None if created else shown(field, model)
        after = _linked(row, field, value, document) if field.link else value
        if field.link == "sources":
            sources = after
            shown_after: Any = value
        else:
            setattr(model, field.column, after)
            shown_after = shown(field, model)
        said = field.name in row.values or field.name == "starts_at"
        if (created and said) or (not created and before != shown_after):
            changes.append(Change(table.name, row.key, field.name, before, shown_after, created))
    _check(row, model, document, home)
    if created and isinstance(model, Newsletter):
        model.magazine = _magazine(row, document)
    if changes:
        if isinstance(model, Source) and not _READ_WITH.isdisjoint(change.field for change in changes):
            model.etag = model.last_modified = ""
        model.save()
    if sources is not None and isinstance(model, Newsletter):
        model.sources.set(sources)  # type: ignore[arg-type] # rows of Source, by `link`
    return changes


def _bring_back(source: Source, location: str) -> None:
    """A source that was removed is there again: what came from it is known still, but it is read afresh."""
    if source.location != location:
        source.first_gathered_at = None
    source.removed_at = None
    source.etag = source.last_modified = source.last_error = ""
    source.failures_in_row, source.last_tried_at = 0, None


def _value(row: _Row, field: Field, document: Document, now: datetime) -> Any:
    if field.name in row.values:
        return row.values[field.name]
    if field.name == "starts_at":
        return now.replace(microsecond=0)
    if field.default is NEEDED:
        raise ConfigError(
            sentence('"{name}" is missing.', name=field.name),
            where=document.where(row.path),
            hint=sentence("It is {help}.", help=field.help),
        )
    return field.default


def _linked(row: _Row, field: Field, value: Any, document: Document) -> Any:
    """The row or rows that `value` names. Raises `ConfigError` with the nearest name."""
    target = next(table for table in tables() if table.name == field.link)
    wanted = value if isinstance(value, list) else [value]
    found = {getattr(item, target.key): item for item in target.rows()}
    for name in wanted:
        if name not in found:
            raise KeyRefusedError(
                sentence(
                    '"{field}" names "{name}", which is not among {link}.', field=field.name, name=name, link=field.link
                ),
                field=field.name,
                where=document.where((*row.path, field.name)),
                hint=nearest(name, sorted(found)),
            )
    return [found[name] for name in wanted] if isinstance(value, list) else found[value]


def _check(row: _Row, model: models.Model, document: Document, home: Path | None) -> None:
    """What two fields say together."""
    field = {Account: "settings", Source: "location"}.get(type(model), "")
    try:
        if isinstance(model, Account):
            check_account(model.kind, model.settings, home)
        if isinstance(model, Source):
            check_location(model.kind, model.location)
        if isinstance(model, Newsletter):
            field = "return_path"
            check_return_path(model.from_address, model.return_path)
            field = "audience"
            check_segment(model.mailing_list, model.audience)
    except Refused as refused:
        raise KeyRefusedError(
            sentence('"{field}" {refused}', field=field, refused=refused),
            field=field,
            where=document.where((*row.path, field)),
            hint=refused.hint,
        ) from refused


def _magazine(row: _Row, document: Document) -> Magazine:
    magazine = Magazine.objects.order_by("pk").first()
    if magazine is None:
        raise ConfigError(
            sentence("There is no magazine yet."),
            where=document.where(row.path),
            hint=sentence("Write [magazine] first."),
        )
    return magazine
