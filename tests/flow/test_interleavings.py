"""Whatever happens in whatever order: a review is sent at most once, and none is forgotten."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from newsletter.core.content import EntryContent
from newsletter.core.errors import IssueError, SourceError
from newsletter.core.week import Action
from newsletter.flow import issue as flow
from newsletter.flow.issue import deciding
from newsletter.ledger import deliveries, issues
from newsletter.models import (
    Delivery,
    DeliveryState,
    Entry,
    Freeze,
    Issue,
    IssueState,
    Newsletter,
    Placement,
    Retry,
    Review,
)
from tests.flow.desk import EDITOR, START, Desk, entry, local

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HOURS = st.sampled_from((1, 5, 14, 24, 60, 170))
WEEKS_TO_DRAIN = 30


@dataclass
class Piece:
    """One review as its author knows it, whatever the sources make of it."""

    name: str
    content: EntryContent
    source: str
    gathered: bool = False


class Desks(RuleBasedStateMachine):
    """A magazine with two overlapping sources, room for two cards and a line, and an editor of many moods."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.now: datetime = local("2015-11-02 10:00")
        self.pieces: list[Piece] = []

    @initialize(automatic=st.booleans(), minimum=st.integers(0, 2))
    def open(self, automatic: bool, minimum: int) -> None:
        mode = Newsletter.ApprovalMode.AUTOMATIC if automatic else Newsletter.ApprovalMode.REQUIRED
        self.desk = Desk(
            starts_at=START, min_reviews=minimum, max_cards=2, max_lines=1, approval_mode=mode, freshness_days=21
        )
        self.desk.add_source("partner", preference=200)

    def teardown(self) -> None:
        try:
            if hasattr(self, "desk"):
                self.drain()
        finally:
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    # --- the magazine ---------------------------------------------------------------------------------------------

    @rule(source=st.sampled_from(("feed", "partner")), dated=st.sampled_from((-1, -30, 70, 0, -24 * 40)))
    def new(self, source: str, dated: int) -> None:
        name = f"Work {chr(65 + len(self.pieces) % 26)}{len(self.pieces)} of the season"
        published = self.now + timedelta(hours=dated) if dated else None
        content = entry(name, published, rubric=("movie", "book")[len(self.pieces) % 2])
        self.pieces.append(Piece(name, content, source))
        self.publish(content, source)

    @precondition(lambda self: self.pieces)
    @rule(pick=st.integers(0), bump=st.booleans())
    def update(self, pick: int, bump: bool) -> None:
        piece = self.pieces[pick % len(self.pieces)]
        fields: dict[str, object] = {"body_text": f"{piece.content.body_text} And more."}
        if bump:
            fields["published_at"] = self.now
        self.alter(piece, **fields)

    @precondition(lambda self: self.pieces)
    @rule(pick=st.integers(0), how=st.sampled_from(("scheme", "guid", "tracking", "copy")))
    def change_guid(self, pick: int, how: str) -> None:
        piece = self.pieces[pick % len(self.pieces)]
        guid, url = piece.content.guid, piece.content.url
        match how:
            case "scheme":
                self.alter(piece, guid=guid.replace("https://", "http://www."))
            case "guid":
                self.alter(piece, guid=f"moved-{guid}")
            case "tracking":
                self.alter(piece, url=f"{url}?utm_source=feed")
            case "copy":
                other = "partner" if piece.source == "feed" else "feed"
                copy = entry(piece.name, piece.content.published_at, guid=f"copy-{guid}", url=f"{url}#copy")
                self.publish(copy, other)

    def publish(self, content: EntryContent, source: str) -> None:
        shelf = self.desk.shelves[source]
        if not isinstance(shelf, SourceError):
            self.desk.shelves[source] = (content, *(one for one in shelf if one.guid != content.guid))[:15]

    def alter(self, piece: Piece, **fields: object) -> None:
        before = piece.content
        self.desk.change(before, piece.source, **fields)
        found = [one for one in self.desk.shelves[piece.source] if one.url == fields.get("url", before.url)]
        if found:
            piece.content = found[0]

    # --- the machine ----------------------------------------------------------------------------------------------

    @rule(hours=HOURS)
    def advance(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def gather(self) -> None:
        self.desk.poll(self.now)
        known = set(Entry.objects.values_list("title", flat=True))
        for piece in self.pieces:
            piece.gathered = piece.gathered or piece.name in known

    @rule()
    def crash_while_gathering(self) -> None:
        with transaction.atomic():
            self.desk.poll(self.now)
            transaction.set_rollback(True)

    @rule()
    def tick(self) -> None:
        """What cron does: decide, and send what is due."""
        issue = flow.ensure_draft(self.desk.newsletter, now=self.now)
        if flow.decide(issue, now=self.now).action is Action.SEND:
            self.start(issue)

    @rule()
    def approve(self) -> None:
        issue = self.desk.draft(self.now)
        if issue.state == IssueState.DRAFT and Placement.objects.filter(issue=issue, state="reserved").exists():
            flow.approve(issue, EDITOR, now=self.now)

    @rule()
    def send_now(self) -> None:
        for issue in Issue.objects.filter(state=IssueState.APPROVED):
            self.start(issue)

    def start(self, issue: Issue) -> None:
        try:
            deliveries.start(issue.pk, now=self.now)
        except IssueError as error:
            assert "hours ago" in str(error)

    @precondition(lambda self: Issue.objects.filter(state=IssueState.SENDING).exists())
    @rule(count=st.integers(0, 3), uncertain=st.booleans())
    def deliver(self, count: int, uncertain: bool) -> None:
        """Some messages are taken; perhaps the worker dies in the middle of the next one."""
        for issue in Issue.objects.filter(state=IssueState.SENDING):
            if uncertain:
                row = Delivery.objects.filter(issue=issue, state=DeliveryState.PENDING).first()
                Delivery.objects.filter(pk=row.pk if row else None).update(state=DeliveryState.UNCERTAIN)
            self.desk.accept(issue, self.now, count)

    @rule(pause=st.booleans())
    def pause_or_resume(self, pause: bool) -> None:
        for issue in Issue.objects.filter(state=IssueState.SENDING if pause else IssueState.PAUSED):
            if pause:
                issues.pause(issue.pk, "the server is away", now=self.now)
            else:
                issues.resume(issue.pk, now=self.now)

    # --- the editor -----------------------------------------------------------------------------------------------

    @rule()
    def skip(self) -> None:
        for issue in Issue.objects.filter(state__in=issues.OPEN):
            flow.skip(issue, "a quiet week", now=self.now, by=EDITOR)

    @rule()
    def discard(self) -> None:
        for issue in Issue.objects.filter(state__in=(*issues.OPEN, IssueState.PAUSED)):
            nothing = issues.nothing_sent(issue.pk)
            try:
                flow.discard(issue, "start again", now=self.now, by=EDITOR)
            except IssueError:
                assert not nothing
            else:
                assert nothing
                assert not Retry.objects.filter(issue=issue).exists()

    @rule()
    def stop(self) -> None:
        for issue in Issue.objects.filter(state=IssueState.PAUSED):
            if not issues.nothing_sent(issue.pk):
                deliveries.stop(issue.pk, now=self.now)

    @rule()
    def week_off(self) -> None:
        issue = self.desk.draft(self.now)
        day = datetime.fromisoformat(issue.slot).date()
        flow.week_off(self.desk.newsletter, day, "a holiday", now=self.now, by=EDITOR)

    @rule()
    def revive(self) -> None:
        for issue in Issue.objects.filter(state=IssueState.MISSED):
            flow.revive(issue, now=self.now, by=EDITOR)

    @precondition(lambda self: Review.objects.exists())
    @rule(pick=st.integers(0), verb=st.sampled_from(("pin", "leave out", "include", "edit")))
    def edit(self, pick: int, verb: str) -> None:
        reviews = list(Review.objects.select_related("representative").order_by("pk"))
        chosen = reviews[pick % len(reviews)]
        issue = self.desk.draft(self.now)
        placement = Placement.objects.filter(issue=issue, review=chosen, state="reserved").first()
        try:
            match verb:
                case "pin":
                    flow.pin(chosen, self.desk.newsletter, issue, now=self.now, by=EDITOR)
                case "leave out":
                    flow.leave_out(chosen, self.desk.newsletter, issue, now=self.now, by=EDITOR)
                case "include":
                    flow.include(chosen, now=self.now, by=EDITOR)
                case "edit" if placement:
                    flow.edit_fields(placement, {"dek": "In an editor's words."}, now=self.now, by=EDITOR)
        except IssueError:
            return

    # --- the promises ---------------------------------------------------------------------------------------------

    @invariant()
    def each_review_is_sent_at_most_once(self) -> None:
        sent = Counter(Placement.objects.filter(state="sent").values_list("review", flat=True))
        assert not sent or max(sent.values()) == 1
        # And as a reader sees it: by the name of the work, in issues of which a message was taken.
        taken = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
        seen = Counter(
            str(row.review)
            for row in Placement.objects.filter(state__in=("sent", "reserved"))
            .filter(issue__in=Delivery.objects.filter(state__in=taken).values("issue"))
            .select_related("review__representative")
        )
        assert not seen or max(seen.values()) == 1

    @invariant()
    def one_work_is_one_review(self) -> None:
        rows = Counter(Entry.objects.values_list("title", "review").distinct().values_list("title", flat=True))
        assert all(count == 1 for count in rows.values())

    @invariant()
    def an_issue_that_ran_keeps_its_reviews_and_one_that_did_not_holds_none(self) -> None:
        for issue in Issue.objects.all():
            states = set(Placement.objects.filter(issue=issue).values_list("state", flat=True)) - {"released"}
            match issue.state:
                case "sending" | "sent":
                    assert states == {"sent"}
                case "draft" | "approved":
                    assert states <= {"reserved"}
                case "paused":
                    assert states <= ({"reserved"} if issues.nothing_sent(issue.pk) else {"sent", "reserved"})
                case _:
                    assert not states

    def drain(self) -> None:
        """Bring everything to an end with good weeks only: what was gathered must all have run, or lie in a tray."""
        self.pause_or_resume(pause=False)
        for issue in Issue.objects.filter(state=IssueState.SENDING):
            self.desk.accept(issue, self.now)
        Newsletter.objects.update(min_reviews=1, approval_mode=Newsletter.ApprovalMode.REQUIRED)
        self.desk.newsletter.refresh_from_db()
        for _ in range(WEEKS_TO_DRAIN):
            self.gather()
            issue = self.desk.draft(self.now)
            if issue.state == IssueState.DRAFT:
                if not Placement.objects.filter(issue=issue, state="reserved").exists() and not self.embargoed():
                    break
                self.now = max(self.now, issue.cutoff_at)
                flow.decide(issue, now=self.now)
                if issue.state != IssueState.DRAFT or not Placement.objects.filter(issue=issue).exists():
                    self.now = max(self.now, issue.slot_at)
                    flow.decide(issue, now=self.now)
                    continue
                flow.approve(issue, EDITOR, now=self.now)
            self.now = max(self.now, issue.slot_at)
            deliveries.start(issue.pk, now=self.now, confirmed=True)
            self.desk.accept(issue, self.now)
            self.each_review_is_sent_at_most_once()
        for piece in self.pieces:
            if not piece.gathered:
                continue
            row = Review.objects.filter(entries__title=piece.name).distinct().get()
            sent = Placement.objects.filter(review=row, state="sent").count()
            in_tray = row.tray != Review.Tray.NONE and row.included_at is None
            assert sent == 1 or (in_tray and not sent), f"{piece.name} was forgotten: {row.tray!r}"

    def embargoed(self) -> bool:
        return Review.objects.filter(embargoed_until__gt=self.now).exists()


def test_any_interleaving_sends_each_review_at_most_once_and_forgets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "blockers", lambda issue, now: ())
    monkeypatch.setattr(deciding, "freeze", _freeze)
    most = settings.default.max_examples if settings.default else 100
    run_state_machine_as_test(
        Desks,
        settings=settings(max_examples=max(20, most // 15), stateful_step_count=40, deadline=None),
    )


def _freeze(issue: Issue, now: datetime) -> Freeze:
    """A freeze without its letter: what compiling costs is tested elsewhere."""
    inputs = json.dumps({"audience": {"list": issue.newsletter.mailing_list.slug, "rule": {}}})
    return Freeze.objects.create(issue=issue, fingerprint="0" * 64, inputs=inputs, created_at=now)
