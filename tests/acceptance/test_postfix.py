"""Through a real Postfix into real mailboxes, plain and encrypted; and the report of a late failure comes back."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import dkim
import pytest

from newsletter.config.schema import Config
from newsletter.core.replies import Kind, classify
from newsletter.core.tokens import BOUNCE, read_token
from newsletter.core.verp import read_envelope
from newsletter.flow import deliver as flow
from newsletter.flow.bounce import poll
from newsletter.flow.domain import new_keys
from newsletter.models import Account, Delivery, Evidence, IssueState
from newsletter.providers.base import Outcome, Outgoing
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from subscribers.models import Suppression
from tests.factories import make_account, make_newsletter
from tests.providers.dispatching import Book
from tests.sending import KEYS, SLOT, here, make_approved

pytestmark = [pytest.mark.postfix, pytest.mark.slow]

RIG = Path(__file__).resolve().parent.parent / "tools" / "postfix_rig.sh"
TEXT = "A letter\r\n.with a dot in front\r\n..and two\r\n" + "and a line more\r\n" * 500


class Postfix:
    """A private instance. `inbox()` and `bounces()` are what has arrived."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        command = (
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mx.box.test -keyout key.pem -out cert.pem"
        )
        names = ["-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run([*command.split(), *names], cwd=folder, check=True, capture_output=True)
        self._rig("start")
        until("Postfix listens", lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None)

    def _rig(self, what: str) -> None:
        done = subprocess.run(
            [str(RIG), what, str(self.folder), str(self.port)], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> None:
        self._rig("stop")

    def provider(self, **settings: Any) -> SmtpProvider:
        return SmtpProvider(SmtpSettings(host="127.0.0.1", port=self.port, hello="sender.test", timeout=20, **settings))

    def inbox(self) -> list[Message]:
        return self._maildir("inbox")

    def bounces(self) -> list[Message]:
        return self._maildir("bounces")

    def _maildir(self, name: str) -> list[Message]:
        return [message_from_bytes(data) for data in self.raw(name)]

    def raw(self, name: str) -> list[bytes]:
        """The mails of one folder as they were written: line ends are LF there."""
        return [file.read_bytes() for file in (self.folder / "mail" / name / "new").glob("*")]


def until(what: str, ready: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if ready():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    # Not under pytest's own folder: Postfix's unprivileged parts could not reach through it.
    folder = Path(tempfile.mkdtemp(prefix="newsletter-postfix-"))
    folder.chmod(0o755)
    made = None
    try:
        made = Postfix(folder)
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def letter(key: int, to: str, sender: str = "") -> Outgoing:
    head = f"From: weekly@news.test\r\nTo: {to}\r\nSubject: letter {key}\r\nMessage-ID: <{key}@news.test>\r\n\r\n"
    return Outgoing(key, sender or f"b+{key}@bounces.test", to, (head + TEXT).encode())


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_everyone_gets_their_own_letter_once_and_refusals_are_theirs(tls: str, postfix: Postfix) -> None:
    first = 1000 if tls == "none" else 2000
    refused, later = first + 7, first + 13
    names = {refused: "hard+x", later: "grey+x"}
    keys = range(first, first + 60)
    to = {key: f"{names.get(key, f'reader{key}+films=all')}@box.test" for key in keys}
    book = Book([letter(key, to[key]) for key in keys])
    ca_file = str(postfix.folder / "cert.pem") if tls == "starttls" else ""
    provider = postfix.provider(tls=tls, ca_file=ca_file)
    provider.run(book)
    provider.close()
    assert not book.open and not book.back
    ends = {key: book.results[key] for key in keys}
    assert {key for key, end in ends.items() if end.outcome is not Outcome.ACCEPTED} == {refused, later}
    assert (ends[refused].outcome, ends[refused].code) == (Outcome.REFUSED, 550)
    assert classify(ends[refused].code, ends[refused].reply) is Kind.ADDRESS
    assert (ends[later].outcome, ends[later].code) == (Outcome.DEFERRED, 450)
    assert classify(ends[later].code, ends[later].reply) is Kind.POLICY
    expected = {(to[key], f"<b+{key}@bounces.test>", f"letter {key}") for key in keys if key not in names}

    def arrived() -> list[tuple[str, str, str]]:
        rows = [(mail["Delivered-To"], mail["Return-Path"], mail["Subject"]) for mail in postfix.inbox()]
        ours = [row for row in rows if row[2].startswith("letter ")]
        return [row for row in ours if first <= int(row[2].split()[1]) < first + 60]

    until("every letter arrives", lambda: len(arrived()) >= len(expected))
    assert len(arrived()) == len(expected) and set(arrived()) == expected
    sample = next(mail for mail in postfix.inbox() if mail["Subject"] == f"letter {first}")
    assert sample.get_payload() == TEXT.replace("\r\n", "\n")
    # Postfix notes how a letter came in: "with ESMTPS" means encrypted (RFC 3848).
    assert ("with ESMTPS" in sample["Received"]) is (tls == "starttls")


def test_a_late_failure_comes_back_to_the_sender_of_that_one_letter(postfix: Postfix) -> None:
    book = Book([letter(42, "late+a=b@late.test", "b+42-k7@bounces.test"), letter(43, "ada@box.test")])
    provider = postfix.provider()
    provider.run(book)
    provider.close()
    assert book.outcomes() == [Outcome.ACCEPTED] * 2

    def report() -> list[Message]:
        return [mail for mail in postfix.bounces() if mail["Delivered-To"] == "b+42-k7@bounces.test"]

    until("the report comes", lambda: bool(report()))
    (found,) = report()
    assert found.get_content_type() == "multipart/report"
    status = next(part for part in found.walk() if part.get_content_type() == "message/delivery-status").as_string()
    assert "Original-Envelope-Id: 42\n" in status and "Original-Recipient: rfc822;late+a=b@late.test" in status
    assert "Status: 5.1.1" in status
    assert not [mail for mail in postfix.bounces() if "b+43" in mail["Delivered-To"]]


def test_a_letter_larger_than_it_takes_is_refused_before_a_byte_of_it_goes(postfix: Postfix) -> None:
    big = Outgoing(90, "b+90@bounces.test", "ada@box.test", b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 1_000_000)
    book = Book([big, letter(91, "ada@box.test")])
    provider = postfix.provider()
    provider.run(book)
    provider.close()
    assert book.outcomes() == [Outcome.REFUSED, Outcome.ACCEPTED] and "1000000" in book.results[90].reply


DOMAIN = "news.example.test"


@pytest.mark.django_db
def test_an_issue_arrives_with_two_signatures_that_verify_and_a_late_failure_names_its_delivery(
    postfix: Postfix, tmp_path: Path
) -> None:
    """The whole product: frozen, composed, signed, sent, carried by a real mail server, read from the mailbox."""
    pair = new_keys(tmp_path, DOMAIN, "n1")
    records = {f"{record.name}.".encode(): record.value.encode() for record in pair.records}
    settings = {"host": "127.0.0.1", "port": postfix.port, "hello": "sender.test", "dkim": "own"}
    account = make_account(name="relay", kind=Account.Kind.SMTP, settings=settings)
    people = [f"dkim{number}@box.test" for number in range(20)]
    series = make_newsletter(account=account, from_address=f"weekly@{DOMAIN}")
    # The rig delivers what comes back for this domain; mail to the second one is accepted and fails afterwards.
    issue = make_approved([*people, "late+issue@late.test"], newsletter=series, return_path="b@bounces.test")
    flow.start(issue, SLOT)
    installation = replace(here(), home=tmp_path)
    outcome = flow.deliver(issue, clock=lambda: datetime.now(UTC), installation=installation)
    assert outcome.state == IssueState.SENT and outcome.counts.accepted == 21, outcome.paused_reason

    def arrived() -> list[bytes]:
        return [data for data in postfix.raw("inbox") if b"@box.test" in data and b"\nTo: Dkim" in data]

    until("every letter arrives", lambda: len(arrived()) == len(people))
    for data in arrived():
        mail = dkim.DKIM(data.replace(b"\n", b"\r\n"))
        for number in range(2):
            assert mail.verify(number, dnsfunc=lambda name, timeout=5: records.get(name)), "as it lies in the mailbox"
        spoilt = dkim.DKIM(data.replace(b"\n", b"\r\n").replace(b"Lights", b"Nights"))
        with pytest.raises(dkim.ValidationError, match="body hash"):
            spoilt.verify(0, dnsfunc=lambda name, timeout=5: records.get(name))
    if shutil.which("opendkim"):
        said = opendkim(arrived()[0], records, tmp_path)
        assert "succeeded" in said and "failed" not in said, said

    def reported() -> list[int | None]:
        tokens = [read_envelope(str(mail["Delivered-To"])) for mail in postfix.bounces()]
        return [number for token in tokens if token and (number := read_token(KEYS, BOUNCE, token)) is not None]

    until("the report comes", lambda: bool(reported()))
    late = Delivery.objects.get(address="late+issue@late.test")
    assert reported() == [late.pk]
    # And the poller of its mailbox draws the conclusion, about that one reader.
    config = Config(home=tmp_path, bounces_maildir=str(postfix.folder / "mail" / "bounces"))
    assert poll(config, KEYS, clock=lambda: datetime.now(UTC)).kinds["bounce"] >= 1
    assert postfix.bounces() == []
    assert list(Suppression.objects.values_list("address_key", "reason")) == [("late+issue@late.test", "bounce")]
    assert Evidence.objects.get().delivery == late and Evidence.objects.get().status == "5.1.1"


def opendkim(data: bytes, records: dict[bytes, bytes], folder: Path) -> str:
    """What OpenDKIM says of one mail. The keys come from a file, as no DNS is asked."""
    lines = [f"{name.decode().rstrip('.')} {value.decode()}\n" for name, value in records.items()]
    (folder / "keys.txt").write_text("".join(lines))
    (folder / "opendkim.conf").write_text(f"TestPublicKeys {folder / 'keys.txt'}\nMode v\nSyslog no\n")
    (folder / "mail.eml").write_bytes(data.replace(b"\n", b"\r\n"))
    command = ["opendkim", "-x", str(folder / "opendkim.conf"), "-vv", "-t", str(folder / "mail.eml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    return done.stdout + done.stderr
