"""Invitations by mail: sent once, at once, kept nowhere; where that fails, the link is shown as without an address."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from newsletter.core import second_step as core
from newsletter.core.errors import ProviderError
from newsletter.flow import second_step
from newsletter.flow.people import Role, give
from newsletter.models import Account, DeliveryState, Event, Invitation, ServiceMail
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from newsletter.web.links import seal
from subscribers.models import Suppression, SuppressionReason
from tests.factories import make_newsletter

pytestmark = pytest.mark.django_db
TEAM = "/studio/team/"
GOOD = "seven herons over the weir"
LINK = r"https://news\.example\.test(/join/[\w-]{43})"


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mail yet, and a folder of the test's own for those that are written as files."""
    mailbox().clear()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def mara() -> User:
    user = User.objects.create_user("mara", password=GOOD)
    give(user, Role.ADMIN)
    return user


@pytest.fixture
def admin(mara: User) -> Client:
    client = Client()
    client.force_login(mara)
    return client


def invite(admin: Client, address: str = "edda@box.test", role: str = "editor") -> str:
    return admin.post(f"{TEAM}invite", {"role": role, "whom": "", "address": address}).content.decode()


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], SendResult | None]) -> None:
    made = MemoryProvider(answer=answer)
    monkeypatch.setattr("newsletter.flow.deliver.installation.build", lambda *_, **__: made)


def test_the_link_goes_by_mail_and_is_neither_shown_nor_kept(admin: Client) -> None:
    make_newsletter()
    page = invite(admin, role="approver")
    assert "on its way to edda@box.test" in page and "/join/" not in page
    (sent,) = mailbox()
    message = message_from_bytes(sent.message, policy=policy.default)
    assert (sent.recipient, message["Subject"]) == ("edda@box.test", "mara invites you to LANTERN Weekly")
    body = message.get_body(("plain",))
    assert body is not None
    words = body.get_content()
    found = re.search(LINK, words)
    assert found and "as approver" in words
    token = found[1].rpartition("/")[2]
    row = ServiceMail.objects.get()
    assert (row.state, row.values) == (DeliveryState.ACCEPTED, {})
    assert token not in str(list(Invitation.objects.values()) + list(Event.objects.values()))
    assert "edda@box.test" not in Event.objects.get().text
    # Who joins gets notices at that address.
    assert Client().post(found[1], {"name": "edda", "password": GOOD}).status_code == 302
    assert User.objects.get(username="edda").email == "edda@box.test"


@pytest.mark.parametrize(
    ("answer", "state", "says"),
    [
        (SendResult(Outcome.REFUSED, 550, "no such mailbox"), DeliveryState.FAILED, "550 no such mailbox"),
        (SendResult(Outcome.DEFERRED, 451, "later"), DeliveryState.FAILED, "451 later"),
        (SendResult(Outcome.UNKNOWN), DeliveryState.UNCERTAIN, "It may have arrived"),
        (ProviderError("The server can't be reached."), DeliveryState.FAILED, "can’t be reached"),
    ],
    ids=["refused", "deferred", "unknown", "unreachable"],
)
def test_what_was_not_taken_is_said_and_the_link_shown_and_nothing_is_tried_again(
    admin: Client, monkeypatch: pytest.MonkeyPatch, answer: SendResult | ProviderError, state: str, says: str
) -> None:
    make_newsletter()

    def answered(to: str) -> SendResult:
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    answering(monkeypatch, answered)
    page = invite(admin).replace("&#39;", "’")
    assert "It was not mailed to edda@box.test." in page and says in page
    assert re.search(LINK, page)
    row = ServiceMail.objects.get()
    assert (row.state, row.values) == (state, {})


def test_an_installation_that_mails_nobody_shows_the_link(admin: Client) -> None:
    page = invite(admin)
    assert "There is no newsletter yet" in page and re.search(LINK, page)
    make_newsletter()
    Account.objects.update(kind=Account.Kind.OUTBOX)
    page = invite(admin)
    assert "writes mails into the outbox folder" in page and re.search(LINK, page)
    Account.objects.update(kind=Account.Kind.MEMORY)
    Suppression.objects.create(address_key="edda@box.test", reason=SuppressionReason.MANUAL, at=timezone.now())
    page = invite(admin)
    assert "Nothing is mailed to this address" in page and re.search(LINK, page)
    assert mailbox() == []


@pytest.mark.parametrize("typed", ["edda", "a@b@c", "a\x00@box.test", "x" * 400 + "@box.test", "<b>@box.test"])
def test_what_is_no_address_invites_nobody_and_stays_in_the_field(admin: Client, typed: str) -> None:
    make_newsletter()
    answer = admin.post(f"{TEAM}invite", {"role": "approver", "whom": "Edda & co", "address": typed})
    page = answer.content.decode()
    if typed.startswith("a\x00"):
        assert "on its way to a@box.test" in page
        return
    assert answer.status_code == 400
    assert "is no address" in page and 'value="Edda &amp; co"' in page
    assert re.search(r'value="approver" checked', page)
    assert not Invitation.objects.exists() and mailbox() == []


# --- on the command line, and for whoever lost a device --------------------------------------------------------------


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("people", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def with_second_step(user: User) -> None:
    secret, now = b"a secret of 20 bytes", timezone.now()
    second_step.turn_on(user, secret, core.digits_at(secret, now), seal=seal(), now=now)


def test_a_command_invites_by_mail_or_prints_the_link() -> None:
    out, _ = run("invite", "editor", "--whom", "Edda", "--by", "mara")
    assert re.fullmatch(LINK + r"\n", out)
    make_newsletter()
    assert run("invite", "admin", "--mail", "otto@box.test", "--by", "mara")[0] == "Mailed to otto@box.test.\n"
    assert list(Invitation.objects.order_by("pk").values_list("role", "whom", "by")) == [
        ("editor", "Edda", "mara"),
        ("admin", "otto@box.test", "mara"),
    ]
    Account.objects.update(kind=Account.Kind.OUTBOX)
    out, err = run("invite", "editor", "--mail", "otto@box.test")
    assert re.fullmatch(LINK + r"\n", out) and "not mailed to otto@box.test" in err


def test_a_printed_link_asks_for_the_second_step_but_for_a_lost_device(mara: User) -> None:
    assert "Nobody yet" not in run("list")[0]
    with_second_step(mara)
    assert json.loads(run("list", "--json")[0])["people"][0]["second_step"] is True
    out, err = run("link", "mara")
    path = out.strip().removeprefix("https://news.example.test")
    assert "Add --lost-device" in err
    assert Client().post(path).headers["Location"] == "/login/code"
    out, err = run("link", "mara", "--lost-device", "--by", "root")
    path = out.strip().removeprefix("https://news.example.test")
    assert Client().post(path).headers["Location"] == "/studio/"
    events = list(Event.objects.order_by("pk").values_list("kind", "by"))
    assert events[-2:] == [("second step off", "root"), ("log-in link", "root")]


def test_a_command_turns_a_second_step_off_and_knows_who_is_meant(mara: User) -> None:
    with_second_step(mara)
    assert "second step, last in never" in run("list")[0]
    assert run("second-step-off", "mara", "--by", "root")[0] == "The password alone logs mara in now.\n"
    assert "Nothing was changed" in run("second-step-off", "mara")[0]
    assert Event.objects.filter(kind="second step off", by="root").count() == 1
    with pytest.raises(CommandError, match=r'nobody called "marra"\. Did you mean "mara"'):
        run("link", "marra")
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="mara was removed"):
        run("link", "mara")
    assert "mara: removed" in run("list")[0]


def test_an_admin_turns_off_anothers_second_step_and_not_their_own(admin: Client, mara: User) -> None:
    otto = User.objects.create_user("otto")
    for user in (mara, otto):
        with_second_step(user)
    page = admin.get(TEAM).content.decode()
    assert "Turn otto’s second step off" in page and "Turn mara’s" not in page
    for user in (mara, otto):
        assert admin.post(f"{TEAM}{user.pk}/second-step-off").headers["Location"] == TEAM
    assert second_step.has(mara) and not second_step.has(otto)
    assert Event.objects.get(kind="second step off").by == "mara"
    assert admin.post(f"{TEAM}999/second-step-off").status_code == 302
