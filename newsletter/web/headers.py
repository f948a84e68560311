"""What every answer says to the browser: a Content-Security-Policy, whom to tell where we came from, what to keep.

A view that needs other words sets its own header; the middleware only fills in what is missing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

# Our own pages and Django's admin run under this: no inline script or style, nothing from anywhere else.
PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Pages for readers have no script at all.
READERS = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A letter is a mail's HTML: inline styles, our pictures, and not one script. `sandbox` gives it an origin of its own,
# so that not even a hole in the sanitiser could act for whoever is logged in.
_LETTER = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors {ancestors}; sandbox allow-popups allow-popups-to-escape-sandbox"
)
LETTER_ALONE = _LETTER.format(ancestors="'none'")
LETTER_FRAMED = _LETTER.format(ancestors="'self'")
# On the desk its frame has our origin, so that the desk's own script can put words into it and see what was clicked;
# in exchange nothing leaves it, no new window either, and scripts of its own stay forbidden twice (ADR 19).
LETTER_EDITED = LETTER_FRAMED.replace("allow-popups allow-popups-to-escape-sandbox", "allow-same-origin")
# What stands in a letter's frame where there is no letter: words of ours.
NOTICE_FRAMED = "default-src 'none'; style-src 'self'; frame-ancestors 'self'"
# A picture or any other file opened on its own can do nothing.
FILES = "default-src 'none'; sandbox"


class HeadersMiddleware:
    """Fill in the policy, and no-referrer for every page: addresses of ours hold tokens.

    A page with a script writes `<script nonce="{{ request.csp_nonce }}" src=…>`; asking for the nonce is what puts it
    into the policy.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Django's own protocol."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        made: list[str] = []
        request.csp_nonce = SimpleLazyObject(lambda: _nonce(made))  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", with_nonce(PAGES, made[0]) if made else PAGES)
        if "frame-ancestors 'self'" in response.headers["Content-Security-Policy"]:
            # The older word for the same; without it Django's own, which is never, would come first in some browsers.
            response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


def with_nonce(policy: str, nonce: str) -> str:
    """`policy` with scripts allowed by `nonce` alone (CSP 3, section 2.3.1): no file runs uncalled, not even one that
    somebody managed to put where we serve ours from.
    """
    return policy.replace("script-src 'self'", f"script-src 'nonce-{nonce}'")


def _nonce(made: list[str]) -> str:
    made.append(secrets.token_urlsafe(16))
    return made[-1]


def private(response: HttpResponse) -> HttpResponse:
    """Mark a page whose address or content is one person's: kept nowhere, told to nobody, found by no search engine."""
    response.headers["Cache-Control"] = "no-store"
    # Not no-referrer: under it a browser posts a form with "Origin: null", and Django takes that for a forgery.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def for_readers(response: HttpResponse) -> HttpResponse:
    """Mark a page for readers: no script, no frame, no index."""
    response.headers["Content-Security-Policy"] = READERS
    response.headers["X-Frame-Options"] = "DENY"
    private(response)
    response.headers["Referrer-Policy"] = "no-referrer"  # their forms carry a token, and need no such check
    return response
