"""The newsletter's own colours and faces over the readers' pages, from the tokens of its design."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from newsletter.config.home import template_folders
from newsletter.core.colors import ENOUGH, contrast, is_color, text_on
from newsletter.core.errors import DesignError
from newsletter.flow.compile import find_design
from newsletter.models import Newsletter
from newsletter.web.headers import FILES

# Our variable and the token that it takes, by day and after dark.
_DAY = {"paper": "paper", "ink": "ink", "soft": "muted", "line": "hairline", "accent": "signal"}
_NIGHT = {name: f"dark_{token}" for name, token in _DAY.items()}
# The faces of headlines and of text, whatever our variables are called after.
_FACES = {"serif": "heads", "sans": "text"}
_FACE = re.compile(r"[A-Za-z0-9 ,'_-]+", re.ASCII)


@require_safe
def sheet(request: HttpRequest, newsletter: str) -> HttpResponse:
    """A few variables in CSS. A design that can't be read leaves the pages in our own colours."""
    row = get_object_or_404(Newsletter, slug=newsletter)
    home = settings.NEWSLETTER.home
    try:
        tokens: Mapping[str, Any] = find_design(row.design, template_folders(home), row.design_tokens).tokens
    except DesignError:
        tokens = {}
    response = HttpResponse(css(tokens), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Content-Security-Policy"] = FILES
    return response


def css(tokens: Mapping[str, Any]) -> str:
    """The variables of faces and of both times of day; a set of colours in which text could not be read is left out."""
    parts = []
    if faces := " ".join(f"--{name}: {tokens[face]};" for name, face in _FACES.items() if _is_face(tokens.get(face))):
        parts.append(f":root {{ {faces} }}")
    if day := _rules(tokens, _DAY):
        parts.append(f":root {{ {day} }}")
    if night := _rules(tokens, _NIGHT):
        parts.append(f"@media (prefers-color-scheme: dark) {{ :root {{ {night} }} }}")
    return "\n".join(parts) + "\n"


def _is_face(value: object) -> bool:
    """Whether it is a list of font names, and can be nothing else."""
    return isinstance(value, str) and _FACE.fullmatch(value) is not None and value.count("'") % 2 == 0


def _rules(tokens: Mapping[str, Any], names: Mapping[str, str]) -> str:
    found = {name: str(tokens[token]) for name, token in names.items() if is_color(tokens.get(token))}
    paper, ink = found.get("paper"), found.get("ink")
    if paper is None or ink is None or contrast(ink, paper) < ENOUGH:
        return ""
    found["sheet"] = found["wash"] = paper
    for name in ("soft", "accent"):
        if name in found and contrast(found[name], paper) < ENOUGH:
            found[name] = ink
    if "accent" in found:
        found["on-accent"] = text_on(found["accent"], paper, ink)
        found["link"] = found["accent"]
    return " ".join(f"--{name}: {color};" for name, color in found.items())
