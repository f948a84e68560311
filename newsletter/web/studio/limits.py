"""How often passwords and codes may be guessed: by internet address, and by account without ever locking one out.

Whoever only knows a name could otherwise shut its owner out by failing on purpose. So a browser that the owner has
logged in with carries a signed cookie, and its tries are counted apart (the "device cookies" of OWASP): strangers use
up strangers' tries only. Names that nobody has are limited just the same, so nothing is learnt from it.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from newsletter.flow.signup.receiving import Client
from newsletter.models import LoginFailure
from newsletter.web.links import keys
from newsletter.web.public.signup import client_address

WINDOW = timedelta(minutes=15)
PER_CLIENT = 20
PER_ACCOUNT = 10
COOKIE = "newsletter_known"
_SALT = "newsletter.known-browser"
_KEPT = timedelta(days=365)
_MOST = 5


class Attempt:
    """One try to log in as `name`. It counts as failed from the start: many at once can't slip past the limit."""

    def __init__(self, request: HttpRequest, name: str, now: datetime) -> None:
        """Deletes what is older than the window, too."""
        account = _account(name)
        number, known = _read(request)
        # A known browser has tries of its own, and only for those who logged in with it.
        self._account = _hash(f"{account}|{number}") if account in known else account
        self._client = Client.of(client_address(request), "", keys()).mark
        LoginFailure.objects.filter(at__lte=now - WINDOW).delete()
        self._row = LoginFailure.objects.create(client=self._client, account=self._account, at=now)

    @property
    def refused(self) -> bool:
        """Whether the password may not even be looked at."""
        return (
            LoginFailure.objects.filter(client=self._client).count() > PER_CLIENT
            or LoginFailure.objects.filter(account=self._account).count() > PER_ACCOUNT
        )

    def forget(self) -> None:
        """It was right, or was not looked at."""
        self._row.delete()


def wrong_codes(name: str, now: datetime) -> int:
    """Note a wrong code after the right password of `name`; returns how many there were within the window."""
    account = _hash(f"wrong code|{_account(name)}")
    LoginFailure.objects.create(client="", account=account, at=now)
    return LoginFailure.objects.filter(account=account, at__gt=now - WINDOW).count()


def remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Make this browser one that `name` has logged in with."""
    number, known = _read(request)
    account = _account(name)
    kept = [account, *(each for each in known if each != account)][:_MOST]
    response.set_cookie(
        COOKIE,
        signing.dumps([number or secrets.token_hex(8), kept], salt=_SALT),
        max_age=_KEPT,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    """The browser's number, and the accounts it knows; nothing for a cookie that is not ours."""
    try:
        number, known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_KEPT)
    except signing.BadSignature:
        return "", []
    return number, known


def _account(name: str) -> str:
    return _hash(name.strip().casefold())


def _hash(text: str) -> str:
    return salted_hmac("newsletter.login-limit", text, algorithm="sha256").hexdigest()[:40]
