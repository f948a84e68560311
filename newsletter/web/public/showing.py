"""How a page for readers is shown: in their language and direction, in their newsletter's colours, kept by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from newsletter.core.words import dir_of
from newsletter.models import Newsletter
from newsletter.web.headers import for_readers

SPOKEN = tuple(code for code, _ in settings.LANGUAGES)


def language_of(request: HttpRequest, *wishes: str) -> str:
    """The language of a page: the reader's own, the form's or newsletter's, then the browser's; the first that is
    spoken. A link may ask for one: `?lang=de`.
    """
    for wish in (request.GET.get("lang", ""), *wishes):
        base = wish.replace("_", "-").partition("-")[0].lower()
        if base in SPOKEN:
            return base
    asked = translation.get_language_from_request(request)
    base = asked.partition("-")[0]
    return base if base in SPOKEN else SPOKEN[0]


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
