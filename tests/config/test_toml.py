from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config.toml import Document, nearest, write, write_value
from newsletter.core.errors import ConfigError

_TEXT = """\
title = "x" # no [header] here
[plain]
key = 1
"quoted key" = 2
a.b = 3

[[rows]]
name = "first"
text = '''
[[rows]]
name = "not a row"
'''
[[rows]] # the second
name = "second"
list = [
  1,
]
[rows.inner]
deep = true
"""


def test_keys_and_tables_have_their_lines() -> None:
    document = Document(_TEXT, "f.toml")
    paths: dict[tuple[str | int, ...], int] = {
        ("title",): 1,
        ("plain",): 2,
        ("plain", "key"): 3,
        ("plain", "quoted key"): 4,
        ("plain", "a", "b"): 5,
        ("rows", 0): 7,
        ("rows", 0, "name"): 8,
        ("rows", 0, "text"): 9,
        ("rows", 1): 13,
        ("rows", 1, "name"): 14,
        ("rows", 1, "list"): 15,
        ("rows", 1, "inner", "deep"): 19,
    }
    assert {path: document.line(path) for path in paths} == paths


def test_what_has_no_line_of_its_own_is_where_its_table_is() -> None:
    document = Document(_TEXT, "f.toml")
    assert document.where(("rows", 1, "missing")) == "f.toml:13"
    assert document.where(("nowhere",)) == "f.toml"


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "[a\n", 'a = "x', "= 1", "a = 1 b = 2", 'a = """x'])
def test_what_is_not_toml_is_refused_with_a_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^f\.toml:\d+: This is not valid TOML: [^:]*\.$"):
        Document(text, "f.toml")


def test_the_nearest_word_is_offered_or_all_when_they_are_few() -> None:
    assert nearest("wekday", ["weekday", "name"]) == 'Did you mean "weekday"?'
    assert nearest("zzz", ["a", "b"]) == "Known here: a, b."
    assert nearest("zzz", [str(n) for n in range(100, 200)]) == ""
    assert nearest("zzz", []) == ""


_SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=("Cs",))),
    st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 1)),  # noqa: DTZ001 - hypothesis wants it naive
)
_KEYS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_what_is_written_is_read_back_the_same(data: dict[str, Any]) -> None:
    assert tomllib.loads(write(data)) == data


def test_what_toml_can_not_hold_is_an_error_and_none_is_left_out() -> None:
    with pytest.raises(TypeError, match="no object"):
        write_value(object())
    assert write({"a": None, "b": {"c": None, "d": 1}}) == "[b]\nd = 1\n"


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_in_another_way(text: str) -> None:
    try:
        Document(text, "f.toml")
    except ConfigError as error:
        assert str(error).startswith("f.toml:")
