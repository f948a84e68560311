"""Who may do what in the studio. Every route says so: `allowed` for people with a role, `everybody` for strangers too.

What a role is: flow.people.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from newsletter.flow.people import Role, admins, role_of
from newsletter.web.headers import private

_View = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]
_Any = TypeVar("_Any", bound=Callable[..., HttpResponseBase])


def allowed(role: Role) -> Callable[[_View], _View]:
    """For a view of the studio: whoever has less than `role` gets a page that says so (403), a stranger logs in first.

    Outermost, so that a stranger does not even learn which methods there are.
    """

    def declare(view: _View) -> _View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **values: Any) -> HttpResponseBase:
            has = role_of(request.user)
            if has is None:
                return private(redirect_to_login(_way_back(request)))
            if has < role:
                return denied(request, role)
            return view(request, *args, **values)

        guarded.role = role  # type: ignore[attr-defined] # what the test of every route looks for
        return guarded

    return declare


def may(request: HttpRequest, role: Role) -> bool:
    """Whether whoever asks has at least `role`, for what a page shows or leaves away."""
    return (role_of(request.user) or 0) >= role


def everybody(view: _Any) -> _Any:
    """For a route that is there for strangers too; it must give away nothing."""
    view.role = None  # type: ignore[attr-defined]
    return view


def denied(request: HttpRequest, role: Role) -> HttpResponse:
    """The page for somebody who lacks `role`, and whom to ask."""
    names = [row.get_username() for row in admins()]
    context = {"needed": role, "has": role_of(request.user), "admins": names}
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
