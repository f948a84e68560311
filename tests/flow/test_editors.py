"""What editors hear of by mail: each thing once, with a link."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from newsletter.core.errors import SourceError
from newsletter.flow import deliver as sending
from newsletter.flow import editors, service
from newsletter.flow import issue as issue_flow
from newsletter.ledger import deliveries, issues
from newsletter.models import Delivery, DeliveryState, Issue, Magazine, Notice, ServiceMail
from newsletter.providers.memory import mailbox
from tests.flow.desk import Desk, entry, local
from tests.sending import KEYS, here

pytestmark = pytest.mark.django_db
BASE = "https://news.example.test"
NOW = "2015-11-02 09:00"


@pytest.fixture
def desk() -> Desk:
    """Two editors with an address, one without, and one who left."""
    for name, active in (("edda", True), ("mara", True), ("gone", False)):
        User.objects.create_user(name, f"{name}@desk.example.test", is_active=active)
    User.objects.create_user("silent")
    return Desk(min_reviews=1, starts_at=local("2015-10-30 00:00"))


def told(at: str) -> list[str]:
    """The headings of the mails that a look at `at` queues; the same look again queues none."""
    before = set(ServiceMail.objects.values_list("pk", flat=True))
    editors.tell(local(at), base_url=BASE)
    mails = list(ServiceMail.objects.exclude(pk__in=before).order_by("pk"))
    editors.tell(local(at), base_url=BASE)
    editors.tell(local(at) + timedelta(seconds=30), base_url=BASE)
    assert ServiceMail.objects.count() == len(before) + len(mails)
    by_person = [
        [mail.values["heading"] for mail in mails if mail.address.startswith(name)] for name in ("edda", "mara")
    ]
    assert by_person[0] == by_person[1]
    assert len(mails) == 2 * len(by_person[0])
    assert all(mail.values["link"].startswith(f"{BASE}/studio/") for mail in mails)
    return by_person[0]


def last(heading: str) -> ServiceMail:
    return next(mail for mail in ServiceMail.objects.order_by("-pk") if mail.values["heading"] == heading)


def test_a_draft_with_reviews_is_told_of_three_days_before_and_by_name(desk: Desk) -> None:
    desk.gather(
        "2015-11-01 12:00", entry("See You Sunday", "2015-11-01 10:00"), entry("{Salt} Road", "2015-11-01 11:00")
    )
    assert told("2015-11-02 07:00") == []
    assert told(NOW) == ["Draft ready: 2 reviews"]
    mail = last("Draft ready: 2 reviews")
    assert "See You Sunday" in mail.values["text"]
    assert mail.values["link"] == f"{BASE}/studio/weekly/2015-11-05/"
    desk.gather("2015-11-02 10:00", entry("A Third", "2015-11-02 09:30"))
    assert told("2015-11-02 11:00") == []


def test_the_mail_itself_goes_out_once_to_each_with_its_words_and_link(desk: Desk, settings: object) -> None:
    from dataclasses import replace

    settings.NEWSLETTER = replace(settings.NEWSLETTER, base_url=BASE)  # type: ignore[attr-defined]
    mailbox().clear()
    desk.gather("2015-11-01 12:00", entry("{Salt} Road", "2015-11-01 11:00"))
    told(NOW)
    for _ in range(2):
        service.deliver_due(service.Composer(KEYS), here(), clock=lambda: local(NOW), sleep=lambda seconds: None)
    assert sorted(sent.recipient for sent in mailbox()) == ["edda@desk.example.test", "mara@desk.example.test"]
    message = mailbox()[0].message.decode()
    assert "Subject: LANTERN Weekly: Draft ready: 1 review" in message
    assert "{Salt} Road" in message
    assert "/studio/weekly/2015-11-05/" in message.replace("=\r\n", "")


def test_what_blocks_is_told_of_half_an_hour_before_the_cutoff_and_nothing_else_is(desk: Desk) -> None:
    desk.gather("2015-11-01 12:00", entry("See You Sunday", "2015-11-01 10:00"))
    told(NOW)
    Magazine.objects.update(postal_address="")
    assert told("2015-11-04 17:29") == []
    headings = told("2015-11-04 17:30")
    assert len(headings) == 1
    assert "against the next issue" in headings[0]
    assert told("2015-11-04 17:50") == []


def test_an_issue_without_a_blocker_is_looked_at_once_near_its_cutoff(desk: Desk) -> None:
    desk.gather("2015-11-01 12:00", entry("See You Sunday", "2015-11-01 10:00"))
    told(NOW)
    issue = Issue.objects.get()
    assert told("2015-11-04 17:30") == []
    assert Notice.objects.get(kind="blockers", issue=issue).told == 0


def test_held_missed_and_skipped_are_told_each_once(desk: Desk) -> None:
    issue = desk.draft(NOW)
    issues.hold(issue.pk, "Too few reviews: 0 of 1 needed.", local("2015-11-04 19:00"))
    assert "The next issue is held" in told("2015-11-04 19:01")
    issues.hold(issue.pk, "Another reason.", local("2015-11-04 20:00"))
    assert told("2015-11-04 20:01") == ["The next issue is held"]
    issues.miss(issue.pk, "Missed its slot: not approved.", now=local("2015-11-05 08:00"))
    assert told("2015-11-05 08:01") == ["The issue was missed"]
    following = desk.draft("2015-11-05 09:00")
    issue_flow.skip(following, "A quiet week.", now=local("2015-11-05 09:00"))
    assert told("2015-11-05 09:01") == ["The issue was skipped"]
    assert told("2015-11-08 09:00") == []


def test_a_send_that_stopped_by_itself_is_told_and_a_persons_pause_is_not(desk: Desk) -> None:
    desk.gather("2015-11-01 12:00", entry("See You Sunday", "2015-11-01 10:00"))
    told(NOW)
    issue = desk.start(desk.approve(NOW), "2015-11-05 08:00")
    sending.pause(issue, local("2015-11-05 08:01"), by="mara")
    assert told("2015-11-05 08:02") == []
    sending.resume(issue, local("2015-11-05 08:03"))
    issues.pause(issue.pk, "The mail server refused the login.", now=local("2015-11-05 08:04"))
    assert told("2015-11-05 08:05") == ["The issue did not go out"]
    mail = last("The issue did not go out")
    assert "Nothing was sent." in mail.values["text"]
    assert mail.values["link"] == f"{BASE}/studio/weekly/2015-11-05/send"
    sending.resume(issue, local("2015-11-05 08:06"))
    issues.pause(issue.pk, "The mail server refused the login.", now=local("2015-11-05 08:07"))
    assert told("2015-11-05 08:08") == []


def test_what_went_out_is_told_with_its_numbers(desk: Desk) -> None:
    desk.gather("2015-11-01 12:00", entry("See You Sunday", "2015-11-01 10:00"))
    told(NOW)
    issue = desk.start(desk.approve(NOW), "2015-11-05 08:00")
    first = Delivery.objects.order_by("pk").values_list("pk", flat=True)[0]
    Delivery.objects.filter(pk=first).update(state=DeliveryState.FAILED, reason="refused (full): 452")
    desk.accept(issue, "2015-11-05 08:01")
    assert deliveries.waits_for_provider(issue.pk) is None
    assert told("2015-11-05 08:02") == ["Sent to 2"]
    assert "1 refused: 1 Mailbox full." in last("Sent to 2").values["text"]


def test_a_source_that_stays_away_is_told_once_for_every_time_it_goes(desk: Desk) -> None:
    desk.shelves["feed"] = SourceError("It answers 500.")
    for hour in (10, 11):
        desk.poll(f"2015-11-02 {hour}:00")
    assert told("2015-11-02 11:01") == []
    desk.poll("2015-11-02 12:00")
    assert told("2015-11-02 12:01") == ["Feed can’t be read"]
    desk.poll("2015-11-02 13:00")
    assert told("2015-11-02 13:01") == []
    desk.shelves["feed"] = ()
    desk.poll("2015-11-02 14:00")
    desk.shelves["feed"] = SourceError("It answers 500.")
    for hour in (15, 16, 17):
        desk.poll(f"2015-11-02 {hour}:00")
    assert told("2015-11-02 17:01") == ["Feed can’t be read"]
