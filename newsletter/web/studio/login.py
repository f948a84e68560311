"""Logging in: by password, or once by a link that a command printed.

The link is signed and ends with the first log-in of its user, however that happens, or after a day. As everywhere,
looking at it changes nothing: a page with one button opens, and the button logs in.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import login as start_session
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.http import require_http_methods

from newsletter.flow.people import Role, role_of
from newsletter.web.headers import private
from newsletter.web.studio.access import denied
from newsletter.web.studio.limits import WINDOW, Attempt, remember

VALID = timedelta(days=1)
_SHAPE = re.compile(r"(?P<user>[0-9]{1,18})-(?P<at>[0-9]{1,12})-(?P<mac>[0-9a-f]{40})", re.ASCII)
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def login_link(user: User, base_url: str, now: datetime) -> str:
    """An address that logs `user` in once, within a day of `now`. For the terminal of whoever may have it."""
    at = int(now.timestamp())
    return f"{base_url.rstrip('/')}{reverse('login-once', args=[f'{user.pk}-{at}-{_mac(user, at)}'])}"


class Login(LoginView):
    """Name and password, Django's own."""

    template_name = "studio/login.html"
    template_engine = "jinja2"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        """As Django does it, within the limits; past them the password is not even looked at."""
        name = request.POST.get("username", "")[:254]
        attempt = Attempt(request, name, timezone.now())
        if attempt.refused:
            attempt.forget()
            form = self.get_form_class()(request, initial={"username": name})
            answer = self.render_to_response(self.get_context_data(form=form, limited=True), status=429)
            answer.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
            return private(answer)
        answer = super().post(request, *args, **values)
        if answer.status_code == 302:
            attempt.forget()
            remember(request, answer, name)
        return private(answer)

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        """What the page needs; `limited` after too many tries."""
        return super().get_context_data(**{"limited": False, **values})


@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows whom the link logs in, POST does it. A used, old or wrong link is one and the same 404."""
    user = _user_of(token, timezone.now())
    if user is None:
        return private(render(request, "studio/login_once.html", {"user": None}, status=404, using="jinja2"))
    if request.method != "POST":
        return private(render(request, "studio/login_once.html", {"user": user}, using="jinja2"))
    # Two presses at once: the one that moves last_login off what the link was made for is the one that logs in.
    unused = User.objects.filter(pk=user.pk, last_login=user.last_login)
    if user.last_login is None:
        unused = User.objects.filter(pk=user.pk, last_login__isnull=True)
    if not unused.update(last_login=timezone.now()):
        return private(render(request, "studio/login_once.html", {"user": None}, status=404, using="jinja2"))
    start_session(request, user, backend=_BACKEND)
    answer = private(HttpResponseRedirect(reverse("studio")))
    remember(request, answer, user.get_username())
    return answer


def for_admin(request: HttpRequest) -> HttpResponse:
    """In place of the log-in of Django's admin, which would know no limits."""
    if role_of(request.user) is not None:
        return denied(request, Role.ADMIN)
    return private(redirect_to_login(request.GET.get("next", reverse("admin:index"))))


def _user_of(token: str, now: datetime) -> User | None:
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        return None
    user = User.objects.filter(pk=int(shape["user"]), is_active=True).first()
    at = int(shape["at"])
    # A stranger's number is measured against a user that can't exist, so that both take the same time.
    genuine = constant_time_compare(shape["mac"], _mac(user or User(pk=0), at))
    age = now.timestamp() - at
    return user if genuine and -300 <= age <= VALID.total_seconds() else None


def _mac(user: User, at: int) -> str:
    """Over what changes with a log-in or a new password: then every link made before is void."""
    seen = user.last_login.isoformat() if user.last_login else ""
    words = f"{user.pk}|{at}|{seen}|{user.password}"
    return salted_hmac("newsletter.login-link", words, algorithm="sha256").hexdigest()[:40]
