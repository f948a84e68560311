"""Bringing people in: nobody without proof, nobody revived, and every bad row by its line."""

from __future__ import annotations

import tracemalloc
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError

from subscribers import suppression
from subscribers.csv_io import importing
from subscribers.csv_io import report as report_module
from subscribers.errors import ImportFileError
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from tests.factories import make_subscription
from tests.subscribers.csv_io.bringing import CONSENT, bring_in, counts, states

pytestmark = pytest.mark.django_db


def test_rows_become_active_subscriptions_with_their_proof(now: datetime) -> None:
    report = bring_in(
        'email,name,language,topics\nAna@Example.org,"Quill, Ana",en_GB,movie;Book\nbo@example.org,Bo,,\n', now
    )
    assert counts(report) == {"rows": 2, "added": 2}
    ana = Subscription.objects.get(subscriber__address_key="ana@example.org")
    assert (ana.state, ana.topics, ana.joined_at, ana.confirmed_at) == ("active", ["book", "movie"], now, now)
    assert (ana.subscriber.name, ana.subscriber.language) == ("Quill, Ana", "en-GB")
    event = ConsentEvent.objects.get(subscription=ana)
    assert (event.kind, event.wording, event.origin) == (ConsentKind.IMPORTED, CONSENT, "import door.csv line 2")
    assert event.evidence == {"file": "door.csv", "line": 2, "state": "active"}


def test_importing_twice_changes_nothing(now: datetime) -> None:
    text = "email;name\nana@example.org;Ana\nbo@example.org;Bo\ncy@example.org;Cy\n"
    bring_in(text, now)
    before = list(Subscription.objects.values()), list(Subscriber.objects.values()), list(ConsentEvent.objects.values())
    report = bring_in(text.replace("Ana", "Other"), now)
    assert counts(report) == {"rows": 3, "already": 3}
    after = list(Subscription.objects.values()), list(Subscriber.objects.values()), list(ConsentEvent.objects.values())
    assert before == after


def test_an_import_revives_neither_an_unsubscribe_nor_a_bounce(now: datetime) -> None:
    make_subscription("gone@example.org", state=SubscriptionState.UNSUBSCRIBED)
    make_subscription("bounced@example.org")
    make_subscription("asked@example.org", state=SubscriptionState.PENDING)
    for key in ("bounced@example.org", "never@example.org"):
        suppression.suppress(key, SuppressionReason.BOUNCE, now=now)
    events = ConsentEvent.objects.count()
    report = bring_in(
        "email,status\nGONE@example.org,active\nbounced@example.org,\nnever@example.org,subscribed\nasked@example.org,\n",
        now,
    )
    assert counts(report) == {"rows": 4, "kept_out": 3, "already": 1}
    assert [(problem.line, problem.kind) for problem in report.problems] == [
        (2, "kept out"),
        (3, "kept out"),
        (4, "kept out"),
    ]
    assert "unsubscribed on 2026-01-01" in report.problems[0].reason
    assert states() == {
        "gone@example.org": "unsubscribed",
        "bounced@example.org": "active",
        "asked@example.org": "pending",
    }
    assert ConsentEvent.objects.count() == events
    assert Suppression.objects.count() == 2


def test_a_bad_row_is_reported_with_its_line_and_stops_nobody_else(now: datetime) -> None:
    report = bring_in(
        b"email,name,language,topics,status\n"
        b"ana@example.org,Ana,,,\n"
        b"not an address,Bo,,,\n"
        b"nul@example.org,N\x00l,,,\n"
        b"long@example.org," + b"x" * 301 + b",,,\n"
        b"comma@example.org,Quill, Ana,,,\n"
        b"topic@example.org,T,,moovie,\n"
        b"status@example.org,S,,,perhaps\n"
        b'quote@example.org,"Q,,,\n'
        b"last@example.org,L,klingon language,,\n",
        now,
    )
    assert counts(report) == {"rows": 9, "added": 2, "refused": 7}
    assert [(problem.line, problem.kind) for problem in report.problems] == [
        *((line, "refused") for line in range(3, 10)),
        (10, "warning"),
    ]
    words = [
        "@-sign",
        "NUL",
        "301 letters",
        "6 cells",
        "Did you mean 'movie'",
        "'perhaps' is unknown",
        "quote",
        "klingon",
    ]
    for problem, word in zip(report.problems, words, strict=True):
        assert word in problem.reason
    assert list(states()) == ["ana@example.org", "last@example.org"]


def test_names_come_out_as_harmless_text(now: datetime) -> None:
    bring_in('email,name\nana@example.org,"A\r\nBcc: x\u2028y\u0085{{ 7*7 }} <b>👩\u200d💻"\n', now)
    assert Subscriber.objects.get().name == "A Bcc: x y {{ 7*7 }} <b>👩\u200d💻"


def test_what_a_file_says_is_over_is_over(now: datetime) -> None:
    make_subscription("ana@example.org")
    make_subscription("bo@example.org")
    text = (
        "email,status\nana@example.org,unsubscribed\nbo@example.org,complained\ncy@example.org,cleaned\n"
        "di@example.org,unsubscribed\nel@example.org,pending\n"
    )
    report = bring_in(text, now)
    assert counts(report) == {"rows": 5, "stopped": 4, "added": 1}
    assert states() == {
        "ana@example.org": "unsubscribed",
        "bo@example.org": "unsubscribed",
        "di@example.org": "unsubscribed",
        "el@example.org": "pending",
    }
    assert suppression.reasons(["bo@example.org", "cy@example.org"]) == {
        "bo@example.org": "complaint",
        "cy@example.org": "bounce",
    }
    assert counts(bring_in(text, now)) == {"rows": 5, "already": 5}
    assert counts(bring_in("email\ndi@example.org\ncy@example.org\n", now)) == {"rows": 2, "kept_out": 2}


@pytest.mark.parametrize("wording", ["", "   ", "yes"])
def test_an_import_needs_a_statement_of_consent(now: datetime, wording: str) -> None:
    with pytest.raises(ImportFileError, match="Say how these people agreed"):
        bring_in("email\nana@example.org\n", now, wording=wording)


def test_chunks_make_no_difference_and_progress_is_told(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 3)
    heard: list[int] = []
    text = "email\n" + "".join(f"p{n % 7}@example.org\n" for n in range(10))
    report = bring_in(text, now, progress=heard.append)
    assert counts(report) == {"rows": 10, "added": 7, "already": 3}
    assert heard == [3, 6, 9, 10]


def test_a_file_ten_times_as_long_takes_no_more_memory(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 50)
    peaks = []
    for rows in (200, 200, 2000):  # the first fills caches
        text = ("email,tags\n" + "".join(f"p{n}@example.org,{n}\n" for n in range(rows))).encode()
        tracemalloc.start()
        assert bring_in(text, now, dry_run=True, keep_columns=True).added == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 200_000, peaks


def test_the_report_stays_small_however_bad_the_file(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "MOST_PROBLEMS", 5)
    report = bring_in("email\n" + "nobody\n" * 12, now)
    assert (len(report.problems), report.problems_left_off, report.refused) == (5, 7, 12)
    assert report.as_json()["problems"][0]["line"] == 2


def test_somebody_who_subscribes_meanwhile_makes_the_import_decide_again(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importing.known
    calls: list[int] = []

    def late(*arguments: Any) -> Any:
        known = real(*arguments)
        if not calls:
            # As if another connection had committed between our look and our insert.
            known.people.clear()
            known.subscriptions.clear()
        calls.append(1)
        return known

    make_subscription("ana@example.org")
    monkeypatch.setattr(importing, "known", late)
    report = bring_in("email\nana@example.org\nbo@example.org\n", now)
    assert counts(report) == {"rows": 2, "added": 1, "already": 1}
    assert len(calls) == 2


def test_a_database_that_keeps_refusing_is_not_hidden(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise IntegrityError("always")

    monkeypatch.setattr(importing, "_decide", refuse)
    with pytest.raises(IntegrityError):
        bring_in("email\nana@example.org\n", now)
