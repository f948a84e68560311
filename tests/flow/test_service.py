"""Service mails: queued beside an act, made in the newsletter's design, sent once, never by a stranger's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection

from newsletter.core.errors import ProviderError
from newsletter.flow import service
from newsletter.flow.service import Kind
from newsletter.models import Account, DeliveryState, Issue, IssueState, Newsletter, ServiceMail
from newsletter.providers.base import Outcome, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from subscribers.models import Suppression, SuppressionReason
from tests.factories import make_newsletter, make_subscription
from tests.sending import KEYS, Clock, here, make_approved
from tests.tools import check_message

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
LINK = "https://news.example.test/c/" + "A" * 28


@pytest.fixture(autouse=True)
def _https(settings: Any) -> None:
    mailbox().clear()
    settings.NEWSLETTER = settings.NEWSLETTER.__class__(base_url="https://news.example.test", secret_key="s" * 40)


@pytest.fixture
def clock() -> Clock:
    return Clock(AT)


@pytest.fixture
def newsletter() -> Newsletter:
    return make_newsletter(reply_to="editors@news.example.test")


def ask(newsletter: Newsletter, kind: Kind = Kind.CONFIRM, to: str = "ada@box.test", **more: Any) -> ServiceMail:
    return service.queue(kind, newsletter=newsletter, address=to, now=AT, values={"link": LINK}, **more)


def deliver(clock: Clock, **options: Any) -> service.Outcome:
    return service.deliver_due(service.Composer(KEYS), here(), clock=clock, **options)


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], SendResult | None]) -> None:
    made = MemoryProvider(answer=answer)
    monkeypatch.setattr("newsletter.flow.deliver.installation.build", lambda *_, **__: made)


def test_a_confirmation_goes_out_once_and_is_marked_as_written_by_a_program(
    newsletter: Newsletter, clock: Clock
) -> None:
    ask(newsletter)
    assert deliver(clock).accepted == 1
    assert deliver(clock).handled == 0
    (sent,) = mailbox()
    message = parsed(sent.message)
    assert sent.recipient == "ada@box.test" and message["To"] == "ada@box.test"
    assert message["Subject"] == "Confirm your subscription to LANTERN Weekly"
    assert message["Auto-Submitted"] == "auto-generated" and message["Reply-To"] == "editors@news.example.test"
    assert message["List-Unsubscribe"] is None and message["Feedback-ID"] is None
    assert LINK in text_of(message) and text_of(message, "html").count(LINK) >= 2
    assert "Lantern Press LLC" in text_of(message) and "12 Wick Street" in text_of(message)
    assert ServiceMail.objects.get().state == DeliveryState.ACCEPTED


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_every_kind_meets_the_mail_standards(
    kind: Kind, language: str, newsletter: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTAL", "12 Wick Street")
    person = make_subscription("ada@box.test", newsletter.mailing_list)
    ask(newsletter, kind, language=language, subscription=person)
    assert deliver(clock).accepted == 1
    raw = mailbox()[0].message
    bulk_only = ("8058", "2369", "2919", "unsubscribe", "List-", "DKIM")
    failed = [row for row in check_message.check(raw) if row[0] == "MUST" and not row[2]]
    assert [row for row in failed if not any(word in row[1] for word in bulk_only)] == []
    message = parsed(raw)
    page = text_of(message, "html")
    assert f'lang="{language}"' in page and ('dir="rtl"' in page) == (language == "ar")
    # The button to leave is for who is subscribed: nobody else has anything to leave.
    subscribed = kind in (Kind.WELCOME, Kind.ALREADY, Kind.PREFERENCES, Kind.KEEP)
    assert (message["List-Unsubscribe"] is not None) == subscribed


def test_a_welcome_names_the_last_issue_and_the_next(newsletter: Newsletter, clock: Clock) -> None:
    make_approved(0, newsletter=newsletter)
    Issue.objects.update(state=IssueState.SENT)
    Issue.objects.create(
        newsletter=newsletter, slot="2026-11-12", slot_at=AT + timedelta(days=7), cutoff_at=AT, number=2, created_at=AT
    )
    ask(newsletter, Kind.WELCOME)
    assert deliver(clock).accepted == 1
    words = text_of(parsed(mailbox()[0].message))
    assert "The next issue comes Thursday, November 12, 8:00" in words


def test_one_compiled_letter_serves_a_burst(newsletter: Newsletter, clock: Clock) -> None:
    for number in range(40):
        ask(newsletter, to=f"r{number}@box.test")
    composer = service.Composer(KEYS)
    assert service.deliver_due(composer, here(), clock=clock).accepted == 40
    assert len(composer._compilers) == 1
    assert sorted(sent.recipient for sent in mailbox()) == sorted(f"r{number}@box.test" for number in range(40))


def test_the_same_bytes_leave_at_every_attempt(
    newsletter: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[SendResult | None] = [SendResult(Outcome.DEFERRED, code=451, reply="451 later"), None]
    answering(monkeypatch, lambda _: seen.pop(0))
    mail = ask(newsletter)
    first = service.Composer(KEYS).message(mail)
    assert deliver(clock).waiting == 1 and deliver(clock).handled == 0
    clock.at += timedelta(minutes=5)
    assert deliver(clock).accepted == 1
    assert mailbox()[0].message == first


def test_a_no_is_kept_with_the_servers_words_and_silence_is_not_sent_again(
    newsletter: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        "no@box.test": SendResult(Outcome.REFUSED, code=550, reply="550 5.1.1 unknown"),
        "gone@box.test": SendResult(Outcome.UNKNOWN, reply="No answer"),
    }
    answering(monkeypatch, answers.get)
    for to in (*answers, "ada@box.test"):
        ask(newsletter, to=to)
    outcome = deliver(clock)
    assert (outcome.failed, outcome.uncertain, outcome.accepted) == (1, 1, 1)
    clock.at += timedelta(days=2)
    assert deliver(clock).handled == 0
    assert ServiceMail.objects.get(address="no@box.test").reason == "refused: 550 5.1.1 unknown"


def test_a_suppressed_address_gets_nothing(newsletter: Newsletter, clock: Clock) -> None:
    Suppression.objects.create(address_key="ada@box.test", reason=SuppressionReason.COMPLAINT, at=AT)
    ask(newsletter)
    assert deliver(clock).excluded == 1 and mailbox() == []


def test_an_account_that_is_away_keeps_its_mails_and_holds_up_no_other(
    newsletter: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Account.objects.create(name="relay", kind="smtp", settings={"host": "127.0.0.1", "port": 1})
    other = make_newsletter(slug="daily", name="LANTERN Daily", account=broken)
    for number in range(3):
        ask(other, to=f"r{number}@box.test")
    ask(newsletter)
    outcome = deliver(clock)
    assert outcome.accepted == 1 and outcome.waiting == 1 and "127.0.0.1" in outcome.trouble
    assert ServiceMail.objects.filter(state=DeliveryState.PENDING).count() == 3
    clock.at += timedelta(days=2)
    assert deliver(clock).failed == 1, "not worth sending any more"


def test_two_clocks_at_once_send_one_mail(
    newsletter: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(newsletter)

    def meanwhile(_: str) -> None:
        assert deliver(clock).handled == 0

    answering(monkeypatch, meanwhile)
    assert deliver(clock).accepted == 1 and len(mailbox()) == 1


def test_a_mail_whose_sender_died_goes_once_more_under_the_same_message_id(
    newsletter: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(_: str) -> None:
        raise Killed

    answering(monkeypatch, die)
    mail = ask(newsletter)
    with pytest.raises(Killed):
        deliver(clock)
    assert deliver(clock).handled == 0, "still claimed"
    clock.at += timedelta(minutes=16)
    answering(monkeypatch, lambda _: None)
    assert deliver(clock).accepted == 1
    assert parsed(mailbox()[0].message)["Message-ID"] == parsed(service.Composer(KEYS).message(mail))["Message-ID"]


@pytest.mark.parametrize("evil", ["\r\nBcc: x@box.test", "\n", "\x00", "\u2028", "\x0b", "{newsletter}", "{{ 7*7 }}"])
def test_nothing_in_a_name_becomes_a_header_or_a_template(evil: str, clock: Clock) -> None:
    if evil == "\x00" and connection.vendor == "postgresql":
        pytest.skip("PostgreSQL itself refuses it")
    newsletter = make_newsletter(name=f"LANTERN{evil}Weekly", from_name=f"A{evil}B")
    ask(newsletter)
    assert deliver(clock).accepted == 1
    message = parsed(mailbox()[0].message)
    assert message["Bcc"] is None and len(message.get_all("Subject", [])) == 1
    assert "49" not in str(message["Subject"])


def test_a_design_that_fails_keeps_the_mail_and_says_why(clock: Clock) -> None:
    newsletter = make_newsletter(design="no-such-design")
    ask(newsletter)
    assert deliver(clock).waiting == 1
    mail = ServiceMail.objects.get()
    assert "no-such-design" in mail.reason and mail.state == DeliveryState.PENDING


def test_a_stop_leaves_the_rest_for_later(newsletter: Newsletter, clock: Clock) -> None:
    ask(newsletter)
    assert deliver(clock, stopping=lambda: True).handled == 0
    assert deliver(clock).accepted == 1


def test_an_account_error_is_a_sentence_and_not_an_exception(
    newsletter: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise ProviderError("The login was refused.", permanent=True)

    answering(monkeypatch, refuse)
    ask(newsletter)
    assert deliver(clock).trouble == "The login was refused."
