"""Public pages: an issue as everybody may see it, and the pictures of letters."""

from __future__ import annotations

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from newsletter.models import Issue, IssueState
from newsletter.web.display import as_served_here
from newsletter.web.headers import FILES, LETTER_ALONE

_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
_OUT = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)
"""The first letter links to the page, and it may be read long before the last one has left."""

_YEAR = "public, max-age=31536000, immutable"


@require_safe
def view_online(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """The stored page of an issue that goes or went out: no personal parts, the same for whoever has the address."""
    issue = get_object_or_404(Issue, newsletter__slug=newsletter, slot=slot, state__in=_OUT)
    if not issue.public_html:
        raise Http404("This issue has no public page.")
    response = HttpResponse(as_served_here(issue.public_html, settings.NEWSLETTER.base_url))
    response.headers["Content-Security-Policy"] = LETTER_ALONE
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@require_safe
def media(request: HttpRequest, name: str) -> HttpResponse | FileResponse:
    """One picture. The address only lets names of hashes through (urls), so no path can lead out of the folder."""
    file = settings.NEWSLETTER.media_folder / name
    tag = f'"{file.stem}"'
    # The name is the hash of the content: what a browser holds under it is right for ever.
    if tag in request.headers.get("If-None-Match", ""):
        response: HttpResponse | FileResponse = HttpResponse(status=304)
    else:
        try:
            response = FileResponse(file.open("rb"), content_type=_TYPES[file.suffix])
        except (FileNotFoundError, IsADirectoryError) as error:
            raise Http404("There is no such picture.") from error
    response.headers["Cache-Control"] = _YEAR
    response.headers["ETag"] = tag
    response.headers["Content-Security-Policy"] = FILES
    # Mail programs on the web show our pictures from their own origin.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
