"""After the send: counts that add up, the names behind each, and what it taught about the people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from newsletter.core.replies import Kind
from newsletter.core.sentence import sentence, together, word
from newsletter.flow import bounce
from newsletter.flow.compile import subject_of
from newsletter.ledger import deliveries
from newsletter.models import (
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    Event,
    Issue,
    IssueState,
    Retry,
)
from subscribers.models import Subscription

TAUGHT = "taught"
NAMED = (DeliveryState.FAILED, DeliveryState.EXCLUDED, DeliveryState.UNCERTAIN, DeliveryState.PENDING)


@dataclass(frozen=True, slots=True)
class Counts:
    """Every frozen delivery once. `pending` are nobody's yet, `claimed` are pending in a worker's hands; `waiting` says
    how many of both wait for another try, `undecided` how many of the uncertain nobody has looked at.
    """

    frozen: int
    pending: int
    claimed: int
    accepted: int
    failed: int
    excluded: int
    uncertain: int
    waiting: int
    undecided: int

    @property
    def decided(self) -> int:
        """How many are final."""
        return self.accepted + self.failed + self.excluded + self.uncertain

    @property
    def adds_up(self) -> bool:
        """Whether the states account for the frozen count, no more and no less."""
        return self.pending + self.claimed + self.decided == self.frozen

    @property
    def complete(self) -> bool:
        """R11: nothing pending, nothing claimed, and the four final states make the frozen count."""
        return self.decided == self.frozen and not self.pending and not self.claimed


@dataclass(frozen=True, slots=True)
class Named:
    """One delivery by name. `address` is "" once the person is erased."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """One issue's send. `label` is what a person calls its state; `sentence` says it in one line."""

    issue: str
    subject: str
    state: str
    label: str
    sentence: str
    started_at: datetime | None
    finished_at: datetime | None
    counts: Counts
    reasons: dict[str, dict[str, int]]
    names: dict[str, tuple[Named, ...]]
    next_try: datetime | None = None

    @property
    def clean(self) -> bool:
        """Whether nobody needs to look."""
        return self.state == IssueState.SENT and not self.counts.failed and not self.counts.undecided

    def as_dict(self) -> dict[str, Any]:
        """Plain data for --json: times as ISO 8601."""
        data = asdict(self)
        data |= {key: value.isoformat() if value else None for key, value in self._times().items()}
        return {**data, "complete": self.counts.complete}

    def _times(self) -> dict[str, datetime | None]:
        return {"started_at": self.started_at, "finished_at": self.finished_at, "next_try": self.next_try}


def report(issue: Issue) -> Report:
    """The report of an issue as it stands; all zero before its send has begun."""
    issue = Issue.objects.select_related("newsletter", "freeze").get(pk=issue.pk)
    found = counts(issue)
    return Report(
        issue=f"{issue.newsletter.slug}/{issue.slot}",
        subject=subject_of(issue),
        state=issue.state,
        label=_label(issue, found),
        sentence=_sentence(issue, found),
        started_at=issue.started_at,
        finished_at=issue.finished_at,
        counts=found,
        reasons=_reasons(issue),
        names={str(state): tuple(names(issue, state)) for state in NAMED},
        next_try=next_try(issue),
    )


def counts(issue: Issue) -> Counts:
    """The counts of an issue, from the rows themselves."""
    rows = Delivery.objects.filter(issue=issue)
    # The many are accepted: an index counts all, and only the others are looked at and sorted.
    others = rows.exclude(state=DeliveryState.ACCEPTED).values_list("state").annotate(number=Count("pk")).order_by()
    by_state: dict[str, int] = dict(others)
    by_state[DeliveryState.ACCEPTED] = rows.count() - sum(by_state.values())
    pending = by_state.get(DeliveryState.PENDING, 0)
    in_claimed_batch = Batch.objects.filter(
        issue=issue, state=BatchState.CLAIMED, lo__lte=OuterRef("pk"), hi__gte=OuterRef("pk")
    )
    claimed = rows.filter(state=DeliveryState.PENDING).filter(
        Q(Exists(in_claimed_batch), retry=None) | Q(retry__isnull=False) & ~Q(retry__owner="")
    )
    busy = claimed.count() if pending else 0
    undecided = rows.filter(state=DeliveryState.UNCERTAIN).exclude(reason__startswith=deliveries.LEFT)
    uncertain = by_state.get(DeliveryState.UNCERTAIN, 0)
    return Counts(
        frozen=Issue.objects.values_list("audience_count", flat=True).get(pk=issue.pk),
        pending=pending - busy,
        claimed=busy,
        accepted=by_state.get(DeliveryState.ACCEPTED, 0),
        failed=by_state.get(DeliveryState.FAILED, 0),
        excluded=by_state.get(DeliveryState.EXCLUDED, 0),
        uncertain=uncertain,
        waiting=Retry.objects.filter(issue=issue).count() if pending else 0,
        undecided=undecided.count() if uncertain else 0,
    )


def names(issue: Issue, state: DeliveryState) -> Iterator[Named]:
    """The addresses behind one count, in the order of the freeze. An erased person leaves a row and no name."""
    rows = Delivery.objects.filter(issue=issue, state=state).order_by("pk")
    waiting = rows.values_list("address", "reason", "retry__reply", "subscription")
    for address, reason, reply, subscription in waiting.iterator(chunk_size=2000):
        yield Named(address if subscription is not None else "", reason or reply or "")


def next_try(issue: Issue) -> datetime | None:
    """When the first waiting delivery is due again; None when none waits."""
    return Retry.objects.filter(issue=issue).order_by("due_at").values_list("due_at", flat=True).first()


def teach(issue: Issue, *, now: datetime) -> None:
    """Write what this issue's deliveries say about its people: last accepted, and refusals in a row.

    Each delivery teaches once, however often this is called: the last lesson's time is kept as an event. Refusals are
    recorded as evidence first (`flow.bounce`): a second telling of one is nothing, and none may be forgotten.
    """
    bounce.learn(issue, since=_last_lesson(issue), now=now)
    with transaction.atomic():
        Issue.objects.select_for_update().get(pk=issue.pk)
        last = _last_lesson(issue)
        fresh = Delivery.objects.filter(issue=issue, at__lte=now)
        if last is not None:
            fresh = fresh.filter(at__gt=last)
        accepted = fresh.filter(state=DeliveryState.ACCEPTED).values("subscription")
        about_them = Q(reason__startswith=f"{deliveries.REFUSED} ({Kind.ADDRESS})") | Q(
            reason__startswith=f"{deliveries.REFUSED} ({Kind.FULL})"
        )
        refused = fresh.filter(about_them, state=DeliveryState.FAILED).values("subscription")
        Subscription.objects.filter(pk__in=accepted).update(last_accepted_at=now, refusals_in_row=0)
        Subscription.objects.filter(pk__in=refused).update(refusals_in_row=F("refusals_in_row") + 1)
        Event.objects.create(
            newsletter_id=issue.newsletter_id,
            issue=issue,
            at=now,
            kind=TAUGHT,
            text="The list has learned from this send.",
        )


def _last_lesson(issue: Issue) -> datetime | None:
    return Event.objects.filter(issue=issue, kind=TAUGHT).order_by("-at").values_list("at", flat=True).first()


def _reasons(issue: Issue) -> dict[str, dict[str, int]]:
    """Per state, how often each reason stands there, the most frequent first."""
    rows = Delivery.objects.filter(issue=issue, state__in=NAMED).exclude(reason="")
    grouped = rows.values_list("state", "reason").annotate(number=Count("pk")).order_by("state", "-number", "reason")
    found: dict[str, dict[str, int]] = {}
    for state, reason, number in grouped:
        found.setdefault(state, {})[reason] = number
    return found


def _label(issue: Issue, found: Counts) -> str:
    """The words of the glossary for what a stored state means now."""
    if issue.state == IssueState.PAUSED and not found.accepted:
        return "nothing sent yet"
    if issue.state == IssueState.SENT and (found.failed or found.uncertain):
        return "sent with failures"
    return issue.state


def _sentence(issue: Issue, found: Counts) -> str:
    if issue.started_at is None:
        return sentence("Sending has not begun.")
    details = [
        sentence("{number} {what}", number=f"{number:,}", what=what)
        for number, what in (
            (found.failed, word("failed")),
            (found.excluded, word("excluded")),
            (found.uncertain, word("uncertain")),
            (found.waiting, sentence("waiting for another try")),
        )
        if number
    ]
    tail = sentence("{text}.", text=together(*details, between=", ")) if details else ""
    accepted, decided, all_ = f"{found.accepted:,}", f"{found.decided:,}", f"{found.frozen:,}"
    if issue.state == IssueState.SENT and found.complete:
        return together(sentence("Sent to {accepted} of {all}.", accepted=accepted, all=all_), tail)
    if issue.state == IssueState.SENDING:
        return together(
            sentence(
                "Sending: {decided} of {all} decided, {accepted} accepted.",
                decided=decided,
                all=all_,
                accepted=accepted,
            ),
            tail,
        )
    stopped = sentence(
        "Stopped at {decided} of {all}, {accepted} accepted.", decided=decided, all=all_, accepted=accepted
    )
    return together(stopped, tail, issue.paused_reason)
