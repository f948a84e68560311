"""Every transition of an issue: what it needs, what it moves along, and that two at once can't both do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from newsletter.core.errors import IssueError, LedgerError
from newsletter.core.week import Slot
from newsletter.ledger import issues, placements
from newsletter.models import (
    Batch,
    BatchState,
    Carry,
    Delivery,
    DeliveryState,
    Event,
    Freeze,
    Issue,
    IssueState,
    Newsletter,
    Placement,
    PlacementState,
    Retry,
    Review,
)
from tests.factories import make_newsletter

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 5, 13, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATES = list(IssueState)


def slot(key: str = "2026-11-05", at: datetime = NOW) -> Slot:
    return Slot(key, at, at - 14 * HOUR)


@pytest.fixture
def newsletter() -> Newsletter:
    return make_newsletter()


def make_review() -> Review:
    return Review.objects.create(first_seen_at=NOW, effective_at=NOW)


def make_issue(newsletter: Newsletter, state: str = "draft", key: str = "2026-11-05", **fields: Any) -> Issue:
    """An issue in a state, with one review as that state has it, and three deliveries once it began."""
    issue, _ = issues.create(newsletter, slot(key), NOW - 48 * HOUR)
    placement = placements.reserve(
        issue, make_review().pk, kind="card", position=1, why="R1: eligible", content_hash="", now=NOW
    )
    assert placement is not None
    started = state in issues.STARTED
    freeze = Freeze.objects.create(issue=issue, fingerprint="f" * 64, inputs="{}", created_at=NOW)
    if state in (*issues.STARTED, "approved"):
        fields = {"freeze": freeze, "approved_by": "Edda", **fields}
    if started:
        placements.mark_sent(issue.pk, NOW)
        fields = {"started_at": NOW, "audience_count": 3, **fields}
        for name in "abc":
            Delivery.objects.create(issue=issue, address=f"{name}@example.org", at=NOW)
    elif state not in issues.OPEN:
        placements.release_all(issue.pk, NOW)
    Issue.objects.filter(pk=issue.pk).update(state=state, **fields)
    issue.refresh_from_db()
    return issue


def placed(issue: Issue) -> set[str]:
    return set(Placement.objects.filter(issue=issue).values_list("state", flat=True))


def decide_deliveries(issue: Issue, *states: str) -> None:
    for row, state in zip(Delivery.objects.filter(issue=issue).order_by("pk"), states, strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state)


def begin(issue: Issue, *, confirmed: bool = False, now: datetime = NOW) -> None:
    with transaction.atomic():
        issues.begin_sending(issue.pk, now=now, confirmed=confirmed)


def approve(issue: Issue) -> None:
    freeze = Freeze.objects.filter(issue=issue).latest("pk")
    issues.approve(issue.pk, freeze.pk, now=NOW, by="Edda")


TRANSITIONS: dict[str, tuple[Callable[[Issue], Any], set[str], str]] = {
    "approve": (approve, {"draft"}, "approved"),
    "begin": (begin, {"approved"}, "sending"),
    "pause": (lambda issue: issues.pause(issue.pk, "why", now=NOW), {"sending"}, "paused"),
    "resume": (lambda issue: issues.resume(issue.pk, now=NOW), {"paused"}, "sending"),
    "skip": (lambda issue: issues.skip(issue.pk, "why", now=NOW), {"draft", "approved"}, "skipped"),
    "miss": (lambda issue: issues.miss(issue.pk, "why", now=NOW), {"draft", "approved"}, "missed"),
    "discard": (lambda issue: issues.discard(issue.pk, "why", now=NOW), {"draft", "approved", "paused"}, "discarded"),
    "revive": (lambda issue: issues.revive(issue.pk, now=NOW, by="Edda"), {"missed"}, "draft"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", TRANSITIONS)
def test_a_transition_leaves_the_states_it_is_made_for_and_no_other(
    newsletter: Newsletter, verb: str, state: str
) -> None:
    act, allowed, after = TRANSITIONS[verb]
    issue = make_issue(newsletter, state)
    before = (placed(issue), Event.objects.count())
    if state in allowed:
        act(issue)
        issue.refresh_from_db()
        assert issue.state == after
        assert Event.objects.count() > before[1], "people see what happened"
    else:
        with pytest.raises(IssueError, match=f"The issue is {state}"):
            act(issue)
        issue.refresh_from_db()
        assert (issue.state, placed(issue), Event.objects.count()) == (state, *before)


def test_a_slot_has_one_issue_however_often_it_is_asked_for(newsletter: Newsletter) -> None:
    first, made = issues.create(newsletter, slot(), NOW)
    second, again = issues.create(newsletter, slot(), NOW)
    assert (first.pk, made, again) == (second.pk, True, False)


def test_numbers_leave_no_gap_for_what_did_not_go_out(newsletter: Newsletter) -> None:
    make_issue(newsletter, "sent", "2026-10-22")
    make_issue(newsletter, "skipped", "2026-10-29")
    missed = make_issue(newsletter, "missed", "2026-11-05")
    draft, _ = issues.create(newsletter, slot("2026-11-12"), NOW)
    assert draft.number == 2
    issues.revive(missed.pk, now=NOW, by="Edda")
    missed.refresh_from_db()
    assert missed.number == 3


def test_beginning_marks_the_reviews_as_sent_in_the_same_transaction(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "approved")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        issues.begin_sending(issue.pk, now=NOW)
        assert placed(issue) == {"sent"}
        raise ZeroDivisionError  # the audience could not be frozen
    issue.refresh_from_db()
    assert (issue.state, placed(issue)) == ("approved", {"reserved"})
    begin(issue)
    assert placed(issue) == {"sent"}


@pytest.mark.django_db(transaction=True)
def test_beginning_outside_a_transaction_is_a_fault() -> None:
    issue = make_issue(make_newsletter(), "approved")
    with pytest.raises(RuntimeError):
        issues.begin_sending(issue.pk, now=NOW)


@pytest.mark.parametrize(("minutes", "late"), [(0, False), (15, False), (16, True), (300, True)])
def test_what_begins_after_its_slot_is_marked_late(newsletter: Newsletter, minutes: int, late: bool) -> None:
    issue = make_issue(newsletter, "approved")
    begin(issue, now=NOW + timedelta(minutes=minutes))
    issue.refresh_from_db()
    assert issue.late is late


@pytest.mark.parametrize("other", ["sending", "paused", "sent"])
def test_two_issues_within_the_gap_need_a_confirmation(newsletter: Newsletter, other: str) -> None:
    make_issue(newsletter, other, "special", started_at=NOW - 19 * HOUR)
    issue = make_issue(newsletter, "approved")
    with pytest.raises(IssueError, match="less than 20 hours ago"):
        begin(issue)
    assert placed(issue) == {"reserved"}
    begin(issue, confirmed=True)
    assert placed(issue) == {"sent"}


def test_the_gap_is_of_one_newsletter_and_ends(newsletter: Newsletter) -> None:
    make_issue(newsletter, "sent", "special", started_at=NOW - 20 * HOUR)
    make_issue(make_newsletter(slug="monthly"), "sent", started_at=NOW - HOUR)
    begin(make_issue(newsletter, "approved"))


def test_an_edit_voids_the_approval_and_its_freeze_for_good(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "approved")
    freeze = issue.freeze
    assert freeze is not None
    issues.write(issue.pk, {"subject": "Nightjar and others"}, now=NOW, by="Edda")
    issue.refresh_from_db()
    freeze.refresh_from_db()
    assert (issue.state, issue.freeze, issue.approved_by, issue.subject) == ("draft", None, "", "Nightjar and others")
    assert freeze.voided_at == NOW
    with pytest.raises(IssueError, match="voided"):
        issues.approve(issue.pk, freeze.pk, now=NOW, by="Edda")


def test_an_edit_that_changes_nothing_voids_nothing(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "approved", subject="As before")
    issues.write(issue.pk, {"subject": "As before"}, now=NOW, by="Edda")
    issue.refresh_from_db()
    assert issue.state == "approved"


def test_a_voided_freeze_is_never_sent(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "approved")
    Freeze.objects.update(voided_at=NOW)
    with pytest.raises(IssueError, match="approval of this issue is void"):
        begin(issue)


@pytest.mark.parametrize("state", ["sending", "paused", "sent", "skipped", "missed", "discarded"])
def test_nothing_of_a_decided_issue_changes(newsletter: Newsletter, state: str) -> None:
    issue = make_issue(newsletter, state)
    with pytest.raises(IssueError):
        issues.write(issue.pk, {"subject": "Other"}, now=NOW, by="Edda")


def test_an_unknown_field_of_an_issue_is_named(newsletter: Newsletter) -> None:
    with pytest.raises(IssueError, match=r"no field 'state'.*subject"):
        issues.write(make_issue(newsletter).pk, {"state": "sent"}, now=NOW, by="Edda")


@pytest.mark.parametrize("taken", [DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN])
def test_a_pause_gives_nothing_back_once_a_message_may_have_been_taken(newsletter: Newsletter, taken: str) -> None:
    issue = make_issue(newsletter, "sending")
    decide_deliveries(issue, taken, "pending", "pending")
    issues.pause(issue.pk, "crash", now=NOW)
    assert placed(issue) == {"sent"}
    with pytest.raises(IssueError, match="can't be discarded"):
        issues.discard(issue.pk, "again", now=NOW)


@pytest.mark.parametrize("again", [False, True], ids=["a batch", "a retry"])
def test_of_what_a_worker_holds_something_may_have_been_taken(newsletter: Newsletter, again: bool) -> None:
    issue = make_issue(newsletter, "sending")
    if again:
        row = Delivery.objects.filter(issue=issue)[0]
        Retry.objects.create(delivery=row, issue=issue, due_at=NOW, owner="somebody")
    else:
        Batch.objects.create(issue=issue, lo=1, hi=3, state=BatchState.CLAIMED, owner="somebody")
    issues.pause(issue.pk, "crash", now=NOW)
    assert placed(issue) == {"sent"}
    with pytest.raises(IssueError, match="can't be discarded"):
        issues.discard(issue.pk, "again", now=NOW)


def test_nothing_sent_yet_is_paused_with_the_reviews_only_reserved(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "sending")
    decide_deliveries(issue, "failed", "excluded", "pending")
    issues.pause(issue.pk, "the login was refused", now=NOW)
    assert placed(issue) == {"reserved"}
    issues.resume(issue.pk, now=NOW)
    assert placed(issue) == {"sent"}


def test_a_resumed_issue_is_late_only_while_nothing_was_sent(newsletter: Newsletter) -> None:
    first = make_issue(newsletter, "paused")
    issues.resume(first.pk, now=NOW + HOUR)
    second = make_issue(newsletter, "paused", "2026-11-12", slot_at=NOW)
    decide_deliveries(second, "accepted", "pending", "pending")
    issues.resume(second.pk, now=NOW + HOUR)
    assert list(Issue.objects.order_by("slot").values_list("late", flat=True)) == [True, False]


def test_a_discard_before_any_acceptance_ends_every_delivery_and_gives_the_reviews_back(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "paused")
    Batch.objects.create(issue=issue, lo=1, hi=3, state=BatchState.OPEN, fence=1)
    Retry.objects.create(delivery=Delivery.objects.filter(issue=issue)[0], issue=issue, due_at=NOW)
    Carry.objects.create(issue=issue, review=make_review())
    decide_deliveries(issue, "failed", "pending", "pending")
    issues.discard(issue.pk, "wrong subject", now=NOW)
    assert placed(issue) == {"released"}
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["excluded", "excluded", "failed"]
    assert Batch.objects.get().state == BatchState.SETTLED
    assert not Retry.objects.exists()
    assert not Carry.objects.exists()


@pytest.mark.parametrize(
    "states",
    [("accepted", "accepted", "pending"), ("pending", "pending", "pending"), ("accepted", "failed", "pending")],
)
def test_an_issue_with_something_pending_is_never_finished(newsletter: Newsletter, states: tuple[str, ...]) -> None:
    issue = make_issue(newsletter, "sending")
    decide_deliveries(issue, *states)
    with pytest.raises(IssueError, match=r"Stopped at \d of 3"):
        issues.finish(issue.pk, now=NOW)
    issue.refresh_from_db()
    assert issue.state == "sending"


def test_an_issue_is_finished_when_its_four_final_states_add_up(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "sending", audience_count=4)
    decide_deliveries(issue, "accepted", "failed", "uncertain")
    with pytest.raises(IssueError, match="Stopped at 3 of 4"):
        issues.finish(issue.pk, now=NOW)
    Delivery.objects.create(issue=issue, address="d@example.org", state="excluded", at=NOW)
    issues.finish(issue.pk, now=NOW)
    issue.refresh_from_db()
    assert (issue.state, issue.finished_at) == ("sent", NOW)


def test_what_a_worker_holds_keeps_an_issue_unfinished(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "sending")
    decide_deliveries(issue, "accepted", "accepted", "accepted")
    Batch.objects.create(issue=issue, lo=1, hi=3, state=BatchState.CLAIMED, owner="somebody")
    with pytest.raises(IssueError, match="not finished"):
        issues.finish(issue.pk, now=NOW)


@pytest.mark.parametrize("state", ["sending", "paused"])
def test_a_stopped_issue_is_sent_and_its_reviews_have_run(newsletter: Newsletter, state: str) -> None:
    issue = make_issue(newsletter, state)
    placements.back_to_reserved(issue.pk, NOW)
    decide_deliveries(issue, "accepted", "excluded", "excluded")
    issues.stop(issue.pk, now=NOW)
    issue.refresh_from_db()
    assert (issue.state, placed(issue)) == ("sent", {"sent"})


def test_an_issue_of_which_nothing_was_sent_can_not_be_stopped(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "paused")
    decide_deliveries(issue, "excluded", "excluded", "failed")
    with pytest.raises(IssueError, match="Discard it instead"):
        issues.stop(issue.pk, now=NOW)
    decide_deliveries(issue, "excluded", "excluded", "pending")
    with pytest.raises(IssueError, match="Stopped at 2 of 3"):
        issues.stop(issue.pk, now=NOW)


def test_a_hold_is_told_once_per_reason(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter)
    assert issues.hold(issue.pk, "too few", NOW)
    assert not issues.hold(issue.pk, "too few", NOW)
    assert issues.hold(issue.pk, "", NOW)
    assert Event.objects.filter(kind="held").count() == 1
    assert not issues.hold(make_issue(newsletter, "sent", "x").pk, "too few", NOW)


def test_the_cutoffs_placing_is_recorded_once(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter)
    assert issues.mark_placed(issue.pk, NOW)
    assert not issues.mark_placed(issue.pk, NOW + HOUR)
    issue.refresh_from_db()
    assert issue.placed_at == NOW


# --- placements ---------------------------------------------------------------------------------------------------


def hold(issue: Issue, review: Review) -> Placement | None:
    return placements.reserve(issue, review.pk, kind="card", position=1, why="R1: eligible", content_hash="", now=NOW)


def test_two_issues_never_hold_one_review(newsletter: Newsletter) -> None:
    one, other, review = make_issue(newsletter), make_issue(newsletter, key="special"), make_review()
    assert hold(one, review) is not None
    assert hold(other, review) is None
    assert hold(one, review) is None
    placements.release_all(one.pk, NOW)
    assert hold(other, review) is not None


def test_two_newsletters_may_both_run_a_review(newsletter: Newsletter) -> None:
    review = make_review()
    assert hold(make_issue(newsletter), review) is not None
    assert hold(make_issue(make_newsletter(slug="monthly")), review) is not None


def test_a_review_that_comes_back_to_its_issue_keeps_the_editors_words(newsletter: Newsletter) -> None:
    issue, review = make_issue(newsletter), make_review()
    row = hold(issue, review)
    assert row is not None
    placements.edit(row, {"title": "Nightjar!"}, "h")
    placements.release([row.pk], NOW)
    back = hold(issue, review)
    assert back is not None
    assert (back.pk, back.edits, back.state) == (row.pk, {"title": "Nightjar!"}, "reserved")


def test_what_was_sent_is_not_given_back(newsletter: Newsletter) -> None:
    issue = make_issue(newsletter, "sent")
    assert placements.release(Placement.objects.values_list("pk", flat=True), NOW) == 0
    assert placements.release_all(issue.pk, NOW) == 0
    row = Placement.objects.get()
    with pytest.raises(LedgerError, match="not reserved any more"):
        placements.arrange(row, kind="line", position=1, why="x", pinned=False)
    with pytest.raises(LedgerError, match="not reserved any more"):
        placements.edit(row, {}, "")


def test_running_again_needs_a_first_run_and_a_reason(newsletter: Newsletter) -> None:
    review = Placement.objects.get(issue=make_issue(newsletter, "sent", "2026-10-29")).review
    issue = make_issue(newsletter)

    def again(chosen: Review, reason: str) -> Placement:
        return placements.run_again(issue, chosen.pk, reason, kind="card", position=9, content_hash="", now=NOW)

    with pytest.raises(LedgerError, match="needs a reason"):
        again(review, "  ")
    with pytest.raises(LedgerError, match="has not run yet"):
        again(make_review(), "prize")
    assert again(review, "it won a prize").run == 2
    with pytest.raises(LedgerError, match="holds this review already"):
        again(review, "twice")
    placements.mark_sent(issue.pk, NOW)
    later = make_issue(newsletter, key="2026-11-12")
    third = placements.run_again(later, review.pk, "once more", kind="card", position=9, content_hash="", now=NOW)
    assert (third.run, third.state) == (3, PlacementState.RESERVED)
