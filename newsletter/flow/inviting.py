"""An invitation whose link goes by mail: once, at once, by the account of the first newsletter.

Whoever invites waits for the answer, so it is not queued: the link would have to be kept until it leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from newsletter.core.errors import PeopleError
from newsletter.core.sentence import sentence
from newsletter.flow import people
from newsletter.flow.deliver import Installation
from newsletter.flow.people import Role
from newsletter.flow.service import Composer, Kind, send_now
from newsletter.flow.service.queueing import WORTH_SENDING
from newsletter.models import Account, Newsletter, ServiceMail
from subscribers import address
from subscribers.errors import AddressError


@dataclass(frozen=True, slots=True)
class Invited:
    """`link` is to be passed on by hand, "" when it was mailed to `address`; `trouble` is why that could not be."""

    link: str
    address: str = ""
    trouble: str = ""


def invite(
    role: Role,
    whom: str,
    typed: str,
    *,
    now: datetime,
    by: str,
    link_of: Callable[[str], str],
    installation: Installation,
) -> Invited:
    """Invite somebody, by mail when an address was `typed`. `link_of` makes the link of a token.

    Raises `PeopleError` for what is no address; then nobody was invited.
    """
    if not typed.strip():
        _, token = people.invite(role, whom, now=now, by=by)
        return Invited(link_of(token))
    try:
        to = address.parse(typed).shown
    except AddressError as error:
        raise PeopleError(
            sentence("“{typed}” is no address: {error}", typed=typed.strip()[:80], error=error)
        ) from error
    _, token = people.invite(role, whom, now=now, by=by, address=to)
    trouble = _mail(to, role, link_of(token), now, by, installation)
    return Invited(link_of(token) if trouble else "", to, trouble)


def _mail(to: str, role: Role, link: str, now: datetime, by: str, installation: Installation) -> str:
    """Why it did not go, "" when it did."""
    newsletter = Newsletter.objects.select_related("account", "magazine").order_by("pk").first()
    if newsletter is None:
        return sentence("There is no newsletter yet, and so no account to send by.")
    values = {
        "subject": f"{by} invites you to {newsletter.name}",
        "heading": "You’re invited",
        "text": f"{by} invites you to work on {newsletter.name}, as {role.word}.\n"
        f"Choose a name and a password. The link works once, within {people.VALID.days} days.",
        "button": "Join",
        "link": link,
    }
    mail = ServiceMail(
        kind=Kind.NOTICE.value,
        newsletter=newsletter,
        address=to,
        address_key=address.key(to),
        language="en",
        values=values,
        created_at=now,
        due_at=now,
        expires_at=now + WORTH_SENDING,
        attempts=1,
    )
    trouble = send_now(mail, Composer(installation.keys), installation)
    if not trouble and newsletter.account.kind == Account.Kind.OUTBOX:
        return sentence(
            "The account {name} writes mails into the outbox folder and sends none.", name=newsletter.account.name
        )
    return trouble
