"""What time does to data: one reminder, and the end of what is no longer needed. Safe to call as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.config.schema import Config
from newsletter.core.tokens import Keys
from newsletter.flow import signup
from newsletter.flow.membership import uploads
from newsletter.flow.preferences import erase_due
from newsletter.flow.quiet import ask_quiet
from newsletter.models import DeliveryState, ServiceMail, Signup, SignupState
from subscribers.models import ConsentEvent
from subscribers.preferences import resume_due


@dataclass(slots=True)
class Kept:
    """What one pass did: numbers of people, forms, mails and proofs."""

    reminded: int = 0
    retired: int = 0
    resumed: int = 0
    erased: int = 0
    asked: int = 0
    quiet: int = 0
    forms: int = 0
    mails: int = 0
    proofs: int = 0
    uploads: int = 0


def housekeep(config: Config, keys: Keys, now: datetime) -> Kept:
    """Remind and forget what is due at `now`."""
    kept = Kept()
    kept.reminded = signup.remind(now=now, keys=keys, base_url=config.base_url)
    kept.retired = signup.retire_unconfirmed(now=now)
    kept.resumed = resume_due(now)
    kept.erased = erase_due(now, config.home)
    kept.asked, kept.quiet = ask_quiet(now=now, keys=keys, base_url=config.base_url)
    forms = Signup.objects.exclude(state=SignupState.WAITING).filter(
        at__lte=now - timedelta(days=config.keep_forms_days)
    )
    kept.forms, _ = forms.delete()
    mails = ServiceMail.objects.exclude(state=DeliveryState.PENDING).filter(
        created_at__lte=now - timedelta(days=config.keep_mails_days)
    )
    kept.mails, _ = mails.delete()
    if config.home is not None:
        kept.uploads = uploads.expire(config.home, now)
    kept.proofs = _forget_networks(now - timedelta(days=config.keep_networks_days))
    return kept


def _forget_networks(before: datetime) -> int:
    """Take network and browser out of old proofs: what was agreed to, when and where stays."""
    old = ConsentEvent.objects.filter(at__lte=before, evidence__has_key="network")
    count = 0
    for event in old.iterator():
        event.evidence = {key: value for key, value in event.evidence.items() if key not in ("network", "agent")}
        event.save(update_fields=["evidence"])
        count += 1
    return count
