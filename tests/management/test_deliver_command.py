"""`newsletter deliver` and `newsletter report` as a person and a cron use them: what is printed, and the exit code."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from newsletter.core.errors import IssueError
from newsletter.flow import deliver as flow
from newsletter.models import Account, Delivery, DeliveryState, Issue, IssueState
from newsletter.providers.memory import mailbox
from tests.factories import make_account, make_newsletter
from tests.sending import make_approved, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    mailbox().clear()
    settings.NEWSLETTER = type(settings.NEWSLETTER)(
        secret_key="a key for tests only", base_url="https://news.example.test"
    )


@pytest.fixture
def issue() -> Issue:
    past = datetime.now(UTC) - timedelta(minutes=1)
    return make_approved(3, slot_at=past)


def call(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, and the closing sentence."""
    out = StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), ""


def test_deliver_sends_and_says_so(issue: Issue) -> None:
    assert call("deliver", "next") == (0, "Sent to 3 of 3.\n", "")
    assert len(mailbox()) == 3
    assert call("deliver", "last") == (0, "Sent to 3 of 3.\n", "")
    assert len(mailbox()) == 3


def test_a_dry_run_changes_nothing(issue: Issue) -> None:
    code, out, _ = call("deliver", "--dry-run")
    assert code == 0 and "to 3 people" in out and not Delivery.objects.exists()


def test_the_report_is_json_that_adds_up(issue: Issue) -> None:
    code, out, _ = call("deliver", "--json")
    found = json.loads(out)
    counts = found["counts"]
    assert code == 0 and found["complete"] and found["state"] == "sent"
    assert counts["accepted"] + counts["failed"] + counts["excluded"] + counts["uncertain"] == counts["frozen"] == 3
    code, again, _ = call("report", "last", "--json")
    assert code == 0 and json.loads(again)["counts"] == counts


def test_an_issue_before_its_slot_is_not_sent_by_mistake() -> None:
    issue = make_approved(2, slot_at=datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(IssueError, match="--now"):
        call("deliver")
    assert not mailbox()
    assert call("deliver", "--now")[0] == 0
    assert states(issue) == {"accepted": 2}


def test_two_that_are_told_now_at_the_same_moment_are_one_send(monkeypatch: pytest.MonkeyPatch) -> None:
    make_approved(2, slot_at=datetime.now(UTC) + timedelta(days=1))
    send_now = flow.send_now

    def both(issue: Issue, now: datetime, **options: Any) -> datetime:
        send_now(issue, now, **options)
        flow.start(issue, now)
        return send_now(issue, now, **options)

    monkeypatch.setattr(flow, "send_now", both)
    assert call("deliver", "--now") == (0, "Sent to 2 of 2.\n", "")
    assert len(mailbox()) == 2


def test_a_draft_is_not_sent(issue: Issue) -> None:
    Issue.objects.update(state=IssueState.DRAFT)
    with pytest.raises(IssueError, match="newsletter approve"):
        call("deliver")
    Issue.objects.update(state=IssueState.SKIPPED)
    with pytest.raises(IssueError, match="skipped"):
        call("deliver", "2026-11-05")


def test_a_failure_ends_with_3_and_where_to_look(issue: Issue, tmp_path: Any) -> None:
    Delivery.objects.all().delete()
    make_account(name="box", kind=Account.Kind.OUTBOX, settings={"folder": str(tmp_path / "file" / "box")})
    (tmp_path / "file").write_text("in the way")
    issue.newsletter.account = Account.objects.get(name="box")
    issue.newsletter.save()
    code, out, advice = call("deliver")
    assert code == 3 and "--resume" in advice and "Stopped at 0 of 3" in out and "can't be written" in out
    code, _, advice = call("deliver")
    assert code == 3 and "is paused" in advice
    code, out, advice = call("report")
    assert code == 3 and "nothing sent yet" in advice
    (tmp_path / "file").unlink()
    assert call("deliver", "--resume")[0] == 0


def test_pause_stop_and_settle_from_the_command_line(issue: Issue) -> None:
    from newsletter.flow import deliver as flow

    flow.start(issue, datetime.now(UTC))
    code, out, advice = call("deliver", "--pause", "--by", "Mara")
    assert code == 3 and "Paused by Mara" in out and "--resume" in advice
    first = Delivery.objects.order_by("pk").first()
    assert first is not None
    Delivery.objects.filter(pk=first.pk).update(state=DeliveryState.ACCEPTED)
    second = Delivery.objects.exclude(pk=first.pk).first()
    assert second is not None
    Delivery.objects.filter(pk=second.pk).update(state=DeliveryState.UNCERTAIN, reason="cut")
    code, out, advice = call("deliver", "--stop")
    assert (
        code == 3 and "1 may have arrived" in advice and states(issue) == {"accepted": 1, "uncertain": 1, "excluded": 1}
    )
    assert call("deliver", "--settle-uncertain", "leave")[0] == 0
    Delivery.objects.filter(pk=second.pk).update(reason="cut")
    assert call("deliver", "--settle-uncertain", "resend")[0] == 0
    assert [sent.recipient for sent in mailbox()] == [second.address]


def test_the_report_shows_counts_reasons_and_names(issue: Issue) -> None:
    assert "has not begun" in call("report", "next")[1]
    call("deliver")
    rows = list(Delivery.objects.order_by("pk"))
    Delivery.objects.filter(pk=rows[0].pk).update(state=DeliveryState.FAILED, reason="refused: 550 no such user")
    Delivery.objects.filter(pk=rows[1].pk).update(state=DeliveryState.EXCLUDED, reason="erased", subscription=None)
    code, out, advice = call("report")
    assert code == 3 and "sent with failures" in advice
    assert "frozen 3 = accepted 1 + failed 1 + excluded 1 + uncertain 0 + pending 0 + claimed 0" in out
    assert "1 refused: 550 no such user" in out and "r0@box.test" in out and "(erased)" in out
    assert call("report", "last", "--names", "failed")[1] == "r0@box.test\trefused: 550 no such user\n"


def test_a_long_list_of_names_is_cut_and_says_how_to_see_all() -> None:
    newsletter = make_newsletter()
    issue = make_approved(25, newsletter=newsletter, slot_at=datetime.now(UTC) - timedelta(minutes=1))
    call("deliver")
    Delivery.objects.filter(issue=issue).update(state=DeliveryState.FAILED, reason="refused: 550")
    assert "and 5 more: newsletter report weekly/2026-11-05 --names failed" in call("report")[1]


def test_sigterm_ends_between_two_messages_and_the_same_command_goes_on(issue: Issue, monkeypatch: Any) -> None:
    from newsletter.providers.memory import MemoryProvider

    attempt = MemoryProvider._attempt

    def once(self: MemoryProvider, outgoing: Any) -> Any:
        if not mailbox():
            os.kill(os.getpid(), signal.SIGTERM)
        return attempt(self, outgoing)

    monkeypatch.setattr(MemoryProvider, "_attempt", once)
    before = signal.getsignal(signal.SIGTERM)
    code, out, advice = call("deliver")
    assert code == 3 and "newsletter deliver weekly/2026-11-05" in advice and "1 of 3 decided" in out
    assert signal.getsignal(signal.SIGTERM) is before
    assert call("deliver")[0] == 0
    assert sorted(sent.recipient for sent in mailbox()) == [f"r{n}@box.test" for n in range(3)]


def test_an_allowance_that_is_used_up_says_when_the_rest_goes(issue: Issue) -> None:
    account = issue.newsletter.account
    account.settings = {**account.settings, "per_day": 2}
    account.save()
    code, out, advice = call("deliver")
    assert code == 3 and out == "Sending: 2 of 3 decided, 2 accepted.\n"
    assert "allowance is used up; the rest goes from" in advice
    assert call("deliver")[0] == 3 and len(mailbox()) == 2, "nothing more today"
