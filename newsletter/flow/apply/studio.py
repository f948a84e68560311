"""What was chosen in the studio, kept apart from what files say, so that an older file takes nothing back unseen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.core.errors import StudioError
from newsletter.core.sentence import counted, sentence
from newsletter.models import StudioChange

Key = tuple[str, str, str]
ROW = "slug"
"""The key that names a row: the mark at it says that the row itself was removed."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Every key that was last changed in the studio, by (table, row, field)."""

    rows: Mapping[Key, StudioChange]

    def said(self, table: str, row: str, field: str) -> str:
        """Who changed it and when; "" when nobody did."""
        found = self.rows.get((table, row, field))
        return f"{found.by}, {found.at:%Y-%m-%d %H:%M} UTC" if found else ""

    def forget(self, keys: Iterable[Key]) -> None:
        """These are what a file says from now on."""
        gone = [self.rows[key].pk for key in keys if key in self.rows]
        if gone:
            StudioChange.objects.filter(pk__in=gone).delete()


def marks() -> Marks:
    """They are few: one for each key that somebody changed since the file was last brought up to date."""
    return Marks({(row.table, row.row, row.field): row for row in StudioChange.objects.all()})


def note(table: str, row: str, field: str, before: Any, *, now: datetime, by: str) -> None:
    """Somebody has just changed this key in the studio."""
    StudioChange.objects.update_or_create(
        table=table, row=row, field=field, defaults={"before": before, "at": now, "by": by}
    )


def note_removed(table: str, row: str, *, now: datetime, by: str) -> None:
    """Somebody has just removed this row in the studio: what else was changed of it counts no more."""
    StudioChange.objects.filter(table=table, row=row).delete()
    note(table, row, ROW, row, now=now, by=by)


def changed() -> int:
    """How many keys were changed since a file said them. What was removed is in no file, so no file catches up."""
    return StudioChange.objects.exclude(field=ROW).count()


def refusal(file: str, differences: list[str]) -> StudioError:
    """Why a file was not applied: each difference, and the two ways on."""
    listed = "".join(f"\n  {each}" for each in differences)
    return StudioError(
        counted(
            "It would take back one setting that was changed in the studio since; nothing was changed.{listed}",
            "It would take back {n} settings that were changed in the studio since; nothing was changed.{listed}",
            len(differences),
            listed=f"{listed}\n",
        ),
        where=file,
        hint=sentence(
            "To keep them: newsletter dump writes the file anew. To take them back: newsletter apply --over-studio."
        ),
    )
