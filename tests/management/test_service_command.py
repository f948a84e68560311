"""`newsletter service`: what cron calls for readers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

from newsletter.flow import service
from newsletter.models import Account
from newsletter.providers.memory import mailbox
from tests.factories import make_account, make_newsletter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _secret(settings: Any) -> None:
    mailbox().clear()
    settings.NEWSLETTER = settings.NEWSLETTER.__class__(base_url="https://news.example.test", secret_key="s" * 40)


def ask(account: Account) -> None:
    newsletter = make_newsletter(account=account)
    service.queue(service.Kind.CONFIRM, newsletter=newsletter, address="ada@box.test", now=datetime.now(UTC))


def test_it_sends_what_is_due_and_says_nothing_when_nothing_is(capsys: pytest.CaptureFixture[str]) -> None:
    ask(make_account())
    call_command("service")
    assert capsys.readouterr().out == "Service mails: 1 accepted, 0 failed, 0 excluded, 0 uncertain, 0 waiting.\n"
    call_command("service")
    assert capsys.readouterr().out == "" and len(mailbox()) == 1


def test_an_account_that_cannot_send_is_named_and_asks_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    ask(make_account(kind="smtp", settings={"host": "127.0.0.1", "port": 1}))
    with pytest.raises(SystemExit) as ended:
        call_command("service", "--json")
    assert ended.value.code == 3
    shown = capsys.readouterr()
    assert json.loads(shown.out)["waiting"] == 1 and "127.0.0.1" in shown.err
