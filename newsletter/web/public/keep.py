"""The page behind the question to a quiet reader: one button, and a GET changes nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from newsletter.core.tokens import KEEP
from newsletter.flow.preferences import Link
from newsletter.flow.signup.confirming import newsletter_of
from newsletter.web.public.preferences import behind, language_for
from newsletter.web.public.showing import show
from subscribers import preferences


@behind(KEEP, "GET", "HEAD", "POST")
def page(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """GET asks, POST keeps; for who has left meanwhile it says how to begin anew."""
    row = link.subscription
    assert row is not None
    kind = "keep"
    if request.method == "POST":
        kind = "kept" if preferences.keep(row, now=timezone.now(), origin="still wanted") else "left"
    return show(request, "public/link.html", {"kind": kind, "token": token}, language=language_for(request, row),
                newsletter=newsletter_of(row))  # fmt: skip
