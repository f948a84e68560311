"""Addresses never mailed, whatever any list says: a bounce, a complaint, an erasure, or a person's decision.

Only `lift`, a person's decision with a reason, takes an address off again. No import and no form does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from subscribers import consent, marks
from subscribers.models import ConsentEvent, ConsentKind, Subscription, Suppression, SuppressionReason


def suppress(address_key: str, reason: SuppressionReason, *, now: datetime, evidence: str = "") -> bool:
    """Never mail this address again; False when it was suppressed already (the first reason and proof are kept).

    A complaint also ends every subscription of the address: it is the person's word, and stays when the suppression is
    lifted. A bounce says something about a mailbox, not about consent, so subscriptions keep their state.
    """
    with transaction.atomic():
        _, new = Suppression.objects.get_or_create(
            address_key=address_key, defaults={"reason": reason, "at": now, "evidence": evidence}
        )
        if new:
            ConsentEvent.objects.create(
                address_key=address_key,
                kind=ConsentKind.SUPPRESSED,
                at=now,
                origin=f"suppressed: {reason}",
                evidence={"reason": str(reason), "proof": evidence},
            )
        if reason == SuppressionReason.COMPLAINT:
            for subscription in Subscription.objects.filter(subscriber__address_key=address_key):
                consent.unsubscribe(subscription, now=now, origin="complaint")
    return new


def lift(address_key: str, *, now: datetime, by: str, reason: str) -> bool:
    """A person decides that the address may be mailed again. Subscriptions keep their state; False when there was none.

    Raises `ValueError` without a reason: an erased or complaining address that comes back has to be explained.
    """
    if not reason.strip():
        raise ValueError("Lifting a suppression needs a reason.")
    with transaction.atomic():
        # An erased person's mark too: whoever lifts it has the address from the person.
        rows = list(Suppression.objects.select_for_update().filter(address_key__in=marks.keys_of(address_key)))
        if not rows:
            return False
        row = min(rows, key=lambda one: one.at)
        ConsentEvent.objects.create(
            address_key=address_key,
            kind=ConsentKind.SUPPRESSED,
            at=now,
            origin=f"lifted by {by}"[:200],
            wording=reason,
            evidence={"lifted": True, "reason": row.reason, "since": row.at.isoformat()},
        )
        Suppression.objects.filter(pk__in=[one.pk for one in rows]).delete()
    return True


def reasons(address_keys: Iterable[str]) -> dict[str, str]:
    """The reason of each suppressed address among these, also where only an erased person's mark is left; the others
    are not in the answer. One query.
    """
    asked = {stored: key for key in address_keys for stored in marks.keys_of(key)}
    found = Suppression.objects.filter(address_key__in=list(asked)).values_list("address_key", "reason")
    return {asked[stored]: reason for stored, reason in found}
