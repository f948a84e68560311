"""The mail server keeps each message once, byte for byte, and refuses exactly one address."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.demo.mailbox import MailServer, keep, messages
from newsletter.demo.place import free_ports
from newsletter.providers.outbox import read_mail as read

MESSAGE = (
    b"From: LANTERN <weekly@news.example.test>\r\nTo: Nora <nora@example.org>\r\n"
    b"Message-ID: <1.2@news.example.test>\r\n"
    b"Subject: This week\r\n\r\n.A dot first\r\n..and two\r\nlast line\r\n"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    refused = frozenset({"gone@example.org"})
    with MailServer(tmp_path / "mailbox", port=free_ports(tmp_path, 1)[0], refused=refused) as running:
        yield running


def test_a_message_arrives_byte_for_byte(server: MailServer, tmp_path: Path) -> None:
    with smtplib.SMTP(server.host, server.port) as smtp:
        smtp.sendmail("bounce@news.example.test", ["nora@example.org"], MESSAGE)
    [file] = messages(tmp_path / "mailbox")
    assert file.read_bytes() == MESSAGE
    assert file.name.startswith("nora_example.org.")
    assert read(file)["Subject"] == "This week"


def test_one_address_is_refused_and_leaves_no_file(server: MailServer, tmp_path: Path) -> None:
    with smtplib.SMTP(server.host, server.port) as smtp:
        smtp.ehlo()
        smtp.mail("bounce@news.example.test")
        code, words = smtp.rcpt("Gone@example.org")
    assert (code, words[:5]) == (550, b"5.1.1")
    assert list((tmp_path / "mailbox").iterdir()) == []


def test_an_address_in_another_script_is_taken(server: MailServer, tmp_path: Path) -> None:
    with smtplib.SMTP(server.host, server.port) as smtp:
        smtp.ehlo()
        smtp.sendmail("bounce@news.example.test", ["méi@example.org"], MESSAGE, mail_options=["SMTPUTF8"])
    assert len(messages(tmp_path / "mailbox")) == 1


def test_a_message_sent_twice_is_two_files(tmp_path: Path) -> None:
    first, second = (keep(tmp_path, "nora@example.org", MESSAGE) for _ in range(2))
    assert first != second
    assert second.name.endswith(".again-2.eml")
    assert messages(tmp_path) == [first, second]


def test_the_same_message_gets_the_same_name_in_another_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    names = {keep(tmp_path / name, "nora@example.org", MESSAGE).name for name in ("one", "two")}
    assert len(names) == 1


def test_names_of_files_hold_nothing_that_a_path_could_use(tmp_path: Path) -> None:
    for address in ("../../etc/passwd@example.org", "ünï@bücher.test", "a b\x00@x", ""):
        file = keep(tmp_path, address, b"no message id here")
        assert file.parent == tmp_path
        assert file.is_file()
