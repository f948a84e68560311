"""Logging in: by password, or once by a link that a command printed; then the second step of whoever has one.

The link is signed and ends with the first log-in of its user, however that happens, or after a day. As everywhere,
looking at it changes nothing: a page with one button opens, and the button logs in.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.http import require_http_methods

from newsletter.core.errors import NewsletterError
from newsletter.flow import second_step
from newsletter.flow.people import Role, role_of
from newsletter.web.headers import private
from newsletter.web.links import seal
from newsletter.web.studio import keeping, waiting
from newsletter.web.studio.access import denied, lacks_second_step
from newsletter.web.studio.limits import WINDOW, Attempt, wrong_codes
from newsletter.web.studio.words import gettext as _

VALID = timedelta(days=1)
SUSPECT = 5
"""So many wrong codes after the right password are written down."""
_SHAPE = re.compile(r"(?P<user>[0-9]{1,18})-(?P<at>[0-9]{1,12})-(?P<mac>[0-9a-f]{40})", re.ASCII)


def login_link(user: User, base_url: str, now: datetime) -> str:
    """An address that logs `user` in once, within a day of `now`. For the terminal of whoever may have it.

    It stands for the password alone: who has a second step is asked for it all the same.
    """
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
            return private(_later(answer))
        answer = super().post(request, *args, **values)
        if answer.status_code == 302:
            attempt.forget()
        return private(answer)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The password was right."""
        next_page = self.get_success_url()
        kept = keeping.carried(self.request)
        if kept is not None:
            keeping.stash(self.request, kept)
            next_page = reverse("again")
        return enter(self.request, form.get_user(), next_page)

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        """What the page needs; `limited` after too many tries, `kept` a form that came without a log-in."""
        kept = self.request.POST["kept"] if keeping.carried(self.request) else ""
        own = {"limited": False, "kept": kept, "too_long": False}
        return super().get_context_data(**{**own, **values})


@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows whom the link logs in, POST does it. A used, old or wrong link is one and the same 404."""
    user = _user_of(token, timezone.now())
    if user is None:
        return _void(request)
    if request.method != "POST":
        return private(render(request, "studio/login_once.html", {"user": user}, using="jinja2"))
    # With a second step the link is used up by the code: a device left at home must not cost the link.
    if not second_step.has(user) and not _use_up(user):
        return _void(request)
    return private(enter(request, user, reverse("studio"), link=token))


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step. POST takes a code of the app or a recovery code, within the limits that passwords have."""
    now = timezone.now()
    pending = waiting.of(request, now)
    if pending is None:
        return private(HttpResponseRedirect(reverse("login")))
    user = pending.user
    context: dict[str, Any] = {"name": user.get_username(), "left": second_step.codes_left(user), "problem": ""}
    if request.method != "POST":
        return private(render(request, "studio/login_code.html", context, using="jinja2"))
    attempt = Attempt(request, user.get_username(), now)
    if attempt.refused:
        attempt.forget()
        context["problem"] = _("Too many tries went wrong. Wait a quarter of an hour.")
        return private(_later(render(request, "studio/login_code.html", context, status=429, using="jinja2")))
    try:
        right = second_step.passes(user, request.POST.get("code", "")[:100], seal=seal(), now=now)
    except NewsletterError as error:
        attempt.forget()
        context["problem"] = str(error)
        return private(render(request, "studio/login_code.html", context, status=409, using="jinja2"))
    if not right:
        if wrong_codes(user.get_username(), now) == SUSPECT:
            second_step.guessed_at(user, SUSPECT, now)
        context["problem"] = f"{second_step.WRONG} {_('The app shows a new one every 30 seconds.')}"
        return private(render(request, "studio/login_code.html", context, status=400, using="jinja2"))
    attempt.forget()
    if pending.link and (_user_of(pending.link, now) != user or not _use_up(user)):
        waiting.forget(request)
        return _void(request)
    return private(waiting.finish(request, user, pending.next))


def enter(request: HttpRequest, user: User, next_page: str, *, link: str = "") -> HttpResponse:
    """What follows on a right password, or on a good `link`: the studio, or the second step."""
    if second_step.has(user):
        waiting.begin(request, user, next_page, link=link)
        return HttpResponseRedirect(reverse("login-code"))
    return waiting.finish(request, user, next_page)


def for_admin(request: HttpRequest) -> HttpResponse:
    """In place of the log-in of Django's admin, which would know no limits."""
    if role_of(request.user) is not None:
        if lacks_second_step(request.user):
            return private(HttpResponseRedirect(reverse("second-step")))
        return denied(request, Role.ADMIN)
    return private(redirect_to_login(request.GET.get("next", reverse("admin:index"))))


def _later(answer: HttpResponse) -> HttpResponse:
    answer.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
    return answer


def _void(request: HttpRequest) -> HttpResponse:
    return private(render(request, "studio/login_once.html", {"user": None}, status=404, using="jinja2"))


def _use_up(user: User) -> bool:
    """Two presses at once: the one that moves last_login off what the link was made for is the one that logs in."""
    unused = User.objects.filter(pk=user.pk, last_login=user.last_login)
    if user.last_login is None:
        unused = User.objects.filter(pk=user.pk, last_login__isnull=True)
    return unused.update(last_login=timezone.now()) == 1


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
