"""Saved conditions over the people of a list.

conditions  what a rule may ask, as plain values
parsing     JSON -> conditions; a mistake names its path ("all[1].joined.after")
compiling   conditions -> a Q that means the same on SQLite and PostgreSQL
functions   the pieces of SQL that the two databases spell differently
reading     who is in a segment: a queryset, a count, keyset pages
saved       segments by name
"""

from __future__ import annotations

from subscribers.segments.parsing import parse
from subscribers.segments.reading import count, pages, queryset
from subscribers.segments.saved import delete, find, save

__all__ = ["count", "delete", "find", "pages", "parse", "queryset", "save"]
