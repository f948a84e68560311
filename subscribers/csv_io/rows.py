"""One row -> what it asks for. Nothing here looks at the database."""

from __future__ import annotations

import csv
import difflib
import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from subscribers.address import Address, parse
from subscribers.csv_io.columns import Columns
from subscribers.csv_io.records import Record
from subscribers.errors import AddressError
from subscribers.models import Frequency
from subscribers.words import LANGUAGE, TOPIC

LONGEST_NAME = 300
LONGEST_ATTRIBUTE = 2000
LONGEST_PROOF = 500
DEEPEST = 20  # of JSON: our own events hold those of an earlier export
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # a spreadsheet's zero, or a mistake


class Wish(StrEnum):
    """What a row wants to become of the person."""

    ACTIVE = "active"
    PENDING = "pending"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"


SUPPRESSING = (Wish.BOUNCE, Wish.COMPLAINT, Wish.MANUAL)
_STATUSES: dict[str, Wish] = {
    **dict.fromkeys(("", "active", "subscribed", "enabled", "confirmed", "free", "paid", "premium"), Wish.ACTIVE),
    **dict.fromkeys(("pending", "unconfirmed", "validating"), Wish.PENDING),
    **dict.fromkeys(("paused", "snoozed"), Wish.PAUSED),
    **dict.fromkeys(("unsubscribed", "inactive", "disabled", "opted out", "opted_out", "removed"), Wish.UNSUBSCRIBED),
    **dict.fromkeys(("bounced", "bounce", "cleaned", "hard bounced", "undeliverable", "invalid"), Wish.BOUNCE),
    **dict.fromkeys(("complained", "complaint", "spam", "marked as spam"), Wish.COMPLAINT),
    **dict.fromkeys(("blocked", "blocklisted", "suppressed"), Wish.MANUAL),
}
_YES = ("true", "yes", "1", "t", "y")
_NO = ("false", "no", "0", "f", "n")


class RowError(Exception):
    """The row can't be read; the text is for the report."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read. `topics` is sorted, empty for all; `warning` tells what was left empty, and why.

    `subscription` is the state on the list that our own export gives beside a suppression (None: none). Dates are
    aware; None where the row gives none. `proof` is the consent columns as they stand, by their headers.
    """

    line: int
    address: Address
    name: str
    language: str
    topics: tuple[str, ...]
    wish: Wish
    warning: str = ""
    subscription: Wish | None = None
    plain_text: bool = False
    frequency: str = Frequency.WEEKLY
    paused_until: datetime | None = None
    joined: datetime | None = None
    confirmed: datetime | None = None
    changed: datetime | None = None
    accepted: datetime | None = None
    refusals: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)

    @property
    def suppresses(self) -> bool:
        """Whether the row says that the address must never be mailed."""
        return self.wish in SUPPRESSING


def read(
    record: Record, columns: Columns, known_topics: Collection[str] | None, *, now: datetime, kind: str = ""
) -> Row:
    """Raises `RowError`. With `known_topics` another topic is a mistake; None knows none and takes all. `kind` is what
    the file is said to hold ("unsubscribed", "cleaned", "nonsubscribed", or "").
    """
    if record.problem:
        raise RowError(record.problem)
    cells = record.cells
    if any("\x00" in cell for cell in cells):
        raise RowError("The row holds a NUL character.")
    # Also where the cells too many are empty: the others may have moved by one, and a name stand for a language.
    if len(cells) > columns.width:
        many = f"{len(cells)} cells where the first line has {columns.width}"
        raise RowError(f"The row has {many}: a cell with a comma in it needs quotes around it.")
    if kind == "nonsubscribed":
        raise RowError("The file holds people who never subscribed: nobody of them is added.")
    try:
        address = parse(columns.cell(cells, "email"))
    except AddressError as error:
        raise RowError(str(error)) from None
    language, warning = _language(columns.cell(cells, "language"))
    dates = {meaning: _date(columns.cell(cells, meaning), now) for meaning in ("joined", "confirmed")}
    unread = [meaning for meaning, at in dates.items() if at is None and columns.cell(cells, meaning)]
    if unread:
        warning = f"{warning} The date {' and '.join(unread)} can't be read: it is kept with the proof as it stands."
    ours = columns.service == "newsletter"
    return Row(
        line=record.line,
        address=address,
        name=_name(cells, columns),
        language=language,
        topics=_topics(columns.cell(cells, "topics"), known_topics),
        wish=_wish(cells, columns, kind),
        warning=warning.strip(),
        subscription=_state(columns.cell(cells, "subscription")) if ours else None,
        plain_text=columns.cell(cells, "plain text").casefold() in _YES,
        frequency=_frequency(columns.cell(cells, "frequency")) if ours else Frequency.WEEKLY,
        paused_until=_future(columns.cell(cells, "paused")) if ours else None,
        **dates,
        changed=_date(columns.cell(cells, "changed"), now) if ours else None,
        accepted=_date(columns.cell(cells, "accepted"), now) if ours else None,
        refusals=_refusals(columns.cell(cells, "refusals")) if ours else 0,
        attributes=_attributes(cells, columns),
        proof=_proof(cells, columns),
    )


def _frequency(text: str) -> str:
    return text if text in Frequency.values else Frequency.WEEKLY


def _future(text: str) -> datetime | None:
    """The end of a pause, which is the one date here that may lie ahead."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


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


def _wish(cells: tuple[str, ...], columns: Columns, kind: str) -> Wish:
    status = columns.cell(cells, "status").casefold()
    if status not in _STATUSES:
        raise RowError(f"The status {status[:40]!r} is unknown: write active, pending, paused or unsubscribed.")
    wish = _STATUSES[status]
    if wish in SUPPRESSING:
        return wish
    # Mailchimp writes a file for each kind, and every row of it is of that kind, with a date in its column or without.
    theirs = columns.service == "Mailchimp"
    if kind == "cleaned" or columns.cell(cells, "cleaned at") or (theirs and "cleaned at" in columns.at):
        return Wish.BOUNCE
    gone = columns.cell(cells, "unsubscribed at") or columns.cell(cells, "deleted at")
    if kind == "unsubscribed" or gone or (theirs and "unsubscribed at" in columns.at):
        return Wish.UNSUBSCRIBED
    wants, off = columns.cell(cells, "wants mail").casefold(), columns.cell(cells, "mail off").casefold()
    for text in (wants, off):
        if text and text not in _YES + _NO:
            raise RowError(f"{text[:40]!r} is neither true nor false.")
    if wants in _NO or off in _YES:
        return Wish.UNSUBSCRIBED
    return wish


def _state(text: str) -> Wish | None:
    return next((wish for wish in Wish if wish == text and wish not in SUPPRESSING), None)


def _refusals(text: str) -> int:
    return min(int(text), 32_767) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _date(text: str, now: datetime) -> datetime | None:
    """An ISO date or instant, UTC where it says no offset; None for anything else, the future and before 1990."""
    try:
        found = datetime.fromisoformat(text.removesuffix(" UTC"))
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found if _EARLIEST <= found <= now else None


def _attributes(cells: tuple[str, ...], columns: Columns) -> dict[str, Any]:
    """Custom attributes: of the column of JSON, and of those columns that are one each. An empty cell is none."""
    found = _json(columns.cell(cells, "attributes"))
    for index, name in columns.attributes:
        text = columns.text(cells, index)
        if not text:
            continue
        if index in columns.lists:
            words = next(csv.reader([text], skipinitialspace=True), [])
            found[name] = [word.strip() for word in words if word.strip()]
        else:
            found[name] = text
    if len(json.dumps(found)) > LONGEST_ATTRIBUTE * 10 or any(
        isinstance(value, str) and len(value) > LONGEST_ATTRIBUTE for value in found.values()
    ):
        raise RowError(
            f"The attributes are too long: at most {LONGEST_ATTRIBUTE:,} letters each, ten times that in all."
        )
    return found


def _json(text: str) -> dict[str, Any]:
    found = _loaded(text) if text else {}
    if not isinstance(found, dict):
        raise RowError("The attributes are not an object of JSON that can be kept.")
    return found


def _loaded(text: str) -> Any:
    """The value, when both databases can keep it; None for text that is no JSON, or holds what they refuse."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
        again = json.dumps(found, ensure_ascii=False, allow_nan=False)  # 1e999 is infinite
        again.encode()
    except (ValueError, RecursionError):
        return None
    # PostgreSQL keeps neither NUL nor half of a pair, SQLite nothing that is nested a thousand times.
    return None if "\\u0000" in again.replace("\\\\", "") or not _shallow(found, DEEPEST) else found


def _shallow(value: Any, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_shallow(one, left - 1) for one in inner)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _proof(cells: tuple[str, ...], columns: Columns) -> dict[str, Any]:
    """What the file says of how they agreed, or left, by its own headers."""
    found: dict[str, Any] = {}
    for index, header in columns.proof:
        text = columns.text(cells, index)
        if text:
            found[header] = text[:LONGEST_PROOF]
    consent = columns.cell(cells, "consent")
    if consent:
        found["consent"] = _loaded(consent)
        if found["consent"] is None:
            raise RowError("The consent is not JSON that can be kept.")
    return found
