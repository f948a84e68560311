from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers import segments
from subscribers.errors import SegmentError
from subscribers.segments.placing import place_of


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ('{"state": ["active", "actve"]}', '"actve"'),
        ('{ "any" : [ {"topics": ["book"]} , {"joined": {"after": "soon"}} ] }', '"after": "soon"'),
        ('{"attributes": {"a.b": {"is": []}, "a": {"is": 1}}}', '"is": []'),
        ('{"not": {"shape": {}}}', '"shape": {}'),
        ('{"state": []}', '"state": []'),
        ('[{"state": ["active"]}]', ""),
    ],
)
def test_a_mistake_is_found_where_it_stands(text: str, there: str) -> None:
    with pytest.raises(SegmentError) as caught:
        segments.parse(json.loads(text))
    place = place_of(text, str(caught.value))
    assert (text[place[0] : place[1]] if place else "") == there


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.text(max_size=20), st.sampled_from([None, 2]))
def test_whatever_json_it_is_nothing_is_raised(value: object, message: str, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    place = place_of(text, message)
    assert place is None or 0 <= place[0] < place[1] <= len(text)
