"""How a send ends: complete, stopped by a person, or with the uncertain settled by one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat, Left

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence, word
from newsletter.ledger import issues
from newsletter.ledger.deliveries.settling import LONGEST_REASON, REFUSED
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

STOPPED = "stopped"
# In front of the reason of an uncertain delivery that a person has looked at and let be.
LEFT = "left alone: "
WAITING = "waiting for the provider"


def finish_if_complete(issue_id: int, *, now: datetime) -> bool:
    """sending → sent once nothing is left to send. False when something is, or somebody else has just done it.

    When everything is decided and nothing was accepted, the issue has not run (R10): then it pauses, for a person.
    """
    with transaction.atomic():
        if issues.lock(issue_id).state != IssueState.SENDING or _unfinished(issue_id):
            return False
        if why := _reached_nobody(issue_id):
            issues.pause(issue_id, why, now=now)
            return False
        issues.finish(issue_id, now=now)
    return True


def stop(issue_id: int, *, now: datetime, by: str = "") -> int:
    """The rest becomes excluded (stopped), and the issue sent. Returns how many were excluded.

    Raises `IssueError` while a worker has something of it claimed (pause first, then stop), and when nothing was
    accepted.
    """
    with transaction.atomic():
        issues.lock(issue_id)
        # Whoever is about to claim waits here, and then finds the issue sent. Locked in a statement of their own: the
        # next one must see what they had committed.
        list(Batch.objects.select_for_update().filter(issue=issue_id).exclude(state=BatchState.SETTLED).values("pk"))
        list(Retry.objects.select_for_update().filter(issue=issue_id).values("pk"))
        if issues.in_hands(issue_id):
            raise IssueError(sentence("Messages are on their way right now."), hint=sentence("Try again in a minute."))
        excluded = Delivery.objects.filter(issue=issue_id, state=DeliveryState.PENDING).update(
            state=DeliveryState.EXCLUDED, reason=STOPPED, at=now
        )
        Retry.objects.filter(issue=issue_id).delete()
        Batch.objects.filter(issue=issue_id).update(state=BatchState.SETTLED, owner="", lease_until=None)
        issues.stop(issue_id, now=now, by=by)
    return excluded


def settle_uncertain(issue_id: int, *, resend: bool, now: datetime, by: str = "") -> int:
    """A person's choice about every uncertain delivery that is not decided yet. Returns how many it was about.

    `resend`: they wait to be sent once more with the same Message-ID, and an issue that had nothing else left to send
    is sending again. Otherwise they stay uncertain, marked as looked at. Raises `IssueError` for an issue that has not
    begun.
    """
    with transaction.atomic():
        issue = issues.lock(issue_id)
        if issue.state not in issues.STARTED:
            raise IssueError(sentence("The issue is {state}: nothing of it can be uncertain.", state=word(issue.state)))
        open_ = Delivery.objects.filter(issue=issue_id, state=DeliveryState.UNCERTAIN).exclude(reason__startswith=LEFT)
        numbers = list(open_.values_list("pk", flat=True))
        if not numbers:
            return 0
        if resend:
            nothing_else = not Delivery.objects.filter(issue=issue_id, state=DeliveryState.PENDING).exists()
            Delivery.objects.filter(pk__in=numbers).update(state=DeliveryState.PENDING, reason="", at=now)
            Retry.objects.bulk_create(
                Retry(delivery_id=number, issue_id=issue_id, attempts=0, due_at=now, reply="sent once more by a person")
                for number in numbers
            )
            Issue.objects.filter(pk=issue_id, state=IssueState.SENT).update(state=IssueState.SENDING, finished_at=None)
            if issue.state == IssueState.PAUSED and nothing_else:
                # It paused because nobody was reached: that is what this person is mending.
                issues.resume(issue_id, now=now, by=by)
        else:
            open_.update(reason=Left(Concat(Value(LEFT), "reason"), LONGEST_REASON))
        what = "are sent once more" if resend else "stay as they are"
        Event.objects.create(
            newsletter_id=issue.newsletter_id, issue_id=issue_id, at=now, kind="uncertain settled",
            text=f"{len(numbers)} uncertain {what}.", by=by,
        )  # fmt: skip
    return len(numbers)


def settle_bounced(delivery_id: int, reason: str, *, now: datetime) -> bool:
    """uncertain → failed: a server says afterwards that it did not deliver it. False when it was not uncertain.

    What was accepted stays accepted: the provider took it, and the bounce stands beside it.
    """
    rows = Delivery.objects.filter(pk=delivery_id, state=DeliveryState.UNCERTAIN)
    return bool(rows.update(state=DeliveryState.FAILED, reason=reason[:LONGEST_REASON], at=now))


def pause_for_provider(issue_id: int, reason: str, *, now: datetime) -> bool:
    """sending → paused while the provider is away; it goes on by itself later. False when it was not sending."""
    with transaction.atomic():
        issue = issues.lock(issue_id)
        if issue.state != IssueState.SENDING:
            return False
        issues.pause(issue_id, reason, now=now)
        Event.objects.create(
            newsletter_id=issue.newsletter_id, issue_id=issue_id, at=now, kind=WAITING, text="Tried again by itself."
        )
    return True


def waits_for_provider(issue_id: int) -> datetime | None:
    """Since when a paused issue waits for its provider; None when a person paused it, or a person is needed."""
    last = Event.objects.filter(issue=issue_id, kind__in=("paused", "resumed", WAITING)).order_by("-pk").first()
    return last.at if last is not None and last.kind == WAITING else None


def waited_for_provider(issue_id: int) -> bool:
    """Whether a sending issue goes on after a wait for its provider, and nobody has got it since."""
    return _resumed_after_wait(issue_id) is not None


def asks_provider(issue_id: int) -> datetime | None:
    """Since when a worker asks by itself, for all, whether the provider is back; None when none does, or somebody has
    got the issue since. (A person who resumed an issue wants it to go on.)
    """
    event = _resumed_after_wait(issue_id)
    return event.at if event is not None and not event.by else None


def _resumed_after_wait(issue_id: int) -> Event | None:
    kinds = ("paused", "resumed", "sending", WAITING)
    last = list(Event.objects.filter(issue=issue_id, kind__in=kinds).order_by("-pk")[:2])
    if [event.kind for event in last] != ["resumed", WAITING]:
        return None
    got = Delivery.objects.filter(issue=issue_id, state=DeliveryState.ACCEPTED, at__gt=last[0].at).exists()
    return None if got else last[0]


def _unfinished(issue_id: int) -> bool:
    """Whether anything is open, claimed or waiting; `issues.finish` counts the deliveries."""
    return (
        Batch.objects.filter(issue=issue_id).exclude(state=BatchState.SETTLED).exists()
        or Retry.objects.filter(issue=issue_id).exists()
    )


def _reached_nobody(issue_id: int) -> str:
    """Why an issue of which all is decided can't count as sent, and the way out; "" when it can."""
    rows = Delivery.objects.filter(issue=issue_id)
    if rows.filter(state__in=(DeliveryState.ACCEPTED, DeliveryState.PENDING)).exists():
        return ""
    failed, uncertain = rows.filter(state=DeliveryState.FAILED), rows.filter(state=DeliveryState.UNCERTAIN)
    bad, doubtful = failed.count(), uncertain.count()
    last = (failed if bad else uncertain).order_by("-at", "-pk").values_list("reason", flat=True).first()
    if last is None:
        return ""
    if doubtful:
        return (
            f"Nobody is known to have got it ({bad} failed, {doubtful} uncertain); the last: {last.rstrip('.')}. Ask "
            "around, then send the uncertain once more with --settle-uncertain resend, or end it with --stop."
        )
    every = "Every delivery was refused" if not failed.exclude(reason__startswith=REFUSED).exists() else "All failed"
    return (
        f"{every} ({bad}); the last: {last.rstrip('.')}. Mend what it names, and discard the "
        "issue: its reviews wait for the next one."
    )
