"""What a file's encoding, header and columns mean, and which file is no list."""

from __future__ import annotations

from datetime import datetime

import pytest

from subscribers.errors import ImportFileError
from subscribers.models import Subscriber, Subscription
from tests.subscribers.csv_io.bringing import bring_in, counts, states

pytestmark = pytest.mark.django_db


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
