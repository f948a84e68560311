"""Between the password and the second step: who waits for it, in a session that opens nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import login as start_session
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from newsletter.web.studio.limits import remember

PATIENCE = timedelta(minutes=10)
_KEY = "waits for second step"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whose password was right, where they wanted to go, and the one-time link when that was the way."""

    user: User
    next: str
    link: str


def begin(request: HttpRequest, user: User, next_page: str, *, link: str = "") -> None:
    """Let `user` wait in this session. Its number changes, so that nobody who knew it before has part in it."""
    request.session.cycle_key()
    request.session[_KEY] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "at": int(timezone.now().timestamp()),
        "next": next_page,
        "link": link,
    }


def of(request: HttpRequest, now: datetime) -> Waiting | None:
    """Who waits here; None after ten minutes, for an account that was closed, and after another password."""
    kept = request.session.get(_KEY)
    if not kept or not 0 <= now.timestamp() - kept["at"] + 1 <= PATIENCE.total_seconds():
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(kept["password"], user.get_session_auth_hash()):
        return None
    return Waiting(user, kept["next"], kept["link"])


def forget(request: HttpRequest) -> None:
    """Nobody waits any more."""
    request.session.pop(_KEY, None)


def finish(request: HttpRequest, user: User, next_page: str) -> HttpResponse:
    """Log in, and make this browser one that its person has been in with: only now, or a password alone would do."""
    forget(request)
    start_session(request, user, backend=_BACKEND)
    answer = HttpResponseRedirect(next_page)
    remember(request, answer, user.get_username())
    return answer
