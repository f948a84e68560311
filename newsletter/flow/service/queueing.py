"""A service mail beside the act that asks for it, in the same transaction: neither happens without the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from newsletter.flow.service.wording import Kind
from newsletter.models import Newsletter, ServiceMail, SignupForm
from subscribers.address import key
from subscribers.models import Subscription

WORTH_SENDING = timedelta(days=1)
"""How long a mail may wait for its provider: a link that comes two days late helps nobody."""


def queue(
    kind: Kind,
    *,
    newsletter: Newsletter,
    address: str,
    now: datetime,
    subscription: Subscription | None = None,
    language: str = "",
    values: Mapping[str, str] | None = None,
    due_at: datetime | None = None,
    form: SignupForm | None = None,
) -> ServiceMail:
    """One mail of `kind` to `address`, due at once unless `due_at` says later. `values` are what the kind prints, and
    `form` is the one that it answers.
    """
    due = due_at or now
    return ServiceMail.objects.create(
        kind=kind.value,
        newsletter=newsletter,
        subscription=subscription,
        form=form,
        address=address,
        address_key=key(address),
        language=language,
        values=dict(values or {}),
        created_at=now,
        due_at=due,
        expires_at=due + WORTH_SENDING,
    )
