"""An editor's verbs, what is due, and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from newsletter.core.errors import IssueError, LedgerError
from newsletter.core.week import Action
from newsletter.flow import issue as flow
from newsletter.ledger import issues
from newsletter.models import Carry, Event, Freeze, Issue, LeftOut, Newsletter, Pin, Placement, WeekOff
from tests.factories import make_newsletter
from tests.flow.desk import EDITOR, Desk, entry, issue_of, local, review, titles

pytestmark = pytest.mark.django_db

MONDAY = "2015-11-02 10:00"
NOW = local("2015-11-02 10:30")
BY: dict[str, Any] = {"now": NOW, "by": EDITOR}
HOUR = timedelta(hours=1)


@pytest.fixture
def desk() -> Desk:
    desk = Desk(starts_at=local("2015-01-01 00:00"), min_reviews=1, max_cards=2, max_lines=1)
    desk.gather(
        MONDAY,
        *(
            entry(name, local("2015-11-02 09:00") - number * HOUR, rubric=f"rubric {number}")
            for number, name in enumerate(("Alpha", "Bravo", "Charlie", "Delta"))
        ),
    )
    return desk


def shown(issue: Issue) -> tuple[list[str], list[str]]:
    return titles(issue, "card"), titles(issue, "line")


def test_a_draft_holds_cards_lines_and_a_count_of_who_waits(desk: Desk) -> None:
    issue = desk.draft(NOW)
    assert shown(issue) == (["Alpha", "Bravo"], ["Charlie"])
    assert [str(row.review) for row in Carry.objects.all()] == ["Delta"]
    before = list(Placement.objects.order_by("pk").values())
    placing = flow.place(issue, now=NOW + HOUR)
    assert (placing.added, placing.released, placing.cards, placing.lines, placing.waiting) == (0, 0, 2, 1, 1)
    assert list(Placement.objects.order_by("pk").values()) == before, "placing again changes nothing"


def test_what_has_no_room_comes_first_next_week(desk: Desk) -> None:
    desk.send("2015-11-05 08:00")
    desk.gather("2015-11-09 10:00", *(entry(f"New {n}", "2015-11-09 09:00") for n in range(5)))
    draft = desk.draft("2015-11-09 10:00")
    assert "Delta" in shown(draft)[0]
    assert "carried past 1 issue" in Placement.objects.get(issue=draft, review=review("Delta")).why


def test_a_pin_takes_the_first_card_and_its_end_gives_it_back(desk: Desk) -> None:
    issue = desk.draft(NOW)
    flow.pin(review("Delta"), desk.newsletter, issue, **BY)
    assert shown(issue)[0] == ["Delta", "Alpha"]
    assert shown(issue)[1] == ["Bravo"]
    flow.unpin(review("Delta"), desk.newsletter, issue, **BY)
    assert shown(issue)[0] == ["Alpha", "Bravo"]
    with pytest.raises(IssueError, match="not pinned there"):
        flow.unpin(review("Delta"), desk.newsletter, issue, **BY)


def test_a_pin_until_further_notice_works_in_the_next_issues_until_it_ran(desk: Desk) -> None:
    flow.pin(review("Delta"), desk.newsletter, **BY)
    flow.pin(review("Delta"), desk.newsletter, **BY)
    assert Pin.objects.count() == 1
    flow.skip(desk.draft(NOW), "no time", **BY)
    draft = desk.draft("2015-11-05 09:00")
    assert shown(draft)[0][0] == "Delta"
    desk.send("2015-11-12 08:00")
    with pytest.raises(IssueError, match="Run it again"):
        flow.pin(review("Delta"), desk.newsletter, **BY)


def test_a_pin_voids_the_approval_and_a_refused_one_does_not(desk: Desk) -> None:
    issue = desk.approve(NOW)
    LeftOut.objects.create(newsletter=desk.newsletter, review=review("Delta"), reason="an advertisement", at=NOW)
    with pytest.raises(IssueError, match="left out for good"):
        flow.pin(review("Delta"), desk.newsletter, issue, **BY)
    issue.refresh_from_db()
    assert issue.state == "approved"
    assert Freeze.objects.get().voided_at is None


def test_a_pin_is_refused_for_an_embargo_and_for_what_another_issue_holds(desk: Desk) -> None:
    issue = desk.draft(NOW)
    desk.gather("2015-11-02 10:40", entry("Preview", "2015-11-20 12:00"))
    with pytest.raises(IssueError, match="nothing runs before 2015-11-20 17:00 UTC"):
        flow.pin(review("Preview"), desk.newsletter, issue, **BY)
    special = Issue.objects.create(
        newsletter=desk.newsletter, slot="special", slot_at=NOW, cutoff_at=NOW + HOUR, number=9, created_at=NOW
    )
    with pytest.raises(IssueError, match="issue of 2015-11-05 holds this review"):
        flow.pin(review("Alpha"), desk.newsletter, special, **BY)


def test_left_out_of_one_issue_a_review_is_in_the_next(desk: Desk) -> None:
    issue = desk.draft(NOW)
    flow.leave_out(review("Alpha"), desk.newsletter, issue, **BY)
    assert shown(issue) == (["Bravo", "Charlie"], ["Delta"])
    desk.send("2015-11-05 08:00")
    assert titles(desk.draft("2015-11-05 09:00")) == ["Alpha"]


def test_left_out_for_good_a_review_never_runs_until_it_is_brought_back(desk: Desk) -> None:
    with pytest.raises(IssueError, match="needs a reason"):
        flow.leave_out(review("Alpha"), desk.newsletter, **BY)
    issue = desk.approve(NOW)
    flow.leave_out(review("Alpha"), desk.newsletter, reason="an advertisement", **BY)
    issue.refresh_from_db()
    assert (issue.state, "Alpha" in titles(issue)) == ("draft", False)
    desk.send("2015-11-05 08:00")
    assert "Alpha" not in titles(desk.draft("2015-11-05 09:00"))
    flow.bring_back(review("Alpha"), desk.newsletter, **BY)
    assert titles(desk.draft("2015-11-05 09:00")) == ["Alpha"]
    with pytest.raises(IssueError, match="not left out"):
        flow.bring_back(review("Alpha"), desk.newsletter, **BY)


def test_bringing_back_to_one_issue_places_it_again(desk: Desk) -> None:
    issue = desk.draft(NOW)
    flow.leave_out(review("Alpha"), desk.newsletter, issue, **BY)
    flow.bring_back(review("Alpha"), desk.newsletter, issue, **BY)
    assert shown(issue) == (["Alpha", "Bravo"], ["Charlie"])


def test_what_ran_can_be_left_out_of_the_future_and_not_of_its_issue(desk: Desk) -> None:
    issue = desk.send("2015-11-05 08:00")
    with pytest.raises(IssueError, match="nothing of it changes"):
        flow.leave_out(review("Alpha"), desk.newsletter, issue, **BY)
    flow.leave_out(review("Alpha"), desk.newsletter, reason="withdrawn", **BY)
    assert Placement.objects.get(review=review("Alpha")).state == "sent"


def test_including_needs_a_tray(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Archive", "2009-11-02 09:00"))
    flow.include(review("Archive"), **BY)
    with pytest.raises(IssueError, match="in no tray"):
        flow.include(review("Archive"), **BY)
    with pytest.raises(IssueError, match="in no tray"):
        flow.include(review("Alpha"), **BY)


def test_running_again_voids_the_approval_and_keeps_its_place(desk: Desk) -> None:
    desk.send("2015-11-05 08:00")
    issue = desk.approve("2015-11-06 08:00")
    with pytest.raises(LedgerError, match="needs a reason"):
        flow.run_again(review("Alpha"), issue, reason=" ", **BY)
    issue.refresh_from_db()
    assert issue.state == "approved", "a refusal changes nothing"
    flow.run_again(review("Alpha"), issue, reason="it won a prize", **BY)
    issue.refresh_from_db()
    assert issue.state == "draft"
    flow.place(issue, now=NOW)
    assert "Alpha" in titles(issue)
    assert Placement.objects.get(issue=issue, review=review("Alpha")).run_reason == "it won a prize"


def test_what_an_editor_moved_or_edited_stays_where_it_is(desk: Desk) -> None:
    issue = desk.draft(NOW)
    bravo = Placement.objects.get(review=review("Bravo"))
    flow.edit_fields(bravo, {"dek": "In our own words."}, **BY)
    charlie = Placement.objects.get(review=review("Charlie"))
    flow.move(charlie, kind="card", position=1, **BY)
    flow.place(issue, now=NOW)
    assert shown(issue)[0] == ["Charlie", "Bravo"]
    desk.gather("2015-11-02 11:00", entry("Echo", "2015-11-02 10:50", word_count=900))
    assert shown(issue)[0] == ["Charlie", "Bravo"]
    with pytest.raises(IssueError, match="a card or a line"):
        flow.move(charlie, kind="banner", position=1, **BY)


def test_after_the_cutoff_cards_stay_and_only_room_that_an_editor_made_is_filled(desk: Desk) -> None:
    issue = desk.draft(NOW)
    cutoff = local("2015-11-04 18:00")
    flow.decide(issue, now=cutoff)
    desk.gather("2015-11-04 18:10", entry("Echo", "2015-11-04 18:05", word_count=900))
    assert shown(issue) == (["Alpha", "Bravo"], ["Charlie"])
    flow.leave_out(review("Bravo"), desk.newsletter, issue, now=cutoff + HOUR, by=EDITOR)
    assert shown(issue) == (["Alpha", "Charlie"], ["Delta"])


def test_words_of_a_field_that_is_none_are_refused_and_none_takes_them_back(desk: Desk) -> None:
    row = Placement.objects.get(review=review("Alpha"))
    with pytest.raises(IssueError, match=r"no field 'position'.*title"):
        flow.edit_fields(row, {"position": "1"}, **BY)
    flow.edit_fields(row, {"title": "Alpha!", "dek": ""}, **BY)
    flow.edit_fields(row, {"title": None}, **BY)
    assert Placement.objects.get(pk=row.pk).edits == {"dek": ""}
    issue = desk.approve(NOW)
    flow.edit_fields(row, {"dek": ""}, **BY)
    issue.refresh_from_db()
    assert issue.state == "approved", "an edit that changes nothing voids nothing"


def test_room_of_one_issue_can_be_raised(desk: Desk) -> None:
    issue = desk.draft(NOW)
    flow.edit_issue(issue, {"max_cards": 4, "note": "A long week."}, **BY)
    assert shown(issue) == (["Alpha", "Bravo", "Charlie", "Delta"], [])
    assert not Carry.objects.exists()
    assert issue.note == "A long week."


def test_an_approval_needs_a_draft_with_a_review_and_no_blocking_check(desk: Desk) -> None:
    empty = flow.ensure_draft(make_newsletter(slug="empty"), now=NOW)
    with pytest.raises(IssueError, match="no review in this issue"):
        flow.approve(empty, EDITOR, now=NOW)
    desk.newsletter.mailing_list.subscriptions.all().delete()
    issue = desk.draft(NOW)
    with pytest.raises(IssueError):
        flow.approve(issue, EDITOR, now=NOW)
    issue.refresh_from_db()
    assert (issue.state, Freeze.objects.count()) == ("draft", 0)


def test_only_a_draft_can_be_approved(desk: Desk) -> None:
    issue = desk.approve(NOW)
    with pytest.raises(IssueError, match="approved; only a draft"):
        flow.approve(issue, EDITOR, now=NOW)


def test_an_automatic_issue_with_a_blocking_check_is_held_and_then_missed(desk: Desk) -> None:
    Newsletter.objects.update(approval_mode="automatic")
    desk.newsletter.refresh_from_db()
    desk.newsletter.mailing_list.subscriptions.all().delete()
    issue = desk.draft(NOW)
    assert desk.decide("2015-11-05 08:00").action is Action.HOLD
    issue.refresh_from_db()
    assert issue.held_reason
    assert desk.decide("2015-11-05 14:01").action is Action.MISS
    issue.refresh_from_db()
    assert issue.state == "missed"


def test_a_held_issue_is_free_again_once_an_editor_includes_enough() -> None:
    desk = Desk(starts_at=local("2015-01-01 00:00"), min_reviews=2)
    desk.gather(MONDAY, entry("Alpha", "2015-11-02 09:00"), entry("Archive", "2009-11-02 09:00"))
    assert desk.decide("2015-11-04 18:00").action is Action.HOLD
    flow.include(review("Archive"), now=local("2015-11-04 19:00"), by=EDITOR)
    assert desk.decide("2015-11-04 19:01").action is Action.WAIT
    assert desk.draft("2015-11-04 19:02").held_reason == ""


def test_deciding_over_and_over_does_everything_once(desk: Desk) -> None:
    issue = desk.approve(NOW)
    for minutes in range(0, 30, 10):
        at = issue.slot_at + timedelta(minutes=minutes)
        assert flow.decide(issue, now=at).action is Action.SEND
    desk.start(issue, issue.slot_at)
    assert flow.decide(issue, now=issue.slot_at).reason == "The issue is sending."
    assert Event.objects.filter(kind="approved").count() == 1


def test_an_approved_issue_that_nothing_sent_in_time_is_missed_and_its_reviews_go_on(desk: Desk) -> None:
    issue = desk.approve(NOW)
    assert flow.decide(issue, now=issue.slot_at + 6 * HOUR + timedelta(seconds=1)).action is Action.MISS
    assert issue_of("Alpha") == "2015-11-12"


def test_a_week_off_must_be_a_slot_that_is_not_being_sent(desk: Desk) -> None:
    with pytest.raises(IssueError, match="goes out on Thursdays"):
        flow.week_off(desk.newsletter, date(2015, 11, 6), "bridge", **BY)
    desk.send("2015-11-05 08:00")
    with pytest.raises(IssueError, match="The issue of 2015-11-05 is sent"):
        flow.week_off(desk.newsletter, date(2015, 11, 5), "too late", **BY)
    assert not WeekOff.objects.exists()
    for _ in range(2):
        flow.week_off(desk.newsletter, date(2015, 11, 19), "holiday", **BY)
    assert Event.objects.filter(kind="week off").count() == 1
    assert desk.draft("2015-11-05 09:00").slot == "2015-11-12"
    desk.send("2015-11-12 08:00")
    assert desk.draft("2015-11-12 09:00").slot == "2015-11-26"


def test_a_missed_issue_takes_its_reviews_back_from_the_next_draft(desk: Desk) -> None:
    issue = desk.draft(NOW)
    desk.decide("2015-11-05 08:00")
    desk.gather("2015-11-05 09:00", entry("Echo", "2015-11-05 08:50"))
    flow.revive(issue, now=local("2015-11-05 10:00"), by=EDITOR)
    assert sorted(titles(issue)) == ["Alpha", "Bravo", "Charlie"]
    with pytest.raises(IssueError, match="The issue is draft"):
        flow.revive(issue, now=local("2015-11-05 10:00"), by=EDITOR)


def test_a_running_clock_leaves_a_revived_issue_the_hours_of_grace(desk: Desk) -> None:
    issue = desk.draft(NOW)
    assert desk.decide("2015-11-05 08:00").action is Action.MISS
    revived_at = local("2015-11-05 10:00")
    flow.revive(issue, now=revived_at, by=EDITOR)
    for minutes in (0, 1, 359):
        assert flow.decide(issue, now=revived_at + timedelta(minutes=minutes)).action is Action.WAIT
        assert issue.state == "draft"
    flow.approve(issue, EDITOR, now=revived_at + timedelta(minutes=359))
    assert flow.decide(issue, now=revived_at + timedelta(minutes=360)).action is Action.SEND


def test_a_revived_issue_that_nobody_approves_is_missed_again_after_its_grace(desk: Desk) -> None:
    issue = desk.draft(NOW)
    desk.decide("2015-11-05 08:00")
    flow.revive(issue, now=local("2015-11-05 10:00"), by=EDITOR)
    assert flow.decide(issue, now=local("2015-11-05 16:00")).action is Action.MISS
    assert titles(desk.draft("2015-11-05 16:01")) == ["Alpha", "Bravo", "Charlie"]


# --- why ----------------------------------------------------------------------------------------------------------


def told(desk: Desk, text: str) -> flow.Why:
    (one,) = flow.why(text, desk.newsletter, now=NOW)
    return one


def test_why_says_in_out_or_waiting_rule_by_rule(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", entry("Archive", "2009-11-02 09:00"), entry("Preview", "2015-11-20 12:00"))
    assert told(desk, "alpha").state == "in"
    assert told(desk, "alpha").says == "It is placed in the issue of 2015-11-05 as a card, number 1."
    assert told(desk, "https://www.lantern.example.test/alpha/?utm_source=x").title == "Alpha"
    assert (told(desk, "Delta").state, told(desk, "Delta").rules[-1].rule) == ("waiting", "R14 room")
    assert (told(desk, "Archive").state, told(desk, "Archive").says.split('"')[1]) == ("out", "found late")
    assert told(desk, "Preview").state == "waiting"
    flow.leave_out(review("Bravo"), desk.newsletter, desk.draft(NOW), **BY)
    assert told(desk, "Bravo").state == "waiting"
    flow.leave_out(review("Charlie"), desk.newsletter, reason="an advertisement", **BY)
    assert (told(desk, "Charlie").state, told(desk, "Charlie").says[-16:]) == ("out", "an advertisement")
    assert flow.why("Nothing", desk.newsletter, now=NOW) == []
    assert flow.why("!!", desk.newsletter, now=NOW) == []


def test_why_knows_what_ran_what_comes_and_what_was_not_placed_yet(desk: Desk) -> None:
    issue = desk.send("2015-11-05 08:00")
    assert told(desk, "Alpha").says == "It ran in the issue of 2015-11-05 as a card, number 1."
    assert told(desk, "Alpha").issue == issue.slot
    assert (told(desk, "Delta").state, told(desk, "Delta").says) == (
        "waiting",
        "It will be placed in the issue of 2015-11-12.",
    )
    desk.draft("2015-11-05 09:00")
    assert told(desk, "Delta").state == "in"


def test_why_names_every_review_that_a_part_of_a_title_names(desk: Desk) -> None:
    desk.gather("2015-11-02 10:40", *(entry(f"Alpha {n}", "2015-11-02 09:00") for n in range(3)))
    assert sorted(one.title for one in flow.why("ALPHA", desk.newsletter, now=NOW)) == [
        "Alpha", "Alpha 0", "Alpha 1", "Alpha 2",
    ]  # fmt: skip


def test_a_late_arrival_of_an_issue_approved_early_is_told_too(desk: Desk) -> None:
    issue = desk.approve(NOW)
    desk.gather("2015-11-02 11:00", entry("Echo", "2015-11-02 10:50"))
    assert [str(one) for one in flow.late_arrivals(issue)] == ["Echo"]
    issues.skip(issue.pk, "x", now=NOW)


def test_two_editors_words_for_one_card_are_both_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.draft(NOW)
    row = Placement.objects.get(review=review("Alpha"))
    lock, others = issues.lock, [{"dek": "The other's words."}]

    def late(issue_id: int) -> Issue:
        if others:
            Placement.objects.filter(pk=row.pk).update(edits=others.pop())
        return lock(issue_id)

    monkeypatch.setattr(issues, "lock", late)
    flow.edit_fields(row, {"title": "Alpha!"}, **BY)
    assert Placement.objects.get(pk=row.pk).edits == {"title": "Alpha!", "dek": "The other's words."}
