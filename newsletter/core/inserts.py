"""Bought and house inserts as they are written down: the print magazine's, a sponsor's, with their dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any

from newsletter.core.markup import is_web
from newsletter.core.prose import plain
from newsletter.core.sentence import sentence

FIELDS = ("title", "text", "button", "url", "picture", "alt", "start", "end")


def insert_fault(table: Mapping[str, Any]) -> str:
    """What is wrong with an insert as somebody wrote it, in one sentence; "" when it can be printed."""
    for name in table:
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, n=1)
            if near:
                return sentence("has no {name}: did you mean {near}?", name=repr(name), near=near[0])
            return sentence("has no {name}, only {known}", name=repr(name), known=", ".join(FIELDS))
    if not _text(table, "title"):
        return sentence("needs a title")
    for name in ("url", "picture"):
        if (name == "url" or _text(table, name)) and not is_web(_text(table, name)):
            if name == "url":
                return sentence("needs a url that begins with https:// or http://")
            return sentence("needs its picture that begins with https:// or http://")
    if _text(table, "picture") and not _text(table, "alt") and not _text(table, "title"):
        return sentence("needs alt: what its picture shows")
    days = []
    for name in ("start", "end"):
        try:
            days.append(_day(table, name))
        except ValueError:
            return sentence("has a {name} that is no date: write 2026-11-05", name=name)
    start, end = days
    return sentence("ends before it starts") if start and end and end < start else ""


def is_open(table: Mapping[str, Any], day: date) -> bool:
    """Whether the insert is shown on `day`: complete, and within its dates, both of them included."""
    if insert_fault({name: value for name, value in table.items() if name in FIELDS}):
        return False
    start, end = _day(table, "start"), _day(table, "end")
    return not (start and day < start) and not (end and day > end)


def first_open(tables: Sequence[Mapping[str, Any]], day: date) -> Mapping[str, Any] | None:
    """The first insert that is shown on `day`."""
    return next((table for table in tables if is_open(table, day)), None)


def insert_texts(table: Mapping[str, Any]) -> dict[str, str]:
    """Its texts, clean; the link says the title where nobody wrote what it says."""
    texts = {name: _text(table, name) for name in ("title", "text", "button", "url", "picture", "alt")}
    return texts | {"button": texts["button"] or texts["title"], "alt": texts["alt"] or texts["title"]}


def _text(table: Mapping[str, Any], name: str) -> str:
    return plain(str(table.get(name) or ""))


def _day(table: Mapping[str, Any], name: str) -> date | None:
    return date.fromisoformat(str(table[name])) if table.get(name) else None
