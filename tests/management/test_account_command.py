"""`newsletter account test`: the studio's "Send me a test now", with its limits and its dialogue, in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from newsletter.core.errors import IssueError
from newsletter.flow.trying import AN_HOUR, TRIED
from newsletter.models import Event, Newsletter
from tests.factories import make_account, make_newsletter
from tests.providers.servers import SmtpServer

pytestmark = pytest.mark.django_db
SECRET = "a password of its own"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer(login=("letters", SECRET)) as made:
        yield made


@pytest.fixture
def newsletter(settings: Settings, tmp_path: Path, server: SmtpServer) -> Newsletter:
    settings.NEWSLETTER = replace(
        settings.NEWSLETTER, home=tmp_path, outbox_folder=tmp_path / "outbox", secret_key="not a secret"
    )
    host, port = server.address
    values = {"host": host, "port": port, "username": "letters", "password_env": "SMTP_PASSWORD"}
    return make_newsletter(account=make_account(name="main", kind="smtp", settings=values))


def test_words_leave_through_the_account_and_the_log_says_who_asked(
    newsletter: Newsletter, server: SmtpServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", SECRET)
    call_command("account", "test", "ada@readers.example.test", "--by", "mara")
    said = capsys.readouterr().out
    assert said == "The test to ada@readers.example.test was taken by main: 250 2.0.0 queued as 4F2A\n"
    (taken,) = server.taken
    assert taken.recipient == "ada@readers.example.test"
    assert b"Subject: [Test] LANTERN Weekly: mail leaves" in taken.message
    event = Event.objects.get(kind=TRIED)
    assert (event.by, event.text) == ("mara", "A test through main was taken.")
    call_command("account", "test", "ada@readers.example.test", "--dialogue")
    assert "-> MAIL FROM:" in capsys.readouterr().out


def test_what_went_wrong_is_said_with_the_dialogue_and_no_secret(
    newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "wrong and long enough")
    with pytest.raises(SystemExit) as left:
        call_command("account", "test", "ada@readers.example.test")
    said = capsys.readouterr().out
    assert left.value.code == 1
    assert "-> AUTH PLAIN (hidden)" in said and "<- 535 5.7.8" in said
    assert "The test to ada@readers.example.test through main did not leave." in said.splitlines()[-1]
    with pytest.raises(SystemExit):
        call_command("account", "test", "ada@readers.example.test", "--json")
    whole = capsys.readouterr().out
    found = json.loads(whole)
    assert found["problem"] and {line["side"] for line in found["lines"]} >= {"we", "they"}
    assert "wrong and long" not in said + whole


def test_what_is_no_address_and_more_than_an_hour_allows_is_refused_as_in_the_studio(newsletter: Newsletter) -> None:
    with pytest.raises(IssueError, match="is no address"):
        call_command("account", "test", "nobody")
    now = timezone.now()
    for _ in range(AN_HOUR):
        Event.objects.create(newsletter=newsletter, at=now, kind=TRIED, text="", by="mara")
    with pytest.raises(IssueError, match="an hour are the most"):
        call_command("account", "test", "ada@readers.example.test")


def test_of_several_newsletters_one_is_named(newsletter: Newsletter, tmp_path: Path) -> None:
    make_newsletter(slug="other", name="Other", account=make_account(name="box", kind="outbox"))
    with pytest.raises(CommandError, match="say which one"):
        call_command("account", "test", "ada@readers.example.test")
    call_command("account", "test", "ada@readers.example.test", "--newsletter", "other")
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
