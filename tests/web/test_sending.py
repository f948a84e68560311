"""The send panel: what an editor reads and presses, and that each press is the flow's own verb."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.flow import deliver as flow
from newsletter.ledger.issues import due_at
from newsletter.models import Delivery, DeliveryState, Issue, IssueState, Magazine, TestMail
from newsletter.providers.memory import mailbox
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.sending import make_people
from tests.web.test_studio import person

pytestmark = pytest.mark.django_db
HERE = "/studio/weekly/2026-11-05/send"


@pytest.fixture(autouse=True)
def soon(issue: Issue) -> Issue:
    """The draft goes out in a day, so that no check minds its date."""
    mailbox().clear()
    issue.slot_at = timezone.now() + timedelta(days=1)
    issue.save()
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    return issue


@pytest.fixture
def mara() -> Client:
    return person("mara", "approve_issue", "view_subscriber")


def look(client: Client) -> str:
    return " ".join(client.get(HERE).content.decode().split())


def fields(client: Client) -> dict[str, str]:
    """The hidden fields of the page, as a browser sends them along."""
    page = client.get(HERE).content.decode()
    return dict(re.findall(r'name="(fingerprint|people)" value="([^"]*)"', page))


def press(client: Client, verb: str, **values: str) -> str:
    answer = client.post(f"{HERE}/{verb}", {**fields(client), **values})
    if answer.status_code == 302:
        return " ".join(client.get(answer.headers["Location"]).content.decode().split())
    assert answer.status_code == 409
    return " ".join(answer.content.decode().split())


def test_from_draft_to_the_minute_and_back_by_pressing(mara: Client, issue: Issue) -> None:
    page = look(mara)
    assert re.search(r"Would go out <strong>\w+, \w+ \d+, \d\d:\d\d New York \(\d\d:\d\d UTC\)</strong>", page)
    assert "<strong>1 person</strong>" in page
    assert "Approved. It goes out as said below" in press(mara, "approve")
    assert "Will go out" in look(mara)
    assert 'class="button huge">Undo' in press(mara, "now")
    issue.refresh_from_db()
    assert timedelta(seconds=55) < due_at(issue) - timezone.now() <= timedelta(seconds=60)
    assert "Taken back. Nothing has left." in press(mara, "undo")
    issue.refresh_from_db()
    assert (issue.state, issue.send_at) == (IssueState.APPROVED, None)
    assert "the issue is a draft again" in press(mara, "unschedule")
    assert Delivery.objects.count() == 0


def test_what_changed_since_it_was_looked_at_is_not_approved(mara: Client, issue: Issue) -> None:
    before = fields(mara)
    Issue.objects.update(note="Another note.")
    assert "has changed since you looked at it" in press(mara, "approve", fingerprint=before["fingerprint"])
    issue.refresh_from_db()
    assert issue.state == IssueState.DRAFT


def test_another_time_is_read_in_the_newsletters_zone_and_a_past_one_refused(mara: Client, issue: Issue) -> None:
    press(mara, "approve")
    assert "is past" in press(mara, "at", at="2020-01-01T08:00")
    later = timezone.now() + timedelta(days=3)
    assert "The time is set." in press(mara, "at", at=f"{later:%Y-%m-%d}T09:30")
    assert "09:30 New York" in look(mara)
    assert "The time is set." in press(mara, "slot")
    issue.refresh_from_db()
    assert issue.send_at is None


def test_many_people_are_mailed_after_typing_how_many(mara: Client, issue: Issue) -> None:
    make_people([f"p{n}@box.test" for n in range(1_000)])
    assert "Type 1,001 to confirm" in look(mara)
    assert "This goes to 1,001 people." in press(mara, "approve", number="1000")
    assert "Approved." in press(mara, "approve", number="1,001")
    assert "This goes to 1,001 people." in press(mara, "now")
    assert "Undo" in press(mara, "now", number="1001")


def test_who_may_not_approve_can_test_and_nothing_else(issue: Issue) -> None:
    edda = person("edda")
    assert "somebody with the right to approve" in look(edda)
    for verb in (
        "approve",
        "now",
        "at",
        "slot",
        "undo",
        "unschedule",
        "pause",
        "resume",
        "stop",
        "discard",
        "resend",
        "leave",
    ):
        assert edda.post(f"{HERE}/{verb}").status_code == 403
    assert "The test is on its way." in press(edda, "test", to="edda@example.org")
    assert edda.post(f"{HERE}/nonsense").status_code == 404
    assert edda.get(f"{HERE}/now").status_code == 405


def test_a_test_goes_to_whom_was_typed_and_is_listed_with_its_time(mara: Client) -> None:
    page = press(mara, "test", to="me@example.org, you@example.org")
    assert [sent.recipient for sent in mailbox()] == ["me@example.org", "you@example.org"]
    assert '<strong>you@example.org</strong> <span class="good">taken</span>' in page
    assert re.search(r"New York \(\d\d:\d\d UTC\) · mara", page)
    assert "is no address" in press(mara, "test", to="not an address")
    assert 'value="not an address"' in press(mara, "test", to="not an address")
    assert TestMail.objects.count() == 2


def test_a_send_is_watched_paused_gone_on_with_and_stopped(mara: Client, issue: Issue) -> None:
    make_people([f"p{n}@box.test" for n in range(9)])
    press(mara, "approve")
    flow.start(issue, timezone.now())
    rows = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=rows[:5]).update(state=DeliveryState.ACCEPTED, at=timezone.now())
    full = "refused (full): 452 4.2.2 over quota"
    Delivery.objects.filter(pk__in=rows[5:7]).update(state=DeliveryState.FAILED, reason=full, at=timezone.now())
    page = look(mara)
    assert "<strong>7</strong> of 10 decided." in page
    assert 'data-live="/studio/weekly/2026-11-05/send/live"' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert "<b>2</b> Mailbox full" in page
    assert "a second; the rest takes" in page
    part = mara.get(f"{HERE}/live").content.decode()
    assert part.count("<section") == 1
    assert "<html" not in part
    assert "Paused by mara." in press(mara, "pause")
    assert "data-live" not in look(mara)
    assert "Sending goes on." in press(mara, "resume")
    press(mara, "pause")
    assert "can’t be undone" in press(mara, "stop")
    assert "Stopped." in press(mara, "stop", sure="1")
    assert "Sent to <strong>5</strong> of 10." in look(mara)


def test_what_may_have_arrived_is_decided_by_a_person(mara: Client, issue: Issue) -> None:
    press(mara, "approve")
    flow.start(issue, timezone.now())
    Delivery.objects.update(state=DeliveryState.UNCERTAIN, reason="the connection broke", at=timezone.now())
    assert "<strong>1 may have arrived.</strong>" in look(mara)
    assert "Decided." in press(mara, "leave")
    assert "may have arrived" not in look(mara)


def test_a_send_that_never_began_is_tried_again_or_thrown_away(mara: Client, issue: Issue) -> None:
    press(mara, "approve")
    flow.start(issue, timezone.now())
    flow.pause(issue, timezone.now(), by="", reason="The mail server refused the login.")
    page = look(mara)
    assert "Nothing has been sent." in page
    assert "The mail server refused the login." in page
    assert "Try again" in page
    assert "Thrown away." in press(mara, "discard", sure="1")
    issue.refresh_from_db()
    assert issue.state == IssueState.DISCARDED
