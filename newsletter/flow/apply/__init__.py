"""`apply` makes the database say what magazine.toml says; `dump` writes the file that says what the database does.

The studio's settings go the same way, one table at a time (ADR 18).
"""

from __future__ import annotations

from newsletter.flow.apply.dump import dump_row, dump_text
from newsletter.flow.apply.studio import changed, note_removed
from newsletter.flow.apply.tables import Table, tables
from newsletter.flow.apply.write import Change, apply_text, change_in_studio, read_values

__all__ = [
    "Change",
    "Table",
    "apply_text",
    "change_in_studio",
    "changed",
    "dump_row",
    "dump_text",
    "note_removed",
    "read_values",
    "tables",
]
