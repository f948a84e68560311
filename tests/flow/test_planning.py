from __future__ import annotations

from datetime import date, timedelta

import pytest

from newsletter.core.errors import IssueError
from newsletter.flow import issue as flow
from newsletter.models import Event, Issue, IssueState, WeekOff
from tests.flow.desk import Desk, entry, local, titles

pytestmark = pytest.mark.django_db
NOW = "2015-11-02 09:00"


@pytest.fixture
def desk() -> Desk:
    return Desk(min_reviews=1, starts_at=local("2015-10-30 00:00"))


def test_a_slot_is_moved_for_one_week_and_the_next_one_stays(desk: Desk) -> None:
    desk.gather(NOW, entry("See You Sunday", "2015-11-01 10:00"))
    issue = desk.approve(NOW)
    flow.move_slot(issue, local("2015-11-06 10:00"), now=local(NOW), by="Edda")
    assert (issue.state, issue.slot, issue.slot_at) == (IssueState.DRAFT, "2015-11-05", local("2015-11-06 10:00"))
    assert issue.cutoff_at == local("2015-11-05 20:00")
    assert flow.decide(issue, now=local("2015-11-05 09:00")).action == "wait"
    desk.send("2015-11-06 10:00")
    assert desk.draft("2015-11-06 11:00").slot_at == local("2015-11-12 08:00")
    assert Event.objects.get(kind="moved").by == "Edda"


@pytest.mark.parametrize(
    ("at", "says"),
    [("2015-11-02 08:59", "is past"), ("2015-11-12 08:00", "another week"), ("2015-10-29 08:00", "past")],
)
def test_a_slot_stays_in_its_week(desk: Desk, at: str, says: str) -> None:
    with pytest.raises(IssueError, match=says):
        flow.move_slot(desk.draft(NOW), local(at), now=local(NOW), by="Edda")


def test_a_week_off_is_taken_back_while_it_is_ahead(desk: Desk) -> None:
    flow.week_off(desk.newsletter, date(2015, 11, 19), "Fair", now=local(NOW), by="Edda")
    flow.take_week_off_back(desk.newsletter, date(2015, 11, 19), now=local(NOW), by="Edda")
    assert not WeekOff.objects.exists()
    with pytest.raises(IssueError, match="is not off"):
        flow.take_week_off_back(desk.newsletter, date(2015, 11, 19), now=local(NOW), by="Edda")


def test_a_special_issue_stands_beside_the_weekly_ones_and_takes_no_week(desk: Desk) -> None:
    desk.gather(NOW, entry("See You Sunday", "2015-11-01 10:00"))
    weekly = desk.draft(NOW)
    special = flow.make_special(desk.newsletter, "Festival 2015", local("2015-11-25 10:00"), now=local(NOW), by="Edda")
    assert (special.slot, special.special, special.state) == ("festival-2015", True, IssueState.DRAFT)
    assert titles(weekly) == ["See You Sunday"]
    assert titles(special) == []
    desk.send("2015-11-05 08:00")
    desk.gather("2015-11-06 09:00", entry("The Salt Road", "2015-11-06 08:00"))
    following = desk.draft("2015-11-06 10:00")
    assert following.slot == "2015-11-12"
    assert not following.special


@pytest.mark.parametrize("name", ["", "Ü", "2015-11-25", "a/b", "x" * 61, "../x"])
def test_a_special_issue_needs_a_name_that_can_stand_in_an_address(desk: Desk, name: str) -> None:
    with pytest.raises(IssueError, match="address"):
        flow.make_special(desk.newsletter, name, local("2015-11-25 10:00"), now=local(NOW), by="Edda")


def test_a_special_issue_is_made_once_and_not_for_the_past(desk: Desk) -> None:
    at = local("2015-11-25 10:00")
    flow.make_special(desk.newsletter, "festival", at, now=local(NOW), by="Edda")
    with pytest.raises(IssueError, match="already"):
        flow.make_special(desk.newsletter, "festival", at + timedelta(days=1), now=local(NOW), by="Edda")
    for wrong in (local(NOW), at + timedelta(days=400)):
        with pytest.raises(IssueError, match=r"past|year"):
            flow.make_special(desk.newsletter, "other", wrong, now=local(NOW), by="Edda")
    assert Issue.objects.filter(special=True).count() == 1
