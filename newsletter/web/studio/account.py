"""Your account: password, address for notices, the second step. Each person their own, whatever their role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from newsletter.core import second_step as core
from newsletter.core.errors import NewsletterError, PeopleError
from newsletter.flow import account as flow
from newsletter.flow import second_step
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.people import Role, role_of
from newsletter.models import SecondStep
from newsletter.web.headers import private
from newsletter.web.links import seal
from newsletter.web.studio import keeping
from newsletter.web.studio.access import allowed, lacks_second_step
from newsletter.web.studio.limits import Attempt
from newsletter.web.studio.squares import squares
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy

PATIENCE = timedelta(hours=1)
"""So long a secret that no code confirmed yet is shown."""
_KEY = "second step to confirm"
_SAID = {
    "password": gettext_lazy("Your password is changed. Every other browser that was logged in as you is logged out."),
    "address": gettext_lazy("Your address is saved."),
    "off": gettext_lazy("The second step is off. Your password alone logs you in."),
}


class TooManyTries(PeopleError):
    """Too many tries went wrong."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A secret on its way into an app: as squares, and in letters for whoever has no camera."""

    size: int
    path: str
    letters: str
    link: str


@allowed(Role.EDITOR, setting_up=True)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Who you are here, and what only you can change."""
    return _page(request)


@sensitive_post_parameters()
@allowed(Role.EDITOR, setting_up=True, keeps=False)
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Change the password, or set the first one and a name; this browser stays logged in, every other one does not."""
    now, user = timezone.now(), _user(request)
    old, new = request.POST.get("old", ""), request.POST.get("new", "")
    typed = request.POST.get("name", "").replace("\x00", "")[:1000]
    try:
        if user.has_usable_password():
            _limited(request, now, lambda: flow.change_password(user, old, new, now=now))
        else:
            flow.settle(user, typed or user.get_username(), new, now=now)
    except NewsletterError as error:
        user.refresh_from_db()
        return _page(request, {"problem": str(error), "at": "password", "typed": typed}, status=_status(error))
    update_session_auth_hash(request, user)
    return _done("account", "password")


@allowed(Role.EDITOR, setting_up=True)
@require_POST
def address(request: HttpRequest) -> HttpResponse:
    """Change where notices go."""
    typed = request.POST.get("address", "")[:1000]
    try:
        flow.change_address(_user(request), typed, now=timezone.now())
    except NewsletterError as error:
        return _page(request, {"problem": str(error), "at": "address", "address": typed}, status=400)
    return _done("account", "address")


@allowed(Role.EDITOR, setting_up=True)
@require_safe
def second_step_page(request: HttpRequest) -> HttpResponse:
    """Off: how to turn it on. Begun: the squares, the secret, and a field for the first code. On: what can be done."""
    return _second_step_page(request)


@sensitive_post_parameters()
@allowed(Role.EDITOR, setting_up=True, keeps=False)
@require_POST
def second_step_act(request: HttpRequest, verb: str) -> HttpResponse:
    """One press: keep, begin, cancel, on, off or codes. What could not be done is said on the page itself."""
    if verb not in _VERBS:
        raise Http404
    now = timezone.now()
    try:
        return _VERBS[verb](request, _user(request), now)
    except NewsletterError as error:
        return _second_step_page(request, {"problem": str(error), "at": verb}, status=_status(error))


def _keep(request: HttpRequest, user: User, now: datetime) -> HttpResponse:
    """What was typed before the step was asked waits for it to be on."""
    kept = keeping.carried(request)
    if kept is not None:
        keeping.stash(request, kept)
    return private(HttpResponseRedirect(reverse("second-step")))


def _begin(request: HttpRequest, user: User, now: datetime) -> HttpResponse:
    if second_step.has(user):
        raise PeopleError(_("The second step is on already."), hint=_("Turn it off first to take another device."))
    # Or whoever finds an open browser could lock its owner out.
    if user.has_usable_password():
        _limited(request, now, lambda: _require_password(request, user))
    closed = seal().close(second_step.new_secret())
    request.session[_KEY] = {"secret": closed, "at": int(now.timestamp())}
    return private(HttpResponseRedirect(reverse("second-step")))


def _cancel(request: HttpRequest, user: User, now: datetime) -> HttpResponse:
    request.session.pop(_KEY, None)
    return private(HttpResponseRedirect(reverse("account")))


def _on(request: HttpRequest, user: User, now: datetime) -> HttpResponse:
    secret = _begun(request, now)
    if secret is None:
        raise PeopleError(_("The picture of before is too old."), hint=_("Begin again."))
    codes = second_step.turn_on(user, secret, _typed(request), seal=seal(), now=now)
    request.session.pop(_KEY, None)
    # Who came in by the password alone would else stay in. Here the code was given; a copy of this cookie is void too.
    flow.end_other_sessions(user, request.session.session_key or "", now=now)
    request.session.cycle_key()
    return _codes_page(request, codes, turned_on=True)


def _off(request: HttpRequest, user: User, now: datetime) -> HttpResponse:
    _limited(request, now, lambda: _require_code(request, user, now))
    second_step.turn_off(user, now=now, by=user.get_username())
    return _done("account", "off")


def _codes(request: HttpRequest, user: User, now: datetime) -> HttpResponse:
    _limited(request, now, lambda: _require_code(request, user, now))
    return _codes_page(request, second_step.renew_codes(user, seal=seal(), now=now), turned_on=False)


_VERBS: dict[str, Callable[[HttpRequest, User, datetime], HttpResponse]] = {
    "keep": _keep,
    "begin": _begin,
    "cancel": _cancel,
    "on": _on,
    "off": _off,
    "codes": _codes,
}


def _page(request: HttpRequest, more: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    user = _user(request)
    context = {
        "name": user.get_username(),
        "role": role_of(user),
        "address": user.email,
        "has_password": user.has_usable_password(),
        "step": SecondStep.objects.filter(user=user).first(),
        "left": second_step.codes_left(user),
        "missing": lacks_second_step(user),
        "said": _SAID.get(request.GET.get("said", ""), ""),
        "problem": "",
        "at": "",
        "typed": "",
        **(more or {}),
    }
    return private(render(request, "studio/account.html", context, status=status, using="jinja2"))


def _second_step_page(request: HttpRequest, more: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    user = _user(request)
    step = SecondStep.objects.filter(user=user).first()
    secret = None if step else _begun(request, timezone.now())
    context = {
        "step": step,
        "since": spoken_time(step.since, "UTC") if step else "",
        "left": second_step.codes_left(user),
        "setup": _setup(user, secret) if secret is not None else None,
        "has_password": user.has_usable_password(),
        "missing": lacks_second_step(user),
        "problem": "",
        "at": "",
        **(more or {}),
    }
    return private(render(request, "studio/second_step.html", context, status=status, using="jinja2"))


def _codes_page(request: HttpRequest, codes: list[str], *, turned_on: bool) -> HttpResponse:
    """The only time that the codes are shown. In the answer itself: an address of theirs could be opened again."""
    name, host = _user(request).get_username(), _host()
    heading = _("Recovery codes of %(name)s at %(host)s. Each works once.") % {"name": name, "host": host}
    text = f"{heading}\n\n" + "\n".join(codes) + "\n"
    context = {
        "codes": codes,
        "turned_on": turned_on,
        "kept": keeping.stashed(request) is not None,
        "name": name,
        "host": host,
        "file": f"data:text/plain;charset=utf-8,{quote(text)}",
    }
    return private(render(request, "studio/recovery_codes.html", context, using="jinja2"))


def _setup(user: User, secret: bytes) -> Setup:
    link = core.address(secret, name=user.get_username(), issuer=_host())
    size, path = squares(link)
    return Setup(size, path, core.typed_secret(secret), link)


def _host() -> str:
    return urlsplit(settings.NEWSLETTER.base_url).hostname or "newsletter"


def _begun(request: HttpRequest, now: datetime) -> bytes | None:
    """The secret that waits for its first code in this session."""
    kept = request.session.get(_KEY)
    if not kept or now.timestamp() - kept["at"] > PATIENCE.total_seconds():
        return None
    return seal().open(kept["secret"])


def _limited(request: HttpRequest, now: datetime, prove: Callable[[], object]) -> None:
    """Passwords and codes are guessed no faster here than at the log-in. Raises what `prove` raises."""
    attempt = Attempt(request, _user(request).get_username(), now)
    if attempt.refused:
        attempt.forget()
        raise TooManyTries(_("Too many tries went wrong."), hint=_("Wait a quarter of an hour."))
    prove()
    attempt.forget()


def _require_password(request: HttpRequest, user: User) -> None:
    if not user.check_password(request.POST.get("password", "")):
        raise PeopleError(_("Your password is another one."), hint=_("Capital letters count."))


def _require_code(request: HttpRequest, user: User, now: datetime) -> None:
    if not second_step.passes(user, _typed(request), seal=seal(), now=now):
        raise PeopleError(second_step.WRONG, hint=_("Nothing was changed."))


def _typed(request: HttpRequest) -> str:
    return request.POST.get("code", "")[:100]


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _status(error: NewsletterError) -> int:
    return 429 if isinstance(error, TooManyTries) else 400


def _done(where: str, said: str) -> HttpResponse:
    return private(HttpResponseRedirect(f"{reverse(where)}?said={said}"))
