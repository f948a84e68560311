from __future__ import annotations

import email
import email.policy
import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.core.tokens import Keys, read_token
from newsletter.flow.compile import frozen
from newsletter.models import Issue
from subscribers.models import Subscription

pytestmark = pytest.mark.django_db


def body(message: bytes, kind: str = "html") -> str:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    part = parsed.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    call_command("preview", *arguments, "--json")
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_three_files_show_one_subscribers_letter(
    issue: Issue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "look"
    values = run(capsys, "weekly/2026-11-05", "--as", "ADA@readers.example.test", "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == ["letter.eml", "letter.html", "letter.txt"]
    assert values["subject"] == "See You Sunday, and The Salt Road"
    assert values["fingerprint"] == frozen(issue).fingerprint
    page, message = (out / "letter.html").read_text(), (out / "letter.eml").read_bytes()
    assert "Hello" in page and "Ada" in page
    assert body(message).splitlines() == page.splitlines()
    assert body(message, "plain").splitlines() == (out / "letter.txt").read_text().splitlines()
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    token = str(parsed["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    assert read_token(Keys(b"not a secret"), "unsubscribe", token) == Subscription.objects.get().pk


def test_without_a_subscriber_nobodys_links_are_in_it(
    issue: Issue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "next", "--out", str(tmp_path))
    message = email.message_from_bytes((tmp_path / "letter.eml").read_bytes(), policy=email.policy.default)
    token = str(message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    assert read_token(Keys(b"not a secret"), "unsubscribe", token) == 0


def test_a_test_mail_is_marked_and_can_unsubscribe_nobody_else(
    issue: Issue, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, outbox_folder=tmp_path / "outbox")
    issue.newsletter.account.kind = "outbox"
    issue.newsletter.account.save()
    values = run(capsys, "next", "--as", "ada@readers.example.test", "--mail", "editor@lantern.example.test")
    assert values["test_subject"] == "[Test] See You Sunday, and The Salt Road"
    assert "files" not in values
    (file,) = (tmp_path / "outbox").glob("*.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == values["test_subject"]
    assert "editor@lantern.example.test" in str(message["To"])
    token = str(message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    assert read_token(Keys(b"not a secret"), "unsubscribe", token) == 0
    assert token in body(file.read_bytes())
    assert "Ada" in body(file.read_bytes())


def test_a_test_to_the_subscriber_is_the_real_letter(
    issue: Issue, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, outbox_folder=tmp_path / "outbox")
    issue.newsletter.account.kind = "outbox"
    issue.newsletter.account.save()
    mine = "ada@readers.example.test"
    call_command("preview", "next", "--as", mine, "--mail", mine, "--out", str(tmp_path / "look"))
    (file,) = (tmp_path / "outbox").glob("*.eml")
    assert body(file.read_bytes()) == body((tmp_path / "look" / "letter.eml").read_bytes())
    printed = capsys.readouterr().out
    assert "Suggested subject: See You Sunday: worth your evening?" in printed
    assert '[Test] See You Sunday, and The Salt Road" for ada@readers.example.test' in printed


def test_a_stranger_or_a_broken_address_is_refused(issue: Issue, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not on the list of weekly"):
        call_command("preview", "next", "--as", "bo@readers.example.test", "--out", str(tmp_path))
    with pytest.raises(CommandError, match="@"):
        call_command("preview", "next", "--as", "nonsense", "--out", str(tmp_path))


def test_a_folder_that_cannot_be_written_is_named(issue: Issue, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="file can't be written"):
        call_command("preview", "next", "--out", str(tmp_path / "file"))


def test_a_test_that_is_refused_is_an_error(issue: Issue) -> None:
    issue.newsletter.account.kind, issue.newsletter.account.settings = "smtp", {"host": "127.0.0.1", "port": 1}
    issue.newsletter.account.save()
    with pytest.raises((ProviderError, ConfigError)):
        call_command("preview", "next", "--mail", "editor@lantern.example.test")


def test_checks_tell_what_blocks(issue: Issue, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("checks", "next")
    printed = capsys.readouterr().out
    assert "weekly/2026-11-05: 0 blocking" in printed
    assert "not checked" in printed
    issue.newsletter.magazine.postal_address = ""
    issue.newsletter.magazine.save()
    with pytest.raises(SystemExit) as caught:
        call_command("checks", "next", "--json")
    assert caught.value.code == 3
    found = json.loads(capsys.readouterr().out)
    assert found["blocking"] == 1
    assert "postal address" in found["findings"][0]["text"]
