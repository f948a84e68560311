"""How a page for readers is shown: in their language and direction, in their newsletter's colours, kept by nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from newsletter.core.words import dir_of
from newsletter.models import Newsletter
from newsletter.web.headers import for_readers

EVERY = tuple(code for code, _ in settings.LANGUAGES)
"""Also those in which only the goodbye is translated."""


def language_of(request: HttpRequest, *wishes: str, spoken: Collection[str] = settings.COMPLETE_LANGUAGES) -> str:
    """The language of a page: the reader's own, the form's or newsletter's, then the browser's; the first that is
    among `spoken`. A link may ask for one: `?lang=de`.
    """
    by_base = {code.partition("-")[0]: code for code in spoken}
    for wish in (request.GET.get("lang", ""), *wishes):
        found = by_base.get(wish.replace("_", "-").partition("-")[0].lower())
        if found is not None:
            return found
    asked = translation.get_language_from_request(request)
    return by_base.get(asked.partition("-")[0], "en")


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    language: str,
    newsletter: Newsletter | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page in `language`, with the headers of everything that is one person's (`for_readers`)."""
    with translation.override(language):
        found = {
            **context,
            "language": language,
            "direction": dir_of(language),
            "newsletter": newsletter,
            "skin": reverse("skin", args=[newsletter.slug]) if newsletter else "",
        }
        return for_readers(render(request, template, found, status=status, using="jinja2"))
