"""A cell that begins like a formula is run by spreadsheets, whoever wrote it: a subscriber's name can be a program.

Source: OWASP, "CSV Injection". An apostrophe in front makes it text; spreadsheets show the cell without it.
"""

from __future__ import annotations

_STARTS_FORMULA = frozenset("=+-@＝＋－＠")
_STARTS_ANYTHING = frozenset("\t\r\n")


def guard(value: str) -> str:
    """`value` as text in any spreadsheet. `unguard(guard(value)) == value` for every value."""
    return f"'{value}" if _needs_guard(value) else value


def unguard(value: str) -> str:
    """Take one guard off, if that is what it is: the name 't Hooft keeps its apostrophe."""
    return value[1:] if value[:1] == "'" and _needs_guard(value[1:]) else value


def _needs_guard(value: str) -> bool:
    # An apostrophe counts too, or a value that has one by itself would lose it on the way back.
    first = value[:1]
    return first == "'" or first in _STARTS_ANYTHING or value.lstrip()[:1] in _STARTS_FORMULA
