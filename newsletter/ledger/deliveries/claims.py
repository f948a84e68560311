"""Who works on what: a batch, or a group of due retries, is claimed under owner, fence and lease, and read at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from newsletter.core.errors import ClaimLostError
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Issue, IssueState, Retry
from subscribers import address
from subscribers.models import Subscriber, Subscription, SubscriptionState, Suppression

LEASE = timedelta(seconds=50)
"""How long a worker may be silent before it is taken for dead. It renews its lease long before. With the time until
somebody looks, what a dead one had claimed is in other hands within a minute.
"""

BATCH, RETRIES = "B", "R"
"""The kinds of a claim, as its journal calls them."""

# In one group of retries; each waits alone afterwards.
GROUP = 200


class Row(NamedTuple):
    """One delivery to be sent, with its person as they are now. `excluded` says why it must not go, "" when it may;
    the fields of the person are those of a recipient and empty when the person is erased.
    """

    delivery: int
    address: str
    subscription: int | None
    name: str = ""
    language: str = ""
    topics: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    plain_text: bool = False
    joined_on: date = date.min
    generation: int = 0
    excluded: str = ""
    attempts: int = 0
    first_at: datetime | None = None


@dataclass(slots=True)
class Claim:
    """Deliveries owned together. `batch` is 0 and `fences` hold each one's own fence when they are retries.

    `waiting` are deliveries inside the batch's range that are pending and not in this claim: they wait for a retry of
    their own.
    """

    issue: int
    owner: str
    lease_until: datetime
    batch: int = 0
    fence: int = 0
    lo: int = 0
    hi: int = 0
    rows: list[Row] = field(default_factory=list)
    waiting: tuple[int, ...] = ()
    fences: dict[int, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return BATCH if self.batch else RETRIES


def lost(claim: Claim) -> ClaimLostError:
    """The error of a claim that another worker has now."""
    what = f"Batch {claim.batch}" if claim.batch else f"A group of {len(claim.fences)} retries"
    return ClaimLostError(
        f"{what} of issue {claim.issue} is no longer ours (fence {claim.fence}).",
        hint="Another worker has taken it over; nothing needs to be done.",
    )


def claim(issue_id: int, *, owner: str, now: datetime, lease: timedelta = LEASE) -> Claim | None:
    """The next open batch, or else the retries that are due; None when there is neither or the issue is not sending.

    Call it inside the transaction that settles the batch before it. One conditional UPDATE: on PostgreSQL it steps over
    rows that another worker is about to take; SQLite has one writer at a time.
    """
    until = now + lease
    found = _update_first(
        Batch, {"state": BatchState.CLAIMED.value}, "issue_id = %s AND state = %s", "id",
        [issue_id, str(BatchState.OPEN)], issue_id, owner, until, "id, fence, lo, hi", 1,
    )  # fmt: skip
    if found:
        batch, fence, lo, hi = found[0]
        taken = Claim(issue_id, owner, until, batch=batch, fence=fence, lo=lo, hi=hi)
        taken.rows = _read_batch(lo, hi)
        if len(taken.rows) < hi - lo + 1:
            waiting = Retry.objects.filter(delivery_id__gte=lo, delivery_id__lte=hi).values_list("pk", flat=True)
            taken.waiting = tuple(waiting)
        return taken
    due = connection.ops.adapt_datetimefield_value(now)
    assert due is not None
    found = _update_first(
        Retry, {}, "issue_id = %s AND owner = '' AND due_at <= %s", "due_at",
        [issue_id, due], issue_id, owner, until, f"{_RETRY_KEY}, fence", GROUP,
    )  # fmt: skip
    if not found:
        return None
    fences = {row[0]: row[1] for row in found}
    taken = Claim(issue_id, owner, until, fences=fences)
    marks = ", ".join(["%s"] * len(fences))
    taken.rows = _read(f"d.id IN ({marks})", list(fences))
    return taken


def claimable(issue_id: int, *, now: datetime) -> bool:
    """Whether `claim` would find anything: an open batch, or a retry that is due and nobody's."""
    return (
        Batch.objects.filter(issue=issue_id, state=BatchState.OPEN).exists()
        or Retry.objects.filter(issue=issue_id, owner="", due_at__lte=now).exists()
    )


def hold(claims: Iterable[Claim], *, now: datetime, lease: timedelta = LEASE) -> None:
    """Renew the leases. Raises `ClaimLostError` when one of them is another worker's by now."""
    until = now + lease
    for mine in claims:
        if mine.batch:
            held = Batch.objects.filter(
                pk=mine.batch, owner=mine.owner, fence=mine.fence, state=BatchState.CLAIMED
            ).update(lease_until=until)
            whole = held == 1
        else:
            whole = _hold_retries(mine, until)
        if not whole:
            raise lost(mine)
        mine.lease_until = until


def _hold_retries(claim: Claim, until: datetime) -> bool:
    held = Retry.objects.filter(pk__in=claim.fences, owner=claim.owner).update(lease_until=until)
    return bool(held == len(claim.fences))


def leavers(claim: Claim) -> dict[int, str]:
    """Whom of a claim's rows no mail may reach any more, and why: unsubscribed, suppressed, erased ... since they were
    read. One range of the primary key, so that it can be asked every second.
    """
    gone = (
        f"(s.state IS NULL OR s.state <> '{SubscriptionState.ACTIVE}' OR p.address <> d.address"
        f" OR EXISTS (SELECT 1 FROM {Suppression._meta.db_table} x WHERE x.address_key = p.address_key))"
    )
    if claim.batch:
        found = _read(f"d.id BETWEEN %s AND %s AND {gone}", [claim.lo, claim.hi])
    else:
        marks = ", ".join(["%s"] * len(claim.fences))
        found = _read(f"d.id IN ({marks}) AND {gone}", list(claim.fences))
    return {row.delivery: row.excluded for row in found if row.excluded}


_RETRY_KEY = "delivery_id"


def _read_batch(lo: int, hi: int) -> list[Row]:
    """The pending deliveries of a range that wait for no retry, in order: one statement, no model instances.

    A driver makes an object of each value that it sees, so of most rows only what a letter needs is read. Those with
    more to say (`_read`) are read a second time.
    """
    plain = (
        f"s.state = '{SubscriptionState.ACTIVE}' AND p.address = d.address"
        f" AND NOT EXISTS (SELECT 1 FROM {Suppression._meta.db_table} x WHERE x.address_key = p.address_key)"
    )
    sql = (
        f"SELECT {_for_a_letter()}, {plain} {_from()} WHERE d.id BETWEEN %s AND %s AND r.{_RETRY_KEY} IS NULL"
        f" AND d.state = '{DeliveryState.PENDING}' ORDER BY d.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [lo, hi])
        found = cursor.fetchall()
    others = [row[0] for row in found if not row[-1]]
    if not others:
        return [_row(*values) for values in found]
    marks = ", ".join(["%s"] * len(others))
    known = {row.delivery: row for row in _read(f"d.id IN ({marks})", others)}
    rows = [_row(*values) if values[-1] else known.get(values[0]) for values in found]
    return [row for row in rows if row is not None]


def _read(where: str, parameters: list[Any]) -> list[Row]:
    """The pending deliveries that `where` finds, in order, with all that may stand against a letter."""
    sql = (
        f"SELECT {_for_a_letter()}, s.state, p.address <> d.address, r.attempts,"
        " CASE WHEN r.attempts IS NULL THEN NULL ELSE d.at END,"
        f" EXISTS (SELECT 1 FROM {Suppression._meta.db_table} x WHERE x.address_key = p.address_key)"
        f" {_from()} WHERE {where} AND d.state = '{DeliveryState.PENDING}' ORDER BY d.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = cursor.fetchall()
    moved = {address.key(row[1]) for row in found if row[11]}
    barred = set(Suppression.objects.filter(address_key__in=moved).values_list("address_key", flat=True))
    rows: list[Row] = []
    for *person, state, other, tries, at, out in found:
        number, to, *_ = person
        if state is None or other is None:
            rows.append(Row(number, to, None, excluded="erased", attempts=tries or 0))
            continue
        excluded = ""
        if state != _ACTIVE:
            excluded = state
        # The message goes to the address of the freeze; the person may have changed theirs since.
        elif out or (other and address.key(to) in barred):
            excluded = "suppressed"
        first_at = None if at is None else _moment(at)
        rows.append(_row(*person)._replace(excluded=excluded, attempts=tries or 0, first_at=first_at))
    return rows


def _for_a_letter() -> str:
    """What `_row` takes; times and documents as texts, for a driver would make objects of them."""
    if connection.vendor == "postgresql":
        topics, attributes, plain, day = "s.topics::text", "p.attributes::text", "p.plain_text", "s.joined_at::date"
    else:
        topics, attributes, plain, day = "s.topics", "p.attributes", "+p.plain_text", "DATE(s.joined_at)"
    return (
        f"d.id, d.address, d.subscription_id, p.name, p.language, {topics}, {attributes}, {plain}, {day}, s.generation"
    )


def _from() -> str:
    return (
        f"FROM {Delivery._meta.db_table} d"
        f" LEFT JOIN {Subscription._meta.db_table} s ON s.id = d.subscription_id"
        f" LEFT JOIN {Subscriber._meta.db_table} p ON p.id = s.subscriber_id"
        f" LEFT JOIN {Retry._meta.db_table} r ON r.{_RETRY_KEY} = d.id"
    )


_ACTIVE = SubscriptionState.ACTIVE.value


def _row(
    number: int,
    to: str,
    subscription: int,
    name: str,
    language: str,
    topics: str,
    attributes: str,
    plain: bool | int,
    joined: date | str,
    generation: int,
    _: object = None,
) -> Row:
    """One that may be sent. Made without the call that a `NamedTuple` costs: a million rows come by here."""
    return tuple.__new__(
        Row,
        (
            number,
            to,
            subscription,
            name,
            language,
            () if topics == "[]" else _topics(topics),
            {} if attributes == "{}" else json.loads(attributes),
            plain == 1,
            _day(joined) if type(joined) is str else joined,
            generation,
            "",
            0,
            None,
        ),
    )


@lru_cache(maxsize=4096)
def _topics(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


_day = lru_cache(maxsize=4096)(date.fromisoformat)


def _moment(value: datetime | str) -> datetime:
    """A time as plain SQL gives it: SQLite's is text without its zone, which is UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _update_first(
    model: type[Batch] | type[Retry],
    fields: dict[str, str],
    where: str,
    order: str,
    parameters: list[int | str | datetime],
    issue_id: int,
    owner: str,
    until: datetime,
    returning: str,
    number: int,
) -> list[tuple[Any, ...]]:
    """Claim the first rows of `model` that `where` finds, if the issue is sending."""
    table, key = model._meta.db_table, "id" if model is Batch else _RETRY_KEY
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    setting = "".join(f"{name} = %s, " for name in fields)
    inner = f"SELECT {key} FROM {table} WHERE {where} ORDER BY {order}, {key} LIMIT {number} {skip}"
    # As an array it is looked for once: joined, PostgreSQL may run it again and claim more than `number`.
    among = f"= ANY(ARRAY({inner}))" if connection.vendor == "postgresql" else f"IN ({inner})"
    # `where` stands twice: on PostgreSQL the row may have changed between the inner look and the update.
    sql = (
        f"UPDATE {table} SET {setting}owner = %s, fence = fence + 1, lease_until = %s WHERE {key} {among} "
        f"AND {where} "
        f"AND EXISTS (SELECT 1 FROM {Issue._meta.db_table} WHERE id = %s AND state = %s) RETURNING {returning}"
    )
    lease = connection.ops.adapt_datetimefield_value(until)
    values = [*fields.values(), owner, lease, *parameters, *parameters, issue_id, IssueState.SENDING.value]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
