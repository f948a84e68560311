"""The only writer of issue states. Each transition is one function: one transaction, one conditional UPDATE, its count
checked, the reviews moved along, and an event that people can see.

    draft ⇄ approved → sending ⇄ paused → sent        draft, approved → skipped, missed, discarded
                                                       paused with nothing accepted → discarded
                                                       missed → draft (revived by a person)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max

from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence, word
from newsletter.core.week import Slot
from newsletter.ledger import placements
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
    Retry,
)

LATE_AFTER = timedelta(minutes=15)
OPEN = (IssueState.DRAFT, IssueState.APPROVED)
STARTED = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)
GIVEN_UP = (IssueState.SKIPPED, IssueState.MISSED, IssueState.DISCARDED)
VOIDED, TAKEN_BACK = "approval voided", "approval taken back"
"""The kinds of events by which an approved issue is a draft again: something changed, or only somebody's mind."""
TEXTS = frozenset({"subject", "preview_text", "note", "note_signature", "max_cards", "corrections", "blocks"})


def lock(issue_id: int) -> Issue:
    """The issue's row, held until the transaction ends: whoever edits, approves or sends it stands in one queue.

    Must be called inside a transaction (SQLite's own write lock does the same there).
    """
    # The newsletter first, always: what ends an issue makes the next one, and two orders would be a deadlock.
    lock_newsletter(Issue.objects.values_list("newsletter_id", flat=True).get(pk=issue_id))
    rows = Issue.objects.select_for_update(of=("self",), no_key=True).select_related("newsletter", "freeze")
    return rows.get(pk=issue_id)


def lock_newsletter(newsletter_id: int) -> Newsletter:
    """The newsletter's row, held until the transaction ends: its issues are made, decided and begun one at a time."""
    # no_key: a row elsewhere that only points here (an event, a placement) need not wait.
    return Newsletter.objects.select_for_update(no_key=True).get(pk=newsletter_id)


def create(newsletter: Newsletter, slot: Slot, now: datetime, *, special: bool = False) -> tuple[Issue, bool]:
    """The issue of a slot, and whether this call made it. The row is the claim: two clocks can't make two (R8)."""
    number = _next_number(newsletter)
    try:
        with transaction.atomic():
            issue = Issue.objects.create(
                newsletter=newsletter,
                slot=slot.key,
                slot_at=slot.at,
                cutoff_at=slot.cutoff,
                number=number,
                created_at=now,
                special=special,
            )
    except IntegrityError:
        return Issue.objects.select_related("newsletter").get(newsletter=newsletter, slot=slot.key), False
    return issue, True


@transaction.atomic
def mark_placed(issue_id: int, now: datetime) -> bool:
    """Record that the placing of the cutoff is done; False when it was before."""
    return bool(Issue.objects.filter(pk=issue_id, state=IssueState.DRAFT, placed_at=None).update(placed_at=now))


@transaction.atomic
def hold(issue_id: int, reason: str, now: datetime) -> bool:
    """Label a draft as held, once per reason; "" takes the label off. Returns whether anything changed."""
    changed = Issue.objects.filter(pk=issue_id, state=IssueState.DRAFT).exclude(held_reason=reason)
    if not changed.update(held_reason=reason):
        return False
    if reason:
        _tell(issue_id, "held", f"Held: {reason}", now)
    return True


@transaction.atomic
def write(issue_id: int, fields: dict[str, Any], *, now: datetime, by: str) -> None:
    """Change an open issue's own words; an approval is voided by it. Raises `IssueError` once the issue is decided."""
    unknown = set(fields) - TEXTS
    if unknown:
        raise IssueError(
            sentence("An issue has no field {unknown}.", unknown=repr(sorted(unknown)[0])),
            hint=sentence("It has: {texts}.", texts=", ".join(sorted(TEXTS))),
        )
    issue = lock(issue_id)
    if all(getattr(issue, name) == value for name, value in fields.items()):
        return
    void_approval(issue_id, "the issue was edited", now=now, by=by)
    Issue.objects.filter(pk=issue_id, state=IssueState.DRAFT).update(**fields)


def inherit_corrections(issue: Issue) -> bool:
    """Move into a draft, locked by the caller, what issues that did not go out were to correct; its own words win.

    Returns whether there was any.
    """
    given_up = Issue.objects.filter(newsletter=issue.newsletter_id, state__in=GIVEN_UP).exclude(corrections=[])
    waiting = [each for row in given_up.order_by("slot_at", "pk") for each in row.corrections]
    if not waiting:
        return False
    by_review = {each["review"]: each for each in (*waiting, *issue.corrections)}
    issue.corrections = list(by_review.values())
    Issue.objects.filter(pk=issue.pk, state=IssueState.DRAFT).update(corrections=issue.corrections)
    given_up.update(corrections=[])
    return True


@transaction.atomic
def approve(issue_id: int, freeze_id: int, *, now: datetime, by: str, text: str = "") -> None:
    """draft → approved, bound to a freeze. Raises `IssueError` for any other state and for a voided freeze."""
    if not Freeze.objects.filter(pk=freeze_id, issue=issue_id, voided_at=None).exists():
        raise IssueError(
            sentence("The freeze to approve is not this issue's, or was voided."),
            hint=sentence("Look at the preview again."),
        )
    # A time that a person chose for an earlier approval, and that has passed since, is no wish any more.
    Issue.objects.filter(pk=issue_id, state=IssueState.DRAFT, send_at__lte=now).update(send_at=None)
    _move(issue_id, (IssueState.DRAFT,), IssueState.APPROVED, freeze_id=freeze_id, approved_at=now, approved_by=by,
          held_reason="")  # fmt: skip
    _tell(issue_id, "approved", text or f"Approved by {by}.", now, by)


@transaction.atomic
def void_approval(issue_id: int, why: str, *, now: datetime, by: str = "", kind: str = VOIDED) -> bool:
    """approved → draft because something changed; the freeze is voided, visibly. False for a draft: nothing to void.

    `kind` is that of the event: `TAKEN_BACK` where nothing changed but somebody's mind. Raises `IssueError` when the
    issue is decided: from then on nothing of it changes.
    """
    issue = lock(issue_id)
    if issue.state == IssueState.DRAFT:
        return False
    # "Send now" was about what was approved; another time that was chosen still stands for what will be.
    hurried = {"send_at": None, "hurried_from": None} if issue.hurried_from is not None else {}
    _move(issue_id, (IssueState.APPROVED,), IssueState.DRAFT, freeze=None, approved_at=None, approved_by="",
          confirmed_by="", **hurried)  # fmt: skip
    Freeze.objects.filter(issue=issue_id, voided_at=None).update(voided_at=now)
    _tell(issue_id, kind, f"The approval by {issue.approved_by} is void: {why}. Approve again.", now, by)
    return True


def due_at(issue: Issue) -> datetime:
    """When an issue goes out, as of now: at the time that a person chose, else at its slot. A draft is never due before
    its slot: what was chosen for an approval that is void must not make it late.
    """
    if issue.send_at is None:
        return issue.slot_at
    return max(issue.send_at, issue.slot_at) if issue.state == IssueState.DRAFT else issue.send_at


@transaction.atomic
def schedule(issue_id: int, at: datetime | None, text: str, *, now: datetime, by: str, confirmed: bool = False) -> None:
    """Let an approved issue go out at `at`, or at its slot (None), and tell it as `text`. Raises `IssueError` for any
    other state.
    """
    _require_approved(lock(issue_id))
    _move(issue_id, (IssueState.APPROVED,), IssueState.APPROVED, send_at=at, hurried_from=None,
          confirmed_by=by if confirmed else "")  # fmt: skip
    _tell(issue_id, "scheduled", text, now, by)


@transaction.atomic
def move_slot(issue_id: int, slot_at: datetime, cutoff_at: datetime, text: str, *, now: datetime, by: str) -> None:
    """Give an open issue another time for this once, and its cutoff with it; an approval is void by it, for the date is
    printed in the letter. Its key stays: the week has its issue. Raises `IssueError` once the issue is decided.
    """
    void_approval(issue_id, "its slot was moved", now=now, by=by)
    _move(issue_id, (IssueState.DRAFT,), IssueState.DRAFT, slot_at=slot_at, cutoff_at=cutoff_at, send_at=None,
          held_reason="")  # fmt: skip
    if cutoff_at > now:
        Issue.objects.filter(pk=issue_id).update(placed_at=None)
    _tell(issue_id, "moved", text, now, by)


@transaction.atomic
def hurry(issue_id: int, at: datetime, text: str, *, now: datetime, by: str, confirmed: bool = False) -> None:
    """Let an approved issue go out at `at`, a moment from now, and not before: until then it can be taken back.

    Raises `IssueError` for any other state, and when that was said already: a second press gives no second minute, and
    takes none away.
    """
    issue = lock(issue_id)
    _require_approved(issue)
    if issue.hurried_from is not None:
        raise IssueError(sentence("It is on its way already."), where=f"{issue.newsletter.slug}/{issue.slot}",
                         hint=sentence("It can be taken back until it leaves."))  # fmt: skip
    _move(issue_id, (IssueState.APPROVED,), IssueState.APPROVED, send_at=at, hurried_from=due_at(issue),
          confirmed_by=by if confirmed else "")  # fmt: skip
    _tell(issue_id, "send now", text, now, by)


@transaction.atomic
def take_back(issue_id: int, *, now: datetime, by: str) -> None:
    """Undo `hurry` while nothing has left. Where the issue's time had come by then, its approval is taken back as well,
    or it would leave at once. Raises `IssueError` when it was too late.
    """
    issue = lock(issue_id)
    if issue.state != IssueState.APPROVED or issue.hurried_from is None:
        raise IssueError(
            sentence("There is nothing to take back any more: the issue is {state}.", state=word(issue.state)),
            where=f"{issue.newsletter.slug}/{issue.slot}",
            hint=sentence("Pause it, if it is being sent."),
        )
    before = issue.hurried_from
    if before <= now:
        void_approval(issue_id, "sending it at once was taken back", now=now, by=by, kind=TAKEN_BACK)
        return
    _move(issue_id, (IssueState.APPROVED,), IssueState.APPROVED, hurried_from=None, confirmed_by="",
          send_at=None if before == issue.slot_at else before)  # fmt: skip
    _tell(issue_id, "taken back", f"Sending it at once was taken back by {by}.", now, by)


def begin_sending(issue_id: int, *, now: datetime, confirmed: bool = False) -> None:
    """approved → sending, and its reviews reserved → sent, in the transaction that freezes the audience (R7).

    Raises `IssueError` when the issue is not approved, or when another issue of the newsletter began within `min_gap`
    and nobody `confirmed` the second one (R12). Must be called inside that transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("begin_sending belongs into the transaction that freezes the audience")
    # Holds the newsletter too: two special issues that begin at once must see each other.
    issue = lock(issue_id)
    newsletter = issue.newsletter
    if issue.hurried_from is not None and issue.send_at is not None and now < issue.send_at:
        raise IssueError(
            sentence(
                "The issue can be taken back until {send_at} UTC; nothing leaves before.",
                send_at=f"{issue.send_at:%H:%M:%S}",
            ),
            where=f"{newsletter.slug}/{issue.slot}",
        )
    near = went_out_near(issue, now)
    confirmed = confirmed or bool(issue.confirmed_by)
    if near is not None and not confirmed and issue.state == IssueState.APPROVED:
        raise IssueError(
            sentence(
                "The issue of {slot} went out less than {min_gap_hours} hours ago.",
                slot=near.slot,
                min_gap_hours=newsletter.min_gap_hours,
            ),
            where=f"{newsletter.slug}/{issue.slot}",
            hint=sentence("Confirm to send a second one all the same."),
        )
    late = now > due_at(issue) + LATE_AFTER
    _move(issue_id, (IssueState.APPROVED,), IssueState.SENDING, started_at=now, late=late, freeze__voided_at=None)
    placements.mark_sent(issue_id, now)
    _tell(issue_id, "sending", "Sending began, late." if late else "Sending began.", now)


def went_out_near(issue: Issue, at: datetime) -> Issue | None:
    """Another issue of the newsletter that began less than its `min_gap` before `at` (R12), or None."""
    gap = timedelta(hours=issue.newsletter.min_gap_hours)
    near = Issue.objects.filter(newsletter=issue.newsletter_id, state__in=STARTED, started_at__gt=at - gap)
    return near.exclude(pk=issue.pk).order_by("-started_at").first()


@transaction.atomic
def pause(issue_id: int, reason: str, *, now: datetime, by: str = "") -> None:
    """sending → paused. While nothing was accepted the reviews are only reserved: nothing has run (R10)."""
    lock(issue_id)
    _move(issue_id, (IssueState.SENDING,), IssueState.PAUSED, paused_reason=reason)
    if nothing_sent(issue_id):
        placements.back_to_reserved(issue_id, now)
    _tell(issue_id, "paused", f"Paused: {reason}", now, by)


@transaction.atomic
def resume(issue_id: int, *, now: datetime, by: str = "") -> None:
    """paused → sending: the same frozen issue goes on, to those without a final delivery."""
    issue = lock(issue_id)
    late = issue.late or (nothing_sent(issue_id) and now > due_at(issue) + LATE_AFTER)
    _move(issue_id, (IssueState.PAUSED,), IssueState.SENDING, paused_reason="", late=late)
    placements.mark_sent(issue_id, now)
    _tell(issue_id, "resumed", "Sending goes on.", now, by)


@transaction.atomic
def finish(issue_id: int, *, now: datetime) -> None:
    """sending → sent, only when every frozen delivery is final and the counts add up. Raises `IssueError` otherwise."""
    lock(issue_id)
    _require_complete(issue_id)
    _move(issue_id, (IssueState.SENDING,), IssueState.SENT, finished_at=now)
    _tell(issue_id, "sent", "Every delivery is decided.", now)


@transaction.atomic
def stop(issue_id: int, *, now: datetime, by: str = "") -> None:
    """sending or paused → sent, after the caller excluded the rest.

    Raises `IssueError` when some are still pending, and when nothing was accepted: that issue did not run, so it is
    discarded instead.
    """
    lock(issue_id)
    _require_complete(issue_id)
    if nothing_sent(issue_id):
        raise IssueError(
            sentence("Nothing of this issue was sent."),
            hint=sentence("Discard it instead: its reviews go back to the pool."),
        )
    _move(issue_id, (IssueState.SENDING, IssueState.PAUSED), IssueState.SENT, finished_at=now, paused_reason="")
    placements.mark_sent(issue_id, now)
    _tell(issue_id, "stopped", "Stopped: the rest was excluded.", now, by)


@transaction.atomic
def skip(issue_id: int, reason: str, *, now: datetime, by: str = "") -> None:
    """draft or approved → skipped, a visible event with its reason; the reviews wait for the next issue."""
    _give_up(issue_id, IssueState.SKIPPED, reason, now, by)


@transaction.atomic
def miss(issue_id: int, reason: str, *, now: datetime) -> None:
    """draft or approved → missed (R12); the reviews wait for the next issue. A person can `revive` it."""
    _give_up(issue_id, IssueState.MISSED, reason, now, "")


@transaction.atomic
def discard(issue_id: int, reason: str, *, now: datetime, by: str = "") -> None:
    """draft, approved, or paused with nothing accepted → discarded; the reviews go back to the pool (R10).

    Raises `IssueError` once a single message was accepted or may have been: then its reviews have run for good.
    """
    issue = lock(issue_id)
    if issue.state == IssueState.PAUSED:
        # Whoever is about to claim a batch waits here, and then finds the issue discarded.
        list(Batch.objects.select_for_update().filter(issue=issue_id).values("pk"))
        list(Retry.objects.select_for_update().filter(issue=issue_id).values("pk"))
        if not nothing_sent(issue_id):
            raise IssueError(
                sentence("Messages of this issue were accepted, or are on their way, so it can't be discarded."),
                hint=sentence("Resume it, or stop it."),
            )
        Delivery.objects.filter(issue=issue_id, state=DeliveryState.PENDING).update(
            state=DeliveryState.EXCLUDED, reason="the issue was discarded", at=now
        )
        # A message that was on the wire at the pause kept them as sent; it has been refused since.
        placements.back_to_reserved(issue_id, now)
        Retry.objects.filter(issue=issue_id).delete()
        Batch.objects.filter(issue=issue_id).update(state=BatchState.SETTLED, owner="", lease_until=None)
    _give_up(issue_id, IssueState.DISCARDED, reason, now, by, (*OPEN, IssueState.PAUSED))


@transaction.atomic
def revive(issue_id: int, *, now: datetime, by: str) -> None:
    """missed → draft, due now: the work of an issue that nobody sent in time is not lost. Its reviews come back by
    placing again. Raises `IssueError` for any other state.
    """
    issue = lock(issue_id)
    # The draft that came after it may have its number by now.
    number = _next_number(issue.newsletter)
    _move(issue_id, (IssueState.MISSED,), IssueState.DRAFT, number=number, slot_at=now, cutoff_at=now, placed_at=None,
          late=True, outcome_reason="", finished_at=None, send_at=None, hurried_from=None)  # fmt: skip
    _tell(issue_id, "revived", f"Brought back by {by}: approve it within the hours of grace.", now, by)


def nothing_sent(issue_id: int) -> bool:
    """Whether certainly no message of the issue was taken: none accepted, none uncertain, none in a worker's hands."""
    taken = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
    return not (Delivery.objects.filter(issue=issue_id, state__in=taken).exists() or in_hands(issue_id))


def in_hands(issue_id: int) -> bool:
    """Whether a worker, alive or dead, has something of the issue claimed: of that, anything may be on the wire."""
    return (
        Batch.objects.filter(issue=issue_id, state=BatchState.CLAIMED).exists()
        or Retry.objects.filter(issue=issue_id).exclude(owner="").exists()
    )


def _require_approved(issue: Issue) -> None:
    if issue.state != IssueState.APPROVED:
        raise IssueError(
            sentence("The issue is {state}; only an approved one can be given a time.", state=word(issue.state)),
            where=f"{issue.newsletter.slug}/{issue.slot}",
            hint=sentence("Approve it first.") if issue.state == IssueState.DRAFT else "",
        )


def _next_number(newsletter: Newsletter) -> int:
    """Skipped, missed and discarded issues give their number back: readers see no gap."""
    numbered = Issue.objects.filter(newsletter=newsletter, state__in=(*OPEN, *STARTED))
    return int(numbered.aggregate(last=Max("number"))["last"] or 0) + 1


def _give_up(
    issue_id: int, to: IssueState, reason: str, now: datetime, by: str, come_from: tuple[IssueState, ...] = OPEN
) -> None:
    lock(issue_id)
    _move(issue_id, come_from, to, outcome_reason=reason, finished_at=now, held_reason="")
    placements.release_all(issue_id, now)
    # An issue that did not go out had no readers to whom a review could have come too late.
    Carry.objects.filter(issue=issue_id).delete()
    _tell(issue_id, str(to), reason, now, by)


def _require_complete(issue_id: int) -> None:
    counts = dict(Delivery.objects.filter(issue=issue_id).values_list("state").annotate(n=Count("pk")))
    frozen = Issue.objects.values_list("audience_count", flat=True).get(pk=issue_id)
    decided = sum(n for state, n in counts.items() if state != DeliveryState.PENDING)
    if counts.get(DeliveryState.PENDING, 0) or in_hands(issue_id) or decided != frozen:
        raise IssueError(
            sentence("Stopped at {decided} of {frozen}: not finished.", decided=decided, frozen=frozen),
            hint=sentence("Resume it: newsletter deliver."),
        )


def _move(issue_id: int, come_from: tuple[IssueState, ...], to: IssueState, **fields: Any) -> None:
    """The one conditional UPDATE. A key of `fields` with `__` is a further condition."""
    conditions = {name: fields.pop(name) for name in list(fields) if "__" in name}
    moved = Issue.objects.filter(pk=issue_id, state__in=come_from, **conditions).update(state=to, **fields)
    if moved == 1:
        return
    issue = Issue.objects.select_related("newsletter", "freeze").get(pk=issue_id)
    where = f"{issue.newsletter.slug}/{issue.slot}"
    if issue.state in come_from:
        raise IssueError(
            sentence("The approval of this issue is void."), where=where, hint=sentence("Approve it again.")
        )
    wanted: str = word(come_from[0])
    for state in come_from[1:]:
        wanted = sentence("{one} or {other}", one=wanted, other=word(state))
    raise IssueError(
        sentence(
            "The issue is {state}; it must be {wanted} to become {to}.",
            state=word(issue.state),
            wanted=wanted,
            to=word(to),
        ),
        where=where,
    )


def _tell(issue_id: int, kind: str, text: str, now: datetime, by: str = "") -> None:
    newsletter_id = Issue.objects.values_list("newsletter_id", flat=True).get(pk=issue_id)
    Event.objects.create(newsletter_id=newsletter_id, issue_id=issue_id, at=now, kind=kind, text=text, by=by)
