"""What SQLite and PostgreSQL spell differently, spelled for both so that they give the same answer.

Never `iexact`, `icontains` and their like: SQLite folds ASCII letters only, PostgreSQL what its locale says. Here both
fold ASCII (`lower` of SQLite; `lower` under the collation "C"), and `spellings` asks for the other alphabets' capitals
one by one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.sql.compiler import SQLCompiler

_PLACE = re.compile(r"\{(\d+)\}")
_LOW = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


class Spelled(Func):
    """A truth in SQL, one text for each database; {0}, {1} ... are the expressions, bound, as often as they stand."""

    output_field = BooleanField()

    def __init__(self, *expressions: Any, sqlite: str, postgresql: str, **extra: Any) -> None:
        """What is not a column has to come as `Value`: nothing is pasted."""
        super().__init__(*expressions, **extra)
        self.sqlite = sqlite
        self.postgresql = postgresql

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self._filled(compiler, self.sqlite)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self._filled(compiler, self.postgresql)

    def _filled(self, compiler: SQLCompiler, text: str) -> tuple[str, tuple[str | int, ...]]:
        parts = [compiler.compile(part) for part in self.get_source_expressions()]
        params: list[str | int] = []
        for place in _PLACE.findall(text):
            params += parts[int(place)][1]
        return text.format(*(sql for sql, _ in parts)), tuple(params)


def folded(text: str) -> str:
    """ASCII letters small, as both databases do it."""
    return text.translate(_LOW)


def spellings(text: str) -> list[str]:
    """The ways `text` may be capitalised, folded: databases fold ASCII, so "élodie" has to ask for "Élodie" too."""
    return sorted({folded(way) for way in (text, text.lower(), text.upper(), text.title(), text.capitalize())})


def follows(topics: Iterable[str]) -> Q:
    """The JSON list of topics holds one of these. Django's own `contains` does not exist on SQLite."""
    values = [Value(topic) for topic in topics]
    places = ", ".join(f"{{{number}}}" for number in range(1, len(values) + 1))
    return Q(
        Spelled(
            F("topics"),
            *values,
            sqlite=f"EXISTS (SELECT 1 FROM json_each({{0}}) AS topic WHERE topic.value IN ({places}))",
            postgresql=f"jsonb_exists_any({{0}}, ARRAY[{places}]::text[])",
        )
    )


def at_domains(domains: Iterable[str]) -> Q:
    """What stands behind the @ of the address is one of these."""
    values = [Value(domain) for domain in domains]
    places = ", ".join(f"{{{number}}}" for number in range(1, len(values) + 1))
    return Q(
        Spelled(
            F("subscriber__address_key"),
            *values,
            sqlite=f"substr({{0}}, instr({{0}}, '@') + 1) IN ({places})",
            postgresql=f"split_part({{0}}, '@', 2) IN ({places})",
        )
    )


def text_of(column: str, how: str, text: str) -> Q:
    """A text column is, contains or starts with `text`, capitals and small letters alike."""
    found = Q()
    for way in spellings(text):
        found |= Q(
            Spelled(
                F(column),
                Value(way),
                Value(len(way)),
                sqlite=_text_test(how, "lower({0})", "{1}", "{2}", "instr"),
                postgresql=_text_test(how, 'lower({0} COLLATE "C")', "{1}::text", "{2}", "strpos"),
            )
        )
    return found


def ends_with(column: str, text: str) -> Q:
    """A text column ends with exactly `text`."""
    both = Value(text), Value(len(text))
    return Q(Spelled(F(column), *both, sqlite="substr({0}, -{2}) = {1}", postgresql="right({0}, {2}) = {1}::text"))


def begins_with(column: str, text: str) -> Q:
    """A text column begins with exactly `text`."""
    both = Value(text), Value(len(text))
    return Q(
        Spelled(F(column), *both, sqlite="substr({0}, 1, {2}) = {1}", postgresql="substr({0}, 1, {2}) = {1}::text")
    )


def attribute_text(key: str, how: str, text: str) -> Q:
    """The attribute is a text that is, contains or starts with `text`, capitals and small letters alike."""
    found = Q()
    for way in spellings(text):
        found |= _attribute(
            key,
            ("'text'", _text_test(how, "lower({value})", "{3}", "{4}", "instr")),
            ("'string'", _text_test(how, 'lower(({value}) COLLATE "C")', "{3}::text", "{4}", "strpos")),
            Value(way),
            Value(len(way)),
        )
    return found


def attribute_number(key: str, sign: str, number: int | float) -> Q:
    """The attribute is a number, and `number` stands on the other side of `sign` (=, <, <=, > or >=)."""
    return _attribute(
        key,
        ("'integer', 'real'", f"{{value}} {sign} {{3}}"),
        # As decimals: a number beyond floats would be an error for the whole query.
        ("'number'", f"({{value}})::numeric {sign} {{4}}::numeric"),
        Value(float(number) if isinstance(number, float) else number),
        Value(str(Decimal(repr(number)))),
    )


def attribute_truth(key: str, truth: bool) -> Q:
    """The attribute is true, or is false."""
    word = "true" if truth else "false"
    return _attribute(key, (f"'{word}'", "1"), ("'boolean'", f"({{value}}) = '{word}'"))


def attribute_day(key: str, sign: str, day: str) -> Q:
    """The attribute is a text that begins with a day (2026-01-31), and that day is `sign` `day`."""
    digits = "-".join("[0-9]" * width for width in (4, 2, 2))
    return _attribute(
        key,
        ("'text'", f"{{value}} GLOB '{digits}*' AND substr({{value}}, 1, 10) {sign} {{3}}"),
        ("'string'", f"({{value}}) ~ '^{digits}' AND substr({{value}}, 1, 10) COLLATE \"C\" {sign} {{3}}::text"),
        Value(day),
    )


def attribute_has(key: str, word: str) -> Q:
    """The attribute is a list that holds this text."""
    return _attribute(
        key,
        (
            "'array'",
            "EXISTS (SELECT 1 FROM json_each({0}, {1}) AS item WHERE item.type = 'text' AND item.value = {3})",
        ),
        ("'array'", "jsonb_exists({0} -> {2}::text, {3})"),
        Value(word),
    )


def attribute_given(key: str) -> Q:
    """The attribute is there, and is not null."""
    kinds = "'text', 'integer', 'real', 'true', 'false', 'array', 'object'"
    return _attribute(key, (kinds, "1"), ("'string', 'number', 'boolean', 'array', 'object'", "true"))


def _attribute(key: str, sqlite: tuple[str, str], postgresql: tuple[str, str], *values: Value) -> Q:
    """CASE, not AND: it alone promises that a value of another type is never looked at."""
    path = f'$."{json.dumps(key)[1:-1]}"'  # in the escapes that the stored text has: SQLite compares letter by letter
    shapes = (
        "CASE WHEN json_type({{0}}, {{1}}) IN ({}) THEN {} ELSE 0 END",
        "CASE WHEN jsonb_typeof({{0}} -> {{2}}::text) IN ({}) THEN {} ELSE false END",
    )
    looks = "json_extract({0}, {1})", "{0} ->> {2}::text"
    texts = [
        shape.format(kinds, test.replace("{value}", look))
        for shape, look, (kinds, test) in zip(shapes, looks, (sqlite, postgresql), strict=True)
    ]
    everything = F("subscriber__attributes"), Value(path), Value(key), *values
    return Q(Spelled(*everything, sqlite=texts[0], postgresql=texts[1]))


def _text_test(how: str, column: str, text: str, length: str, position: str) -> str:
    match how:
        case "is":
            return f"{column} = {text}"
        case "starts_with":
            return f"substr({column}, 1, {length}) = {text}"
        case _:
            return f"{position}({column}, {text}) > 0"
