"""Who works here, for admins; and the page behind an invitation, for whoever has its link."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.core.errors import NewsletterError
from newsletter.flow import inviting, people, second_step
from newsletter.flow.deliver import Installation
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.inviting import Invited
from newsletter.flow.people import Role
from newsletter.models import Invitation, SecondStep
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed
from newsletter.web.studio.waiting import finish


@dataclass(frozen=True, slots=True)
class Person:
    """One account; `role` is None once it was removed."""

    pk: int
    name: str
    role: Role | None
    seen: str
    last_admin: bool
    second_step: bool


@allowed(Role.ADMIN)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everybody with an account, and who was asked to join."""
    return _page(request)


@allowed(Role.ADMIN)
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """Make a link, and mail it where an address was typed. Else the answer shows it, this once: nobody can read it
    again later, not even here.
    """
    typed = {name: request.POST.get(name, "").replace("\x00", "")[:1000] for name in ("whom", "address", "role")}
    try:
        invited = inviting.invite(
            Role.named(typed["role"]),
            typed["whom"],
            typed["address"],
            now=timezone.now(),
            by=request.user.get_username(),
            link_of=join_link,
            installation=Installation.of(settings.NEWSLETTER, os.environ),
        )
    except NewsletterError as error:
        return _page(request, problem=error, typed=typed, status=400)
    return _page(request, invited=invited)


def join_link(token: str) -> str:
    """The address that lets in whoever was invited."""
    return f"{settings.NEWSLETTER.base_url.rstrip('/')}{reverse('join', args=[token])}"


@allowed(Role.ADMIN)
@require_POST
def withdraw(request: HttpRequest, invitation: int) -> HttpResponse:
    """Void an invitation; one that is void already is no error."""
    people.withdraw(invitation, now=timezone.now(), by=request.user.get_username())
    return private(HttpResponseRedirect(reverse("team")))


@allowed(Role.ADMIN)
@require_POST
def change(request: HttpRequest, person: int) -> HttpResponse:
    """Give a person another role, or let in again who was removed."""
    try:
        role = Role.named(request.POST.get("role", ""))
        people.change_role(person, role, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, problem=error, status=409)
    # Who took the role of admin from themselves can't see the team any more.
    still = people.admins().filter(username=request.user.get_username()).exists()
    return private(HttpResponseRedirect(reverse("team" if still else "studio")))


@allowed(Role.ADMIN)
@require_POST
def remove(request: HttpRequest, person: int) -> HttpResponse:
    """Close a person's account."""
    try:
        people.remove(person, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, problem=error, status=409)
    return private(HttpResponseRedirect(reverse("team")))


@allowed(Role.ADMIN)
@require_POST
def second_step_off(request: HttpRequest, person: int) -> HttpResponse:
    """For somebody who lost the device: the password alone logs in again. Nobody's own: that takes a code."""
    user = User.objects.filter(pk=person).first()
    if user is not None and user != request.user:
        second_step.turn_off(user, now=timezone.now(), by=request.user.get_username())
    return private(HttpResponseRedirect(reverse("team")))


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks for a name and a password, POST makes the account and logs in. Every void link is one and the same 404.

    Looking uses nothing up: mail scanners open links.
    """
    name = request.POST.get("name", "").replace("\x00", "")[:150]
    context: dict[str, Any] = {"invitation": people.invitation_of(token, timezone.now()), "name": name, "problem": ""}
    if context["invitation"] is None:
        return private(render(request, "studio/join.html", context, status=404, using="jinja2"))
    if request.method != "POST":
        return private(render(request, "studio/join.html", context, using="jinja2"))
    try:
        user = people.accept(token, name, request.POST.get("password", ""), now=timezone.now())
    except NewsletterError as error:
        context["problem"] = str(error)
        return private(render(request, "studio/join.html", context, status=400, using="jinja2"))
    return private(finish(request, user, reverse("studio")))


def _page(
    request: HttpRequest,
    *,
    invited: Invited | None = None,
    problem: NewsletterError | None = None,
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    steps = set(SecondStep.objects.values_list("user_id", flat=True))
    rows = [_person(row, row.pk in steps) for row in User.objects.order_by("username")]
    admins = sum(row.role is Role.ADMIN for row in rows)
    here = [replace(row, last_admin=row.role is Role.ADMIN and admins == 1) for row in rows if row.role]
    context = {
        "people": here,
        "removed": [row for row in rows if row.role is None],
        "invitations": [_invitation(row) for row in people.open_invitations(timezone.now())],
        "roles": list(Role),
        "invited": invited,
        "typed": typed or {"whom": "", "address": "", "role": Role.EDITOR.word},
        "days": people.VALID.days,
        "problem": problem,
    }
    return private(render(request, "studio/team.html", context, status=status, using="jinja2"))


def _person(row: User, second_step: bool) -> Person:
    seen = spoken_time(row.last_login, "UTC") if row.last_login else ""
    return Person(row.pk, row.get_username(), people.role_of(row), seen, last_admin=False, second_step=second_step)


def _invitation(row: Invitation) -> dict[str, object]:
    return {"pk": row.pk, "role": row.role, "whom": row.whom, "by": row.by, "until": spoken_time(row.expires_at, "UTC")}
