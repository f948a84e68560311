"""What each waiting form deserves. Away from the request, so that a page never waits for the list or for the DNS."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.core.errors import DnsError
from newsletter.core.tokens import Keys
from newsletter.flow import service
from newsletter.flow.domain import Resolver
from newsletter.flow.service import Kind
from newsletter.flow.signup.confirming import confirm_link
from newsletter.models import Event, ServiceMail, Signup, SignupForm, SignupState
from subscribers import address, consent
from subscribers.consent import Asked
from subscribers.errors import AddressError
from subscribers.models import Subscription

log = logging.getLogger(__name__)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MOST_UNCONFIRMED = 3
"""Mails that an address gets at most without ever having confirmed anything (standard A9)."""
AT_ONCE = 500
GROUP, BREATH = 5, 0.03
"""Forms in one transaction, and the seconds between two."""
CEILING = "signup ceiling"
ENOUGH_TODAY = "one mail a day"

_TO_STRANGERS = (Kind.CONFIRM, Kind.REMIND)
_ANSWERS = (*_TO_STRANGERS, Kind.ALREADY)
ROLES = frozenset({"abuse", "admin", "hostmaster", "info", "marketing", "noreply", "no-reply", "office", "postmaster",
                   "root", "sales", "support", "webmaster"})  # fmt: skip


@dataclass(slots=True)
class Worked:
    """What one pass made of the forms; `held` wait because a ceiling is reached."""

    confirmations: int = 0
    already: int = 0
    dropped: int = 0
    held: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


def work_off(
    *,
    clock: Callable[[], datetime],
    keys: Keys,
    base_url: str,
    mails_per_hour: int,
    resolver: Resolver | None = None,
    stopping: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], object] = time.sleep,
) -> Worked:
    """Work off the forms that wait, oldest first, up to `AT_ONCE`. Any number of processes may do so at once.

    `mails_per_hour` is the ceiling of all forms together. With a `resolver` an address whose domain takes no mail
    gets none. Never raises for one form: it is dropped with its reason.
    """
    pass_ = _Pass(clock, keys, base_url, mails_per_hour, resolver)
    waiting = Signup.objects.filter(state=SignupState.WAITING).order_by("pk")
    rows = list(waiting.values_list("pk", "form_id", "address")[:AT_ONCE])
    for place in range(0, len(rows), GROUP):
        if stopping():
            break
        if place:
            # SQLite has one writer at a time and no queue: without a breath those who hand in forms wait for us.
            sleep(BREATH)
        pass_.group(rows[place : place + GROUP])
    return pass_.worked


class _Pass:
    """One pass over the forms that wait."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        keys: Keys,
        base_url: str,
        mails_per_hour: int,
        resolver: Resolver | None,
    ) -> None:
        self.clock, self.keys, self.base_url = clock, keys, base_url
        self.mails_per_hour, self.resolver = mails_per_hour, resolver
        self.worked = Worked()
        self._full: set[int] = set()
        self._seen: set[tuple[int, str]] = set()

    def group(self, rows: list[tuple[int, int, str]]) -> None:
        """Some forms in one transaction. The DNS is asked before it: nobody's lock should wait for that."""
        deaf = set() if self.resolver is None else {text for _, _, text in rows if not takes_mail(text, self.resolver)}
        with transaction.atomic():
            for number, form, text in rows:
                if form in self._full:
                    self.worked.held += 1
                elif outcome := self._one(number, form, text, text in deaf):
                    self.worked.reasons[outcome] = self.worked.reasons.get(outcome, 0) + 1

    def _one(self, number: int, form: int, text: str, deaf: bool) -> str:
        """What became of one form, in a word or two; "" when another process has it, or when it goes on waiting."""
        row = (
            Signup.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("form__newsletter__mailing_list")
            .filter(pk=number, state=SignupState.WAITING)
            .first()
        )
        if row is None:
            return ""
        now = self.clock()
        if (form, address.key(text)) in self._seen:
            # A bomb: whoever it is for, the first of these has had what there is to have.
            outcome = ENOUGH_TODAY
            self.worked.dropped += 1
        elif full := _ceiling(row.form, self.mails_per_hour, now):
            self.worked.held += 1
            self._full.add(form)
            _alarm(row.form, full, now)
            return ""
        elif deaf:
            outcome = "its domain takes no mail"
            self.worked.dropped += 1
        else:
            outcome = _worked(row, now, self.keys, self.base_url, self.worked)
        state = SignupState.DONE if outcome in ("confirmation", "already") else SignupState.DROPPED
        Signup.objects.filter(pk=row.pk).update(state=state, outcome=outcome[:60])
        self._seen.add((form, address.key(text)))
        return outcome


def _worked(row: Signup, now: datetime, keys: Keys, base_url: str, worked: Worked) -> str:
    """What became of one form, in a word or two."""
    form = row.form
    try:
        found = address.parse(row.address)
    except AddressError:
        worked.dropped += 1
        return "no address"
    local = found.key.rpartition("@")[0]
    proof = {"form": form.slug, "network": row.network, "agent": row.agent, "page": row.page}
    if local in ROLES:
        proof["role"] = local
    request = consent.subscribe(
        form.newsletter.mailing_list,
        found,
        now=row.at,
        origin=f"form {form.slug}",
        wording=row.wording,
        name=row.name,
        language=row.language,
        topics=row.topics,
        evidence=proof,
    )
    if request.asked is Asked.SUPPRESSED or request.subscription is None:
        worked.dropped += 1
        return "suppressed"
    if why := _enough(found.key, request.subscription, now):
        worked.dropped += 1
        return why
    kind = Kind.ALREADY if request.asked is Asked.ACTIVE else Kind.CONFIRM
    values = {}
    if kind is Kind.CONFIRM:
        values["link"] = confirm_link(request.subscription, keys=keys, base_url=base_url, now=now)
        worked.confirmations += 1
    else:
        worked.already += 1
    service.queue(
        kind,
        newsletter=form.newsletter,
        address=found.shown,
        subscription=request.subscription,
        language=row.language,
        values=values,
        now=now,
        form=form,
    )
    return "confirmation" if kind is Kind.CONFIRM else "already"


def _enough(address_key: str, subscription: Subscription, now: datetime) -> str:
    """Why this address gets no further mail now: one a day, and three ever without a confirmation."""
    sent = ServiceMail.objects.filter(address_key=address_key, kind__in=_ANSWERS)
    if sent.filter(created_at__gt=now - DAY).exists():
        return ENOUGH_TODAY
    since = subscription.confirmed_at
    strangers = sent.filter(kind__in=_TO_STRANGERS, **({"created_at__gt": since} if since else {}))
    if strangers.count() >= MOST_UNCONFIRMED and subscription.state == "pending":
        return "three mails without a confirmation"
    return ""


def _ceiling(form: SignupForm, mails_per_hour: int, now: datetime) -> str:
    """Why no confirmation may be caused now; "" when one may."""
    lately = ServiceMail.objects.filter(kind=Kind.CONFIRM, created_at__gt=now - HOUR)
    if lately.filter(form=form).count() >= form.mails_per_hour:
        return f'The form "{form.slug}" has caused {form.mails_per_hour} confirmations within an hour.'
    if lately.count() >= mails_per_hour:
        return f"All forms together have caused {mails_per_hour} confirmations within an hour."
    return ""


def _alarm(form: SignupForm, text: str, now: datetime) -> None:
    """Said once an hour: a person should look whether somebody bombs mailboxes through the form."""
    said = Event.objects.filter(kind=CEILING, newsletter=form.newsletter, at__gt=now - HOUR)
    if not said.exists():
        log.warning("%s", text)
        Event.objects.create(newsletter=form.newsletter, at=now, kind=CEILING, text=f"{text} Further ones wait.")


def takes_mail(shown: str, resolver: Resolver) -> bool:
    """Whether the domain has a mail server, or at least an address (RFC 5321 section 5.1); no answer is no "no"."""
    domain = shown.rpartition("@")[2]
    try:
        servers = resolver.mx(domain)
        # A single "." says that the domain takes none (RFC 7505).
        return any(server.strip(".") for server in servers) if servers else bool(resolver.addresses(domain))
    except DnsError:
        return True
