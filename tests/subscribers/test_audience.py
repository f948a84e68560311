from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection

from subscribers import audience, segments
from subscribers.errors import AudienceError
from subscribers.models import Subscription, SubscriptionState, Suppression
from tests.factories import LONG_AGO, make_list, make_subscription

pytestmark = pytest.mark.django_db


def addresses(rule: dict[str, Any]) -> list[str]:
    rows = audience.queryset(make_list(), rule, now=LONG_AGO).values_list("subscriber__address", flat=True)
    return sorted(rows)


@pytest.fixture
def people() -> None:
    make_subscription("all@example.org")
    make_subscription("movie@example.org", topics=["movie"], language="en")
    make_subscription("tvmovie@example.org", topics=["book", "tv-movie"], language="en-GB")
    make_subscription("german@example.org", topics=["book", "movie"], language="de")
    make_subscription("pending@example.org", state=SubscriptionState.PENDING)
    make_subscription("gone@example.org", state=SubscriptionState.UNSUBSCRIBED, topics=["movie"])
    make_subscription("away@example.org", state=SubscriptionState.PAUSED)
    make_subscription("bounced@example.org", topics=["movie"], language="en")
    Suppression.objects.create(address_key="bounced@example.org", reason="bounce", at=LONG_AGO)
    make_subscription("elsewhere@example.org", make_list("other"))


@pytest.mark.usefixtures("people")
def test_an_empty_rule_is_everybody_active_and_not_suppressed() -> None:
    assert addresses({}) == ["all@example.org", "german@example.org", "movie@example.org", "tvmovie@example.org"]


@pytest.mark.usefixtures("people")
def test_topics_match_whole_keys_and_no_topics_means_every_topic() -> None:
    assert addresses({"topics_any": ["movie"]}) == ["all@example.org", "german@example.org", "movie@example.org"]
    assert addresses({"topics_any": ["tv-movie", "concert"]}) == ["all@example.org", "tvmovie@example.org"]


@pytest.mark.usefixtures("people")
def test_a_language_takes_in_its_regions_and_the_empty_word_who_gave_none() -> None:
    assert addresses({"languages": ["EN"]}) == ["movie@example.org", "tvmovie@example.org"]
    assert addresses({"languages": ["en-gb"]}) == ["tvmovie@example.org"]
    assert addresses({"languages": ["de", ""]}) == ["all@example.org", "german@example.org"]


@pytest.mark.usefixtures("people")
def test_both_keys_mean_both() -> None:
    assert addresses({"topics_any": ["movie"], "languages": ["de"]}) == ["german@example.org"]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("rule", [{}, {"topics_any": ["movie"]}, {"languages": ["en"], "topics_any": ["movie"]}])
def test_the_counts_add_up_and_agree_with_the_queryset(rule: dict[str, Any]) -> None:
    found = audience.counts(make_list(), rule, now=LONG_AGO)
    assert found.total == 8 == found.selected + sum(found.excluded.values())
    assert found.selected == len(addresses(rule))


@pytest.mark.usefixtures("people")
def test_the_counts_name_each_reason_once() -> None:
    assert audience.counts(make_list(), {"topics_any": ["movie"], "languages": ["en"]}, now=LONG_AGO).excluded == {
        "other language": 2,
        "other topics": 1,
        "paused": 1,
        "pending": 1,
        "suppressed": 1,
        "unsubscribed": 1,
    }


def test_a_list_without_subscribers_counts_nobody() -> None:
    assert audience.counts(make_list(), {}, now=LONG_AGO) == audience.Counts(0, 0, {})


@pytest.mark.usefixtures("people")
def test_the_queryset_can_be_the_select_of_an_insert() -> None:
    rule = {"topics_any": ["movie", "tv"], "languages": ["en", "de"]}
    sql, params = audience.queryset(make_list(), rule, now=LONG_AGO).values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE chosen (id bigint)")
        cursor.execute(f"INSERT INTO chosen {sql}", params)
        cursor.execute("SELECT count(*) FROM chosen")
        assert cursor.fetchone() == (2,)
        cursor.execute("DROP TABLE chosen")


@pytest.mark.usefixtures("people")
def test_each_subscription_is_selected_once_whatever_its_topics() -> None:
    Subscription.objects.update(topics=["book", "movie"])
    rows = audience.queryset(make_list(), {"topics_any": ["movie", "book"]}, now=LONG_AGO)
    chosen = list(rows.values_list("pk", flat=True))
    assert len(chosen) == len(set(chosen)) == 4


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ([], "An audience rule is a table"),
        ({"topic_any": ["movie"]}, "did you mean 'topics_any'?"),
        ({"zzz": 1}, "it knows languages, topics_any, segment, where"),
        ({"topics_any": "movie"}, "audience.topics_any is a list of words"),
        ({"topics_any": [1]}, "audience.topics_any is a list of words"),
        ({"topics_any": []}, "audience.topics_any is empty"),
        ({"topics_any": ["Movie!"]}, "'Movie!' is not a topic's key"),
        ({"languages": ["english language"]}, "is not a language code"),
        ({"segment": ["regulars"]}, "audience.segment is the short name"),
        ({"segment": ""}, "audience.segment is the short name"),
        ({"where": {"stat": ["active"]}}, "audience.where: stat: there is no such condition. Did you mean 'state'?"),
        ({"segment": "regulars", "where": {}}, "audience.where: leave it out"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_key(rule: object, words: str) -> None:
    with pytest.raises(AudienceError, match=re.escape(words)):
        audience.parse(rule)


def test_a_rule_comes_back_as_the_json_it_was_read_from() -> None:
    rule = {"languages": ["en"], "topics_any": ["movie", "book"]}
    assert audience.parse(rule).as_json() == rule
    assert audience.parse({}).as_json() == {}


@pytest.mark.usefixtures("people")
def test_a_segment_narrows_an_audience_and_never_widens_it() -> None:
    segments.save("readers", make_list(), rule={"any": [{"topics": ["movie"]}, {"state": ["pending"]}]})
    assert addresses({"segment": "readers"}) == ["all@example.org", "german@example.org", "movie@example.org"]
    assert addresses({"segment": "readers", "languages": ["de"]}) == ["german@example.org"]
    found = audience.counts(make_list(), {"segment": "readers"}, now=LONG_AGO)
    assert found.excluded["outside the segment"] == 1
    assert found.total == 8 == found.selected + sum(found.excluded.values())


@pytest.mark.usefixtures("people")
def test_a_rule_written_out_no_longer_follows_its_segment() -> None:
    saved = {"language": ["de"]}
    segments.save("readers", make_list(), rule=saved)
    frozen = audience.written_out(make_list(), {"segment": "readers", "topics_any": ["book"]})
    assert frozen == {"topics_any": ["book"], "where": saved}
    segments.save("readers", make_list(), rule={"language": ["fr"]})
    assert addresses(frozen) == ["german@example.org"]
    assert audience.written_out(make_list(), frozen) == frozen


def test_a_segment_of_another_list_is_no_segment_of_this_one() -> None:
    segments.save("readers", make_list("other"), rule={})
    with pytest.raises(AudienceError, match='no segment "readers" on the list "weekly"'):
        audience.queryset(make_list(), {"segment": "readers"}, now=LONG_AGO)
