"""What follows from a complaint, for the reader and for the issue."""

from __future__ import annotations

import pytest

from newsletter.core.bounce import ReportKind
from newsletter.core.tokens import UNSUBSCRIBE, token
from newsletter.flow.bounce import complaints_of, take
from newsletter.models import Event, Evidence, Issue, IssueState
from subscribers import consent
from subscribers.models import SubscriptionState
from tests.flow.bouncing import BY_NAME, NOW, deliver, mail_for, make_issue, say, suppressed
from tests.sending import KEYS, make_people

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["feedback report", "complaint without a report"])
def test_a_complaint_unsubscribes_and_suppresses_at_once(name: str) -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    message = mail_for(delivery, name)
    assert take(message, keys=KEYS, now=NOW, home=None).decision == "unsubscribed and suppressed"
    person.refresh_from_db()
    assert person.state == SubscriptionState.UNSUBSCRIBED and suppressed() == {"ada@box.test": "complaint"}
    assert not consent.can_resubscribe(person, now=NOW)
    assert take(message, keys=KEYS, now=NOW, home=None).decision == "known already"


def test_a_complaint_known_by_its_link_alone_stops_that_list_only() -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    message = BY_NAME["feedback report"].as_bytes(link=token(KEYS, UNSUBSCRIBE, person.pk))
    assert take(message, keys=KEYS, now=NOW, home=None).decision == "unsubscribed"
    assert suppressed() == {} and Evidence.objects.get().delivery is None and delivery.pk


def test_not_spam_changes_nothing() -> None:
    [person] = make_people(["ada@box.test"])
    [delivery] = deliver(make_issue(), [person])
    assert take(mail_for(delivery, "not spam"), keys=KEYS, now=NOW, home=None).decision.startswith("nothing")
    assert Evidence.objects.count() == 0 and suppressed() == {}


def test_complaints_warn_at_one_in_a_thousand_and_pause_at_three() -> None:
    people = make_people([f"r{n}@box.test" for n in range(1_000)])
    issue = make_issue(state=IssueState.SENDING)
    rows = deliver(issue, people)
    say(rows[0], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING and Event.objects.get(kind="complaints").text.startswith(
        "1 of 1,000 people"
    )
    say(rows[0], "test:the same reader again", ReportKind.COMPLAINT, about=None)
    say(rows[1], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING and Event.objects.filter(kind="complaints").count() == 1
    say(rows[2], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.PAUSED and "3 of 1,000" in issue.paused_reason and complaints_of(issue) == 3
    # A person who goes on has decided.
    Issue.objects.filter(pk=issue.pk).update(state=IssueState.SENDING)
    say(rows[3], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING


def test_a_complaint_of_a_short_list_pauses_nothing() -> None:
    issue = make_issue(state=IssueState.SENDING)
    rows = deliver(issue, make_people([f"r{n}@box.test" for n in range(99)]))
    say(rows[0], kind=ReportKind.COMPLAINT, about=None)
    issue.refresh_from_db()
    assert issue.state == IssueState.SENDING and not Event.objects.filter(kind__startswith="complaints").exists()
