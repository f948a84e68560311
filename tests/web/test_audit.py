from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.flow import people
from newsletter.flow.issue import approve, edit_issue
from newsletter.flow.people import Role, give
from newsletter.models import Event, Issue, Magazine
from newsletter.web.studio.audit import PER_PAGE
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
LOG = "/studio/audit/"


@pytest.fixture
def admin() -> Client:
    user = User.objects.create_user("mara")
    give(user, Role.ADMIN)
    client = Client()
    client.force_login(user)
    return client


def told(client: Client, query: str = "") -> list[tuple[str, str]]:
    """Who and what, the newest first."""
    page = client.get(f"{LOG}{query}").content.decode()
    return re.findall(r'class="by"><b>([^<]+)</b></p>\s*<p class="what">([^<]+?)\s*<', page)


def test_what_people_did_to_issues_and_to_the_team_is_one_log(admin: Client, issue: Issue) -> None:
    now = timezone.now()
    Issue.objects.update(slot_at=now + timedelta(days=1))
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    edit_issue(issue, {"subject": "A <week> of lights"}, now=now, by="edda")
    approve(issue, "otto", now=now)
    row, _ = people.invite(Role.EDITOR, "Ann at ann@box.test", now=now, by="mara")
    Event.objects.create(newsletter=issue.newsletter, issue=issue, at=now, kind="held", text="Held: <i>late</i>")
    by_people = [
        ("mara", f"Somebody was invited as editor (invitation {row.pk})."),
        ("otto", "Approved by otto."),
        ("edda", "The subject of the issue was edited."),
    ]
    assert told(admin) == by_people
    everything = told(admin, "?clock=1")
    assert ("by itself", "Held: &lt;i&gt;late&lt;/i&gt;") in everything
    assert [each for each in everything if each[0] != "by itself"] == by_people
    assert told(admin, "?by=otto") == by_people[1:2]
    assert told(admin, f"?issue=weekly/{issue.slot}") == by_people[1:]
    assert told(admin, f"?issue=weekly/{issue.slot}&by=edda") == by_people[2:]
    for nothing in ("?by=nobody", "?issue=weekly/1999-01-01", "?issue=x", "?by=%00", "?before=1"):
        assert "Nothing" in admin.get(f"{LOG}{nothing}").content.decode() or nothing == "?by=%00"
    assert told(admin, "?before=two") == by_people
    assert "ann@box.test" not in admin.get(LOG).content.decode()


def test_pages_follow_each_other_without_gap_or_repetition_while_more_is_done(admin: Client) -> None:
    now = timezone.now()
    for number in range(2 * PER_PAGE + 3):
        Event.objects.create(at=now, kind="edited", text=f"Act {number}.", by="edda" if number % 2 else "otto")
    seen: list[str] = []
    path = LOG
    while path:
        Event.objects.create(at=now, kind="edited", text="Meanwhile.", by="mara")
        page = admin.get(path).content.decode()
        seen += re.findall(r"Act \d+\.", page)
        older = re.search(r'href="([^"]+)">Older', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"Act {number}." for number in reversed(range(2 * PER_PAGE + 3))]
    page = admin.get(f"{LOG}?by=edda").content.decode()
    assert "by=edda&amp;before=" in page
    assert "Newest" not in page
    assert len(told(admin, "?by=edda")) == PER_PAGE
