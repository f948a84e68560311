"""One row -> what it asks for. Nothing here looks at the database."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from subscribers.address import Address, parse
from subscribers.csv_io.columns import Columns
from subscribers.csv_io.records import Record
from subscribers.errors import AddressError
from subscribers.words import LANGUAGE, TOPIC

LONGEST_NAME = 300


class Wish(StrEnum):
    """What a row wants to become of the person."""

    ACTIVE = "active"
    PENDING = "pending"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"


_STATUSES: dict[str, Wish] = {
    **dict.fromkeys(("", "active", "subscribed", "enabled", "confirmed", "free", "paid", "premium"), Wish.ACTIVE),
    **dict.fromkeys(("pending", "unconfirmed", "validating"), Wish.PENDING),
    **dict.fromkeys(("paused", "snoozed"), Wish.PAUSED),
    **dict.fromkeys(("unsubscribed", "inactive", "disabled", "opted out", "opted_out", "removed"), Wish.UNSUBSCRIBED),
    **dict.fromkeys(("bounced", "bounce", "cleaned", "hard bounced", "undeliverable"), Wish.BOUNCE),
    **dict.fromkeys(("complained", "complaint", "spam", "marked as spam"), Wish.COMPLAINT),
    **dict.fromkeys(("blocked", "blocklisted", "suppressed"), Wish.MANUAL),
}
_YES = ("true", "yes", "1", "t", "y")
_NO = ("false", "no", "0", "f", "n")


class RowError(Exception):
    """The row can't be read; the text is for the report."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read. `topics` is sorted, empty for all; `warning` tells what was left empty, and why."""

    line: int
    address: Address
    name: str
    language: str
    topics: tuple[str, ...]
    wish: Wish
    warning: str = ""


def read(record: Record, columns: Columns, known_topics: Collection[str] | None) -> Row:
    """Raises `RowError`. With `known_topics` another topic is a mistake; None knows none and takes all."""
    if record.problem:
        raise RowError(record.problem)
    cells = record.cells
    if any("\x00" in cell for cell in cells):
        raise RowError("The row holds a NUL character.")
    # Also where the cells too many are empty: the others may have moved by one, and a name stand for a language.
    if len(cells) > columns.width:
        many = f"{len(cells)} cells where the first line has {columns.width}"
        raise RowError(f"The row has {many}: a cell with a comma in it needs quotes around it.")
    try:
        address = parse(columns.cell(cells, "email"))
    except AddressError as error:
        raise RowError(str(error)) from None
    language, warning = _language(columns.cell(cells, "language"))
    return Row(
        line=record.line,
        address=address,
        name=_name(cells, columns),
        language=language,
        topics=_topics(columns.cell(cells, "topics"), known_topics),
        wish=_wish(cells, columns),
        warning=warning,
    )


def _name(cells: tuple[str, ...], columns: Columns) -> str:
    parts = [columns.cell(cells, meaning) for meaning in ("first name", "last name")]
    text = columns.cell(cells, "name") or " ".join(part for part in parts if part)
    # Controls and line separators become spaces; joiners and direction marks are part of how people are called.
    visible = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs") else letter for letter in text)
    name = unicodedata.normalize("NFC", " ".join(visible.split()))
    if len(name) > LONGEST_NAME:
        raise RowError(f"The name has {len(name):,} letters; at most {LONGEST_NAME} are kept.")
    return name


def _language(text: str) -> tuple[str, str]:
    language = text.replace("_", "-")
    if not language or (LANGUAGE.fullmatch(language) and len(language) <= 35):
        return language, ""
    return "", f"The language {text[:40]!r} is not a code such as en or pt-BR; it is left empty."


def _topics(text: str, known: Collection[str] | None) -> tuple[str, ...]:
    words = (re.sub(r"\s+", "-", word.strip().lower()) for word in re.split(r"[;|,]", text))
    topics = sorted({word for word in words if word})
    if topics in (["all"], ["*"]):
        return ()
    for topic in topics:
        # Leaving one out could leave none, and none means every topic: the opposite of what the person chose.
        if not TOPIC.fullmatch(topic) or (known is not None and topic not in known):
            near = difflib.get_close_matches(topic, known or (), n=1)
            raise RowError(f"There is no topic {topic[:50]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    return tuple(topics)


def _wish(cells: tuple[str, ...], columns: Columns) -> Wish:
    status = columns.cell(cells, "status").casefold()
    if status not in _STATUSES:
        raise RowError(f"The status {status[:40]!r} is unknown: write active, pending, paused or unsubscribed.")
    wish = _STATUSES[status]
    if wish in (Wish.BOUNCE, Wish.COMPLAINT, Wish.MANUAL):
        return wish
    if columns.cell(cells, "cleaned at"):
        return Wish.BOUNCE
    if columns.cell(cells, "unsubscribed at"):
        return Wish.UNSUBSCRIBED
    wants, off = columns.cell(cells, "wants mail").casefold(), columns.cell(cells, "mail off").casefold()
    for text in (wants, off):
        if text and text not in _YES + _NO:
            raise RowError(f"{text[:40]!r} is neither true nor false.")
    if wants in _NO or off in _YES:
        return Wish.UNSUBSCRIBED
    return wish
