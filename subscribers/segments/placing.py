"""Where in a written rule a mistake stands: the paths that `parsing` names, found in the text."""

from __future__ import annotations

import json
from collections.abc import Iterator

_DEEPEST = 20
_DECODER = json.JSONDecoder()


def place_of(text: str, message: str) -> tuple[int, int] | None:
    """From which letter to which `text` holds what a `SegmentError` with `message` is about; None where it names no
    path of the text. `text` is JSON that can be read.
    """
    best = ""
    found: tuple[int, int] | None = None
    for path, begin, end in _places(text, _after_space(text, 0), "", 0):
        if len(path) > len(best) and message.startswith(f"{path}:"):
            best, found = path, (begin, end)
    return found


def _places(text: str, at: int, path: str, depth: int) -> Iterator[tuple[str, int, int]]:
    """(path, begin, end) of every value inside of the one at `at`; a key belongs to its value."""
    if depth > _DEEPEST or text[at : at + 1] not in ("{", "["):
        return
    table, place = text[at] == "{", 0
    at = _after_space(text, at + 1)
    while text[at] not in "}]":
        begin = at
        if table:
            key, at = _DECODER.raw_decode(text, at)
            here = f"{path}.{key}" if path else str(key)
            at = _after_space(text, _after_space(text, at) + 1)  # the colon
        else:
            here = f"{path}[{place}]"
        _, end = _DECODER.raw_decode(text, at)
        yield here, begin, end
        yield from _places(text, at, here, depth + 1)
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
        place += 1


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
