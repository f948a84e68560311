"""What can be composed for nobody, or for one: it fails alone, or holds the issue."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.core.errors import LetterMismatchError
from newsletter.core.letter import Compiler, Design
from newsletter.flow import deliver as flow
from newsletter.flow.report import report
from newsletter.models import Account, Delivery, IssueState
from newsletter.providers.memory import mailbox
from subscribers.models import Subscriber
from tests.factories import make_account
from tests.flow.deliver.running import run, send
from tests.sending import DESIGN, Clock, here, make_approved, states

pytestmark = pytest.mark.django_db


POISON = Design(
    "poison", {**DESIGN.files, "letter.txt": "{{ issue.subject }} {{ 1 // (subscriber.attributes.n or 0) }}"}
)


def test_one_row_that_cannot_be_composed_fails_alone(clock: Clock) -> None:
    issue = make_approved(30)

    class Sickly(Compiler):
        def compose(self, reader, before, after):
            if reader.address == "r7@box.test":
                raise UnicodeError("half a character")
            return super().compose(reader, before, after)

    from newsletter.flow import compile as letters

    frozen = letters.frozen(issue)
    from newsletter.core.context import build_context

    outcome = send(issue, clock, compiler=Sickly(frozen.design, build_context(frozen.content, {})))
    assert outcome.state == IssueState.SENT and outcome.counts.accepted == 29
    failed = Delivery.objects.get(state="failed")
    assert (failed.address, failed.reason) == ("r7@box.test", "not composed: UnicodeError: half a character")


@pytest.mark.parametrize(
    "address",
    [
        "no-at-sign",
        "two@at@signs.test",
        "sp ace@box.test",
        "crlf\r\nRCPT TO:<x@y.test>@box.test",
        "x" * 65 + "@box.test",
        "a@-bad-.test",
        "@box.test",
    ],
)
def test_a_poisoned_address_never_stops_the_others(address: str, clock: Clock, tmp_path: Path) -> None:
    issue = make_approved(["first@box.test", address, "last@box.test"])
    account = make_account(name="outbox", kind=Account.Kind.OUTBOX)
    issue.newsletter.account = account
    issue.newsletter.save()
    outcome = send(issue, clock, provider=None, installation=here(tmp_path))
    assert outcome.state == IssueState.SENT
    assert outcome.counts.accepted + outcome.counts.failed == 3 and outcome.counts.accepted >= 2


@pytest.mark.parametrize(
    "name", ["Ünal, the Boss", "a\r\nBcc: x@y.test", "\x07\u2028", "😀" * 120, "=?utf-8?q?x?=", "{{ 7*7 }}", "<mj-raw>"]
)
def test_a_name_comma_and_all_cannot_stop_a_send(name: str, clock: Clock) -> None:
    issue = make_approved(3)
    Subscriber.objects.filter(address="r1@box.test").update(name=name)
    assert send(issue, clock).clean
    message = message_from_bytes(mailbox()[1].message, policy=policy.default)
    assert message["Bcc"] is None and len(message.get_all("To")) == 1


def test_a_design_that_fails_for_everybody_pauses_before_it_fails_everybody(clock: Clock) -> None:
    issue = make_approved(100, design=POISON)
    outcome = send(issue, clock)
    assert outcome.state == IssueState.PAUSED and "could not be composed" in outcome.paused_reason
    assert outcome.counts.failed == 10 and outcome.counts.pending == 90 and not mailbox()
    assert outcome.counts.claimed == 0, "the batch went back"


def test_a_letter_that_would_differ_from_its_preview_holds_the_issue(clock: Clock) -> None:
    issue = make_approved(5)

    class Lying(Compiler):
        def compose(self, reader, before, after):
            raise LetterMismatchError

    from newsletter.core.context import build_context
    from newsletter.flow import compile as letters

    frozen = letters.frozen(issue)
    outcome = send(issue, clock, compiler=Lying(frozen.design, build_context(frozen.content, {})))
    assert outcome.state == IssueState.PAUSED and "differ from its preview" in outcome.paused_reason
    assert states(issue) == {"pending": 5} and not mailbox()
    assert report(issue).label == "nothing sent yet"


def test_a_freeze_of_other_versions_is_not_sent(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = make_approved(2)
    flow.start(issue, clock())
    monkeypatch.setattr("newsletter.flow.compile.inputs.COMPILER_VERSION", "999")
    outcome = run(issue, clock)
    assert outcome.state == IssueState.PAUSED and "other versions" in outcome.paused_reason and not mailbox()
