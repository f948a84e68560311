"""The second step at log-in, per person: on, asked, off. What a code is: core.second_step.

The secret is closed with the installation's key, recovery codes are marked with it (core.seal). Every change, and every
recovery code that is used, is an event with a name.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from newsletter.core import second_step as core
from newsletter.core.errors import PeopleError
from newsletter.core.seal import Seal
from newsletter.core.sentence import sentence
from newsletter.flow.people import tell
from newsletter.models import RecoveryCode, SecondStep

WRONG = sentence("That code is not right, or was used before.")


def new_secret() -> bytes:
    """What an app and we are to share."""
    return secrets.token_bytes(core.SECRET_OCTETS)


def has(user: User) -> bool:
    """Whether the person's log-in has a second step."""
    return SecondStep.objects.filter(user=user).exists()


def codes_left(user: User) -> int:
    """How many recovery codes are good."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


@transaction.atomic
def turn_on(user: User, secret: bytes, typed: str, *, seal: Seal, now: datetime) -> list[str]:
    """From the next log-in on a code is asked. Returns the recovery codes, which are kept nowhere else.

    `typed` proves that the app has the secret. Raises `PeopleError` when it does not, or the step is on already.
    """
    _hold(user)
    if has(user):
        raise PeopleError(
            sentence("The second step is on already."), hint=sentence("Turn it off first to take another device.")
        )
    counter = core.counter_of(secret, typed, now, after=0)
    if counter is None:
        raise PeopleError(
            sentence("That is not the code that the app shows for this."),
            hint=sentence("Look again: it changes every 30 seconds."),
        )
    SecondStep.objects.create(user=user, secret=seal.close(secret), counter=counter, since=now)
    name = user.get_username()
    tell("second step on", f"{name} turned on the second step at log-in.", now, name)
    return _new_codes(user, seal)


@transaction.atomic
def turn_off(user: User, *, now: datetime, by: str) -> bool:
    """A password alone logs in again; False when it did already. Recovery codes go with it."""
    _hold(user)
    if not SecondStep.objects.filter(user=user).delete()[0]:
        return False
    RecoveryCode.objects.filter(user=user).delete()
    tell("second step off", f"The second step of {user.get_username()} was turned off.", now, by)
    return True


@transaction.atomic
def renew_codes(user: User, *, seal: Seal, now: datetime) -> list[str]:
    """New recovery codes; those of before are void. Raises `PeopleError` without a second step."""
    _hold(user)
    if not has(user):
        raise PeopleError(sentence("There is no second step to recover."), hint=sentence("Turn it on first."))
    RecoveryCode.objects.filter(user=user).delete()
    name = user.get_username()
    tell("recovery codes renewed", f"{name} made new recovery codes; those of before are void.", now, name)
    return _new_codes(user, seal)


@transaction.atomic
def passes(user: User, typed: str, *, seal: Seal, now: datetime) -> bool:
    """Whether `typed` is a code of the person's app, or a recovery code; either counts once, however many ask at once.

    Raises `PeopleError` when the secret can't be opened: the installation's key was lost.
    """
    step = SecondStep.objects.filter(user=user).first()
    if step is None:
        return False
    if not core.is_digits(typed):
        return _recovers(user, typed, seal, now)
    secret = seal.open(step.secret)
    if secret is None:
        raise PeopleError(
            sentence("This second step was set up under a secret key that is here no more."),
            hint=sentence(
                "An admin turns it off: newsletter people second-step-off {name}",
                name=user.get_username(),
            ),
        )
    counter = core.counter_of(secret, typed, now, after=step.counter)
    if counter is None:
        return False
    # Two at once with one code: whoever moves the counter is the one.
    return SecondStep.objects.filter(user=user, counter__lt=counter).update(counter=counter) == 1


def guessed_at(user: User, tries: int, now: datetime) -> None:
    """Write down that somebody types wrong codes after the right password: it may be known to a stranger."""
    name = user.get_username()
    text = f"{tries} wrong codes at the log-in of {name}, after the right password."
    tell("wrong codes", f"{text} If it was not {name}, that password is known to somebody.", now, name)


def _recovers(user: User, typed: str, seal: Seal, now: datetime) -> bool:
    marks = seal.marks(_marked(user, core.recovery_code(typed)))
    if not RecoveryCode.objects.filter(user=user, mark__in=marks, used_at=None).update(used_at=now):
        return False
    left, name = codes_left(user), user.get_username()
    tell("recovery code used", f"{name} used a recovery code; {left} left.", now, name)
    return True


def _new_codes(user: User, seal: Seal) -> list[str]:
    codes: set[str] = set()
    while len(codes) < core.CODES:
        codes.add("".join(secrets.choice(core.LETTERS) for _ in range(core.CODE_LENGTH)))
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, mark=seal.mark(_marked(user, code))) for code in codes)
    return sorted(core.shown_code(code) for code in codes)


def _marked(user: User, code: str) -> str:
    return f"{user.pk}:{code}"


def _hold(user: User) -> None:
    """Two tabs at once stand in line here."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
