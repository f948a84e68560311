"""When an approved issue leaves: at its slot, at a time that a person chose, or now with a minute to take it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.core.errors import IssueError
from newsletter.flow import deliver as flow
from newsletter.flow import issue as issue_flow
from newsletter.flow.deliver.timing import Typed, local_time
from newsletter.ledger.issues import due_at
from newsletter.models import Event, Issue, IssueState
from tests.flow.deliver.running import recipients, run
from tests.sending import SLOT, Clock, make_approved, make_people

pytestmark = pytest.mark.django_db
BEFORE = SLOT - timedelta(hours=20)


def fresh(issue: Issue) -> Issue:
    return Issue.objects.select_related("newsletter", "freeze").get(pk=issue.pk)


def test_nothing_leaves_in_the_minute_in_which_it_can_be_taken_back_whoever_asks() -> None:
    issue = make_approved(2)
    at = flow.send_now(issue, BEFORE, by="Mara")
    assert at == BEFORE + timedelta(seconds=60)
    for seconds in (0, 30, 59):
        moment = BEFORE + timedelta(seconds=seconds)
        assert issue_flow.decide(issue, now=moment).action == "wait"
        with pytest.raises(IssueError, match="nothing leaves before"):
            flow.start(issue, moment, confirmed=True)
    assert issue_flow.decide(issue, now=at).action == "send"
    flow.start(issue, at)
    assert run(fresh(issue), Clock(at)).state == IssueState.SENT
    assert len(recipients()) == 2
    assert not fresh(issue).late


def test_taken_back_it_goes_out_when_it_would_have_gone_before() -> None:
    issue = make_approved(1)
    friday = SLOT + timedelta(days=1)
    flow.schedule(issue, friday, BEFORE, by="Mara")
    flow.send_now(issue, BEFORE, by="Mara")
    flow.take_back(issue, BEFORE + timedelta(seconds=59), by="Edda")
    assert due_at(fresh(issue)) == friday
    flow.schedule(issue, None, BEFORE, by="Mara")
    flow.send_now(issue, BEFORE, by="Mara")
    flow.take_back(issue, BEFORE + timedelta(seconds=5), by="Edda")
    row = fresh(issue)
    assert (row.state, row.send_at, due_at(row)) == (IssueState.APPROVED, None, SLOT)
    assert Event.objects.filter(issue=issue, kind="taken back", by="Edda").count() == 2


def test_taken_back_after_its_slot_it_does_not_leave_at_once_all_the_same() -> None:
    issue = make_approved(1)
    late = SLOT + timedelta(hours=1)
    flow.send_now(issue, late, by="Mara")
    flow.take_back(issue, late + timedelta(seconds=10), by="Mara")
    assert fresh(issue).state == IssueState.DRAFT
    assert issue_flow.decide(issue, now=late + timedelta(seconds=90)).action != "send"
    assert recipients() == []


def test_what_has_begun_can_not_be_taken_back_and_a_second_press_takes_no_second_of_the_minute() -> None:
    issue = make_approved(1)
    at = flow.send_now(issue, BEFORE, by="Mara")
    with pytest.raises(IssueError, match="on its way already"):
        flow.send_now(issue, BEFORE + timedelta(seconds=50), by="Mara")
    assert due_at(fresh(issue)) == at
    flow.start(issue, at)
    with pytest.raises(IssueError, match="nothing to take back"):
        flow.take_back(issue, at, by="Mara")


def test_any_edit_undoes_the_approval_and_the_minute_with_it() -> None:
    issue = make_approved(1)
    flow.send_now(issue, BEFORE, by="Mara")
    issue_flow.edit_issue(issue, {"subject": "Another subject"}, now=BEFORE, by="Edda")
    row = fresh(issue)
    assert (row.state, row.send_at, row.hurried_from, row.freeze) == (IssueState.DRAFT, None, None, None)


def test_another_time_holds_for_the_clock_and_for_what_is_late() -> None:
    issue = make_approved(1)
    friday = SLOT + timedelta(days=1)
    flow.schedule(issue, friday, BEFORE, by="Mara")
    assert issue_flow.decide(issue, now=SLOT + timedelta(hours=8)).action == "wait"
    assert issue_flow.decide(issue, now=friday).action == "send"
    assert "Friday, November 6, 08:00 New York (13:00 UTC)" in flow.would_send(issue, BEFORE)
    flow.start(issue, friday)
    assert not fresh(issue).late
    assert (
        Event.objects.filter(kind="scheduled").last().text == "Goes out Friday, November 6, 08:00 New York (13:00 UTC)."
    )


def test_a_draft_whose_time_was_chosen_earlier_still_has_until_its_slot() -> None:
    issue = make_approved(1)
    flow.schedule(issue, SLOT - timedelta(hours=5), BEFORE, by="Mara")
    flow.unschedule(issue, BEFORE, by="Mara")
    row = fresh(issue)
    assert row.state == IssueState.DRAFT
    assert due_at(row) == SLOT
    with pytest.raises(IssueError, match="nothing is scheduled"):
        flow.unschedule(issue, BEFORE, by="Mara")


@pytest.mark.parametrize(
    ("at", "says"),
    [(BEFORE, "is past"), (BEFORE + timedelta(days=400), "more than a year"), (BEFORE - timedelta(days=7), "is past")],
)
def test_a_time_that_can_not_be_meant_is_refused(at: datetime, says: str) -> None:
    with pytest.raises(IssueError, match=says):
        flow.schedule(make_approved(1), at, BEFORE, by="Mara")


def test_a_draft_has_no_time_to_go_out() -> None:
    issue = make_approved(1)
    Issue.objects.update(state=IssueState.DRAFT, freeze=None)
    for act in (
        lambda: flow.send_now(issue, BEFORE, by="Mara"),
        lambda: flow.schedule(issue, SLOT + timedelta(days=1), BEFORE, by="Mara"),
    ):
        with pytest.raises(IssueError, match="only an approved one"):
            act()


def test_a_second_issue_close_to_another_has_to_be_confirmed_and_then_the_clock_sends_it() -> None:
    first = make_approved(1)
    flow.start(first, SLOT)
    run(fresh(first), Clock(SLOT))
    second = make_approved(["x@box.test"], slot="special", slot_at=SLOT + timedelta(days=7), number=2)
    soon = SLOT + timedelta(hours=2)
    with pytest.raises(IssueError, match="less than 20 hours before"):
        flow.send_now(second, soon, by="Mara")
    at = flow.send_now(second, soon, by="Mara", confirmed=True)
    assert flow.start(second, at) == 2


def test_many_people_are_mailed_only_by_who_knows_how_many() -> None:
    issue = make_approved(0)
    make_people([f"p{n}@box.test" for n in range(1_001)])
    for text in ("", "1000", "1002"):
        with pytest.raises(IssueError, match="This goes to 1,001 people"):
            flow.send_now(issue, BEFORE, by="Mara", typed=Typed(text, 1_001))
    flow.send_now(issue, BEFORE, by="Mara", typed=Typed("1,001", 1_001))


def test_a_wall_time_is_read_in_the_newsletters_zone() -> None:
    assert local_time("2026-11-05T08:00", "America/New_York") == SLOT
    assert local_time("2026-11-05T13:00+00:00", "America/New_York") == SLOT
    assert local_time("2026-11-01T01:30", "America/New_York") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    with pytest.raises(IssueError, match="is no time"):
        local_time("tomorrow", "UTC")
