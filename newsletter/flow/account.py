"""A person's own account: password, sessions, and the address that notices go to. The second step: flow.second_step."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction

from newsletter.core.errors import PeopleError
from newsletter.core.sentence import sentence
from newsletter.flow.people import choose_name, tell
from subscribers import address
from subscribers.errors import AddressError

LONGEST_PASSWORD = 4096
"""Hashing is slow by design; a password of megabytes would only be slower."""


@transaction.atomic
def change_password(user: User, old: str, new: str, *, now: datetime) -> None:
    """Every other session of the person ends with it: Django's sessions are bound to the password.

    Raises `PeopleError` for a wrong old one (asked only of who has one), and for a new one that is too easy.
    """
    if user.has_usable_password() and not user.check_password(old):
        raise PeopleError(sentence("The present password is another one."), hint=sentence("Capital letters count."))
    if len(new) > LONGEST_PASSWORD:
        raise PeopleError(
            sentence("The new password is too long."),
            hint=sentence("At most {longest_password} signs.", longest_password=LONGEST_PASSWORD),
        )
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise PeopleError(" ".join(error.messages)) from error
    if "\x00" in new:
        raise PeopleError(sentence("The new password holds a sign that can't be typed."))
    user.set_password(new)
    user.save(update_fields=["password"])
    name = user.get_username()
    tell("password changed", f"{name} changed the password.", now, name)


@transaction.atomic
def settle(user: User, name: str, password: str, *, now: datetime) -> None:
    """Name and first password of somebody whom a link let in. Raises `PeopleError`; then neither is changed, though
    `user` itself must be read again.
    """
    choose_name(user, name, now=now)
    change_password(user, "", password, now=now)


def end_other_sessions(user: User, here: str, *, now: datetime) -> int:
    """Whoever is logged in as `user` elsewhere logs in anew; the session with the key `here` goes on. Returns how many.

    Sessions don't say in a column whose they are: each that is good is read. They are a team's, not the readers'.
    """
    others = [
        row.session_key
        for row in Session.objects.filter(expire_date__gt=now).exclude(session_key=here).iterator()
        if row.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    return Session.objects.filter(session_key__in=others).delete()[0]


@transaction.atomic
def change_address(user: User, typed: str, *, now: datetime) -> None:
    """Where notices go; "" is nowhere. Raises `PeopleError` for what is no address."""
    try:
        shown = address.parse(typed).shown if typed.strip() else ""
    except AddressError as error:
        raise PeopleError(
            sentence("“{typed}” is no address: {error}", typed=typed.strip()[:80], error=error)
        ) from error
    if shown == user.email:
        return
    user.email = shown
    user.save(update_fields=["email"])
    name = user.get_username()
    # No address stands in an event.
    tell("address changed", f"{name} {'changed' if shown else 'took away'} the address for notices.", now, name)
