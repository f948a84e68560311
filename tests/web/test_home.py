"""The studio's first page: what it says of each state, and what planning the weeks does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from newsletter.core.week import next_slot
from newsletter.flow import overview
from newsletter.flow.issue.facts import schedule_of
from newsletter.models import Issue, IssueState, Magazine, Newsletter, WeekOff
from subscribers.models import Subscription, SubscriptionState
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.sending import make_people
from tests.web.test_studio import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def soon(issue: Issue) -> Issue:
    """The draft is that of the next real slot."""
    slot = next_slot(schedule_of(issue.newsletter), timezone.now())
    issue.slot, issue.slot_at, issue.cutoff_at = slot.key, slot.at, slot.cutoff
    issue.save()
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    return issue


@pytest.fixture
def mara() -> Client:
    return person("mara", "approve_issue", "view_subscriber")


def look(client: Client, query: str = "") -> str:
    return " ".join(client.get(f"/studio/{query}").content.decode().split())


def plan(client: Client, verb: str, **values: str) -> tuple[int, str]:
    answer = client.post(f"/studio/plan/weekly/{verb}", values, follow=True)
    return answer.status_code, " ".join(answer.content.decode().split())


def old(issue: Issue, number: int, state: str = "sent", **fields: object) -> Issue:
    at = issue.slot_at - timedelta(weeks=number)
    return Issue.objects.create(
        newsletter=issue.newsletter, slot=at.date().isoformat(), slot_at=at, cutoff_at=at, number=500 - number,
        created_at=at, state=state, **fields,
    )  # fmt: skip


def test_the_next_issue_is_large_with_one_sentence_and_one_button(mara: Client, issue: Issue) -> None:
    page = look(mara)
    assert '<a class="button" id="primary"' in page
    assert page.count('id="primary"') == 1
    assert "goes out" in page
    assert f'src="/studio/weekly/{issue.slot}/cover"' in page
    Issue.objects.update(state=IssueState.PAUSED, started_at=timezone.now(), paused_reason="The login was refused.")
    page = look(mara)
    assert "It did not go out: The login was refused. Nothing was sent, and it waits for you to try again." in page
    assert f'href="/studio/weekly/{issue.slot}/send">Try again</a>' in page


def test_twelve_weeks_are_shown_with_their_word_and_turn(mara: Client, issue: Issue) -> None:
    old(issue, 1, "skipped", outcome_reason="A quiet week.")
    now = timezone.now()
    weeks = overview.strip(issue.newsletter, now)
    assert len(weeks) == overview.WEEKS
    assert [week.at for week in weeks] == sorted(week.at for week in weeks)
    assert len({week.day for week in weeks}) == overview.WEEKS
    page = look(mara)
    assert '<span class="word skipped">skipped</span>' in page
    assert '<span class="word draft">draft</span>' in page
    assert '<span class="word planned">planned</span>' in page
    far = look(mara, "?from=2030-01-01")
    assert '<span class="word draft">' not in far
    assert '<span class="word draft">draft</span>' in look(mara, "?from=nonsense&page=x&newsletter=nobody")


def test_a_cover_is_the_letter_in_a_sandbox_and_of_a_sent_issue_what_was_stored(mara: Client, issue: Issue) -> None:
    answer = mara.get(f"/studio/weekly/{issue.slot}/cover")
    assert "See You Sunday" in answer.content.decode()
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "allow-scripts" not in answer.headers["Content-Security-Policy"]
    sent = old(issue, 2, public_html="<p>As it was.</p>")
    assert mara.get(f"/studio/weekly/{sent.slot}/cover").content == b"<p>As it was.</p>"
    Newsletter.objects.update(design="no-such-design")
    broken = mara.get(f"/studio/weekly/{issue.slot}/cover")
    assert broken.status_code == 200
    assert "can’t be shown yet" in broken.content.decode()


def test_an_issue_that_did_not_go_out_is_said_first_and_brought_back(mara: Client, issue: Issue) -> None:
    missed = old(issue, 1, "missed", outcome_reason="Missed its slot: not approved.")
    Issue.objects.filter(pk=missed.pk).update(slot_at=timezone.now() - timedelta(hours=1))
    page = look(mara)
    assert "did not go out.</strong> Missed its slot: not approved." in page
    code, _ = plan(mara, "revive", slot=missed.slot)
    missed.refresh_from_db()
    assert (code, missed.state) == (200, IssueState.DRAFT)


def test_this_weeks_slot_is_moved_a_week_set_off_and_taken_back(mara: Client, issue: Issue) -> None:
    at = issue.slot_at.astimezone(ZoneInfo("America/New_York")) + timedelta(hours=30)
    plan(mara, "move", slot=issue.slot, at=f"{at:%Y-%m-%dT%H:%M}")
    issue.refresh_from_db()
    assert issue.slot_at == at.astimezone(UTC)
    assert "That time is past." in plan(mara, "move", slot=issue.slot, at="2020-01-01T08:00")[1]
    later = datetime.fromisoformat(issue.slot).date() + timedelta(weeks=2)
    assert '<span class="word off">off</span>' in plan(mara, "off", day=later.isoformat())[1]
    assert '<span class="word off">off</span>' not in plan(mara, "on", day=later.isoformat())[1]
    assert not WeekOff.objects.exists()
    assert "That is no date." in plan(mara, "off", day="x")[1]
    assert plan(mara, "off", day=(later + timedelta(days=1)).isoformat())[0] == 409


def test_a_special_issue_is_made_and_opened(mara: Client, issue: Issue) -> None:
    later = f"{timezone.now() + timedelta(days=20):%Y-%m-%d}T10:00"
    answer = mara.post("/studio/plan/weekly/special", {"name": "Film fair", "at": later})
    assert answer.headers["Location"] == "/studio/weekly/film-fair/"
    assert mara.get("/studio/weekly/film-fair/").status_code == 200
    assert "already" in plan(mara, "special", name="film-fair", at=later)[1]


def test_who_may_not_approve_plans_nothing(issue: Issue) -> None:
    edda = person("edda")
    page = look(edda)
    assert "/studio/plan/" not in page
    for verb in ("move", "off", "on", "special", "revive"):
        assert edda.post(f"/studio/plan/weekly/{verb}").status_code == 403
    assert person("mara", "approve_issue").post("/studio/plan/weekly/nonsense").status_code == 404


def test_issues_are_found_by_subject_number_and_date_and_turned_page_by_page(mara: Client, issue: Issue) -> None:
    for number in range(1, 31):
        old(issue, number, subject=f"Lights and rooms, part {number}.")
    page = look(mara)
    assert page.count("Lights and rooms, part") >= 25
    assert "Older →" in page
    assert "Lights and rooms, part 30." not in page
    assert "Lights and rooms, part 30." in look(mara, "?page=2")
    for query in ("part+17.", "%23483", "483"):
        found = look(mara, f"?q={query}")
        assert "Lights and rooms, part 17." in found.partition('id="before"')[2]
        assert "Lights and rooms, part 30." not in found
    assert "No issue has “nothing of the kind” in it." in look(mara, "?q=nothing+of+the+kind")


def test_the_growth_of_a_list_counts_everybody_once(issue: Issue) -> None:
    now = timezone.now()
    make_people([f"p{n}@box.test" for n in range(6)])
    rows = list(Subscription.objects.order_by("-pk").values_list("pk", flat=True))
    Subscription.objects.filter(pk__in=rows[:2]).update(confirmed_at=now - timedelta(days=1))
    Subscription.objects.filter(pk__in=rows[2:3]).update(confirmed_at=now - timedelta(days=8))
    gone = {"state": SubscriptionState.UNSUBSCRIBED, "state_at": now - timedelta(days=9)}
    Subscription.objects.filter(pk__in=rows[3:4]).update(**gone)
    found = overview.growth(issue.newsletter, now)
    assert found.active == 6
    assert found.joined[-2:] == (1, 2)
    assert found.left[-2:] == (1, 0)
    assert found.readers[-3:] == (4, 4, 6)
    assert len(found.readers) == len(found.joined) == overview.WEEKS


def test_the_page_asks_the_database_no_more_for_many_issues_than_for_few(mara: Client, issue: Issue) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            look(mara)
        return len(seen)

    for number in range(1, 4):
        old(issue, number)
    look(mara)  # what the first look finds out about the next issue is known from then on
    few = queries()
    for number in range(4, 90):
        old(issue, number)
    assert queries() == few


def test_what_blocks_is_looked_up_anew_once_anything_it_depends_on_changed(mara: Client, issue: Issue) -> None:
    assert "Mend what stands against it" not in look(mara)
    Magazine.objects.update(postal_address="")
    page = look(mara)
    assert "Mend what stands against it" in page
    assert f'href="/studio/weekly/{issue.slot}/edit"' in page
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    assert "Mend what stands against it" not in look(mara)
    Subscription.objects.update(state=SubscriptionState.UNSUBSCRIBED)
    assert "Mend what stands against it" in look(mara)
