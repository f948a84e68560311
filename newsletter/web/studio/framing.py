"""A letter for a frame of ours, or the words that stand there when it can't be made."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from newsletter.core.errors import NewsletterError
from newsletter.web.display import as_served_here
from newsletter.web.headers import LETTER_FRAMED, NOTICE_FRAMED, private


def framed(html: str) -> HttpResponse:
    """The letter: no script can run in it, and it has an origin of its own."""
    response = HttpResponse(as_served_here(html, settings.NEWSLETTER.base_url))
    response.headers["Content-Security-Policy"] = LETTER_FRAMED
    return private(response)


def unframed(request: HttpRequest, error: NewsletterError) -> HttpResponse:
    """Why there is no letter, in plain words."""
    return _notice(request, "studio/broken.html", {"error": error})


def uncovered(request: HttpRequest) -> HttpResponse:
    """That there is no letter, in the few words that a frame as small as a cover has room for."""
    return _notice(request, "studio/home_nocover.html", {})


def _notice(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context, using="jinja2")
    response.headers["Content-Security-Policy"] = NOTICE_FRAMED
    return private(response)
