"""Test mails: the same bytes as the send's but for the mark, to anybody, and not many."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from newsletter.core.errors import IssueError
from newsletter.flow import deliver as flow
from newsletter.flow.compile import preview
from newsletter.flow.testing import AN_HOUR, last_tests, read_addresses, send_tests
from newsletter.models import TestMail
from newsletter.providers.memory import mailbox
from subscribers.models import Subscription
from tests.flow.deliver.running import run
from tests.sending import KEYS, SLOT, Clock, here, make_approved

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_mailbox() -> None:
    mailbox().clear()


def lines(message: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    return head.replace(b"\r\n ", b" ").split(b"\r\n"), body


def test_a_test_has_the_bytes_of_the_preview_and_of_the_send_but_for_mark_identity_and_date() -> None:
    issue = make_approved(["ada@box.test"])
    ada = Subscription.objects.select_related("subscriber").get()
    at = flow.send_now(issue, SLOT - timedelta(hours=9), by="Mara")
    send_tests(issue, ("ada@box.test",), at, by="Edda", installation=here(), subscription=ada)
    (test,) = [sent.message for sent in mailbox()]
    shown = preview(issue, ada, keys=KEYS, now=at).message
    mailbox().clear()
    flow.start(issue, at)
    run(issue, Clock(at))
    (real,) = [sent.message for sent in mailbox()]
    assert real == shown
    tested, sent = lines(test), lines(real)
    assert tested[1] == sent[1]
    differ = [(a, b) for a, b in zip(tested[0], sent[0], strict=True) if a != b]
    assert [a.partition(b":")[0] for a, _ in differ] == [b"Subject", b"Message-ID"]
    parsed = [message_from_bytes(one, policy=policy.default) for one in (test, real)]
    assert parsed[0]["Subject"] == f"[Test] {parsed[1]['Subject']}"


def test_a_test_goes_to_any_typed_address_and_stops_nobodys_mail() -> None:
    issue = make_approved(["ada@box.test"])
    ada = Subscription.objects.select_related("subscriber").get()
    typed = read_addresses("stranger@example.org; Stranger@Example.org, other@example.org")
    assert typed == ("stranger@example.org", "other@example.org")
    rows = send_tests(issue, typed, SLOT, by="Edda", installation=here(), subscription=ada)
    assert [row.error for row in rows] == ["", ""]
    assert [sent.recipient for sent in mailbox()] == list(typed)
    own = preview(issue, ada, keys=KEYS, now=SLOT).message
    assert b"[Test]" in mailbox()[0].message
    link = next(line for line in lines(own)[0] if line.startswith(b"List-Unsubscribe:"))
    assert link not in mailbox()[0].message


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "no address"), ("mara", "is no address"), (" ".join(f"a{n}@b.test" for n in range(6)), "too many")],
)
def test_what_can_not_be_meant_is_refused(text: str, says: str) -> None:
    with pytest.raises(IssueError, match=says):
        read_addresses(text)


def test_tests_are_counted_by_the_hour_and_the_last_five_are_shown() -> None:
    issue = make_approved(1)
    for number in range(AN_HOUR // 4):
        addresses = tuple(f"t{number}-{n}@example.org" for n in range(4))
        send_tests(issue, addresses, SLOT + timedelta(minutes=number), by="Edda", installation=here())
    with pytest.raises(IssueError, match="20 test mails went out within the hour"):
        send_tests(issue, ("more@example.org",), SLOT + timedelta(minutes=30), by="Edda", installation=here())
    assert len(mailbox()) == AN_HOUR
    send_tests(issue, ("later@example.org",), SLOT + timedelta(minutes=60, seconds=1), by="Edda", installation=here())
    shown = last_tests(issue)
    assert len(shown) == 5
    assert shown[0].address == "later@example.org"
    assert TestMail.objects.count() == AN_HOUR + 1
