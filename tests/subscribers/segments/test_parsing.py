from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers import segments
from subscribers.errors import SegmentError
from subscribers.models import Segment
from tests.factories import make_list


def nested(depth: int) -> dict[str, Any]:
    return {"not": nested(depth - 1)} if depth else {"state": ["active"]}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ([], "A segment's rule is a table such as {'state': ['active']}, not []."),
        ({"stat": ["active"]}, "stat: there is no such condition. Did you mean 'state'?"),
        ({"zzz": 1}, "zzz: there is no such condition. Known here: all, any, not, state"),
        ({"state": "active"}, "state: takes a list of words, not 'active'."),
        ({"state": []}, "state: is empty and would select nobody"),
        ({"state": ["activ"]}, "state[0]: 'activ' is not known. Did you mean 'active'?"),
        ({"all": []}, "all: takes a list of tables, at least one"),
        ({"any": [{}]}, "any[0]: takes a table with a condition in it, not {}."),
        ({"not": []}, "not: takes a table with a condition in it"),
        ({"all": [{"state": ["active"]}, {"joined": {"after": "yesterday"}}]}, "all[1].joined.after: takes a day or"),
        ({"joined": {"after": "2026-02-30"}}, "joined.after: takes a day or an instant"),
        ({"joined": {"after": "2026-02-20T10:00:00"}}, "joined.after: takes a day or an instant with its offset"),
        ({"joined": {"after": "0001-01-01T00:00:00+23:00"}}, "joined.after: takes a day"),
        ({"joined": {"after": 5}}, "joined.after: takes a day"),
        ({"joined": {"afer": "2026-02-20"}}, "joined.afer: there is no such test. Did you mean 'after'?"),
        ({"joined": {"given": True}}, "joined.given: there is no such test"),
        ({"joined": {}}, "joined: takes a table with a test in it: after, before"),
        ({"accepted": {"within_days": -1}}, "accepted.within_days: takes a whole number of days from 0 to 36,500"),
        ({"accepted": {"within_days": True}}, "accepted.within_days: takes a whole number"),
        ({"suppressed": 1}, "suppressed: takes true or false, not 1."),
        ({"domain": ["not a domain"]}, "domain[0]: 'not a domain' is not a domain such as"),
        ({"language": ["english language"]}, "language[0]: 'english language' is not a language code"),
        ({"topics": ["Movie!"]}, "topics[0]: 'Movie!' is not a topic's key"),
        ({"name": {"is": ""}}, "name.is: takes a text, not ''."),
        ({"name": {"is": "a\x00"}}, "name.is: holds a control character."),
        ({"name": {"contains": "\ud800"}}, "name.contains: holds a control character."),
        ({"name": {"contains": "a" * 301}}, "name.contains: has 301 letters; at most 300."),
        ({"attributes": {}}, "attributes: takes a table of attributes"),
        ({"attributes": {"city": "Berlin"}}, "attributes.city: takes a table with a test in it"),
        ({"attributes": {"ci\"ty": {"is": 1}}}, "an attribute's name has no quotes"),
        ({"attributes": {"n": {"at_least": "3"}}}, "attributes.n.at_least: takes a number, not '3'."),
        ({"attributes": {"n": {"at_least": float("nan")}}}, "attributes.n.at_least: takes a number"),
        ({"attributes": {"n": {"is": 10**16}}}, "attributes.n.is: is beyond 1,000,000,000,000,000."),
        ({"attributes": {"n": {"is": None}}}, "attributes.n.is: takes a number, not None."),
        ({"consent": {}}, "consent: takes a table with kind, origin or both."),
        ({"consent": {"knd": []}}, "consent.knd: there is no such key. Did you mean 'kind'?"),
        ({"consent": {"kind": ["import"]}}, "consent.kind[0]: 'import' is not known. Did you mean 'imported'?"),
        (nested(8), "is nested too deeply; at most 8"),
        ({"any": [{"state": ["active"]}] * 200}, "the rule has more than 200 conditions."),
        ({"topics": ["t"] * 1001}, "topics: the rule has more than 1,000 words in its lists."),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_path(rule: object, words: str) -> None:
    with pytest.raises(SegmentError, match=re.escape(words)) as caught:
        segments.parse(rule)
    assert len(str(caught.value)) < 700


def test_the_deepest_rule_is_read() -> None:
    assert segments.parse(nested(7))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "state", "joined", "after", "attributes", "is", "consent"])
            | st.text(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(rule=ANYTHING)
def test_no_json_raises_anything_but_its_own_error(rule: object) -> None:
    try:
        segments.parse(rule)
    except SegmentError:
        return
    assert isinstance(rule, dict)


@pytest.mark.django_db
def test_a_segment_is_saved_changed_found_and_forgotten() -> None:
    rule = {"any": [{"language": ["en"]}, {"attributes": {"size": {"at_least": 0.5}}}]}
    saved, new = segments.save("regulars", make_list(), rule=rule, name="Regulars")
    assert new and json.loads(json.dumps(saved.rule)) == rule
    changed, new = segments.save("regulars", make_list(), rule={})
    assert not new
    assert (changed.pk, changed.name, segments.find("regulars").rule) == (saved.pk, "Regulars", {})
    with pytest.raises(SegmentError, match='one of the list "weekly" already'):
        segments.save("regulars", make_list("other"), rule={})
    with pytest.raises(SegmentError, match='Did you mean "regulars"'):
        segments.find("regular")
    with pytest.raises(SegmentError, match="state: is empty"):
        segments.save("regulars", make_list(), rule={"state": []})
    segments.delete(changed)
    assert not Segment.objects.exists()
