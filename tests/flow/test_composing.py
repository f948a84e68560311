from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from newsletter.core.errors import IssueError
from newsletter.flow.deliver import unschedule
from newsletter.flow.issue import approve, composers, edit_fields, edit_issue, move, pin, play
from newsletter.flow.issue.deciding import BY_SCHEDULE
from newsletter.flow.people import Role, give
from newsletter.models import Event, Issue, IssueState, Magazine, Newsletter, Placement
from tests.conftest import SECRET
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
REFUSED = "edda edited this issue, so somebody else approves it."


@pytest.fixture(autouse=True)
def strict(issue: Issue) -> Issue:
    """A draft for tomorrow, of a newsletter that wants a second person."""
    Issue.objects.update(slot_at=timezone.now() + timedelta(days=1))
    Newsletter.objects.update(approval_by_another=True)
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    issue.refresh_from_db()
    return issue


def first(issue: Issue) -> Placement:
    found = Placement.objects.filter(issue=issue).order_by("pk").first()
    assert found
    return found


def change(issue: Issue, what: str, by: str, now: datetime) -> None:
    if what == "words":
        edit_issue(issue, {"subject": f"A week of lights, says {by}"}, now=now, by=by)
    elif what == "card":
        edit_fields(first(issue), {"dek": f"Seen by {by}."}, now=now, by=by)
    elif what == "move":
        move(first(issue), kind="line", position=1, now=now, by=by)
    elif what == "pin":
        pin(first(issue).review, issue.newsletter, issue, now=now, by=by)
    else:
        play(issue, "Tide tables", "https://music.example.org/tides", now=now, by=by)


@pytest.mark.parametrize("what", ["words", "card", "move", "pin", "music"])
def test_who_edited_an_issue_cannot_approve_it_and_another_can(issue: Issue, what: str) -> None:
    now = timezone.now()
    change(issue, what, "edda", now)
    assert composers(issue) == ["edda"]
    for name in ("edda", "Edda"):
        with pytest.raises(IssueError, match="edited this issue, so somebody else approves it"):
            approve(issue, name, now=now)
    assert approve(issue, "mara", now=now).state == IssueState.APPROVED
    assert composers(issue) == []


def test_an_approval_begins_anew_and_whoever_voids_it_composes(issue: Issue) -> None:
    now = timezone.now()
    change(issue, "words", "edda", now)
    approve(issue, "mara", now=now)
    change(issue, "card", "mara", now)
    assert composers(issue) == ["mara"]
    with pytest.raises(IssueError, match="mara edited this issue"):
        approve(issue, "mara", now=now)
    # What she wrote before, mara has approved; the rest is mara's.
    assert approve(issue, "edda", now=now).state == IssueState.APPROVED


def test_who_takes_an_approval_back_edited_nothing_and_leaves_the_edits_before_it_unapproved(issue: Issue) -> None:
    now = timezone.now()
    change(issue, "words", "edda", now)
    approve(issue, "mara", now=now)
    unschedule(issue, now, by="mara")
    assert composers(issue) == ["edda"]
    with pytest.raises(IssueError, match=REFUSED):
        approve(issue, "edda", now=now)
    assert approve(issue, "mara", now=now).state == IssueState.APPROVED


def test_what_nobody_edited_anybody_may_approve_and_the_clock_always(issue: Issue) -> None:
    assert composers(issue) == []
    now = timezone.now()
    change(issue, "words", "edda", now)
    assert approve(issue, BY_SCHEDULE, now=now).state == IssueState.APPROVED


def test_without_the_setting_one_person_does_both(issue: Issue) -> None:
    Newsletter.objects.update(approval_by_another=False)
    now = timezone.now()
    change(issue, "words", "edda", now)
    assert approve(issue, "edda", now=now).state == IssueState.APPROVED


def test_studio_and_command_both_obey(issue: Issue, settings: Settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, secret_key=SECRET)
    user = User.objects.create_user("edda")
    give(user, Role.APPROVER)
    client = Client()
    client.force_login(user)
    change(issue, "words", "edda", timezone.now())
    answer = client.post(f"/studio/weekly/{issue.slot}/approve", {"fingerprint": "0" * 64})
    assert answer.status_code == 409
    assert REFUSED in answer.content.decode()
    with pytest.raises(IssueError, match=REFUSED):
        call_command("approve", f"weekly/{issue.slot}", by="edda")
    assert Issue.objects.get().state == IssueState.DRAFT


def test_more_than_words_is_told_once_an_hour_for_each_person_and_only_when_something_changed(issue: Issue) -> None:
    now = timezone.now()
    for minute in (0, 10, 59):
        edit_issue(issue, {"max_cards": 5 + minute // 10}, now=now + timedelta(minutes=minute), by="edda")
    edit_issue(issue, {"max_cards": 10}, now=now + timedelta(hours=3), by="mara")
    edit_issue(issue, {"max_cards": 9}, now=now + timedelta(minutes=61), by="edda")
    told = Event.objects.filter(kind="composed").order_by("pk").values_list("by", "text")
    assert list(told) == [("edda", "edda worked on the issue.")] * 2
    edit_issue(issue, {"subject": "Lights"}, now=now + timedelta(hours=4), by="otto")
    assert composers(issue) == ["edda", "otto"]
