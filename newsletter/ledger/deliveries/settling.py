"""Outcomes into the ledger: one transaction a claim, which must still own it; every delivery is written once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from newsletter.core.errors import LedgerError
from newsletter.core.patience import next_try
from newsletter.ledger.deliveries.claims import Claim, Row, lost
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Retry

EXPIRED = "expired"
# In front of a server's words when it refused one delivery for good; the kind of refusal follows in brackets.
REFUSED = "refused"
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one delivery, where that is more than a plain yes: a final state with its reason, or (`state`
    pending) "not now".

    A deferral says after how many seconds the server wants to be asked again, how often such an answer is taken at all
    (`tries`, None for as long as the day lasts), and `then`: the state once it is over.
    """

    state: DeliveryState
    reason: str = ""
    retry_after: float | None = None
    tries: int | None = None
    then: DeliveryState = DeliveryState.FAILED

    def as_words(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "state": str(self.state),
            "reason": self.reason,
            "retry_after": self.retry_after,
            "tries": self.tries,
            "then": str(self.then),
        }

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Decision:
        """From the journal. Raises `KeyError`, `TypeError` or `ValueError` for what `as_words` never wrote."""
        return cls(
            DeliveryState(words["state"]),
            str(words["reason"]),
            words["retry_after"],
            words["tries"],
            DeliveryState(words["then"]),
        )


@dataclass(slots=True)
class Settlement:
    """A claim with what is known of its rows: `accepted` by a plain yes, `decisions` about others, and nothing about
    those that were not sent, which stay as they are.
    """

    claim: Claim
    accepted: set[int] = field(default_factory=set)
    decisions: dict[int, Decision] = field(default_factory=dict)

    @property
    def untouched(self) -> list[int]:
        """The deliveries about which nothing is known: still pending afterwards."""
        if len(self.accepted) + len(self.decisions) == len(self.claim.rows):
            return []  # nobody is in both
        return [
            row.delivery
            for row in self.claim.rows
            if row.delivery not in self.accepted and row.delivery not in self.decisions
        ]


@dataclass(slots=True)
class Settled:
    """How the ledger took a settlement: the numbers that reached each state; `waiting` for another try."""

    accepted: int = 0
    failed: int = 0
    excluded: int = 0
    uncertain: int = 0
    waiting: int = 0


def settle(settlement: Settlement, *, now: datetime) -> Settled:
    """Write what became of a claim and give it back. Inside a transaction of the caller's: all or nothing.

    A batch of which something is untouched is open again. Raises `ClaimLostError` when the claim is another worker's by
    now, `LedgerError` when a row was decided by somebody else: then nothing may be written.
    """
    with transaction.atomic():
        claim = settlement.claim
        if claim.batch:
            _give_back_batch(claim, open_again=bool(settlement.untouched))
        else:
            _give_back_retries(claim)
        finals, retries, ended = _sort(settlement, now)
        _write_finals(finals, now)
        _write_retries(claim, retries, now)
        if claim.batch:
            stay = {retry.delivery_id for retry in retries} | set(settlement.untouched) | set(claim.waiting)
            _write_accepted_range(claim, settlement.accepted, stay, now)
        else:
            _write_finals([(number, DeliveryState.ACCEPTED, "") for number in settlement.accepted], now)
            ended += list(settlement.accepted)
            Retry.objects.filter(pk__in=ended).delete()
    result = Settled(accepted=len(settlement.accepted), waiting=len(retries))
    for _, state, _ in finals:
        setattr(result, str(state), getattr(result, str(state)) + 1)
    return result


def _give_back_batch(claim: Claim, *, open_again: bool) -> None:
    """First of all: the one conditional UPDATE that also locks out whoever would take the claim over."""
    mine = Batch.objects.filter(pk=claim.batch, owner=claim.owner, fence=claim.fence, state=BatchState.CLAIMED).update(
        state=BatchState.OPEN if open_again else BatchState.SETTLED,
        owner="",
        fence=F("fence") + (1 if open_again else 0),
        lease_until=None,
    )
    if mine != 1:
        raise lost(claim)


def _give_back_retries(claim: Claim) -> None:
    held = Retry.objects.select_for_update().filter(pk__in=claim.fences, owner=claim.owner)
    if dict(held.values_list("pk", "fence")) != claim.fences:
        raise lost(claim)
    held.update(owner="", fence=F("fence") + 1, lease_until=None)


def _sort(settlement: Settlement, now: datetime) -> tuple[list[tuple[int, DeliveryState, str]], list[Retry], list[int]]:
    """Final decisions, retries to be written, and which deliveries wait no longer."""
    rows: dict[int, Row] = {row.delivery: row for row in settlement.claim.rows} if settlement.decisions else {}
    finals: list[tuple[int, DeliveryState, str]] = []
    retries: list[Retry] = []
    for number, decision in settlement.decisions.items():
        if decision.state != DeliveryState.PENDING:
            finals.append((number, decision.state, decision.reason))
            continue
        row = rows[number]
        attempts = row.attempts + 1
        # A resend that a person chose has a retry without a try: its day begins with its own first refusal.
        first_at = row.first_at if row.attempts and row.first_at else now
        due = next_try(delivery=number, attempts=attempts, first_at=first_at, now=now, retry_after=decision.retry_after)
        if due is None or (decision.tries is not None and attempts >= decision.tries):
            over = EXPIRED if due is None else f"given up after {attempts} tries"
            finals.append((number, decision.then, f"{over}: {decision.reason}"))
            continue
        retries.append(
            Retry(
                delivery_id=number,
                issue_id=settlement.claim.issue,
                attempts=attempts,
                due_at=due,
                reply=words(decision.reason),
                fence=settlement.claim.fences.get(number, 0) + 1,
            )
        )
    return finals, retries, [number for number, _, _ in finals]


def _write_finals(finals: Sequence[tuple[int, DeliveryState, str]], now: datetime) -> None:
    """The one write of each decided row. Raises `LedgerError` when one of them was not pending any more."""
    if not finals:
        return
    table, at = Delivery._meta.db_table, connection.ops.adapt_datetimefield_value(now)
    pending = f"state = '{DeliveryState.PENDING}'"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} d SET state = u.state, reason = u.reason, at = %s "
                "FROM unnest(%s::bigint[], %s::text[], %s::text[]) u(id, state, reason) "
                f"WHERE d.id = u.id AND d.{pending}",
                [at, [n for n, _, _ in finals], [str(s) for _, s, _ in finals], [words(r) for _, _, r in finals]],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET state = %s, reason = %s, at = %s WHERE id = %s AND {pending}",
                [(str(state), words(reason), at, number) for number, state, reason in finals],
            )
        if cursor.rowcount != len(finals):
            raise LedgerError(f"{len(finals) - cursor.rowcount} of {len(finals)} deliveries were decided before.")


def _write_retries(claim: Claim, retries: list[Retry], now: datetime) -> None:
    if not retries:
        return
    if not claim.batch:
        Retry.objects.filter(pk__in=[retry.delivery_id for retry in retries]).delete()
    Retry.objects.bulk_create(retries)
    # While it waits a delivery stays pending; its `at` is the time of its first refusal.
    first = [retry.delivery_id for retry in retries if retry.attempts == 1]
    Delivery.objects.filter(pk__in=first, state=DeliveryState.PENDING).update(at=now)


def _write_accepted_range(claim: Claim, accepted: set[int], stay: Iterable[int], now: datetime) -> None:
    """All plain yeses of a batch: one UPDATE for each run of numbers between two that stay pending."""
    if not accepted:
        return
    table, at = Delivery._meta.db_table, connection.ops.adapt_datetimefield_value(now)
    written = 0
    with connection.cursor() as cursor:
        low = claim.lo
        for border in (*sorted(stay), claim.hi + 1):
            if low < border:
                cursor.execute(
                    f"UPDATE {table} SET state = '{DeliveryState.ACCEPTED}', at = %s "
                    f"WHERE id BETWEEN %s AND %s AND state = '{DeliveryState.PENDING}'",
                    [at, low, border - 1],
                )
                written += cursor.rowcount
            low = border + 1
    if written != len(accepted):
        raise LedgerError(f"Batch {claim.batch}: {written} deliveries were open where {len(accepted)} were accepted.")


def words(text: str) -> str:
    """What a column of a database can hold: half a character or a NUL in a reply must not lose the answer itself."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()[:LONGEST_REASON]
