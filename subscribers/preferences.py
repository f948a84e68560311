"""What a subscriber chooses: topics, frequency, language, format, name, a pause. Each change leaves what was and is.

None of these starts mail for anybody who stopped it: an unsubscribed person's choices are kept, and stay silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from subscribers import consent
from subscribers.models import ConsentKind, Frequency, MailingList, Subscription, SubscriptionState


@dataclass(frozen=True, slots=True)
class Choices:
    """All that the preference centre asks. Empty `topics` are every topic, future ones too."""

    topics: tuple[str, ...] = ()
    frequency: str = Frequency.WEEKLY
    language: str = ""
    plain_text: bool = False
    name: str = ""


def choices_of(subscription: Subscription) -> Choices:
    """What is chosen now."""
    person = subscription.subscriber
    return Choices(tuple(subscription.topics), subscription.frequency, person.language, person.plain_text, person.name)


def choose(subscription: Subscription, choices: Choices, *, now: datetime, origin: str) -> dict[str, tuple[Any, Any]]:
    """Store the choices; returns what changed, as (before, after) by name. Raises `ValueError` for a frequency that
    there is not.
    """
    if choices.frequency not in Frequency.values:
        raise ValueError(f"There is no frequency {choices.frequency!r}.")
    with transaction.atomic():
        row = consent.locked(subscription)
        person = row.subscriber
        before = choices_of(row)
        after = Choices(
            tuple(sorted(set(choices.topics))),
            choices.frequency,
            choices.language,
            choices.plain_text,
            choices.name[:300],
        )
        changed = {
            name: (getattr(before, name), getattr(after, name))
            for name in Choices.__dataclass_fields__
            if getattr(before, name) != getattr(after, name)
        }
        if not changed:
            return {}
        row.topics, row.frequency = list(after.topics), after.frequency
        row.save(update_fields=["topics", "frequency"])
        person.language, person.plain_text, person.name = after.language, after.plain_text, after.name
        person.save(update_fields=["language", "plain_text", "name"])
        # (A name is the person's own: that it changed is proof enough.)
        told = {name: [was, is_] for name, (was, is_) in changed.items() if name != "name"}
        consent.record(row, ConsentKind.CHANGED, now=now, origin=origin, evidence={"changed": _plain(told)})
    return changed


def pause(subscription: Subscription, *, until: datetime, now: datetime, origin: str) -> bool:
    """No mail until then; the return needs nobody. True when it changed anything: only an active or paused one can."""
    with transaction.atomic():
        row = consent.locked(subscription)
        if row.state not in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED) or until <= now:
            return False
        if row.state == SubscriptionState.PAUSED and row.paused_until == until:
            return False
        row.state, row.state_at, row.paused_until = SubscriptionState.PAUSED, now, until
        row.save(update_fields=["state", "state_at", "paused_until"])
        consent.record(row, ConsentKind.CHANGED, now=now, origin=origin, evidence={"paused_until": until.isoformat()})
    return True


def resume(subscription: Subscription, *, now: datetime, origin: str) -> bool:
    """End a pause before its time. True when there was one."""
    with transaction.atomic():
        row = consent.locked(subscription)
        if row.state != SubscriptionState.PAUSED:
            return False
        _back(row, now, origin)
    return True


def ask_to_keep(subscription: Subscription, *, now: datetime) -> None:
    """A quiet reader is asked once more whether they still want it."""
    Subscription.objects.filter(pk=subscription.pk).update(quiet_asks=F("quiet_asks") + 1, quiet_asked_at=now)


def keep(subscription: Subscription, *, now: datetime, origin: str) -> bool:
    """A quiet reader still wants it: nothing was ever wrong, and a pause that their silence brought ends. False for who
    has left: only a form begins anew.
    """
    with transaction.atomic():
        row = consent.locked(subscription)
        if row.state not in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED):
            return False
        if row.state == SubscriptionState.PAUSED and row.paused_until is None:
            row.state, row.state_at = SubscriptionState.ACTIVE, now
        row.quiet_asks, row.quiet_asked_at = 0, None
        row.save(update_fields=["state", "state_at", "quiet_asks", "quiet_asked_at"])
        consent.record(row, ConsentKind.CHANGED, now=now, origin=origin, evidence={"kept": True})
    return True


def pause_quiet(subscription: Subscription, *, now: datetime) -> bool:
    """Silence after two questions: a pause without an end, that one press ends."""
    with transaction.atomic():
        row = consent.locked(subscription)
        if row.state != SubscriptionState.ACTIVE:
            return False
        row.state, row.state_at, row.paused_until = SubscriptionState.PAUSED, now, None
        row.save(update_fields=["state", "state_at", "paused_until"])
        consent.record(row, ConsentKind.CHANGED, now=now, origin="quiet", evidence={"paused_until": None, "asked": 2})
    return True


def resume_due(now: datetime, mailing_list: MailingList | None = None) -> int:
    """Everybody whose pause is over is active again; returns how many. Also called right before an audience is frozen,
    so that nobody's return waits for a housekeeping.
    """
    due = Subscription.objects.filter(state=SubscriptionState.PAUSED, paused_until__lte=now)
    if mailing_list is not None:
        due = due.filter(mailing_list=mailing_list)
    count = 0
    for number in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            row = consent.locked(Subscription(pk=number))
            if row.state == SubscriptionState.PAUSED and row.paused_until is not None and row.paused_until <= now:
                _back(row, now, "the pause is over")
                count += 1
    return count


def _back(row: Subscription, now: datetime, origin: str) -> None:
    row.state, row.state_at, row.paused_until = SubscriptionState.ACTIVE, now, None
    row.save(update_fields=["state", "state_at", "paused_until"])
    consent.record(row, ConsentKind.CHANGED, now=now, origin=origin, evidence={"resumed": True})


def _plain(values: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    return {
        name: [list(value) if isinstance(value, tuple) else value for value in pair] for name, pair in values.items()
    }
