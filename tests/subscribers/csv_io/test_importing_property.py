"""Any file at all: nobody is revived, and nothing gets past the report."""

from __future__ import annotations

import contextlib
import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers import audience, marks
from subscribers.csv_io import importing
from subscribers.csv_io import report as report_module
from subscribers.errors import ImportFileError
from subscribers.models import ConsentEvent, Subscriber, Subscription, SubscriptionState, Suppression, SuppressionReason
from tests.factories import make_list, make_subscription
from tests.subscribers.csv_io.bringing import bring_in, counts, states

pytestmark = pytest.mark.django_db


def mailed() -> set[str]:
    """Whom an issue would reach; the keys of their addresses."""
    rows = audience.queryset(make_list(), {}, now=datetime.now(UTC))
    return set(rows.values_list("subscriber__address_key", flat=True))


POOL = [f"{letter}@example.org" for letter in "abcde"]
ROWS = st.tuples(
    st.sampled_from([*POOL, "A@example.org", "no address", '"open']),
    st.sampled_from(["", "active", "pending", "paused", "unsubscribed", "bounced", "complained", "blocked", "huh"]),
    st.sampled_from(["", "active", "pending", "unsubscribed"]),
    st.sampled_from(["", "", "", "2025-01-01"]),
)


@given(
    files=st.lists(st.lists(ROWS, max_size=9), min_size=1, max_size=3),
    before=st.dictionaries(st.sampled_from(POOL), st.sampled_from(list(SubscriptionState))),
    bad=st.dictionaries(st.sampled_from(POOL), st.sampled_from(list(SuppressionReason))),
    erased=st.sets(st.sampled_from(POOL), max_size=2),
)
@settings(max_examples=60)  # each case writes dozens of rows
def test_no_file_revives_anybody_and_a_dry_run_tells_the_truth(
    files: list[list[tuple[str, str, str, str]]],
    before: dict[str, SubscriptionState],
    bad: dict[str, SuppressionReason],
    erased: set[str],
) -> None:
    now = datetime.fromisoformat("2026-11-03T17:00:00+00:00")
    for table in (ConsentEvent, Subscription, Subscriber, Suppression):
        table.objects.all().delete()  # type: ignore[attr-defined]
    for address, state in before.items():
        if address not in erased:
            make_subscription(address, state=state)
    for address in erased:
        Suppression.objects.create(address_key=marks.mark(address), reason=SuppressionReason.ERASED, at=now)
    for address, reason in bad.items():
        Suppression.objects.create(address_key=address, reason=reason, at=now)
    chunk, importing.CHUNK = importing.CHUNK, 3
    try:
        for rows in files:
            # Our own export's columns too: they say the most, and may revive nobody either.
            text = "email,status,subscription,consent,unsubscribed at\n"
            text += "".join(f"{address},{status},{state},,{gone}\n" for address, status, state, gone in rows)
            stopped = {address for address, state in states().items() if state == SubscriptionState.UNSUBSCRIBED}
            suppressed = set(Suppression.objects.values_list("address_key", flat=True))
            everything = states(), ConsentEvent.objects.count(), suppressed
            reached = mailed()
            listed = {address for rows in (everything[0], reached) for address in rows}
            dry = bring_in(text, now, dry_run=True)
            assert (states(), ConsentEvent.objects.count(), suppressed) == everything
            wet = bring_in(text, now)
            assert counts(dry) == counts(wet)
            assert dry.problems == wet.problems
            assert wet.rows == len(rows) == wet.added + wet.stopped + wet.already + wet.kept_out + wet.refused
            assert all(states()[address] == SubscriptionState.UNSUBSCRIBED for address in stopped)
            assert suppressed <= set(Suppression.objects.values_list("address_key", flat=True))
            # Who can be mailed now and could not before was unknown, and is kept out by nothing.
            for address in mailed() - reached:
                assert address not in listed | suppressed | erased
            again = bring_in(text, now)
            assert not again.added
            assert not again.stopped
    finally:
        importing.CHUNK = chunk


@given(data=st.binary(max_size=300) | st.text(alphabet='email,;\n"@. ax\x00=\u2028é', max_size=120).map(str.encode))
@settings(max_examples=60)
def test_no_bytes_get_past_the_report(data: bytes) -> None:
    now = datetime.fromisoformat("2026-11-03T17:00:00+00:00")
    try:
        report = bring_in(b"email,name\n" + data, now)
    except ImportFileError:
        return
    assert report.rows == report.added + report.stopped + report.already + report.kept_out + report.refused


HEADERS = st.sampled_from(["email", "E-Mail", "name", "status", "OPTIN_TIME", "LEID", "EUID", "attributes", "consent",
                           "subscription", "topics", "sep=;", "a@b.test", "=x", ""]) | st.text(max_size=4)  # fmt: skip
CELLS = st.sampled_from(["ana@example.org", "bo@example.org", "2021-01-01", '{"a": 1}', "[]", "active"]) | st.text(
    max_size=6
)


@given(
    header=st.lists(HEADERS, min_size=1, max_size=6),
    rows=st.lists(st.lists(CELLS, max_size=7), max_size=4),
    mapped=st.dictionaries(st.sampled_from(["email", "name", "joined", "attributes.x"]), HEADERS, max_size=2),
)
@settings(max_examples=80)  # each case writes rows
def test_no_table_with_any_header_gets_past_the_report(
    header: list[str], rows: list[list[str]], mapped: dict[str, str]
) -> None:
    now = datetime.fromisoformat("2026-11-03T17:00:00+00:00")
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    text = out.getvalue().encode("utf-8", "surrogatepass")
    for options in ({"keep_columns": True}, {"mapping": mapped}):
        for table in (ConsentEvent, Subscription, Subscriber, Suppression):
            table.objects.all().delete()  # type: ignore[attr-defined]
        with contextlib.suppress(ImportFileError):
            report = bring_in(text, now, **options)
            assert report.rows == sum(getattr(report, name) for name in report_module.COUNTS)
