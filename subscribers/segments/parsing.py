"""A segment's rule, from JSON. Everything is checked here, so that what comes out always compiles.

{}                                                    everybody ever on the list
{"state": ["active"], "language": ["en", ""]}         several keys of one table: all of them
{"any": [{"domain": ["example.org"]}, {"not": {"topics": ["book"]}}]}
{"joined": {"after": "2026-01-01", "before": "2026-07-01T12:00:00+02:00"}, "accepted": {"within_days": 90}}
{"attributes": {"city": {"is": "Berlin"}, "visits": {"at_least": 3}, "tags": {"has": "donor"}}}
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from subscribers import address
from subscribers.errors import AddressError, SegmentError
from subscribers.models import ConsentKind, SubscriptionState
from subscribers.segments import conditions as c
from subscribers.words import LANGUAGE, TOPIC

DEEPEST = 8  # tables inside one another
MOST_CONDITIONS = 200
MOST_WORDS = 1000  # in all lists together
LONGEST_TEXT = 300
MOST_DAYS = 36_500
MOST_NUMBER = 10**15  # up to here whole numbers and floats agree on every database

_TESTS = ("is", "contains", "starts_with", "at_least", "at_most", "more_than", "less_than", "after", "before",
          "within_days", "older_than_days", "has", "given")  # fmt: skip


def parse(rule: object) -> c.All:
    """Check a stored or typed rule. Raises `SegmentError` that names the path of the first mistake."""
    reader = _Reader()
    if not isinstance(rule, Mapping):
        raise SegmentError(f"A segment's rule is a table such as {{'state': ['active']}}, not {_shown(rule)}.")
    return c.All(reader.table(rule, "", 1))


class _Reader:
    """One parse: it counts conditions, so that a rule can't grow past what a database takes."""

    def __init__(self) -> None:
        self.conditions = 0
        self.named = 0
        self.keys: dict[str, Callable[[object, str, int], c.Condition]] = {
            "all": lambda value, path, depth: c.All(self.several(value, path, depth)),
            "any": lambda value, path, depth: c.AnyOf(self.several(value, path, depth)),
            "not": lambda value, path, depth: c.Not(c.All(self.inner(value, path, depth))),
            "state": lambda value, path, _: c.States(self.words(value, path, _one_of(SubscriptionState.values))),
            "suppressed": lambda value, path, _: c.Suppressed(_boolean(value, path)),
            "domain": lambda value, path, _: c.Domains(self.words(value, path, _domain)),
            "language": lambda value, path, _: c.Languages(self.words(value, path, _language)),
            "topics": lambda value, path, _: c.Topics(self.words(value, path, _topic)),
            "name": lambda value, path, _: self.name(value, path),
            "joined": lambda value, path, _: self.moment("joined", value, path),
            "confirmed": lambda value, path, _: self.moment("confirmed", value, path),
            "accepted": lambda value, path, _: self.moment("accepted", value, path),
            "attributes": lambda value, path, _: self.attributes(value, path),
            "consent": lambda value, path, _: self.consent(value, path),
        }

    def table(self, rule: Mapping[Any, Any], path: str, depth: int) -> tuple[c.Condition, ...]:
        if depth > DEEPEST:
            raise SegmentError(f"{path}: is nested too deeply; at most {DEEPEST} tables stand inside one another.")
        parts = []
        for key, value in rule.items():
            here = f"{path}.{key}" if path else str(key)
            if key not in self.keys:
                raise SegmentError(f"{_cut(here)}: there is no such condition. {_nearest(key, self.keys)}")
            self.count(here)
            parts.append(self.keys[key](value, here, depth))
        return tuple(parts)

    def inner(self, value: object, path: str, depth: int) -> tuple[c.Condition, ...]:
        if not isinstance(value, Mapping) or not value:
            raise SegmentError(f"{path}: takes a table with a condition in it, not {_shown(value)}.")
        return self.table(value, path, depth + 1)

    def several(self, value: object, path: str, depth: int) -> tuple[c.Condition, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise SegmentError(f"{path}: takes a list of tables, at least one, not {_shown(value)}.")
        parts = []
        for number, item in enumerate(value):
            inside = self.inner(item, f"{path}[{number}]", depth)
            parts.append(inside[0] if len(inside) == 1 else c.All(inside))
        return tuple(parts)

    def count(self, path: str) -> None:
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            raise SegmentError(f"{path}: the rule has more than {MOST_CONDITIONS} conditions.")

    def name(self, value: object, path: str) -> c.Condition:
        known = ("is", "contains", "starts_with", "given")
        return _all_of(c.Name(test) for test in self.tests(value, path, known) if isinstance(test, c.Text | c.Given))

    def moment(self, field: str, value: object, path: str) -> c.Condition:
        known = ("after", "before", "within_days", "older_than_days")
        tests = self.tests(value, path, known if field == "joined" else (*known, "given"))
        return _all_of(c.Moment(field, test) for test in tests if isinstance(test, c.Day | c.Given))

    def attributes(self, value: object, path: str) -> c.Condition:
        if not isinstance(value, Mapping) or not value:
            raise SegmentError(f"{path}: takes a table of attributes such as {{'city': {{'is': 'Berlin'}}}}.")
        parts: list[c.Condition] = []
        for key, tests in value.items():
            here = f"{path}.{key}"
            _text(key, path)
            if '"' in key or "\\" in key:
                raise SegmentError(f"{_cut(here)}: an attribute's name has no quotes and no backslash in it.")
            parts += [c.Attribute(key, test) for test in self.tests(tests, here, _TESTS)]
        return _all_of(parts)

    def consent(self, value: object, path: str) -> c.Consent:
        if not isinstance(value, Mapping) or not value:
            raise SegmentError(f"{path}: takes a table with kind, origin or both.")
        for key in value:
            if key not in ("kind", "origin"):
                hint = _nearest(key, ("kind", "origin"))
                raise SegmentError(f"{_cut(f'{path}.{key}')}: there is no such key. {hint}")
        kinds = self.words(value["kind"], f"{path}.kind", _one_of(ConsentKind.values)) if "kind" in value else ()
        return c.Consent(kinds, _text(value["origin"], f"{path}.origin") if "origin" in value else "")

    def words(self, value: object, path: str, read: Callable[[str, str], str]) -> c.Words:
        if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
            raise SegmentError(f"{path}: takes a list of words, not {_shown(value)}.")
        if not value:
            raise SegmentError(f"{path}: is empty and would select nobody: leave it out.")
        self.named += len(value)
        if self.named > MOST_WORDS:
            raise SegmentError(f"{path}: the rule has more than {MOST_WORDS:,} words in its lists.")
        return tuple(dict.fromkeys(read(word, f"{path}[{number}]") for number, word in enumerate(value)))

    def tests(self, value: object, path: str, known: tuple[str, ...]) -> list[c.Test]:
        if not isinstance(value, Mapping) or not value:
            raise SegmentError(f"{_cut(path)}: takes a table with a test in it: {', '.join(known)}.")
        found = []
        for how, operand in value.items():
            here = f"{path}.{how}"
            if how not in known:
                raise SegmentError(f"{_cut(here)}: there is no such test. {_nearest(how, known)}")
            self.count(here)
            found.append(_test(str(how), operand, here))
        return found


def _all_of(parts: Any) -> c.Condition:
    several = tuple(parts)
    return several[0] if len(several) == 1 else c.All(several)


def _test(how: str, value: object, path: str) -> c.Test:
    match how:
        case "is" if isinstance(value, bool):
            return c.Truth(value)
        case "is" if not isinstance(value, str):
            return c.Number(how, _number(value, path))
        case "is" | "contains" | "starts_with":
            return c.Text(how, _text(value, path))
        case "at_least" | "at_most" | "more_than" | "less_than":
            return c.Number(how, _number(value, path))
        case "after" | "before":
            return c.Day(how, _day(value, path))
        case "has":
            return c.Member(_text(value, path))
        case "given":
            return c.Given(_boolean(value, path))
        case _:
            return c.Day(how, _days(value, path))


def _one_of(known: list[str]) -> Callable[[str, str], str]:
    def read(word: str, path: str) -> str:
        if word not in known:
            raise SegmentError(f"{path}: {_shown(word)} is not known. {_nearest(word, known)}")
        return word

    return read


def _domain(word: str, path: str) -> str:
    under = "*." if word.startswith("*.") else ""
    try:
        return under + address.parse(f"x@{word.removeprefix(under)}").key.removeprefix("x@")
    except AddressError:
        raise SegmentError(f"{path}: {_shown(word)} is not a domain such as example.org or *.example.org.") from None


def _language(word: str, path: str) -> str:
    if word and not LANGUAGE.fullmatch(word):
        raise SegmentError(f"{path}: {_shown(word)} is not a language code such as 'en' or 'pt-BR'.")
    return word.lower()


def _topic(word: str, path: str) -> str:
    if not TOPIC.fullmatch(word):
        raise SegmentError(f"{path}: {_shown(word)} is not a topic's key (lower case, such as 'movie').")
    return word


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise SegmentError(f"{_cut(path)}: takes a text, not {_shown(value)}.")
    if len(value) > LONGEST_TEXT:
        raise SegmentError(f"{_cut(path)}: has {len(value):,} letters; at most {LONGEST_TEXT}.")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise SegmentError(f"{_cut(path)}: holds a control character.")
    return value


def _number(value: object, path: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SegmentError(f"{_cut(path)}: takes a number, not {_shown(value)}.")
    if abs(value) > MOST_NUMBER:
        raise SegmentError(f"{_cut(path)}: is beyond {MOST_NUMBER:,}.")
    return value


def _boolean(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise SegmentError(f"{_cut(path)}: takes true or false, not {_shown(value)}.")
    return value


def _days(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_DAYS:
        raise SegmentError(f"{_cut(path)}: takes a whole number of days from 0 to {MOST_DAYS:,}, not {_shown(value)}.")
    return value


def _day(value: object, path: str) -> date | datetime:
    """A day, or an instant with its offset, as UTC."""
    try:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value)
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None and instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    example = "2026-01-31 or 2026-01-31T12:00:00+01:00"
    raise SegmentError(f"{_cut(path)}: takes a day or an instant with its offset, like {example}, not {_shown(value)}.")


def _nearest(word: object, known: Any) -> str:
    near = difflib.get_close_matches(str(word)[:60], list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(known)}."


def _shown(value: object) -> str:
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
