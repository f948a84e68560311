from __future__ import annotations

import io
import zipfile
from datetime import datetime

import pytest

from subscribers.csv_io import import_file, look
from subscribers.csv_io.columns import STOPPING, guesses
from subscribers.errors import ImportFileError
from subscribers.models import Subscriber
from tests.factories import make_list

AGREED = "Double opt-in at our old service."


def test_a_first_look_tells_what_columns_seem_to_mean_and_what_is_in_them() -> None:
    text = "E-Mail;Vorname;Ort;status\nbo@box.test;Bo;Ulm;\ncy@box.test;Cy;;unsubscribed\n"
    [table] = look(io.BytesIO(text.encode()), "members.csv")
    assert (table.has_header, table.service, table.encoding) == (True, "", "utf-8")
    assert [(one.header, one.meaning, one.fixed) for one in table.columns] == [
        ("E-Mail", "email", False), ("Vorname", "first name", False), ("Ort", "", False), ("status", "status", True),
    ]  # fmt: skip
    assert [one.samples for one in table.columns] == [("bo@box.test", "cy@box.test"), ("Bo", "Cy"), ("Ulm",),
                                                      ("unsubscribed",)]  # fmt: skip


def test_a_bare_list_has_no_header_and_its_first_line_is_a_sample() -> None:
    [table] = look(io.BytesIO(b"bo@box.test,Bo\n"), "list.csv")
    assert not table.has_header
    assert [(one.header, one.samples) for one in table.columns] == [("", ("bo@box.test",)), ("", ("Bo",))]


def test_each_table_of_an_archive_is_looked_at_and_long_cells_are_cut() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one.csv", "email,LEID,EUID,Email Address\n")
        archive.writestr("two.csv", f"email,name\na@box.test,{'x' * 500}\x1b\n")
    one, two = look(io.BytesIO(out.getvalue()), "export.zip")
    assert (one.service, two.service) == ("Mailchimp", "")
    assert two.columns[1].samples == ("x" * 79 + "…",)


def test_each_meaning_is_guessed_once() -> None:
    assert guesses(["email", "E-Mail", "joined", "created_at", "x"]) == ["email", "", "joined", "", ""]


@pytest.mark.django_db
def test_a_column_that_is_left_aside_says_nothing(now: datetime) -> None:
    file = io.BytesIO(b"email,name,language\nbo@box.test,Not a name,en\n")
    import_file(file, make_list(), name="x.csv", wording=AGREED, now=now, leave=["name"])
    bo = Subscriber.objects.get()
    assert (bo.name, bo.language) == ("", "en")


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["status", "unsub time", "clean time", "deleted_at", "subscribed"])
def test_what_says_who_left_is_never_left_aside(now: datetime, header: str) -> None:
    file = io.BytesIO(f"email,{header}\nbo@box.test,\n".encode())
    with pytest.raises(ImportFileError, match="says who left: it can't be left aside"):
        import_file(file, make_list(), name="x.csv", wording=AGREED, now=now, leave=[header])
    assert guesses([header])[0] in STOPPING
