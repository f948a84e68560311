"""`newsletter bounce`: what a mail server pipes, and its exit codes; `subscribers unsuppress`."""

from __future__ import annotations

import io
import json
import mailbox
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from newsletter.core.tokens import BOUNCE, token
from newsletter.models import Evidence
from subscribers.models import Suppression
from tests.flow.bouncing import BY_NAME, deliver, make_issue
from tests.homes import REPOSITORY, copy_home
from tests.sending import KEYS, make_people


@pytest.fixture
def _here(settings: Any, tmp_path: Path) -> None:
    settings.NEWSLETTER = type(settings.NEWSLETTER)(
        secret_key="a key for tests only", home=tmp_path, bounces_maildir="box"
    )


def pipe(message: bytes, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    out = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(message)))
        call_command("bounce", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.usefixtures("_here")
def test_a_piped_bounce_is_taken_by_the_address_that_it_came_to(monkeypatch: pytest.MonkeyPatch) -> None:
    [delivery] = deliver(make_issue(), make_people(["ada@box.test"]))
    to = f"bounce+{token(KEYS, BOUNCE, delivery.pk)}@news.example.test"
    message = BY_NAME["postfix"].as_bytes(token="x" * 24)
    assert pipe(message, monkeypatch).startswith("bounce: kept aside")
    assert pipe(message, monkeypatch, "--to", to).startswith("bounce: suppressed")
    monkeypatch.setenv("ORIGINAL_RECIPIENT", to)
    assert json.loads(pipe(message, monkeypatch, "--json"))["decision"] == "known already"


@pytest.mark.django_db
@pytest.mark.usefixtures("_here")
def test_whatever_fails_the_mail_server_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **named: Any) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr("newsletter.flow.bounce.take", away)
    with pytest.raises(SystemExit) as ended:
        pipe(b"", monkeypatch)
    assert ended.value.code == 75


@pytest.mark.django_db
@pytest.mark.usefixtures("_here")
def test_the_mailboxes_are_emptied_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("bounce", "--poll")
    assert ended.value.code == 3 and "is no Maildir" in capsys.readouterr().err
    mailbox.Maildir(tmp_path / "box", create=True).add(b"Subject: Out of office\n\nx")
    call_command("bounce", "--poll")
    assert capsys.readouterr().out == "1 mails: 1 auto-reply; 0 kept aside.\n"


@pytest.mark.django_db
@pytest.mark.usefixtures("_here")
def test_a_suppressed_address_is_let_in_again_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    [delivery] = deliver(make_issue(), make_people(["ada@box.test"]))
    pipe(BY_NAME["postfix"].as_bytes(token=token(KEYS, BOUNCE, delivery.pk)), monkeypatch)
    out = io.StringIO()
    call_command(
        "subscribers", "unsuppress", "Ada@box.test", "--reason", "their server was broken", "--by", "Mara", stdout=out
    )
    assert out.getvalue().startswith("Ada@box.test may be mailed again")
    assert not Suppression.objects.exists() and Evidence.objects.get().forgiven_at is not None
    with pytest.raises(CommandError, match="is not suppressed"):
        call_command("subscribers", "unsuppress", "ada@box.test", "--reason", "again")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**keep, "PYTHONPATH": str(REPOSITORY), "XDG_DATA_HOME": str(tmp_path / "data")}


def test_a_process_without_a_home_or_database_says_75(environ: dict[str, str], tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home", environ)
    command = [sys.executable, "-m", "newsletter", "bounce"]
    nowhere = subprocess.run(command, env=environ, cwd=tmp_path, input=b"x", capture_output=True)
    assert nowhere.returncode == 75 and b"newsletter init" in nowhere.stderr
    done = subprocess.run(
        command, env=home.environ, cwd=home.path, input=b"Subject: \xff\n\nx" * 100_000, capture_output=True
    )
    assert done.returncode == 0 and b"kept aside" in done.stdout
    broken = {**home.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    away = subprocess.run(command, env=broken, cwd=home.path, input=b"x", capture_output=True)
    assert away.returncode == 75
