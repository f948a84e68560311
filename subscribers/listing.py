"""A list's people as somebody looks at them: how many in each state, page by page, by address, how they grow.

Only reads. No page counts its way in (OFFSET): each begins where the last one ended, along an index, so that the
thousandth costs what the first does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value, When

from subscribers import address
from subscribers.models import MailingList, Subscriber, Subscription, SubscriptionState, Suppression

SUPPRESSED = "suppressed"
"""Beside the states, not one of them: a subscription keeps its own behind a suppression."""

CHOICES = (*SubscriptionState.values, SUPPRESSED)
SIZE = 50
WEEKS = 12


@dataclass(frozen=True, slots=True)
class Page:
    """Some subscriptions, with their person and the reason of a suppression (`suppressed`, "" for none). `last` is
    what the next page begins after; None on the last one.
    """

    rows: tuple[Subscription, ...]
    last: int | None


@dataclass(frozen=True, slots=True)
class Growth:
    """A list over twelve weeks, the present one last: who is active now, and per week who came and who left."""

    active: int
    joined: tuple[int, ...]
    left: tuple[int, ...]

    @property
    def readers(self) -> tuple[int, ...]:
        """How many there were at the end of each week, as far as joining and leaving tell."""
        found = [self.active]
        for came, went in zip(self.joined[:0:-1], self.left[:0:-1], strict=True):
            found.append(max(0, found[-1] - came + went))
        return tuple(reversed(found))


def counts(mailing_list: MailingList) -> dict[str, int]:
    """How many are in each state, and how many of all of them are suppressed; 0 where nobody is."""
    rows = Subscription.objects.filter(mailing_list=mailing_list)
    found = dict.fromkeys(CHOICES, 0)
    found |= dict(rows.values_list("state").annotate(number=Count("pk")).order_by())
    found[SUPPRESSED] = _suppressed(mailing_list).count()
    return found


def page(mailing_list: MailingList, state: str = "", *, after: int | None = None, size: int = SIZE) -> Page:
    """The newest first; of one state, or of the suppressed, the latest suppression first. `after` is the `last` of the
    page before. A state that there is not has nobody in it.
    """
    if state == SUPPRESSED:
        return _page_of_suppressed(mailing_list, after, size)
    rows = Subscription.objects.filter(mailing_list=mailing_list)
    if state:
        rows = rows.filter(state=state)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    numbers = list(rows.order_by("-pk").values_list("pk", flat=True)[: size + 1])
    return Page(_whole(numbers[:size], "pk"), numbers[size - 1] if len(numbers) > size else None)


def find(mailing_list: MailingList, text: str, *, whole: bool, after: int | None = None, size: int = SIZE) -> Page:
    """Whose address is `text`, or with not `whole` has it somewhere in it, in the order of the addresses. `after` is
    the `last` of the page before: a subscription's number, for an address in a link would be read by others.
    """
    key = address.key(text)
    if not key:
        return Page((), None)
    here = Subscription.objects.filter(mailing_list=mailing_list)
    if whole:
        return Page(_whole(list(here.filter(subscriber__address_key=key).values_list("pk", flat=True)), "pk"), None)
    people = Subscriber.objects.filter(address_key__contains=key)
    if after is not None:
        last = here.filter(pk=after).values_list("subscriber__address_key", flat=True).first()
        people = people.filter(address_key__gt=last) if last is not None else people.none()
    # By the index of addresses alone: read from front to back, and no further than the page is long.
    found = people.filter(Exists(here.filter(subscriber=OuterRef("pk")))).order_by("address_key")
    numbers = list(found.values_list("pk", flat=True)[: size + 1])
    rows = _whole(numbers[:size], "subscriber", here)
    return Page(rows, rows[-1].pk if rows and len(numbers) > size else None)


def growth(mailing_list: int, now: datetime, *, active: int | None = None) -> Growth:
    """How a list (its number) grew: one walk over the people of twelve weeks, and a count by index, which whoever knows
    how many are `active` saves.
    """
    people = Subscription.objects.filter(mailing_list=mailing_list)
    begin = now - timedelta(weeks=WEEKS)
    gone = people.filter(state=SubscriptionState.UNSUBSCRIBED, state_at__gt=begin, state_at__lte=now)
    return Growth(
        people.filter(state=SubscriptionState.ACTIVE).count() if active is None else active,
        _by_week(people.filter(confirmed_at__gt=begin, confirmed_at__lte=now), "confirmed_at", now),
        _by_week(gone, "state_at", now),
    )


def _suppressed(mailing_list: MailingList) -> QuerySet[Suppression]:
    """From the suppressions on, of which there are few, and not from the people."""
    here = Subscription.objects.filter(mailing_list=mailing_list, subscriber__address_key=OuterRef("address_key"))
    return Suppression.objects.filter(Exists(here))


def _page_of_suppressed(mailing_list: MailingList, after: int | None, size: int) -> Page:
    rows = _suppressed(mailing_list)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk").values_list("pk", "address_key")[: size + 1])
    here = Subscription.objects.filter(mailing_list=mailing_list)
    people = Subscriber.objects.filter(address_key__in=[key for _, key in found[:size]]).values_list("pk", flat=True)
    by_key = {row.subscriber.address_key: row for row in _whole(list(people), "subscriber", here)}
    kept = tuple(by_key[key] for _, key in found[:size] if key in by_key)
    return Page(kept, found[size - 1][0] if len(found) > size else None)


def _whole(numbers: list[int], of: str, here: QuerySet[Subscription] | None = None) -> tuple[Subscription, ...]:
    """The rows of these subscriptions ("pk", the newest first) or people ("subscriber", by address), with person and
    suppression. Two steps: the first walks an index and holds numbers, this one reads a page's worth of rows. In one
    query SQLite, which knows no statistics by itself, would begin with everybody on the list.
    """
    reason = Suppression.objects.filter(address_key=OuterRef("subscriber__address_key")).values("reason")
    rows = (Subscription.objects.all() if here is None else here).filter(**{f"{of}__in": numbers})
    order = "-pk" if of == "pk" else "subscriber__address_key"
    rows = rows.select_related("subscriber").annotate(suppressed=Subquery(reason[:1])).order_by(order)
    return tuple(rows)


def _by_week(rows: QuerySet[Subscription], field: str, now: datetime) -> tuple[int, ...]:
    """How many of `rows` fall into each of the twelve weeks that end at `now`; each is counted once."""
    ends = [now - timedelta(weeks=number) for number in range(WEEKS)]
    whens = [When(**{f"{field}__gt": end - timedelta(weeks=1)}, then=Value(number)) for number, end in enumerate(ends)]
    week = Case(*whens, default=Value(WEEKS - 1), output_field=IntegerField())
    found = dict(rows.annotate(week=week).values_list("week").annotate(number=Count("pk")).order_by())
    return tuple(found.get(number, 0) for number in reversed(range(WEEKS)))
