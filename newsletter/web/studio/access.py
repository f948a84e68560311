"""Who may do what in the studio. Every route says so: `allowed` for people with a role, `everybody` for strangers too.

There is one truth, Django's own: an admin is a superuser, an approver has the permission `newsletter.approve_issue`
(by hand or through a group), and whoever else has an account is an editor. Nothing else is kept about it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import Any, Concatenate, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from newsletter.web.headers import private

APPROVE = "newsletter.approve_issue"
# What approving needs: the right itself, and whom a letter did not reach.
_OF_APPROVERS = (("newsletter", "approve_issue"), ("subscribers", "view_subscriber"))

_View = Callable[Concatenate[HttpRequest, ...], HttpResponse]
_Any = TypeVar("_Any", bound=Callable[..., HttpResponseBase])


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
            Role.EDITOR: "looks at issues and edits them",
            Role.APPROVER: "also approves issues and so sends them, and sees readers’ addresses",
            Role.ADMIN: "also decides who works here, and changes everything else",
        }[self]

    @classmethod
    def named(cls, word: str) -> Role | None:
        """The role of that word, None when there is no such."""
        return next((role for role in cls if role.word == word), None)


def role_of(user: User | AnonymousUser) -> Role | None:
    """The role of a person; None for a stranger and for an account that was removed."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    return Role.APPROVER if user.has_perm(APPROVE) else Role.EDITOR


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


def allowed(role: Role) -> Callable[[_View], _View]:
    """For a view of the studio: whoever has less than `role` gets a page that says so (403), a stranger logs in first.

    Outermost, so that a stranger does not even learn which methods there are.
    """

    def declare(view: _View) -> _View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
            has = role_of(request.user)
            if has is None:
                return private(redirect_to_login(_way_back(request)))
            if has < role:
                return denied(request, role)
            return view(request, *args, **values)

        guarded.role = role  # type: ignore[attr-defined] # what the test of every route looks for
        return guarded

    return declare


def everybody(view: _Any) -> _Any:
    """For a route that is there for strangers too; it must give away nothing."""
    view.role = None  # type: ignore[attr-defined]
    return view


def denied(request: HttpRequest, role: Role) -> HttpResponse:
    """The page for somebody who lacks `role`, and whom to ask."""
    admins = User.objects.filter(is_active=True, is_superuser=True).order_by("username")
    context = {"needed": role, "has": role_of(request.user), "admins": [row.get_username() for row in admins]}
    return private(render(request, "studio/denied.html", context, status=403, using="jinja2"))


def _way_back(request: HttpRequest) -> str:
    """Where to go after the log-in: here, or for what only a button does the page that the button is on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(came_from)
        return parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    return reverse("studio")
