"""Forms that came too late: from before a log-in, or from a page whose token a new log-in made void."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.csrf import csrf_failure
from django.views.decorators.http import require_safe

from newsletter.flow.people import Role, role_of
from newsletter.web.headers import private
from newsletter.web.studio import keeping
from newsletter.web.studio.access import allowed, way_back
from newsletter.web.studio.keeping import Kept


@allowed(Role.EDITOR)
@require_safe
def again(request: HttpRequest) -> HttpResponse:
    """What was typed before the log-in, and a button that sends it where it was going."""
    kept = keeping.stashed(request)
    if kept is None:
        return private(HttpResponseRedirect(reverse("studio")))
    return private(_page(request, kept, status=200))


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """In place of Django's answer to a form whose token is wrong: where a page of ours posted it, nothing is lost.

    Logging in makes a new token, so what stands open in another tab has an old one. Only a browser says where a form
    comes from (`Origin`, which no page can forge), and only a form of ours is shown again.
    """
    here = f"{request.scheme}://{request.get_host()}"
    kept = _kept(request) if request.headers.get("Origin") == here else None
    if kept is None:
        return csrf_failure(request, reason=reason)
    if role_of(request.user) is None:
        return private(keeping.log_in_first(request, kept, request.POST.get("next") or way_back(request)))
    return private(_page(request, kept, status=403))


def _kept(request: HttpRequest) -> Kept | None:
    """What the refused form holds: what was typed, or on the log-in page what came along."""
    view = request.resolver_match.func if request.resolver_match else None
    if isinstance(getattr(view, "role", None), Role):
        return keeping.posted(request) if getattr(view, "keeps", False) else None
    return keeping.carried(request)


def _page(request: HttpRequest, kept: Kept, *, status: int) -> HttpResponse:
    return render(request, "studio/again.html", {"kept": kept}, status=status, using="jinja2")
