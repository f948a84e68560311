"""TOML with line numbers for people: tomllib tells what a file says, not where it says it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, time
from difflib import get_close_matches
from typing import Any

from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(
    r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"))*)\s*=(.*)$"
)
_KEY_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Document:
    """A parsed file. `data` is what tomllib read; `line` says where a key or table stands."""

    def __init__(self, text: str, file: str) -> None:
        """Raises `ConfigError` with file, line and column when `text` is not TOML."""
        self.file = file
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message, line = _split_position(str(error), text)
            raise ConfigError(f"This is not valid TOML: {message}.", where=f"{file}:{line}") from error
        self._lines = _positions(text)

    def line(self, path: Path) -> int | None:
        """The line (from 1) of the key or table at `path`, else that of the nearest table around it."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None

    def where(self, path: Path) -> str:
        """ "file:line" of the key at `path`, or the file alone."""
        line = self.line(path)
        return f"{self.file}:{line}" if line else self.file


def nearest(word: str, known: Sequence[str]) -> str:
    """ "Did you mean ...?" when something known is close to `word`, else the known words when they are few, else ""."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return sentence('Did you mean "{near}"?', near=close[0])
    return sentence("Known here: {known}.", known=", ".join(known)) if 0 < len(known) <= 30 else ""


def write(data: Mapping[str, Any]) -> str:
    """`data` as TOML: plain values first, then tables and lists of tables. None is left out."""
    return "\n".join(_write_table(data, ())).strip() + "\n"


def write_value(value: object) -> str:
    """One value as TOML. Raises `TypeError` for what TOML can't hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _write_string(value)
    if isinstance(value, date | time):  # datetime is a date
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_write_key(key)} = {write_value(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(write_value(item) for item in value)}]"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _write_table(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = []
    deeper: list[tuple[str, Mapping[str, Any]]] = []
    for key, value in table.items():
        if isinstance(value, Mapping) and value and not path:
            deeper.append((f"[{_write_key(key)}]", value))
        elif not path and isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            deeper.extend((f"[[{_write_key(key)}]]", item) for item in value)
        elif value is not None:
            lines.append(f"{_write_key(key)} = {write_value(value)}")
    for header, inner in deeper:
        lines += ["", header, *_write_table(inner, (header,))]
    return lines


def _write_key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _write_string(key)


def _write_string(value: str) -> str:
    # JSON's string is TOML's basic string, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _split_position(message: str, text: str) -> tuple[str, int]:
    """tomllib's words without its position, and the line."""
    found = re.search(r" \(at line (\d+), column \d+\)$", message)
    if found:
        return message[: found.start()], int(found[1])
    return message.removesuffix(" (at end of document)"), max(1, len(text.splitlines()))


def _positions(text: str) -> dict[Path, int]:
    """Where each table header and each assignment stands. Only called on text that tomllib has accepted."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            if line.count(fence) % 2:
                fence = ""
            continue
        assignment = _ASSIGNMENT.match(line)
        if assignment:
            path = table + _parts(assignment[1])
            lines.setdefault(path, number)
            fence = next((quote for quote in ('"""', "'''") if assignment[2].count(quote) % 2), "")
        elif header := _HEADER.match(line):
            name = _resolve(_parts(header[2]), counts)
            lines.setdefault(name, number)
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                name = (*name, counts[name])
            table = name
            lines.setdefault(table, number)
    return lines


def _resolve(name: Path, counts: Mapping[Path, int]) -> Path:
    """A header inside a list of tables means the last one: [a.b] after [[a]] is ("a", 0, "b")."""
    resolved: Path = ()
    for position, part in enumerate(name):
        resolved = (*resolved, part)
        if resolved in counts and position < len(name) - 1:
            resolved = (*resolved, counts[resolved])
    return resolved


def _parts(dotted: str) -> Path:
    return tuple(double or single or bare for double, single, bare in _KEY_PART.findall(dotted))
