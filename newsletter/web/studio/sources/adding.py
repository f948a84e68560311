"""A new source by any address: look first, with the last five reviews as cards; then keep it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter import media
from newsletter.core.content import EntryContent, lead_picture
from newsletter.core.errors import NewsletterError, SourceError
from newsletter.core.sentence import together
from newsletter.flow import sourcing
from newsletter.flow.people import Role
from newsletter.models import Newsletter
from newsletter.sources.base import SourceSpec
from newsletter.web.headers import FILES, private
from newsletter.web.studio.access import allowed
from newsletter.web.studio.sources.pages import patient_fetcher
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy, rubric

KINDS = {"feed": gettext_lazy("Feed"), "wordpress": gettext_lazy("WordPress"), "page": gettext_lazy("One page")}
"""What may be added from a browser. Not a folder: that would read files of the machine we run on."""

CARDS = 5
_SALT = "newsletter.source-picture"
_AN_HOUR = 3600
_THUMB = 480
# What stands in a card whose picture can't be had: nothing, drawn, so that no broken picture is shown.
_NO_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"></svg>'


@allowed(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest) -> HttpResponse:
    """GET asks for an address; POST says what lies there. Nothing is kept by looking."""
    if request.method != "POST":
        return _page(request)
    address, kind = _text(request, "address", 4000), _text(request, "kind", 20)
    if kind not in KINDS:
        found = sourcing.find(address, patient_fetcher())
    else:
        try:
            url = sourcing.web_address(address)[0]
            spec = SourceSpec(name=sourcing.name_of(url), kind=kind, location=url)
            found = sourcing.Found(sourcing.try_source(spec, patient_fetcher()), str(_CHOSEN[kind]), spec.name)
        except SourceError as error:
            found = sourcing.Found(sourcing.Tried(kind, address, error=together(error.message, error.hint)))
    return _page(request, address=address, found=found, status=422 if found.tried.error else 200)


@allowed(Role.ADMIN)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep what was looked at, and read it at once. Without a newsletter the magazine's first one is made with it."""
    kind, location = _text(request, "kind", 20), _text(request, "location", 4000)
    name = _text(request, "name", 200) or sourcing.name_of(location)[:200]
    now, by, home = timezone.now(), request.user.get_username(), settings.NEWSLETTER.home
    try:
        if kind not in KINDS:
            raise SourceError(_("There is no such kind of source."), hint=_("Look at the address again."))
        fields = {"kind": kind, "location": sourcing.web_address(location)[0], "name": name}
        newsletter = _newsletter(request)
        if newsletter is None:
            source = sourcing.begin(_text(request, "magazine", 200), fields, now=now, by=by, home=home)
        else:
            source = sourcing.add(newsletter, fields, now=now, by=by, home=home)
    except NewsletterError as error:
        problem = together(error.message, error.hint)
        return _page(request, address=location, problem=problem, status=409)
    # What can't be read now is said on its page, and tried again by the clock.
    sourcing.read_now(source, now=now, fetcher=patient_fetcher(), media_folder=settings.NEWSLETTER.media_folder)
    if request.POST.get("welcome"):
        return private(HttpResponseRedirect(reverse("welcome")))
    return private(HttpResponseRedirect(f"{reverse('source', args=[source.slug])}?read=1"))


@allowed(Role.EDITOR)
@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponse:
    """The picture of a card that is looked at, fetched by us, small: the browser asks nobody else. The token is what
    makes this no proxy: only addresses that we printed ourselves, for an hour.
    """
    try:
        url = signing.loads(token, salt=_SALT, max_age=_AN_HOUR)
    except signing.BadSignature as error:
        raise Http404 from error
    try:
        answer = patient_fetcher().get(str(url), accept="image/*;q=0.8", max_bytes=media.MAX_SOURCE_BYTES)
        data, media_type, _size = media.redrawn(answer.body, width=_THUMB, where=str(url))
    except NewsletterError:
        data, media_type = _NO_PICTURE, "image/svg+xml"
    response = private(HttpResponse(data, content_type=media_type))
    response.headers["Content-Security-Policy"] = FILES
    response.headers["Cache-Control"] = f"private, max-age={_AN_HOUR}"
    return response


_CHOSEN = {
    "feed": gettext_lazy("You chose this feed."),
    "wordpress": gettext_lazy("You chose the REST interface."),
    "page": gettext_lazy("You chose this page."),
}


def _page(
    request: HttpRequest,
    *,
    address: str = "",
    found: sourcing.Found | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    good = found is not None and not found.tried.error
    context: dict[str, Any] = {
        "address": address,
        "found": found if good else None,
        "problem": problem or (found.tried.error if found and not good else ""),
        "kinds": KINDS,
        "cards": [_card(entry) for entry in found.tried.entries[:CARDS]] if found and good else [],
        "newsletters": list(Newsletter.objects.order_by("name", "pk")),
        "welcome": bool(request.POST.get("welcome") or request.GET.get("welcome")),
        "sender": sourcing.sender_at(found.tried.location) if found and good else "",
        "typed": request.POST,
    }
    return private(render(request, "studio/sources/add.html", context, status=status, using="jinja2"))


def _card(entry: EntryContent) -> dict[str, Any]:
    lead = lead_picture(entry)
    return {
        "content": entry,
        "rubric": rubric(entry.rubric),
        "picture": reverse("source-picture", args=[signing.dumps(lead.url, salt=_SALT)]) if lead else "",
    }


def _newsletter(request: HttpRequest) -> Newsletter | None:
    """The newsletter that was chosen, or the only one; None where there is none at all. Raises `SourceError`."""
    every = list(Newsletter.objects.order_by("name", "pk"))
    chosen = _text(request, "newsletter", 60)
    if not chosen and len(every) <= 1:
        return every[0] if every else None
    found = next((row for row in every if row.slug == chosen), None)
    if found is None:
        raise SourceError(_("There is no such newsletter."), hint=_("Choose one."))
    return found


def _text(request: HttpRequest, name: str, longest: int) -> str:
    """One line that was typed. One letter longer than allowed stays, so that what refuses it can say so."""
    return request.POST.get(name, "").replace("\x00", "").strip()[: longest + 1]
