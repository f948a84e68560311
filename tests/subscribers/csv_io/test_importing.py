from __future__ import annotations

import contextlib
import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers import audience, consent, marks, suppression
from subscribers.csv_io import ImportReport, export_lines, exporting, import_file, importing
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
from tests.factories import make_list, make_subscription

pytestmark = pytest.mark.django_db
CONSENT = "Asked for the weekly on paper cards at the door, March 2026."
TOPICS = ("movie", "book", "concert")


def bring_in(text: str | bytes, now: datetime, **options: Any) -> ImportReport:
    data = text if isinstance(text, bytes) else text.encode()
    options = {"name": "door.csv", "wording": CONSENT, "known_topics": TOPICS, **options}
    return import_file(io.BytesIO(data), make_list(), now=now, **options)


def states() -> dict[str, str]:
    return dict(Subscription.objects.order_by("pk").values_list("subscriber__address", "state"))


def counts(report: ImportReport) -> dict[str, int]:
    names = ("rows", "added", "stopped", "already", "kept_out", "refused")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


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


@pytest.mark.parametrize(
    ("header", "row", "name", "state"),
    [
        ("Email Address,First Name,Last Name,OPTIN_TIME,TAGS", "ana@example.org,Ana,Quill,2020-01-01,vip", "Ana Quill",
         "active"),
        ("Email Address,First Name,UNSUB_TIME", "ana@example.org,Ana,2025-05-05 10:00:00", "Ana", "unsubscribed"),
        ("email,active_subscription,email_disabled,created_at", "ana@example.org,false,true,2024", "", "unsubscribed"),
        ("id,email,name,note,subscribed_to_emails,labels", "1,ana@example.org,Ana,,true,", "Ana", "active"),
        ("id,email,name,note,subscribed_to_emails,labels", "1,ana@example.org,Ana,,false,", "Ana", "unsubscribed"),
        ("uuid,email,name,attributes,status,created_at", "u,ana@example.org,Ana,{},enabled,2024", "Ana", "active"),
        ("email\tVorname\tNachname", "ana@example.org\tAna\tQuill", "Ana Quill", "active"),
        ("sep=;\nE-Mail;Name", "ana@example.org;Ana", "Ana", "active"),
        ('"E-mail address","Full_Name"', '"ana@example.org","Ana"', "Ana", "active"),
    ],
)  # fmt: skip
def test_the_common_exports_map_by_themselves(now: datetime, header: str, row: str, name: str, state: str) -> None:
    report = bring_in(f"{header}\n{row}\n", now)
    assert report.rows == 1
    assert not report.refused
    assert states() == {"ana@example.org": state}
    assert Subscriber.objects.get().name == name


def test_columns_that_mean_nothing_to_us_are_named(now: datetime) -> None:
    report = bring_in("email,shoe size,name\nana@example.org,43,Ana\n", now)
    table = report.tables[0]
    assert (table.columns, table.ignored_columns) == (["email", "name"], ["shoe size"])


def test_a_bare_list_of_addresses_needs_no_header(now: datetime) -> None:
    report = bring_in("ana@example.org\nbo@example.org\n", now)
    assert counts(report) == {"rows": 2, "added": 2}
    assert "There is no header" in report.warnings[0]


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1251", "Жанна"), ("shift_jis", "花子"), ("mac_roman", "Zoë"), ("utf-8", "Zoë")]
)
@pytest.mark.parametrize("bar", [",", "|"])
def test_any_other_encoding_is_read_when_it_is_named(now: datetime, encoding: str, name: str, bar: str) -> None:
    report = bring_in(f"email{bar}name\nana@example.org{bar}{name}\n".encode(encoding), now, encoding=encoding)
    assert Subscriber.objects.get().name == name
    assert not report.warnings


@pytest.mark.parametrize("encoding", ["utf-9", "rot13", "base64", "hex"])
def test_an_encoding_that_does_not_exist_is_said(now: datetime, encoding: str) -> None:
    with pytest.raises(ImportFileError, match=f"There is no encoding '{encoding}'"):
        bring_in(b"email\n", now, encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_accents_survive_every_encoding(now: datetime, encoding: str) -> None:
    report = bring_in("email,name\nana@example.org,Zoë Müller\n".encode(encoding), now)
    assert Subscriber.objects.get().name == "Zoë Müller"
    assert bool(report.warnings) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("name,shoe\nAna,43\n", "No column of the first line is 'email'. Its columns: 'shoe'"),
        ("email,E-Mail\na,b\n", "Two columns of the first line are the email"),
        ("43,ana@example.org\n", "The first line has to name the columns"),
        ('"email,name\n', "The first line can't be read"),
        (",,,\n", "nothing but separators"),
        ("x" * 300_000 + "\nana@example.org\n", "longer than 200,000"),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(now: datetime, text: str, words: str) -> None:
    with pytest.raises(ImportFileError, match=words.replace("(", r"\(")):
        bring_in(text, now)
    assert not Subscriber.objects.exists()


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


@pytest.mark.parametrize(
    ("header", "cell", "state"),
    [
        ("topics", "all", "active"),
        ("topics", "*", "active"),
        ("CLEAN_TIME", "2025-01-01", ""),
        ("subscribed", "maybe", ""),
        ("subscribed", "yes", "active"),
    ],
)
def test_a_column_means_what_it_says(now: datetime, header: str, cell: str, state: str) -> None:
    report = bring_in(f"email,{header}\nana@example.org,{cell}\n", now)
    assert list(states().values()) == ([state] if state else [])
    assert report.stopped == (header == "CLEAN_TIME")
    assert report.refused == (cell == "maybe")
    assert not Subscription.objects.exclude(topics=[]).exists()


def everything() -> list[dict[str, Any]]:
    """Every row of every person on the list, as the export gives it."""
    lines = "".join(export_lines(make_list(), now=datetime.now(UTC))).removeprefix("\ufeff")
    return sorted(csv.DictReader(io.StringIO(lines)), key=lambda row: row["email"])


def test_an_export_comes_back_as_it_was(now: datetime) -> None:
    day = timedelta(days=1)
    ana = make_subscription(
        "ana@example.org", name="=SUM(A1)", language="de", topics=["book", "movie"], plain_text=True,
        joined_at=now - 9 * day, confirmed_at=now - 8 * day, state_at=now - 7 * day, last_accepted_at=now - day,
        refusals_in_row=2, attributes={"city": "Köln", "size": 4.5, "tags": ["a", "b"], "vip": True, "gone": None},
    )  # fmt: skip
    consent.record(ana, ConsentKind.CONFIRMED, now=now - 8 * day, origin="link", wording="Yes.", evidence={"ip": "::1"})
    make_subscription("bo@example.org", name='"Quill", \'Bo', state=SubscriptionState.UNSUBSCRIBED)
    make_subscription("cy@example.org", name="'t Hooft", state=SubscriptionState.PENDING, confirmed_at=None)
    make_subscription("di@example.org", name="-Di-", state=SubscriptionState.PAUSED)
    make_subscription("=el@example.org", name="El la", confirmed_at=None)
    for address, reason in (
        ("fa@example.org", "bounce"),
        ("gu@example.org", "complaint"),
        ("ha@example.org", "manual"),
    ):
        make_subscription(address)
        suppression.suppress(address, SuppressionReason(reason), now=now)
    before = everything()
    text = "".join(export_lines(make_list(), now=now))
    assert "'=SUM(A1)" in text and ",'=el@" not in text.split("\n")[0]
    for table in (ConsentEvent, Subscription, Subscriber, Suppression):
        table.objects.all().delete()  # type: ignore[attr-defined]
    report = bring_in(text, now)
    assert counts(report) == {"rows": 8, "added": 4, "stopped": 4}
    assert (report.tables[0].service, report.tables[0].ignored_columns) == ("newsletter", [])
    after = everything()
    for was, row in zip(before, after, strict=True):
        events = json.loads(row.pop("consent"))
        assert events[0]["evidence"]["columns"]["consent"] == json.loads(was.pop("consent"))
        assert row == was
    assert bring_in(text, now).already == 8


def test_every_field_of_a_person_is_in_the_export() -> None:
    columns = {"address": "email", "state": "status", "address_key": "email", "created_at": "", "id": "",
               "mailing_list": "", "subscriber": "", "generation": "", "new_address": "", "erase_at": "",
               "quiet_asks": "", "quiet_asked_at": ""}  # fmt: skip
    fields = [field.name for model in (Subscriber, Subscription) for field in model._meta.concrete_fields]
    assert {columns.get(name, name) for name in fields} - {""} <= set(exporting.HEADER)


def test_an_export_of_a_segment_holds_its_people_alone(now: datetime) -> None:
    make_subscription("ana@example.org", language="en")
    make_subscription("bo@example.org", language="de")
    lines = list(export_lines(make_list(), {"language": ["de"]}, now=now))
    assert [line.partition(",")[0] for line in lines[1:]] == ["bo@example.org"]


def test_no_cell_of_an_export_begins_like_a_formula(now: datetime) -> None:
    for number, name in enumerate(("=1+1", "+1", "-1", "@x", "\t=1", "＝1")):
        make_subscription(f"p{number}@example.org", name=name, attributes={"=cmd": "=1"}, language="-")
    cells = [cell for row in csv.reader("".join(export_lines(make_list(), now=now)).splitlines()) for cell in row]
    assert not [cell for cell in cells if cell.lstrip()[:1] in set("=+-@＝")]


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
