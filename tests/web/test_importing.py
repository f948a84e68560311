"""A file brought in by steps: what is tried is what is done, and nothing that a browser sends later counts."""

from __future__ import annotations

import io
import os
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from newsletter.flow.membership import uploads
from newsletter.flow.people import Role, give
from newsletter.models import Event, Newsletter
from subscribers.models import ConsentEvent, Subscriber, Subscription, SubscriptionState
from tests.factories import make_list, make_subscription
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.web.test_subscribers import somebody

pytestmark = pytest.mark.django_db
HERE = "/studio/subscribers/import/"
AGREED = "Double opt-in at our old service."
FILE = "Kontakt,Wer,Ort,status\nbo@box.test,=Bo,Ulm,\ncy@box.test,Cy,,unsubscribed\nnot an address,X,,\n"


@pytest.fixture
def admin(newsletter: Newsletter) -> Client:
    return somebody(Role.ADMIN)


def bring(client: Client, text: str | bytes = FILE, name: str = "members.csv", **fields: str) -> str:
    """The address of the file's own pages."""
    raw = text.encode() if isinstance(text, str) else text
    answer = client.post(HERE, {"file": SimpleUploadedFile(name, raw), **fields})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


def tried(client: Client, path: str, **fields: str) -> str:
    answer = client.post(f"{path}try", {"wording": AGREED, **fields})
    assert answer.status_code == 302, re.findall(r'role="alert">(.*?)</p>', answer.content.decode())
    return client.get(path).content.decode()


def test_a_file_is_looked_at_tried_and_brought_in(admin: Client, home: Path) -> None:
    path = bring(admin)
    asked = admin.get(path).content.decode()
    assert "bo@box.test · cy@box.test · not an address" in asked
    assert re.search(r'<option value="" selected>Leave aside', asked), "a header that we do not know"
    assert "Read as status: it says who left" in asked
    shown = tried(admin, path, column0="email", column1="name", column2="keep")
    assert "What would happen" in shown
    assert re.findall(r"<dd>(\d+)</dd>", shown) == ["1", "0", "1", "0", "1"]
    assert Subscriber.objects.count() == 1
    table = admin.get(f"{path}differences.csv")
    lines = b"".join(table.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[arg-type]
    assert lines[1].startswith("members.csv,2,bo@box.test,added,,active")
    assert admin.post(f"{path}run").status_code == 302
    done = admin.get(path).content.decode()
    assert "Brought in" in done
    bo = Subscription.objects.select_related("subscriber").get(subscriber__address="bo@box.test")
    assert (bo.state, bo.subscriber.name, bo.subscriber.attributes) == ("active", "=Bo", {"Ort": "Ulm"})
    assert ConsentEvent.objects.get(subscription=bo).wording == AGREED
    assert Subscription.objects.get(subscriber__address="cy@box.test").state == SubscriptionState.UNSUBSCRIBED
    event = Event.objects.get()
    assert (event.kind, event.text) == ("imported", "3 rows came to LANTERN Weekly: 1 added, 1 stopped, 0 kept out.")
    assert not (home / "imports" / path.split("/")[-2] / "file").exists()
    again = admin.post(f"{path}run")
    assert again.status_code == 302 and Event.objects.count() == 1


def test_who_left_stays_away_whatever_is_chosen(admin: Client) -> None:
    make_subscription("bo@box.test", state="unsubscribed")
    path = bring(admin)
    assert "kept out" in tried(admin, path, column0="email", column3="")
    admin.post(f"{path}run")
    states = dict(Subscription.objects.values_list("subscriber__address", "state"))
    assert states["bo@box.test"] == states["cy@box.test"] == "unsubscribed"


def test_what_is_brought_in_is_what_was_tried_not_what_the_browser_says(admin: Client) -> None:
    path = bring(admin)
    early = admin.post(f"{path}run", {"column0": "email", "wording": AGREED})
    assert early.status_code == 409 and "Try it first" in early.content.decode()
    tried(admin, path, column0="email", column1="name")
    refused = admin.post(f"{path}try", {"column0": "email", "wording": "short"})
    assert refused.status_code == 422 and "Say how these people agreed" in refused.content.decode()
    assert admin.post(f"{path}run").status_code == 409
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"column0": "email", "column1": "email"}, "Two columns are the address: “Kontakt” and “Wer”."),
        ({"column1": "name"}, "No column is the address."),
        ({"column0": "email", "encoding": "klingon"}, "There is no encoding"),
        ({"column0": "email", "wording": ""}, "Say how these people agreed"),
    ],
)
def test_a_mistake_is_said_and_what_was_typed_stays(admin: Client, fields: dict[str, str], words: str) -> None:
    path = bring(admin)
    answer = admin.post(f"{path}try", {"wording": "They said so, at our <b>stand</b>.", **fields})
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert words in shown
    assert "at our &lt;b&gt;stand&lt;/b&gt;." in shown or fields.get("wording") == ""


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x00" * 5000, "No column"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"\xd0\xcf\x11\xe0 old", "old kind"),
        (b",,,\n,,,\n", "nothing but separators"),
        (b'"open quote\n', "can&#39;t be read"),
        (b"<html><script>alert(1)</script></html>\n", "No column"),
    ],
)
def test_a_file_that_is_none_says_so_and_nothing_of_it_runs(admin: Client, raw: bytes, words: str) -> None:
    path = bring(admin, raw, name="<b>x</b>\x00.csv")
    looked = admin.get(path)
    answer = admin.post(f"{path}try", {"wording": AGREED})
    both = looked.content.decode() + answer.content.decode()
    assert looked.status_code == 200 and answer.status_code == 422
    assert words in both
    assert "<script>alert" not in both and "<b>x" not in both


def test_nothing_at_all_an_empty_file_and_one_too_large_are_refused(
    admin: Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 1000)
    for fields, words in (
        ({}, "nothing was pasted"),
        ({"pasted": " \n"}, "nothing was pasted"),
        ({"file": SimpleUploadedFile("x.csv", b"a@box.test\n" * 1000)}, "larger than"),
    ):
        answer = admin.post(HERE, fields)
        assert answer.status_code == 422 and words in answer.content.decode()
    assert list((home / "imports").iterdir()) == []
    assert admin.post(HERE, {"pasted": "a@box.test", "list": "nowhere"}).status_code == 404
    large = admin.post(HERE, {"pasted": "a@box.test\n" * 300_000})
    assert large.status_code == 400 and "can’t be read" in large.content.decode()


def test_pasted_addresses_need_no_header_and_no_choice(admin: Client) -> None:
    answer = admin.post(HERE, {"pasted": "dee@box.test\r\neve@box.test\r\n"})
    path = str(answer.headers["Location"])
    assert "No header" in admin.get(path).content.decode()
    assert re.findall(r"<dd>(\d+)</dd>", tried(admin, path))[0] == "2"


def test_a_known_services_export_is_understood_as_a_whole(admin: Client) -> None:
    text = "email,active_subscription,email_disabled,plan\nfay@box.test,true,false,paid\n"
    path = bring(admin, text)
    assert "An export of Substack" in admin.get(path).content.decode()
    tried(admin, path)
    admin.post(f"{path}run")
    assert Subscriber.objects.get(address="fay@box.test").attributes == {"plan": "paid"}


def test_a_spreadsheet_is_read_too(admin: Client) -> None:
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    for row in (["E-Mail", "Vorname"], ["gus@box.test", "=1+1"]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(out)
    path = bring(admin, out.getvalue(), name="members.xlsx")
    assert re.search(r'<option value="email" selected>', admin.get(path).content.decode())
    assert re.findall(r"<dd>(\d+)</dd>", tried(admin, path, column0="email", column1="first name"))[0] == "1"


def test_two_people_who_bring_files_at_once_never_meet(admin: Client, home: Path) -> None:
    make_list("other", name="Other")
    give(User.objects.create_user("otto"), Role.ADMIN)
    otto = Client()
    otto.force_login(User.objects.get(username="otto"))
    mine, theirs = bring(admin, list="weekly"), bring(otto, "hal@box.test\n", list="other")
    assert mine != theirs
    for verb in ("", "differences.csv"):
        assert otto.get(mine + verb).status_code == 404
    for verb in ("try", "run", "drop"):
        assert otto.post(mine + verb, {"column0": "email", "wording": AGREED}).status_code == 404
    tried(otto, theirs)
    tried(admin, mine, column0="email")
    otto.post(f"{theirs}run")
    admin.post(f"{mine}run")
    assert Subscription.objects.get(subscriber__address="hal@box.test").mailing_list.slug == "other"
    assert Subscription.objects.get(subscriber__address="bo@box.test").mailing_list.slug == "weekly"
    assert "hal@box.test" not in admin.get(HERE).content.decode()


def test_the_files_are_for_the_owner_of_the_home_alone_and_gone_after_a_day(admin: Client, home: Path) -> None:
    path = bring(admin)
    folder = home / "imports" / path.split("/")[-2]
    assert {oct(one.stat().st_mode & 0o777) for one in (home / "imports", folder)} == {"0o700"}
    assert {oct(one.stat().st_mode & 0o777) for one in folder.iterdir()} == {"0o600"}
    assert uploads.expire(home, timezone.now()) == 0
    later = timezone.now() + timedelta(days=1, minutes=1)
    assert uploads.find(home, folder.name, owner=User.objects.get().pk, now=later) is None
    assert uploads.expire(home, later) == 1
    assert admin.get(path).status_code == 404
    assert admin.get(f"{HERE}..%2F..%2Fetc/").status_code == 404


def test_a_file_that_is_being_read_shows_how_far_and_is_read_by_one_alone(admin: Client, home: Path) -> None:
    path = bring(admin)
    tried(admin, path, column0="email")
    lock = home / "imports" / path.split("/")[-2] / "running"
    lock.write_text("12500")
    assert "<strong>12,500</strong> rows so far" in admin.get(path).content.decode()
    busy = admin.post(f"{path}run")
    assert busy.status_code == 409 and "being read already" in busy.content.decode()
    long_ago = time.time() - 3600
    os.utime(lock, (long_ago, long_ago))  # its process died
    assert admin.post(f"{path}run").status_code == 302
    assert Subscription.objects.filter(subscriber__address="bo@box.test").exists()


def test_a_file_can_be_thrown_away(admin: Client, home: Path) -> None:
    path = bring(admin)
    assert "members.csv" in admin.get(HERE).content.decode()
    assert admin.post(f"{path}drop").status_code == 302
    assert list((home / "imports").iterdir()) == []
    assert admin.get(path).status_code == 404
