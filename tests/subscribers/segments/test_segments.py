from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers import segments
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
)
from tests.factories import make_list, make_subscription
from tests.subscribers.segments.evaluator import matches

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-03T17:00:00+00:00")


def selected(rule: dict[str, Any]) -> set[str]:
    rows = list(segments.queryset(make_list(), rule, now=NOW).values_list("subscriber__address", flat=True))
    assert len(rows) == len(set(rows)) == segments.count(make_list(), rule, now=NOW)
    return {address.partition("@")[0] for address in rows}


@pytest.fixture
def people() -> None:
    day = timedelta(days=1)
    ana = make_subscription(
        "ana@example.org",
        name="Ana Quill",
        language="en-GB",
        topics=["book"],
        joined_at=NOW - 10 * day,
        last_accepted_at=NOW - 5 * day,
        attributes={"city": "Köln", "größe": 3, "vip": True, "since": "2026-10-20", "tags": ["donor", "press"]},
    )
    bo = make_subscription(
        "bo@mail.example.org",
        name="Élodie",
        language="EN",
        topics=["movie", "book"],
        joined_at=NOW - 100 * day,
        attributes={"city": "Berlin", "größe": 10**400, "vip": False, "since": "soon", "tags": "donor"},
    )
    make_subscription(
        "cy@badexample.org", state=SubscriptionState.PENDING, confirmed_at=None, attributes={"größe": 2.5, "vip": None}
    )
    make_subscription("di@example.org", state=SubscriptionState.UNSUBSCRIBED, language="de")
    make_subscription("elsewhere@example.org", make_list("other"), name="Ana Quill")
    Suppression.objects.create(address_key="di@example.org", reason="bounce", at=NOW)
    for row, kind, origin in ((ana, "imported", "import door.csv line 2"), (bo, "confirmed", "link")):
        ConsentEvent.objects.create(subscription=row, address_key="x", kind=kind, origin=origin, at=NOW)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({}, "ana bo cy di"),
        ({"state": ["active", "pending"]}, "ana bo cy"),
        ({"suppressed": True}, "di"),
        ({"not": {"suppressed": True}}, "ana bo cy"),
        ({"domain": ["example.org"]}, "ana di"),
        ({"domain": ["*.EXAMPLE.org"]}, "bo"),
        ({"domain": ["badexample.org", "*.example.org"]}, "bo cy"),
        ({"language": ["en"]}, "ana bo"),
        ({"language": ["en-gb", ""]}, "ana cy"),
        ({"topics": ["movie"]}, "bo cy di"),
        ({"name": {"is": "ana quill"}}, "ana"),
        ({"name": {"contains": "élo"}}, "bo"),
        ({"name": {"starts_with": "ÉLO"}}, "bo"),
        ({"name": {"given": False}}, "cy di"),
        ({"name": {"contains": "%"}}, ""),
        ({"joined": {"within_days": 10}}, "ana"),
        ({"joined": {"older_than_days": 10}}, "bo cy di"),
        ({"joined": {"after": "2026-07-26", "before": "2026-10-24T17:00:00.000001+00:00"}}, "ana bo"),
        ({"joined": {"after": "2026-07-26T19:00:00+02:00", "before": "2026-10-24T18:00:00+01:00"}}, "bo"),
        ({"confirmed": {"given": False}}, "cy"),
        ({"not": {"confirmed": {"after": "2020-01-01"}}}, "cy"),
        ({"accepted": {"within_days": 30}}, "ana"),
        ({"not": {"accepted": {"within_days": 30}}}, "bo cy di"),
        ({"any": [{"accepted": {"given": False}}, {"accepted": {"older_than_days": 4}}]}, "ana bo cy di"),
        ({"attributes": {"city": {"is": "KÖLN"}}}, "ana"),
        ({"attributes": {"city": {"contains": "l"}}}, "ana bo"),
        ({"not": {"attributes": {"city": {"is": "Berlin"}}}}, "ana cy di"),
        ({"attributes": {"größe": {"at_least": 2.5, "less_than": 10}}}, "ana cy"),
        ({"attributes": {"größe": {"is": 3}}}, "ana"),
        ({"attributes": {"größe": {"more_than": 1e15}}}, "bo"),
        ({"attributes": {"vip": {"is": True}}}, "ana"),
        ({"attributes": {"vip": {"is": False}}}, "bo"),
        ({"attributes": {"vip": {"given": True}}}, "ana bo"),
        ({"attributes": {"vip": {"given": False}}}, "cy di"),
        ({"attributes": {"since": {"after": "2026-10-20", "before": "2026-10-21"}}}, "ana"),
        ({"attributes": {"since": {"within_days": 14}}}, "ana"),
        ({"attributes": {"since": {"older_than_days": 14}}}, ""),
        ({"attributes": {"tags": {"has": "donor"}}}, "ana"),
        ({"attributes": {"city": {"has": "Berlin"}}}, ""),
        ({"consent": {"kind": ["imported"]}}, "ana"),
        ({"consent": {"origin": "import door.csv"}}, "ana"),
        ({"consent": {"origin": "LINK"}}, ""),
        ({"not": {"consent": {"kind": ["imported"], "origin": "link"}}}, "ana bo cy di"),
        ({"any": [{"language": ["de"]}, {"all": [{"topics": ["movie"]}, {"state": ["active"]}]}]}, "bo di"),
        ({"state": ["active"], "not": {"any": [{"topics": ["movie"]}]}}, "ana"),
    ],
)
def test_a_rule_takes_whom_it_says(rule: dict[str, Any], found: str) -> None:
    assert selected(rule) == set(found.split())
    told = {
        row.subscriber.address.partition("@")[0]
        for row in Subscription.objects.filter(mailing_list=make_list()).select_related("subscriber")
        if matches(rule, row, NOW)
    }
    assert told == set(found.split()), "the plain evaluator of these tests"


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("size", [1, 2, 5000])
@pytest.mark.parametrize("rule", [{"any": [{"state": ["active"]}, {"language": ["de"]}]}, {"state": ["active"]}, {}])
def test_pages_walk_through_everybody_once_in_order(size: int, rule: dict[str, Any]) -> None:
    pages = list(segments.pages(make_list(), rule, now=NOW, size=size))
    found = [number for page in pages for number in page]
    assert found == sorted(segments.queryset(make_list(), rule, now=NOW).values_list("pk", flat=True))
    assert all(0 < len(page) <= size for page in pages)


@pytest.mark.usefixtures("people")
def test_a_rule_that_nobody_can_fit_is_not_asked(django_assert_num_queries: Any) -> None:
    mailing_list = make_list()
    with django_assert_num_queries(0):
        assert (
            list(segments.pages(mailing_list, {"all": [{"state": ["paused"]}, {"state": ["active"]}]}, now=NOW)) == []
        )


WIDE = [
    {"domain": [f"d{number}.test" for number in range(999)] + ["*.example.org"]},
    {"topics": [f"t{number}" for number in range(999)] + ["movie"]},
    {"language": [f"x{chr(97 + a)}{chr(97 + b)}" for a in range(26) for b in range(8)] + ["de"]},
    {"any": [{"name": {"contains": f"éÀ é{number}"}} for number in range(98)] + [{"language": ["de"]}]},
    {"not": {"all": [{"attributes": {"city": {"is": f"éÀ é{number}"}}} for number in range(99)]}},
]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("rule", WIDE, ids=lambda rule: next(iter(rule)))
def test_the_largest_rule_is_not_too_large_for_the_database(rule: dict[str, Any]) -> None:
    rows = Subscription.objects.filter(mailing_list=make_list()).select_related("subscriber")
    assert (
        selected(rule) == {row.subscriber.address.partition("@")[0] for row in rows if matches(rule, row, NOW)} != set()
    )


KEYS = ("city", "größe", "a.b[0]'$ %s")
TEXTS = st.sampled_from(["a", "É", "é", "ß", "Ana", "x%_", "2026-10-20", "2026-10-20T25", "donor", "'", "İ", "ǆ"])
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.1, -0.5, 2.5, 1e15, -0.0])
DAYS = st.sampled_from(["2026-10-19", "2026-10-20", "2026-11-03", "2026-10-20T02:00:00+03:00"])
VALUES = TEXTS | NUMBERS | st.booleans() | st.none() | st.lists(TEXTS | NUMBERS, max_size=2) | st.just(10**30)
TEXT_TESTS = st.sampled_from(["is", "contains", "starts_with"])
DATE_TESTS = st.one_of(
    st.dictionaries(st.sampled_from(["after", "before"]), DAYS, min_size=1),
    st.dictionaries(st.sampled_from(["within_days", "older_than_days"]), st.integers(0, 20), min_size=1),
    st.fixed_dictionaries({"given": st.booleans()}),
)
TESTS = st.one_of(
    st.dictionaries(TEXT_TESTS, TEXTS, min_size=1),
    st.dictionaries(st.sampled_from(["is", "at_least", "at_most", "more_than", "less_than"]), NUMBERS, min_size=1),
    st.fixed_dictionaries({"is": st.booleans()}),
    st.fixed_dictionaries({"has": TEXTS}),
    DATE_TESTS,
)
LEAVES = st.one_of(
    st.fixed_dictionaries({"state": st.lists(st.sampled_from(SubscriptionState.values), min_size=1)}),
    st.fixed_dictionaries({"suppressed": st.booleans()}),
    st.fixed_dictionaries({"domain": st.lists(st.sampled_from(["a.test", "*.a.test", "b.a.test"]), min_size=1)}),
    st.fixed_dictionaries({"language": st.lists(st.sampled_from(["", "en", "en-GB", "de"]), min_size=1)}),
    st.fixed_dictionaries({"topics": st.lists(st.sampled_from(["book", "movie", "boo"]), min_size=1)}),
    st.fixed_dictionaries({"name": st.dictionaries(TEXT_TESTS, TEXTS, min_size=1)}),
    st.fixed_dictionaries({"name": st.fixed_dictionaries({"given": st.booleans()})}),
    st.dictionaries(st.sampled_from(["confirmed", "accepted"]), DATE_TESTS, min_size=1),
    st.fixed_dictionaries({"attributes": st.dictionaries(st.sampled_from(KEYS), TESTS, min_size=1)}),
    st.fixed_dictionaries({"consent": st.fixed_dictionaries({"kind": st.lists(
        st.sampled_from(ConsentKind.values), min_size=1)})}),
    st.fixed_dictionaries({"consent": st.fixed_dictionaries({"origin": st.sampled_from(["import", "Import", "%"])})}),
)  # fmt: skip
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
)
MOMENTS = st.none() | st.sampled_from([0, 1, 10, 14, 20, -1]).map(lambda days: NOW - timedelta(days=days))
PEOPLE = st.fixed_dictionaries(
    {
        "address": st.sampled_from(["a@a.test", "b@b.a.test", "c@ba.test", "d@a.test", "É@a.test"]),
        "name": TEXTS | st.just(""),
        "language": st.sampled_from(["", "en", "EN-gb", "de", "den"]),
        "attributes": st.dictionaries(st.sampled_from(KEYS), VALUES),
        "topics": st.lists(st.sampled_from(["book", "movie", "tv"]), unique=True),
        "state": st.sampled_from(SubscriptionState.values),
        "confirmed_at": MOMENTS,
        "last_accepted_at": MOMENTS,
    }
)


@given(
    people=st.lists(PEOPLE, min_size=1, max_size=5, unique_by=lambda person: person["address"]),
    rules=st.lists(RULES, min_size=1, max_size=6),
    marks=st.lists(st.tuples(st.sampled_from(ConsentKind.values), st.sampled_from(["import x", "link"])), max_size=3),
    suppressed=st.sampled_from(["a@a.test", "d@a.test"]),
)
@settings(max_examples=60)  # each case writes a list and asks it several times
def test_every_rule_means_the_same_to_the_database_and_to_plain_python(
    people: list[dict[str, Any]], rules: list[dict[str, Any]], marks: list[tuple[str, str]], suppressed: str
) -> None:
    for table in (ConsentEvent, Subscription, Subscriber, Suppression):
        table.objects.all().delete()  # type: ignore[attr-defined]
    rows = [make_subscription(person.pop("address"), **person) for person in map(dict, people)]
    for number, (kind, origin) in enumerate(marks):
        row = rows[number % len(rows)]
        ConsentEvent.objects.create(subscription=row, address_key="x", kind=kind, origin=origin, at=NOW)
    Suppression.objects.create(address_key=suppressed, reason="manual", at=NOW)
    kept = list(Subscription.objects.select_related("subscriber"))
    for rule in rules:
        told = {row.pk for row in kept if matches(rule, row, NOW)}
        found = segments.queryset(make_list(), rule, now=NOW)
        assert set(found.values_list("pk", flat=True)) == told, rule
        assert segments.count(make_list(), {"not": rule}, now=NOW) == len(kept) - len(told), rule
