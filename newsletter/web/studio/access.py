"""Who may do what in the studio. Every route says so: `allowed` for people with a role, `everybody` for strangers too.

What a role is: flow.people.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from newsletter.flow import second_step
from newsletter.flow.people import Role, admins, role_of
from newsletter.web.headers import private
from newsletter.web.studio import keeping

_View = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]
_Any = TypeVar("_Any", bound=Callable[..., HttpResponseBase])


def allowed(role: Role, *, setting_up: bool = False, keeps: bool = True) -> Callable[[_View], _View]:
    """For a view of the studio: whoever has less than `role` gets a page that says so (403), a stranger logs in first,
    and who must set up the second step is led there, but for views that are `setting_up` itself.

    Outermost, so that a stranger does not even learn which methods there are. What was posted after the log-in had
    expired, or before the second step that is asked, is kept for after it, but where `keeps` says no: passwords are not
    written into pages.
    """

    def declare(view: _View) -> _View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **values: Any) -> HttpResponseBase:
            has = role_of(request.user)
            posts = request.method == "POST"
            if has is None:
                kept = keeping.posted(request) if keeps and posts else None
                if kept is not None:
                    return private(keeping.log_in_first(request, kept, way_back(request)))
                return private(redirect_to_login(way_back(request)))
            if has < role:
                return denied(request, role)
            if not setting_up and lacks_second_step(request.user):
                return _set_up_first(request, keeping.posted(request) if keeps and posts else None)
            if posts:
                keeping.arrived(request)
            return view(request, *args, **values)

        guarded.role = role  # type: ignore[attr-defined] # what the test of every route looks for
        guarded.keeps = keeps  # type: ignore[attr-defined]
        return guarded

    return declare


def may(request: HttpRequest, role: Role) -> bool:
    """Whether whoever asks has at least `role`, for what a page shows or leaves away."""
    return (role_of(request.user) or 0) >= role


def everybody(view: _Any) -> _Any:
    """For a route that is there for strangers too; it must give away nothing."""
    view.role = None  # type: ignore[attr-defined]
    return view


def lacks_second_step(user: User | AnonymousUser) -> bool:
    """Whether the installation asks a second step of this person, who has none yet."""
    if not settings.NEWSLETTER.require_second_step or not isinstance(user, User):
        return False
    return (role_of(user) or 0) >= Role.APPROVER and not second_step.has(user)


def _set_up_first(request: HttpRequest, kept: keeping.Kept | None) -> HttpResponse:
    if request.method in ("GET", "HEAD"):
        return private(HttpResponseRedirect(reverse("second-step")))
    return private(keeping.second_step_first(request, kept))


def denied(request: HttpRequest, role: Role) -> HttpResponse:
    """The page for somebody who lacks `role`, and whom to ask."""
    names = [row.get_username() for row in admins()]
    context = {"needed": role, "has": role_of(request.user), "admins": names}
    return private(render(request, "studio/denied.html", context, status=403, using="jinja2"))


def way_back(request: HttpRequest) -> str:
    """Where to go after the log-in: here, or for what only a button does the page that the button is on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(came_from)
        return parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    return reverse("studio")
