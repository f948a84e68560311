"""What every answer says to the browser: a Content-Security-Policy, whom to tell where we came from, what to keep.

A view that needs other words sets its own header; the middleware only fills in what is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

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
# A picture or any other file opened on its own can do nothing.
FILES = "default-src 'none'; sandbox"


class HeadersMiddleware:
    """Fill in the policy, and no-referrer for every page: addresses of ours hold tokens."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Django's own protocol."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", PAGES)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


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
