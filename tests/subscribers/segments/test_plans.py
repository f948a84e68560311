"""Pages and counts of a large list walk its covering index: the plans that both databases make, not their time."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from subscribers import segments
from subscribers.models import MailingList, Subscriber, Subscription, SubscriptionState
from subscribers.segments.reading import end_of_page
from tests.factories import LONG_AGO, make_list

pytestmark = pytest.mark.django_db
ROWS = 6000


@pytest.fixture
def large() -> MailingList:
    """A list of 6,000 among two, a sixth of them active; the databases know its figures.

    What other tests rolled back still fills PostgreSQL's tables, and a plan goes by their size: begin with empty ones.
    This, and what is counted here, goes with the rollback. Other tables are not analysed: they would count as empty
    ever after, for that stays, and later tests could wait minutes for a join that is planned for no rows.
    """
    tables = ", ".join(model._meta.db_table for model in (MailingList, Subscriber, Subscription))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {tables} CASCADE")
    lists = make_list(), make_list("other")
    people = Subscriber.objects.bulk_create(
        Subscriber(address=f"p{n}@example.org", address_key=f"p{n}@example.org", language="en", created_at=LONG_AGO)
        for n in range(ROWS)
    )
    Subscription.objects.bulk_create(
        Subscription(
            mailing_list=mailing_list,
            subscriber=person,
            state=SubscriptionState.ACTIVE if n % 6 == 0 else SubscriptionState.UNSUBSCRIBED,
            joined_at=LONG_AGO,
            state_at=LONG_AGO,
        )
        for n, person in enumerate(people)
        for mailing_list in lists
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}" if connection.vendor == "postgresql" else "ANALYZE")
    return lists[0]


def plan(rows: QuerySet[Any, Any]) -> str:
    sql, params = rows.query.sql_with_params()
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", params)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_a_page_walks_an_index_and_sorts_nothing(large: MailingList) -> None:
    said = plan(end_of_page(large, "active", 1, 100))
    # So few rows PostgreSQL may as well find by their number; `make prove ARGS=lists` asks it over a million.
    covering = "COVERING INDEX subscription_audience" if connection.vendor == "sqlite" else "Index (Only )?Scan"
    assert re.search(covering, said), said
    assert not re.search(r"TEMP B-TREE|Sort|Seq Scan", said), said


def test_a_page_reads_between_two_numbers_of_the_index(large: MailingList, now: datetime) -> None:
    rule = {"state": ["active"], "language": ["en"]}
    pages = list(segments.pages(large, rule, now=now, size=400))
    assert [len(page) for page in pages] == [400, 400, 200]
    if connection.vendor == "postgresql":
        return  # with so few people it may as well begin with all of them; `make prove ARGS=lists` has a million
    rows = segments.queryset(large, rule, now=now)
    said = plan(rows.filter(state="active", pk__gt=pages[0][-1], pk__lte=pages[1][-1]).values("pk"))
    assert "subscription_audience" in said, said


def test_a_count_by_state_reads_the_index_alone(large: MailingList, now: datetime) -> None:
    said = plan(segments.queryset(large, {"state": ["active"]}, now=now).values("pk"))
    assert re.search(
        r"COVERING INDEX subscription_audience|(Index Only|Bitmap Index) Scan.*subscription_audience", said
    )
