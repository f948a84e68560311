"""Who works here: roles, invitations, and that somebody always can let others in.

There is one truth about a role, Django's own: an admin is a superuser, an approver has the permission
`newsletter.approve_issue` (by hand or through a group), and whoever else has an account is an editor.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import IntEnum

from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from newsletter.core.errors import PeopleError
from newsletter.core.sentence import sentence
from newsletter.flow.issue.composing import edited_any
from newsletter.flow.issue.deciding import BY_SCHEDULE
from newsletter.models import Event, Invitation

APPROVE = "newsletter.approve_issue"
VALID = timedelta(days=7)
NAMED = "name chosen"
"""The kind of event by which a person takes another name; it is `by` the one of before."""
KINDS = (
    *("invited", "invitation withdrawn", "joined", "role changed", "removed", "let in again", "password changed"),
    *("address changed", "second step on", "second step off", "recovery code used", "recovery codes renewed"),
    *("wrong codes", "log-in link", NAMED),
)
"""The kinds of events that are about people, not issues."""

# What approving needs: the right itself, and whom a letter did not reach.
_OF_APPROVERS = (("newsletter", "approve_issue"), ("subscribers", "view_subscriber"))


class Role(IntEnum):
    """What a person may do; each role may what those before it may."""

    EDITOR = 1
    APPROVER = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As the glossary has it."""
        return self.name.lower()

    @property
    def may(self) -> str:
        """What the role is for, to choose it by."""
        return {
            Role.EDITOR: sentence("looks at issues and edits them"),
            Role.APPROVER: sentence("also approves issues, which sends them, and sees readers’ addresses"),
            Role.ADMIN: sentence("also decides who works here, and on everything else"),
        }[self]

    @classmethod
    def named(cls, word: str) -> Role:
        """The role of that word. Raises `PeopleError` when there is no such."""
        for role in cls:
            if role.word == word:
                return role
        raise PeopleError(
            sentence("There is no role {word}.", word=repr(word)),
            hint=sentence("One is an editor, an approver or an admin."),
        )


def role_of(user: User | AnonymousUser) -> Role | None:
    """The role of a person; None for a stranger and for an account that was removed."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    return Role.APPROVER if user.has_perm(APPROVE) else Role.EDITOR


def admins() -> QuerySet[User]:
    """Those who can let others in."""
    return User.objects.filter(is_active=True, is_superuser=True).order_by("pk")


@transaction.atomic
def give(user: User, role: Role) -> None:
    """Make that the role of a saved `user`. A group that would give more than the role is left."""
    user.is_staff = user.is_superuser = role is Role.ADMIN
    user.save(update_fields=["is_staff", "is_superuser"])
    for app, codename in _OF_APPROVERS:
        right = Permission.objects.get(content_type__app_label=app, codename=codename)
        if role is Role.APPROVER:
            user.user_permissions.add(right)
        else:
            user.user_permissions.remove(right)
            user.groups.remove(*Group.objects.filter(user=user, permissions=right))


@transaction.atomic
def change_role(user_id: int, role: Role, *, now: datetime, by: str) -> None:
    """Raises `PeopleError` when the last admin would be none any more. A person who was removed is let in again."""
    user = _locked(user_id, stays_admin=role is Role.ADMIN)
    before = role_of(user)
    if before is role:
        return
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
    give(user, role)
    name = user.get_username()
    if before is None:
        tell("let in again", f"{name} was let in again, as {role.word}.", now, by)
    else:
        tell("role changed", f"{name}, {before.word} before, is {role.word} now.", now, by)


@transaction.atomic
def remove(user_id: int, *, now: datetime, by: str) -> None:
    """Nothing opens to the person any more, from the next click on. The account stays, closed: what was done under its
    name must never be taken for somebody else's. Raises `PeopleError` for the last admin.
    """
    user = _locked(user_id, stays_admin=False)
    if not user.is_active:
        return
    user.is_active = False
    user.save(update_fields=["is_active"])
    tell("removed", f"{user.get_username()} was removed.", now, by)


@transaction.atomic
def invite(role: Role, whom: str, *, now: datetime, by: str, address: str = "") -> tuple[Invitation, str]:
    """An open invitation, and the token of its link, which is kept nowhere else. `address` is where the link goes; it
    becomes that of the person (flow.inviting mails it).
    """
    token = secrets.token_urlsafe(32)
    row = Invitation.objects.create(
        token_hash=_hash(token),
        role=role.word,
        whom=(whom.strip() or address)[:254],
        address=address,
        by=by,
        created_at=now,
        expires_at=now + VALID,
    )
    tell("invited", f"Somebody was invited as {role.word} (invitation {row.pk}).", now, by)
    return row, token


def open_invitations(now: datetime) -> QuerySet[Invitation]:
    """Those that still let somebody in, the newest first."""
    return Invitation.objects.filter(closed_at=None, expires_at__gt=now).order_by("-pk")


@transaction.atomic
def withdraw(invitation_id: int, *, now: datetime, by: str) -> bool:
    """Void a link; False when it was void already."""
    if not open_invitations(now).filter(pk=invitation_id).update(closed_at=now):
        return False
    tell("invitation withdrawn", f"Invitation {invitation_id} was withdrawn.", now, by)
    return True


def invitation_of(token: str, now: datetime) -> Invitation | None:
    """The invitation that a link's token opens; None for every other text."""
    return open_invitations(now).filter(token_hash=_hash(token)).first()


def accept(token: str, name: str, password: str, *, now: datetime) -> User:
    """Make the invited person's account, once. Raises `PeopleError` for a void link, a name that is taken or can't be
    one, and a password that is too easy; then the link stays good.
    """
    name = User.normalize_username(name.strip())
    try:
        with transaction.atomic():
            row = invitation_of(token, now)
            if row is None or not open_invitations(now).filter(pk=row.pk).update(closed_at=now):
                raise PeopleError(
                    sentence("This invitation does not count any more."), hint=sentence("Ask for a new one.")
                )
            user = User(username=name, email=row.address)
            _require_name(name)
            validate_password(password, user)
            user.set_password(password)
            user.full_clean(exclude=["password"])
            user.save()
            give(user, Role.named(row.role))
            Invitation.objects.filter(pk=row.pk).update(user=user)
            tell("joined", f"{name} joined as {row.role}, invited by {row.by} (invitation {row.pk}).", now, name)
            return user
    except ValidationError as error:
        raise PeopleError(" ".join(error.messages)) from error
    except IntegrityError as error:
        raise PeopleError(sentence("That name is taken."), hint=sentence("Take another.")) from error


@transaction.atomic
def choose_name(user: User, name: str, *, now: datetime) -> None:
    """The name that stands beside what `user` does from here on; for who has no password yet: a command named them.

    Raises `PeopleError` for a name that is taken or can't be one, and where an issue holds what was edited under the
    name of before: who edited it must be told from who approves it.
    """
    name, before = User.normalize_username(name.strip()), user.get_username()
    if name == before:
        return
    if user.has_usable_password() or edited_any(before):
        raise PeopleError(
            sentence("What you did stands under the name {name}.", name=before),
            hint=sentence("It can’t be changed any more."),
        )
    if name.casefold() != before.casefold():
        _require_name(name)
    user.username = name
    try:
        user.full_clean(exclude=["password"])
        user.save(update_fields=["username"])
    except ValidationError as error:
        raise PeopleError(" ".join(error.messages)) from error
    except IntegrityError as error:
        raise PeopleError(sentence("That name is taken."), hint=sentence("Take another.")) from error
    tell(NAMED, f"{before} is called {name} from here on.", now, before)


def tell(kind: str, text: str, now: datetime, by: str) -> None:
    """Write down what somebody did about people."""
    Event.objects.create(at=now, kind=kind, text=text, by=by)


def _require_name(name: str) -> None:
    # Names stand in the audit log: two that look the same, or one that is the clock's, would make it worthless.
    taken = User.objects.filter(username__iexact=name), Event.objects.filter(kind=NAMED, by__iexact=name)
    if name.casefold() == BY_SCHEDULE or any(rows.exists() for rows in taken):
        raise PeopleError(sentence("That name is taken."), hint=sentence("Take another."))


def _locked(user_id: int, *, stays_admin: bool) -> User:
    """The person, with every admin's row held: two who remove each other at once must not both succeed."""
    held = {row.pk for row in admins().select_for_update(no_key=True)}
    try:
        user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    except User.DoesNotExist:
        raise PeopleError(sentence("There is no such person.")) from None
    if held == {user.pk} and not stays_admin:
        raise PeopleError(
            sentence("{name} is the last admin.", name=user.get_username()),
            hint=sentence("Make somebody else an admin first, or nobody could."),
        )
    return user


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
