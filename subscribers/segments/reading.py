"""Who is in a segment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from subscribers.models import MailingList, Subscription, SubscriptionState
from subscribers.segments import conditions as c
from subscribers.segments.compiling import compile_rule
from subscribers.segments.parsing import parse

PAGE = 5000  # numbers a page: performance figures in docs/proofs/lists.md


def queryset(mailing_list: MailingList, rule: object, *, now: datetime) -> QuerySet[Subscription]:
    """The subscriptions of the list that `rule` selects, in no order, each once. Raises `SegmentError`."""
    checked = parse(rule)
    return Subscription.objects.filter(mailing_list=mailing_list).filter(compile_rule(checked, now))


def count(mailing_list: MailingList, rule: object, *, now: datetime) -> int:
    """How many `rule` selects at this moment. Raises `SegmentError`."""
    return queryset(mailing_list, rule, now=now).count()


def pages(mailing_list: MailingList, rule: object, *, now: datetime, size: int = PAGE) -> Iterator[list[int]]:
    """The numbers (`pk`) of the selected subscriptions in order, at most `size` a page.

    Each page walks on along an index from where the last one ended: its cost does not grow with the list, and a change
    in between neither repeats nor drops anybody who stays selected. Raises `SegmentError`.
    """
    possible = _possible(parse(rule))
    if not possible:
        return
    # In one state the covering index (list, state, number) is in the order of the numbers; over several it is not.
    state = possible.pop() if len(possible) == 1 else ""
    chosen = queryset(mailing_list, rule, now=now).order_by("pk")
    last: int | None = 0
    while last is not None:
        end = end_of_page(mailing_list, state, last, size).first()
        # Between two numbers, not "the first so many": PostgreSQL would guess how many the rule takes, and may choose
        # to sort them all for each page.
        rows = chosen.filter(pk__gt=last)
        page = list((rows if end is None else rows.filter(pk__lte=end)).values_list("pk", flat=True))
        if page:
            yield page
        last = end


def end_of_page(mailing_list: MailingList, state: str, last: int, size: int) -> QuerySet[Subscription, int]:
    """The number of the last of the next `size` subscriptions after `last`, in that state ("" any); nothing when there
    are fewer. An index alone answers it.
    """
    rows = Subscription.objects.filter(mailing_list=mailing_list, pk__gt=last)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("pk").values_list("pk", flat=True)[size - 1 : size]


def _possible(rule: c.Condition) -> set[str]:
    """The states that anybody selected can be in: what `state` says where it stands outside of `any` and `not`."""
    states = set(SubscriptionState.values)
    if isinstance(rule, c.States):
        return states & set(rule.values)
    if isinstance(rule, c.All):
        for part in rule.parts:
            states &= _possible(part)
    return states
