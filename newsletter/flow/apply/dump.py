"""Write magazine.toml from the database: every key, so that applying it anywhere gives the same magazine."""

from __future__ import annotations

from typing import Any

from django.db import models

from newsletter.config.toml import write
from newsletter.flow.apply.tables import Field, Table, tables


def dump_text() -> str:
    """The whole magazine as one TOML text. Secrets are not in it: the database does not know them."""
    data: dict[str, Any] = {}
    for table in tables():
        rows = [dump_row(table, row) for row in table.rows().order_by(table.key)]
        if rows:
            data[table.name] = rows[0] if table.one else rows
    return write(data)


def dump_row(table: Table, row: models.Model) -> dict[str, Any]:
    """One row as the file has it."""
    return {field.name: shown(field, row) for field in table.fields}


def shown(field: Field, row: models.Model) -> Any:
    """One value as the file has it; what it points to, by name."""
    if field.link == "sources":
        return sorted(source.slug for source in getattr(row, field.column).all())
    value = getattr(row, field.column)
    if field.link:
        return value.name if field.link == "accounts" else value.slug
    return field.show(value)
