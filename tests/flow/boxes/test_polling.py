"""Mailboxes of bounces, emptied: a real Maildir and a real IMAP conversation; no mail leaves before it is recorded."""

from __future__ import annotations

import mailbox
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.db import OperationalError

from newsletter.config.schema import Config
from newsletter.flow import bounce
from newsletter.flow.bounce import boxes, polling
from newsletter.models import Delivery, Evidence
from newsletter.scheduler import Clock
from subscribers.models import Suppression
from tests.flow.bouncing import deliver, mail_for, make_issue
from tests.flow.boxes.server import ImapServer
from tests.sending import KEYS, SLOT, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery() -> Delivery:
    return deliver(make_issue(), make_people(["ada@box.test"]))[0]


@pytest.fixture
def maildir(tmp_path: Path) -> mailbox.Maildir:
    return mailbox.Maildir(tmp_path / "box", create=True)


def config(home: Path, **fields: Any) -> Config:
    return replace(live.NEWSLETTER, home=home, secret_key="a key for tests only", **fields)


def imap(home: Path, server: ImapServer, **fields: Any) -> Config:
    told = {"bounces_imap_host": "127.0.0.1", "bounces_imap_port": server.port, "bounces_imap_user": "bounces",
            "bounces_imap_password": "secret", "bounces_imap_starttls": server.starttls}  # fmt: skip
    return config(home, **{**told, **fields})


def poll(wanted: Config, context: ssl.SSLContext | None = None) -> polling.Polled:
    return bounce.poll(wanted, KEYS, clock=lambda: SLOT, context=context)


def test_a_maildir_is_emptied_and_each_mail_recorded(
    tmp_path: Path, maildir: mailbox.Maildir, delivery: Delivery
) -> None:
    for name in ("postfix", "on holiday", "postfix"):
        maildir.add(mail_for(delivery, name))
    maildir.add(b"From: bob@box.test\n\nhello")
    polled = poll(config(tmp_path, bounces_maildir="box"))
    assert dict(polled.kinds) == {"bounce": 2, "auto-reply": 1, "no report": 1} and polled.aside == 1
    assert len(maildir) == 0 and not polled.troubles
    assert Evidence.objects.count() == 2 and Suppression.objects.get().address_key == "ada@box.test"
    assert poll(config(tmp_path, bounces_maildir="box")).mails == 0


def test_no_mail_leaves_a_maildir_while_the_database_is_away(
    tmp_path: Path, maildir: mailbox.Maildir, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildir.add(mail_for(delivery, "postfix"))

    def away(*args: Any, **named: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(polling, "take", away)
    with pytest.raises(OperationalError):
        poll(config(tmp_path, bounces_maildir="box"))
    assert len(maildir) == 1 and not Evidence.objects.exists()


def test_one_mail_that_breaks_the_reader_holds_up_no_other(
    tmp_path: Path, maildir: mailbox.Maildir, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildir.add(b"From: poison@box.test\n\nx")
    maildir.add(mail_for(delivery, "postfix"))

    def take(message: bytes, **named: Any) -> bounce.Taken:
        if b"poison" in message:
            raise RuntimeError("no reader is perfect")
        return bounce.take(message, **named)

    monkeypatch.setattr(polling, "take", take)
    polled = poll(config(tmp_path, bounces_maildir="box"))
    assert dict(polled.kinds) == {"not read": 1, "bounce": 1} and len(maildir) == 0
    assert [path.read_bytes() for path in bounce.aside(tmp_path)] == [b"From: poison@box.test\n\nx"]


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    [trouble] = poll(config(tmp_path, bounces_maildir="nowhere")).troubles
    assert "nowhere is no Maildir" in trouble


@pytest.mark.parametrize(("starttls", "uidplus"), [(False, True), (True, False)])
def test_an_imap_folder_is_emptied_over_tls(
    tmp_path: Path, certificate: Path, delivery: Delivery, starttls: bool, uidplus: bool
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with ImapServer(certificate, starttls=starttls, uidplus=uidplus) as server:
        server.add(mail_for(delivery, "postfix"), mail_for(delivery, "on holiday"))
        polled = poll(imap(tmp_path, server), trust)
        assert not polled.troubles and dict(polled.kinds) == {"bounce": 1, "auto-reply": 1}
        assert server.mails == {} and server.kept == []
        assert ("UID EXPUNGE 101,102" if uidplus else "EXPUNGE") in server.heard
        assert not any("BODY[" in command for command in server.heard)  # PEEK alone
    assert Suppression.objects.count() == 1


def test_mails_are_moved_where_a_folder_for_them_is_named(
    tmp_path: Path, certificate: Path, delivery: Delivery
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with ImapServer(certificate) as server:
        server.add(mail_for(delivery, "postfix"))
        poll(imap(tmp_path, server, bounces_imap_done='Old "ones"'), trust)
        assert server.kept == [mail_for(delivery, "postfix")] and server.mails == {}
        assert r'UID COPY 101 "Old \"ones\""' in server.heard


def test_nothing_is_said_to_a_server_whose_certificate_is_not_trusted(tmp_path: Path, certificate: Path) -> None:
    with ImapServer(certificate) as server, ImapServer(certificate, starttls=True) as later:
        for one in (server, later):
            [trouble] = poll(imap(tmp_path, one)).troubles
            assert "certificate verify failed" in trouble and "secret" not in trouble
            assert not any("LOGIN" in command for command in one.heard)


def test_a_connection_that_breaks_leaves_the_mails_and_the_next_time_counts_nothing_twice(
    tmp_path: Path, certificate: Path, delivery: Delivery
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with ImapServer(certificate) as server:
        server.add(mail_for(delivery, "gmail full"))
        server.break_at = "STORE"
        assert poll(imap(tmp_path, server), trust).troubles
        assert len(server.mails) == 1 and Evidence.objects.count() == 1
        server.break_at = ""
        assert dict(poll(imap(tmp_path, server), trust).kinds) == {"bounce": 1}
        assert server.mails == {} and Evidence.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bounces_imap_password": "wrong"}, "AUTHENTICATIONFAILED"),
        ({"bounces_imap_folder": "Other"}, "no such folder"),
    ],
)
def test_a_refusal_of_the_server_is_a_trouble_in_words(
    tmp_path: Path, certificate: Path, fields: dict[str, str], words: str
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with ImapServer(certificate) as server:
        [trouble] = poll(imap(tmp_path, server, **fields), trust).troubles
        assert words in trouble and "wrong" not in trouble


def test_a_box_is_worked_off_by_the_hundred(
    tmp_path: Path, maildir: mailbox.Maildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "MOST_AT_ONCE", 3)
    for number in range(5):
        maildir.add(b"Subject: Out of office\n\n%d" % number)
    assert poll(config(tmp_path, bounces_maildir="box")).mails == 3 and len(maildir) == 2


@pytest.mark.django_db(transaction=True)
def test_the_clock_empties_them(tmp_path: Path, maildir: mailbox.Maildir) -> None:
    maildir.add(b"Subject: Out of office\n\nback on Monday")
    Clock(config(tmp_path)).take_bounces()
    assert len(maildir) == 1
    Clock(config(tmp_path, bounces_maildir="box")).take_bounces()
    assert len(maildir) == 0
